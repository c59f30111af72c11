"""A kit's factory sounds made again, by the renderer as it is now.

    python -m training.factory KIT

For kits from before the renderer changed (`render` in kit.toml): the same classes and seeds, in
place; all else of the kit stays. A kit that is exported has the present renderer's.
"""

from __future__ import annotations

import argparse
import io
import sys
from pathlib import Path

import soundfile
import tomlkit

from gan808 import atomic
from gan808.errors import Gan808Error, KitError
from gan808.sound.kit.kit import FACTORY, MANIFEST, Kit, load_kit
from gan808.sound.latent import parse_point
from gan808.sound.renderer import Renderer
from gan808.sound.sound import RENDER

PLACES = 4  # of what the critic says, in kit.toml


def make_again(kit: Kit) -> None:
    """Render the factory sounds of a kit into its folder; kit.toml says by which renderer, and what
    the critic makes of them. Raises KitError."""
    rate_hz = kit.geometry.sample_rate_hz
    renderer = Renderer(kit, rate_hz, threads=0)
    try:
        path = kit.folder / MANIFEST
        manifest = tomlkit.parse(path.read_text(encoding="utf-8")).unwrap()
        head = list(manifest.items())
        for entry in manifest.get("factory", []):
            point = parse_point(f"{entry['seed']}{entry.get('trail', '')}")
            sound = renderer.render([entry["class"]], [point])[0]
            file = io.BytesIO()
            soundfile.write(file, sound.audio, rate_hz, format="FLAC", subtype="PCM_24")
            atomic.write_bytes(kit.folder / FACTORY / entry["file"], file.getvalue())
            entry["class_heard"] = sound.class_heard
            entry["confidence"] = round(sound.confidence, PLACES)
            entry["realness"] = round(sound.realness, PLACES)
        # Beside what else says how the kit was made; plain values come before tables in TOML.
        made = dict([*head[:2], ("render", RENDER), *(each for each in head[2:]
                                                      if each[0] != "render")])
        atomic.write_bytes(path, tomlkit.dumps(made).encode())
    except OSError as error:
        raise KitError(f"{kit.folder}: cannot be written ({error.strerror})") from error


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("kit", type=Path, help="folder of the kit")
    try:
        kit = load_kit(parser.parse_args().kit)
        make_again(kit)
    except Gan808Error as error:
        sys.exit(f"training.factory: {error}")
    sys.stdout.write(f"{kit.folder}: {len(kit.manifest.factory)} factory sounds, by renderer "
                     f"{RENDER}\n")


if __name__ == "__main__":
    main()
