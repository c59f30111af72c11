"""A kit on disk: load and save. Reads numbers and text only; nothing in a kit is executed.

The player lays out slots and plays factory sounds from it at once; the weights are read by
network/weights.py, in the render process. What decodes and writes is loaded when first needed.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from pydantic import ValidationError

from gan808 import atomic, ownership
from gan808.errors import AudioFileError, KitError
from gan808.sound.class_mix import parse_class
from gan808.sound.descriptors import describe
from gan808.sound.kit import checks
from gan808.sound.kit.manifest import NAME_PATTERN, FactoryEntry, KitManifest
from gan808.sound.kit.slots import SlotLayout
from gan808.sound.loudness import balance_gain
from gan808.sound.sound import Sound
from gan808.sound.spectral.geometry import Geometry
from gan808.sound.spectral.spectrogram import Moments

DEFAULT = "gan808"  # the name of the kit that plays when none is asked for
MANIFEST = "kit.toml"
WEIGHTS = "weights.safetensors"
MOMENTS = "moments.npz"
FACTORY = "factory"
MAX_FACTORY_S = 5.0

@dataclass(frozen=True, eq=False)
class Kit:
    """A kit that was read and checked. Immutable."""

    folder: Path
    manifest: KitManifest

    @property
    def name(self) -> str:
        return self.manifest.name

    @property
    def classes(self) -> tuple[str, ...]:
        return self.manifest.classes

    @property
    def geometry(self) -> Geometry:
        return self.manifest.geometry

    @property
    def slots(self) -> tuple[SlotLayout, ...]:
        """1 to 16 slots, in order."""
        return tuple(
            SlotLayout(s.code, s.name, s.class_name, s.notes, s.choke, s.filter)
            for s in self.manifest.slots
        )

    def factory_sounds(self, sample_rate_hz: int) -> list[Sound]:
        """The finished sounds that came with the kit, at the rate asked for. Raises KitError."""
        return [self._factory_sound(entry, sample_rate_hz) for entry in self.manifest.factory]

    def balanced(self, audio: np.ndarray, sample_rate_hz: int, class_name: str) -> np.ndarray:
        """Audio, float32 (n,) or (n, 2), as loud as its class, or mix of classes, is in this
        kit."""
        target = sum(share * self.manifest.loudness.target_lkfs(name)
                     for name, share in parse_class(class_name).shares.items())
        return np.asarray(audio * balance_gain(audio, sample_rate_hz, target), dtype=np.float32)

    def _factory_sound(self, entry: FactoryEntry, sample_rate_hz: int) -> Sound:
        from gan808.sound.audio_files import read_audio  # soundfile, when first needed

        path = self.folder / FACTORY / entry.file
        if not path.is_file():
            raise KitError(f"{path}: is missing")
        try:
            channels, rate = read_audio(path, MAX_FACTORY_S)
        except AudioFileError as error:
            raise KitError(f"{path}: cannot be read ({error})") from error
        if channels.shape[1] > 2:
            raise KitError(f"{path}: not a mono or stereo sound")
        audio = channels if channels.shape[1] == 2 else channels[:, 0]
        audio = self.balanced(audio, rate, entry.class_name)
        descriptors = describe(audio if audio.ndim == 1 else audio[:, 0], rate)
        return Sound(
            kit=self.name, class_asked=entry.class_name, seed=entry.seed,
            class_heard=entry.class_heard, confidence=entry.confidence, realness=entry.realness,
            audio=to_rate(audio, rate, sample_rate_hz), sample_rate_hz=sample_rate_hz,
            descriptors=descriptors, trail=entry.trail or "",
        )

    def statistics(self) -> tuple[Moments, np.ndarray]:
        """Moments of the images, and the quantiles of the critic's scores for training sounds:
        float32, shape (n_classes, n_quantiles), rising along the row. Raises KitError."""
        path, bands = self.folder / MOMENTS, (self.geometry.n_bands,)
        mean, deviation, realness = checks.read_arrays(path, {
            "mean": bands, "deviation": bands, "realness": (len(self.classes), 0)}).values()
        if realness.shape[1] < 2:
            raise KitError(f"{path}: its shapes do not fit {MANIFEST}")
        finite = all(np.isfinite(a).all() for a in (mean, deviation, realness))
        if not finite or deviation.min() <= 0 or (np.diff(realness, axis=1) < 0).any():
            raise KitError(f"{path}: holds impossible values")
        return Moments(mean, deviation), realness


def to_rate(audio: np.ndarray, from_hz: int, to_hz: int) -> np.ndarray:
    """Resample audio, float32 (n,) to float32 (m,), or (n, 2) to (m, 2), its peak kept at or
    below 1."""
    if from_hz != to_hz:
        import soxr

        audio = soxr.resample(audio, from_hz, to_hz, quality="HQ")
    peak = float(np.abs(audio).max(initial=0.0))
    return np.ascontiguousarray(audio / peak if peak > 1.0 else audio, dtype=np.float32)


def at_rate(sound: Sound, sample_rate_hz: int) -> Sound:
    """The same sound for an output of that rate."""
    if sound.sample_rate_hz == sample_rate_hz:
        return sound
    audio = to_rate(sound.audio, sound.sample_rate_hz, sample_rate_hz)
    return replace(sound, audio=audio, sample_rate_hz=sample_rate_hz)


def _problems(error: ValidationError) -> str:
    lines = []
    for problem in error.errors():
        where = ".".join(str(part) for part in problem["loc"])
        what = problem["msg"].removeprefix("Value error, ")
        lines.append(f"{where}: {what}" if where else what)
    return "; ".join(lines)


def load_kit(folder: Path) -> Kit:
    """Read and check a kit's manifest. Raises KitError naming the file and what is wrong."""
    path = folder / MANIFEST
    try:
        content = checks.read_manifest(path)
    except FileNotFoundError as error:
        raise KitError(f"{folder}: not a kit ({MANIFEST} is missing)") from error
    try:
        manifest = KitManifest.model_validate(content)
    except ValidationError as error:
        raise KitError(f"{path}: {_problems(error)}") from error
    except KitError as error:  # from the geometry's or the network's own checks
        raise KitError(f"{path}: {error}") from error
    for name in (WEIGHTS, MOMENTS):
        if not (folder / name).is_file():
            raise KitError(f"{folder}: {name} is missing")
    return Kit(folder, _named(manifest, folder))


