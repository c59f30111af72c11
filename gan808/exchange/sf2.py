"""A SoundFont 2.04 file: bank 128, preset 0. Written here: sf2utils only reads them.

The format has no round robin: each velocity layer has the first of its sounds.

Before each sample there are LEAD frames of silence, as they are heard: FluidSynth (rvoice.c) lets
every voice's gain rise from 0 over its first block of 64, which would take the edge off a drum. A
slot's level is in its samples: players differ in what they make of an attenuation, FluidSynth takes
0.4 of it. So is the balance of a wide sound, whose channels stay on their sides.
"""

from __future__ import annotations

import math
import struct
from pathlib import Path

import numpy as np

from gan808.exchange.exported_kit import ExportedKit, ExportedSlot, Layer, ascii_name

# Generators (SoundFont 2.04, section 8.1.2).
PAN, RELEASE, INSTRUMENT, KEYS, VELOCITIES = 17, 38, 41, 43, 44
COARSE, FINE, SAMPLE, KEY_SCALE, EXCLUSIVE = 51, 52, 53, 56, 57
LONG_RELEASE = 7973  # time cents, 100 s: a drum sounds to its end
LEAD = 64  # frames of silence before each sample, at the tune it is played at
SILENCE = 46  # frames the format wants after each sample
DRUM_BANK, ROOT_KEY = 128, 60
MONO, RIGHT, LEFT = 1, 2, 4


def write(kit: ExportedKit, file: Path) -> None:
    """Write the kit as one file, its samples with 16 bits. Raises OSError."""
    audio: list[np.ndarray] = []
    headers, bags, generators = b"", b"", b""
    frames = n_samples = n_generators = 0
    for slot, layer, turn, sound, _ in kit.samples():
        if turn:
            continue
        lead = math.ceil(LEAD * 2 ** (slot.tune_semitones / 12))
        for side, channel in enumerate(sound.channels):
            wide = len(sound.channels) == 2
            kind, pair = ((LEFT, RIGHT)[side], n_samples + 1 - 2 * side) if wide else (MONO, 0)
            name = ascii_name(f"{slot.code} {sound.seed}")[:19].encode()
            headers += struct.pack("<20s5IBbHH", name, frames, frames + lead + len(channel), frames,
                                   frames, kit.sample_rate_hz, ROOT_KEY, 0, pair, kind)
            gain = min(slot.level, 1.0) * (_balance(slot.pan)[side] if wide else 1.0)
            pcm = np.round(channel * gain * 32767).astype("<i2")
            audio.append(np.pad(pcm, (lead, SILENCE)))
            frames += lead + len(channel) + SILENCE
            pan = (-500, 500)[side] if wide else round(500 * slot.pan)
            zone = _zone(slot, layer, pan, n_samples)
            bags += struct.pack("<HH", n_generators, 0)
            generators += zone
            n_generators += len(zone) // 4
            n_samples += 1
    bags += struct.pack("<HH", n_generators, 0)
    headers += struct.pack("<20s5IBbHH", b"EOS", 0, 0, 0, 0, 0, 0, 0, 0, 0)
    data = _list(b"pdta", [
        *_presets(kit),
        (b"inst", struct.pack("<20sH20sH", b"drums", 0, b"EOI", n_samples)), (b"ibag", bags),
        (b"imod", bytes(10)), (b"igen", generators + bytes(4)), (b"shdr", headers)])
    content = b"sfbk" + _list(b"INFO", _about(kit)) + _list(
        b"sdta", [(b"smpl", np.concatenate(audio).tobytes())]) + data
    file.write_bytes(_chunk(b"RIFF", content))


def _balance(pan: float) -> tuple[float, float]:
    """Gains of a wide sound's channels, each of which stays on its side."""
    angle = (pan + 1) * math.pi / 4
    return math.cos(angle), math.sin(angle)


def _zone(slot: ExportedSlot, layer: Layer, pan: int, sample: int) -> bytes:
    semitones = round(slot.tune_semitones)
    values = [(PAN, pan), (RELEASE, LONG_RELEASE), (COARSE, semitones),
              (FINE, round(100 * (slot.tune_semitones - semitones))), (KEY_SCALE, 0),
              (EXCLUSIVE, slot.choke), (SAMPLE, sample)]
    ranges = struct.pack("<HBBHBB", KEYS, slot.note, slot.note, VELOCITIES, layer.lowest,
                         layer.highest)
    return ranges + b"".join(struct.pack("<Hh", *pair) for pair in values)


def _presets(kit: ExportedKit) -> list[tuple[bytes, bytes]]:
    name = ascii_name(kit.name)[:19].encode()
    return [
        (b"phdr", struct.pack("<20s3H3I", name, 0, DRUM_BANK, 0, 0, 0, 0)
         + struct.pack("<20s3H3I", b"EOP", 0, 0, 1, 0, 0, 0)),
        (b"pbag", struct.pack("<4H", 0, 0, 1, 0)), (b"pmod", bytes(10)),
        (b"pgen", struct.pack("<HH", INSTRUMENT, 0) + bytes(4))]


def _about(kit: ExportedKit) -> list[tuple[bytes, bytes]]:
    ids = "\n".join(sound.id for _, _, turn, sound, _ in kit.samples() if not turn)
    texts = [(b"isng", "EMU8000"), (b"INAM", kit.name), (b"ICOP", kit.licence), (b"ICMT", ids)]
    return [(b"ifil", struct.pack("<HH", 2, 4)),
            *((name, _text(text, 65534 if name == b"ICMT" else 254)) for name, text in texts)]


def _text(text: str, longest: int) -> bytes:
    encoded = text.encode()[:longest] + b"\0"
    return encoded + bytes(len(encoded) % 2)


def _list(name: bytes, chunks: list[tuple[bytes, bytes]]) -> bytes:
    return _chunk(b"LIST", name + b"".join(_chunk(*chunk) for chunk in chunks))


def _chunk(name: bytes, content: bytes) -> bytes:
    return name + struct.pack("<I", len(content)) + content + bytes(len(content) % 2)
