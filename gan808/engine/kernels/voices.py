"""Voices inside the audio callback: start, steal, choke, glide, end.

Compiled by numba into the callback and run on its thread. All state lives in the shared memory.
Every quantity is a function of the frame alone, never of the block, so that the output is the
same at any block size.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numba import njit

from gan808.engine.kernels.atomics import store_release
from gan808.engine.layout import (
    ENVELOPE_FRAMES,
    NO_CELL,
    POSITION_BITS,
    SLOTS,
    VOICE_FADING,
    VOICE_FREE,
    VOICE_SOUNDING,
    VOICES_PER_SLOT,
)

POSITION_ONE = 1 << POSITION_BITS
# Hits of a choke group that lie closer than this are meant as one.
TOGETHER_S = 0.001
# Decay 0 falls 60 dB in 30 ms; just under 1 it takes 3 s; 1 leaves the sound as it is.
DECAY_SHORTEST_S = 0.03
DECAY_SPAN = 100.0

compiled: Any = njit(error_model="numpy")


@compiled
def clipped(value: float, low: float, high: float) -> float:
    """value within low..high; NaN becomes low."""
    if not value >= low:
        return low
    return min(value, high)


@compiled
def fade_out(voice: Any, frames: int) -> None:
    """Lets a sounding voice fall to silence; one that fades already keeps its fade."""
    if voice.state == VOICE_SOUNDING:
        voice.state = VOICE_FADING
        voice.fade_index = 0
        voice.fade_frames = frames


@compiled
def fade_slot(memory: Any, slot: int, frames: int) -> None:
    """Fades the voices of one slot, or of every slot when slot is negative."""
    voices = memory.voices
    for index in range(memory.physical_voices):
        if slot < 0 or voices[index].slot == slot:
            fade_out(voices[index], frames)


@compiled
def choke_others(memory: Any, slot: int) -> None:
    """Fades the voices of the other slots in this slot's choke group."""
    slots = memory.slots
    group = slots[slot].choke
    if group <= 0:
        return
    for other in range(SLOTS):
        if other != slot and slots[other].choke == group:
            fade_slot(memory, other, memory.choke_fade_frames)


@compiled
def is_outranked(memory: Any, slot: int) -> bool:
    """Whether a later slot of this slot's choke group has begun in the last millisecond: of hits
    meant as one, the closed hat is heard, whichever came first."""
    slots, voices = memory.slots, memory.voices
    group = slots[slot].choke
    if group <= 0:
        return False
    together = TOGETHER_S * memory.sample_rate_hz
    for index in range(memory.physical_voices):
        voice = voices[index]
        if voice.state == VOICE_SOUNDING and voice.slot > slot \
                and slots[voice.slot].choke == group and voice.position <= together * voice.step:
            return True
    return False


@compiled
def target_gains(memory: Any, voice: Any) -> Any:
    """Left and right gain the voice should have: constant power across the pan."""
    slot = memory.slots[voice.slot]
    level = voice.amplitude * slot.level
    if slot.muted != 0:
        level = np.float32(0.0)
    angle = (clipped(slot.pan + voice.pan, -1.0, 1.0) + 1.0) * (math.pi / 4.0)
    return np.float32(level * math.cos(angle)), np.float32(level * math.sin(angle))


@compiled
def ramp_gain(start: Any, target: Any, index: int, frames: int) -> Any:
    """The gain at one frame of a linear ramp, computed from the frame's index alone."""
    if index >= frames:
        return target
    return start + (target - start) * (np.float32(index) / np.float32(frames))


@compiled
def glide_slot(memory: Any, slot: int) -> None:
    """Starts a ramp in each of the slot's voices from where it is to where it should be."""
    voices = memory.voices
    for index in range(memory.physical_voices):
        voice = voices[index]
        if voice.state == VOICE_FREE or voice.slot != slot:
            continue
        left = ramp_gain(voice.left, voice.left_target, voice.ramp_index, voice.ramp_frames)
        right = ramp_gain(voice.right, voice.right_target, voice.ramp_index, voice.ramp_frames)
        voice.left, voice.right = left, right
        voice.left_target, voice.right_target = target_gains(memory, voice)
        voice.ramp_index, voice.ramp_frames = 0, memory.ramp_frames