def _named(manifest: KitManifest, folder: Path) -> KitManifest:
    """The manifest with the kit's name, which is its folder's: by that it is found."""
    name = folder.resolve().name
    if name == manifest.name:
        return manifest
    if not re.fullmatch(NAME_PATTERN, name):
        raise KitError(f"{folder}: a kit's folder is named with letters, digits, - and _ only; "
                       "rename it")
    return manifest.model_copy(update={"name": name})


def find_kit(name_or_path: str, folders: Sequence[Path]) -> Kit:
    """The kit of that name in the first of the folders that has it, or the kit at that path.

    Raises KitError, with the names there are.
    """
    for folder in folders:
        if re.fullmatch(NAME_PATTERN, name_or_path) and (folder / name_or_path).is_dir():
            return load_kit(folder / name_or_path)
    if (Path(name_or_path) / MANIFEST).is_file():
        return load_kit(Path(name_or_path))
    names = ", ".join(sorted(path.name for path in _kit_folders(folders))) or "none"
    raise KitError(f"kit {name_or_path!r} not found; there is: {names}")


def _kit_folders(folders: Sequence[Path]) -> list[Path]:
    found: dict[str, Path] = {}
    for folder in folders:
        there = sorted(folder.glob(f"*/{MANIFEST}")) if folder.is_dir() else []
        # The default kit leads: what sends program 1 at its start must not leave it.
        for path in sorted(there, key=lambda path: path.parent.name != DEFAULT):
            if re.fullmatch(NAME_PATTERN, path.parent.name):  # a copy under way is none yet
                found.setdefault(path.parent.name, path.parent)
    return list(found.values())


def list_kits(folders: Sequence[Path]) -> list[Kit | KitError]:
    """Every kit of the folders, the first of each name; a broken one as its error."""
    result: list[Kit | KitError] = []
    for path in _kit_folders(folders):
        try:
            result.append(load_kit(path))
        except KitError as error:
            result.append(error)
    return result


def save_kit(
    folder: Path,
    manifest: KitManifest,
    moments: Moments,
    realness: np.ndarray,
    weights: Mapping[str, np.ndarray],
    factory: Mapping[str, np.ndarray],
    run: str | None = None,
) -> Path | None:
    """Write a kit beside its name and rename it.

    weights: float16 arrays by name; factory: file name to float32 (n,) audio at the geometry's
    rate; run: the id of the training run it is made of. A kit that the same run made is replaced;
    any other that was there is set aside under a dated name, which is returned. Raises KitError
    when the disk is full or not writable, ConfigError when something that is no kit is there.
    """
    import soundfile
    import tomlkit
    from safetensors import SafetensorError
    from safetensors.numpy import save_file

    folder = ownership.followed(folder)
    try:
        before = ownership.earlier_goes_to(folder, ownership.KIT, run, "another name")
        with atomic.replacing_folder(folder, durable=True) as partial:
            (partial / FACTORY).mkdir()
            save_file(dict(weights), partial / WEIGHTS)
            (partial / WEIGHTS).chmod(0o644)  # safetensors makes it private; kits are shared
            np.savez(partial / MOMENTS, mean=moments.mean, deviation=moments.deviation,
                     realness=realness)
            for name, audio in factory.items():
                soundfile.write(partial / FACTORY / name, audio,
                                manifest.geometry.sample_rate_hz, subtype="PCM_24")
            content = manifest.model_dump(mode="python", by_alias=True, exclude_none=True)
            (partial / MANIFEST).write_text(tomlkit.dumps(_plain(content)), encoding="utf-8")
            ownership.mark(partial, ownership.KIT, run)
            if before is not None:
                folder.rename(before)
            elif (folder / "report").is_dir():
                shutil.copytree(folder / "report", partial / "report")
    except (OSError, SafetensorError, soundfile.LibsndfileError) as error:
        raise KitError(f"{folder}: cannot write the kit ({error})") from error
    return before


def _plain(value: Any) -> Any:
    """Tuples and mappings as TOML has them."""
    if isinstance(value, Mapping):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    return value
