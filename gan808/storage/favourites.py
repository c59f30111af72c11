"""The favourites read back: the FLAC files that library.py keeps, with what their tags tell. Any
thread."""

from __future__ import annotations

import logging
import re
from pathlib import Path

import numpy as np

from gan808.errors import Gan808Error
from gan808.paths import ordinary
from gan808.sound.class_mix import parse_class
from gan808.sound.compressed_files import require_rate
from gan808.sound.descriptors import describe
from gan808.sound.kit.kit import to_rate
from gan808.sound.latent import Point, parse_id
from gan808.sound.sound import Sound, parse_file_id

SUFFIX = ".flac"
MAX_BYTES, MAX_S = 16 << 20, 30.0
_COMMENT = re.compile(
    r"heard=(?P<heard>\S*) confidence=(?P<confidence>[\d.]+) realness=(?P<realness>[\d.]+)")
log = logging.getLogger("gan808")


def read_favourites(folder: Path, sample_rate_hz: int) -> list[Sound]:
    """Every favourite at that rate, in the order of their ids. A file that is none, or is damaged,
    is logged and left out."""
    sounds = []
    for path in sorted(folder.glob(f"*{SUFFIX}")):
        try:
            sounds.append(_read(path, sample_rate_hz))
        except Gan808Error as error:
            log.warning("%s: left out: %s", path, error)
    return sorted(sounds, key=lambda sound: sound.id)


def _read(path: Path, sample_rate_hz: int) -> Sound:
    import soundfile

    try:
        if ordinary(path).st_size > MAX_BYTES:
            raise Gan808Error("is larger than a sound can be")
        with soundfile.SoundFile(path) as file:
            require_rate(file.samplerate)
            if not 0 < file.frames <= MAX_S * file.samplerate or file.channels > 2:
                raise Gan808Error("is no mono or stereo sound of up to 30 s")
            audio, rate = file.read(dtype="float32"), file.samplerate
            title, comment = file.title, file.comment
    except (OSError, soundfile.LibsndfileError) as error:
        raise Gan808Error(str(error)) from error
    file_id = parse_file_id(title)
    kit, class_name, point = parse_id(title) if file_id is None else (
        file_id.kit, file_id.class_name, Point(0))
    parse_class(class_name)  # which refuses what is none
    told = _COMMENT.search(comment)
    if told is None or not np.isfinite(audio).all():
        raise Gan808Error("GAN-808 did not write it")
    return Sound(
        kit=kit, class_asked=class_name, seed=point.seed, class_heard=told["heard"],
        confidence=float(told["confidence"]), realness=float(told["realness"]),
        audio=to_rate(audio, rate, sample_rate_hz), sample_rate_hz=sample_rate_hz,
        descriptors=describe(audio if audio.ndim == 1 else audio[:, 0], rate), trail=point.trail,
        file="" if file_id is None else f"{file_id.name}@{file_id.digest}")
