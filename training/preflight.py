"""What a training will need at its end, checked before its first step; and the earlier training in
its work folder, set aside. On the caller's thread.

A kit that cannot be written after hours of training is hours lost: its name, its place, its
classes, its manifest and the room on the disk are looked at first.
"""

from __future__ import annotations

import re
import shutil
import tempfile
from collections.abc import Iterable, Sequence
from pathlib import Path

from gan808 import ownership
from gan808.errors import TrainingError
from gan808.instrument.names import is_plain_name
from gan808.sound.kit.manifest import CLASS_PATTERN, NAME_PATTERN

from . import checkpoint

MAX_CLASS_LETTERS = 32  # what CLASS_PATTERN takes
EARLIER = "earlier"
KIT_EXTRAS_BYTES = 20_000_000  # factory sounds, moments and report
RUN_EXTRAS_BYTES = 50_000_000  # samples, losses, curves for TensorBoard


def check_kit_name(name: str) -> None:
    """Raises TrainingError for what cannot be a kit's name."""
    if not re.fullmatch(NAME_PATTERN, name) or not is_plain_name(name):
        raise TrainingError(f"--kit {name[:80]!r}: a name is letters, digits, - and _, up to 64 of "
                            "them, and begins with a letter or digit")


def check_classes(classes: Iterable[str]) -> None:
    """Raises TrainingError for a class that no kit could have."""
    for name in sorted(classes):
        if not re.fullmatch(CLASS_PATTERN, name):
            raise TrainingError(
                f"class {name!r} ({len(name)} letters): a class is up to {MAX_CLASS_LETTERS} "
                "letters, digits and _; give its folder a shorter name, or that of a drum")


def check_kit_folder(kits: Path, name: str, keep_off: Sequence[Path], run: Path) -> None:
    """Raise TrainingError when the kit KITS/NAME could not be written, ConfigError when it would
    meet something else: one of `keep_off`, or what is there and is no kit. run: of which it will be
    made."""
    folder = kits / name
    try:
        for place in keep_off:
            ownership.require_apart(folder, place, ownership.KIT, "another --kit or --kits-folder")
        ownership.earlier_goes_to(folder, ownership.KIT,
                                  ownership.identity_of(run, ownership.RUN), "--kit another name")
        kits.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=kits, prefix=f".{name}.gan808-try"):
            pass
    except OSError as error:
        raise TrainingError(f"{kits}: cannot write there ({error.strerror})") from error


def check_room(run: Path, checkpoint_bytes: int, weights_bytes: int, kits: Path | None) -> None:
    """Raise TrainingError when checkpoints of that size, samples and, where it is known where it
    goes, the kit do not fit the disks. weights_bytes: of generator and critic in a kit."""
    n_kept = checkpoint.KEEP + 2  # the proven one, and one being written
    there = sum(path.stat().st_size for path in run.rglob("*") if path.is_file())
    best = 2 * checkpoint_bytes  # less, as optimisers are not in it; twice, while it is written
    wanted = n_kept * checkpoint_bytes + best + RUN_EXTRAS_BYTES
    needs: dict[Path, int] = {run: max(wanted - there, checkpoint_bytes)}
    if kits is not None:
        needs[kits] = 2 * (weights_bytes + KIT_EXTRAS_BYTES)
        needs[Path(tempfile.gettempdir())] = weights_bytes + KIT_EXTRAS_BYTES
    disks: dict[int, list[Path]] = {}
    for folder in needs:
        disks.setdefault(folder.stat().st_dev, []).append(folder)
    for folders in disks.values():
        need, free = sum(needs[folder] for folder in folders), shutil.disk_usage(folders[0]).free
        if free < need:
            raise TrainingError(f"{folders[0]}: {free / 1e6:.0f} MB are free, the training needs "
                                f"about {need / 1e6:.0f} MB; make room first")


def set_aside_earlier(work: Path) -> Path | None:
    """Move the dataset and the run of an earlier training into WORK/earlier-DATE; None when there
    is neither. Nothing else in WORK is touched. Raises ConfigError when they are not ours,
    TrainingError when they cannot be moved."""
    parts = (("dataset", ownership.DATASET), ("run", ownership.RUN))
    there = [work / name for name, _ in parts if (work / name).exists()]
    for name, kind in parts:
        ownership.require_ours(work / name, kind, "another --work")
    if not there:
        return None
    aside = ownership.dated(work / EARLIER)
    try:
        aside.mkdir()
        for folder in there:
            folder.rename(aside / folder.name)
    except OSError as error:
        raise TrainingError(f"{work}: the earlier training cannot be set aside "
                            f"({error.strerror})") from error
    return aside