@compiled
def make_room(memory: Any, slot: int) -> None:
    """Fades the slot's oldest voice past its share, and the quietest of all past the limit.

    Quiet is judged by gain, envelope and how far the sound has run: drums decay. Ties go to the
    oldest, so the choice does not depend on where a voice happens to be stored.
    """
    voices = memory.voices
    in_slot, sounding, oldest, quietest = 0, 0, -1, -1
    least = np.float64(0.0)
    for index in range(memory.physical_voices):
        voice = voices[index]
        if voice.state != VOICE_SOUNDING:
            continue
        sounding += 1
        if voice.slot == slot:
            in_slot += 1
            if oldest < 0 or voice.started < voices[oldest].started:
                oldest = index
        remaining = 1.0 - voice.position / (POSITION_ONE * np.float64(voice.length_frames))
        loudness = (voice.left_target + voice.right_target) * voice.envelope * remaining
        older = quietest >= 0 and voice.started < voices[quietest].started
        if quietest < 0 or loudness < least or (loudness == least and older):
            quietest, least = index, loudness
    if in_slot >= VOICES_PER_SLOT:
        fade_out(voices[oldest], memory.steal_fade_frames)
    elif sounding >= memory.voice_limit:
        fade_out(voices[quietest], memory.steal_fade_frames)
        memory.stolen += 1


@compiled
def decay_factor(decay: float, sample_rate_hz: float) -> float:
    """Envelope factor per frame for decay 0..1; 1.0 when the sound is left as it is."""
    if decay >= 1.0:
        return 1.0
    fall_s = DECAY_SHORTEST_S * DECAY_SPAN ** decay
    return 0.001 ** (1.0 / (fall_s * sample_rate_hz))


@compiled
def start_envelope(voice: Any, factor: float) -> None:
    """Prepares an envelope that falls by a factor a frame: a table of one stretch of frames, and
    what each further stretch is multiplied by."""
    voice.envelope, voice.envelope_frame = 1.0, 0
    voice.decays = factor < 1.0
    if not voice.decays:
        return
    power = 1.0
    for frame in range(ENVELOPE_FRAMES):
        voice.decay_table[frame] = power
        power *= factor
    voice.stretch_factor = power


@compiled
def start_voice(memory: Any, command: Any) -> None:
    """Starts the slot's sound; velocity v plays at gain v to the power 1.5.

    Of a choke group's slots hit together only the last in the kit's order is heard.
    When even the fading voices leave no room the hit is counted as dropped: cutting one off
    would click.
    """
    slot = memory.slots[command.slot]
    cell = slot.cell
    if cell == NO_CELL or is_outranked(memory, command.slot):
        return
    choke_others(memory, command.slot)
    make_room(memory, command.slot)
    free = -1
    voices = memory.voices
    for index in range(memory.physical_voices):
        if voices[index].state == VOICE_FREE:
            free = index
            break
    if free < 0:
        memory.dropped += 1
        return
    voice = voices[free]
    voice.state = VOICE_SOUNDING
    voice.slot = command.slot
    voice.cell, voice.mark = cell, slot.mark
    # Not the command's place in the queue: one may be sent long before it is due.
    memory.starts += 1
    voice.started = memory.starts
    voice.length_frames = memory.cell_length[cell]
    voice.position = 0
    semitones = slot.tune_semitones + clipped(command.tune_semitones, -48.0, 48.0)
    voice.step = np.int64(np.rint(POSITION_ONE * 2.0 ** (semitones / 12.0)))
    decay = slot.decay * clipped(command.decay, 0.0, 1.0)
    start_envelope(voice, decay_factor(decay, memory.sample_rate_hz))
    velocity = clipped(command.value, 0.0, 1.0)
    voice.amplitude = velocity ** 1.5 * clipped(command.gain, 0.0, 4.0)
    voice.pan = clipped(command.pan, -2.0, 2.0)
    voice.left_target, voice.right_target = target_gains(memory, voice)
    voice.left, voice.right = voice.left_target, voice.right_target
    voice.ramp_index, voice.ramp_frames = 0, 0
    voice.fade_index, voice.fade_frames = 0, 0
    store_release(memory.cell_voices, cell, memory.cell_voices[cell] + 1)


@compiled
def end_voice(memory: Any, voice: Any) -> None:
    """Frees a voice and lets go of its cell."""
    voice.state = VOICE_FREE
    cell = voice.cell
    store_release(memory.cell_voices, cell, memory.cell_voices[cell] - 1)
