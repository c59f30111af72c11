"""What the player costs to install: megabytes and seconds, against training's libraries beside it.

    python benchmarks/install.py [--train]

Installs this checkout into a new virtual environment in a temporary folder, through pip as it is
configured (its cache and the network count), and takes it away again. --train measures
`gan808[train]` too and prints the ratio. Fails where the player's environment holds TensorFlow.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import time
import venv
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parents[1]
SECONDS_AT_MOST = 1800


def installed(folder: Path, extra: str) -> tuple[float, float]:
    """(megabytes on disk, seconds) of an environment with gan808 and this extra, such as "" or
    "[train]"."""
    began = time.monotonic()
    venv.create(folder, with_pip=True)
    subprocess.run(
        [folder / "bin" / "python", "-m", "pip", "install", "--quiet", f"{CHECKOUT}{extra}"],
        check=True, timeout=SECONDS_AT_MOST,
    )
    seconds = time.monotonic() - began
    files = [path for path in folder.rglob("*") if path.is_file() and not path.is_symlink()]
    return sum(path.stat().st_size for path in files) / 1e6, seconds


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--train", action="store_true", help="gan808[train] too")
    with_training = parser.parse_args().train
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        size, seconds = installed(folder / "player", "")
        print(f"player            {size:6.0f} MB {seconds:6.1f} s")
        tried = subprocess.run([folder / "player" / "bin" / "python", "-c", "import tensorflow"],
                               check=False, capture_output=True)
        if tried.returncode == 0:
            sys.exit("the player's environment holds TensorFlow")
        if with_training:
            larger, longer = installed(folder / "train", "[train]")
            print(f"with [train]      {larger:6.0f} MB {longer:6.1f} s")
            print(f"ratio             {larger / size:6.2f}    {longer / seconds:6.2f}")


if __name__ == "__main__":
    main()
