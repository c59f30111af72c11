"""The mixing of voices inside the audio callback: read a sound, shape it, pan it, add it up.

Compiled by numba into the callback and run on its thread. Each step is a short loop over one
stretch of frames, without branches, so that LLVM can vectorise it. Every value depends on the
voice's own frame alone and no sum is reordered: the output is the same at any block size.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from gan808.engine.kernels.atomics import float32_at
from gan808.engine.kernels.voices import POSITION_ONE, compiled, end_voice, ramp_gain
from gan808.engine.layout import (
    CELL_GUARD,
    ENVELOPE_FRAMES,
    NO_CELL,
    POSITION_BITS,
    VOICE_FREE,
)

# 100 dB down, an enveloped voice is over.
SILENT_ENVELOPE = 1e-5
FRACTION = POSITION_ONE - 1
FRACTION_SCALE = np.float32(1.0 / POSITION_ONE)


@compiled
def pointer_to(samples: Any, first: int) -> Any:
    """A pointer to one float32 of an array. Through it LLVM vectorises loops: an index into an
    array may count from its end, and the test for that stands in the way."""
    return float32_at(samples.ctypes.data + 4 * first)


@compiled
def frames_left(voice: Any, span: int) -> int:
    """How many of the next frames the voice still has, by its length and its fade."""
    length = np.int64(voice.length_frames) << POSITION_BITS
    left = min(span, (length - voice.position + voice.step - 1) // voice.step)
    if voice.fade_frames > 0:
        left = min(left, voice.fade_frames - voice.fade_index)
    return left


@compiled
def read_sound(voice: Any, sound: Any, tone: Any, frames: int) -> None:
    """Reads the sound at the voice's pitch: four-point, third-order Hermite interpolation, exact
    at whole positions."""
    position, step = voice.position, voice.step
    voice.position = position + step * frames
    if step == POSITION_ONE:
        first = position >> POSITION_BITS
        for frame in range(frames):
            tone[frame] = sound[first + frame]
        return
    out = pointer_to(tone, 0)
    half, three_halves = np.float32(0.5), np.float32(1.5)
    two, five_halves = np.float32(2.0), np.float32(2.5)
    for frame in range(frames):
        whole = position >> POSITION_BITS
        part = np.float32(position & FRACTION) * FRACTION_SCALE
        before, here = sound[whole - 1], sound[whole]
        after, beyond = sound[whole + 1], sound[whole + 2]
        slope = half * (after - before)
        bend = before - five_halves * here + two * after - half * beyond
        twist = half * (beyond - before) + three_halves * (here - after)
        out[frame] = ((twist * part + bend) * part + slope) * part + here
        position += step


@compiled
def scale_by(tone: Any, factor: Any, table: Any, frames: int) -> None:
    """tone *= factor * table."""
    for frame in range(frames):
        tone[frame] *= factor * table[frame]


@compiled
def add_scaled(out: Any, tone: Any, gain: Any, frames: int) -> None:
    """out += tone * gain."""
    for frame in range(frames):
        out[frame] += tone[frame] * gain


@compiled
def shape_envelope(voice: Any, tone: Any, frames: int) -> int:
    """Multiplies by the decay envelope; returns the frames until it is silent, at most `frames`."""
    done = 0
    while done < frames:
        place = voice.envelope_frame
        if place == ENVELOPE_FRAMES:
            voice.envelope *= voice.stretch_factor
            place = 0
            if voice.envelope < SILENT_ENVELOPE:
                return done
        count = min(ENVELOPE_FRAMES - place, frames - done)
        scale_by(pointer_to(tone, done), np.float32(voice.envelope), pointer_to(
            voice.decay_table, place), count)
        voice.envelope_frame = place + count
        done += count
    return frames


@compiled
def shape_fade(voice: Any, tone: Any, frames: int) -> None:
    """Multiplies by the linear fade to silence."""
    first, length = voice.fade_index, voice.fade_frames
    for frame in range(frames):
        tone[frame] *= np.float32(length - (first + frame)) / np.float32(length)
    voice.fade_index = first + frames


@compiled
def add_panned(voice: Any, tone: Any, left: Any, right: Any, frames: int) -> None:
    """Adds the voice's tone to left and right at its gains, gliding first where they glide."""
    first, length = voice.ramp_index, voice.ramp_frames
    gliding = min(frames, length - first) if length > 0 else 0
    for frame in range(gliding):
        index = first + frame
        left[frame] += tone[frame] * ramp_gain(voice.left, voice.left_target, index, length)
        right[frame] += tone[frame] * ramp_gain(voice.right, voice.right_target, index, length)
    steady, rest = pointer_to(tone, gliding), frames - gliding
    add_scaled(pointer_to(left, gliding), steady, voice.left_target, rest)
    add_scaled(pointer_to(right, gliding), steady, voice.right_target, rest)


@compiled
def add_channel(out: Any, tone: Any, voice: Any, start: Any, target: Any, frames: int) -> None:
    """Adds the voice's tone to one side at that side's gain, gliding first where it glides."""
    first, length = voice.ramp_index, voice.ramp_frames
    gliding = min(frames, length - first) if length > 0 else 0
    for frame in range(gliding):
        out[frame] += tone[frame] * ramp_gain(start, target, first + frame, length)
    add_scaled(pointer_to(out, gliding), pointer_to(tone, gliding), target, frames - gliding)


@compiled
def add_both(memory: Any, voice: Any, frames: int) -> None:
    """Adds a mono voice's tone to the mix, and to its slot's where that is wanted."""
    tone = memory.tone
    add_panned(voice, tone, memory.left, memory.right, frames)
    if memory.by_slot != 0:
        add_panned(voice, tone, memory.slot_mix[voice.slot, 0], memory.slot_mix[voice.slot, 1],
                   frames)


@compiled
def add_side(memory: Any, voice: Any, channel: int, frames: int) -> None:
    """Adds a stereo voice's tone to one side of the mix, and of its slot's where that is wanted."""
    start, target, out = voice.left, voice.left_target, memory.left
    if channel == 1:
        start, target, out = voice.right, voice.right_target, memory.right
    add_channel(out, memory.tone, voice, start, target, frames)
    if memory.by_slot != 0:
        add_channel(memory.slot_mix[voice.slot, channel], memory.tone, voice, start, target, frames)


@compiled
def shaped(memory: Any, voice: Any, cell: int, frames: int) -> int:
    """Reads a cell into memory.tone and shapes it; returns the frames until it is silent."""
    tone = memory.tone
    offset = cell * memory.cell_stride + CELL_GUARD
    read_sound(voice, float32_at(memory.arena_address + 4 * offset), tone, frames)
    audible = frames
    if voice.decays != 0:
        audible = shape_envelope(voice, tone, frames)
    if voice.fade_frames > 0:
        shape_fade(voice, tone, audible)
    return audible


@compiled
def add_left(memory: Any, voice: Any, frames: int) -> None:
    """Adds a stereo voice's left cell, and puts the voice back to where it was for the right."""
    position, fade_index = voice.position, voice.fade_index
    envelope, envelope_frame = voice.envelope, voice.envelope_frame
    audible = shaped(memory, voice, voice.cell, frames)
    add_side(memory, voice, 0, audible)
    voice.position, voice.fade_index = position, fade_index
    voice.envelope, voice.envelope_frame = envelope, envelope_frame


@compiled
def end_ramp(voice: Any, frames: int) -> None:
    """Moves the gains' glide on by so many frames."""
    voice.ramp_index = min(voice.ramp_index + frames, voice.ramp_frames)
    if voice.ramp_index >= voice.ramp_frames:
        voice.ramp_index, voice.ramp_frames = 0, 0


@compiled
def mix_voice(memory: Any, voice: Any, span: int) -> None:
    """Adds the next `span` frames of one voice, and ends it where it ends.

    A stereo sound's channels each go to their own side, at the gains a mono one would have there:
    the pan becomes a balance.
    """
    frames = frames_left(voice, span)
    right = memory.cell_right[voice.cell]
    if right == NO_CELL:
        audible = shaped(memory, voice, voice.cell, frames)
        add_both(memory, voice, audible)
    else:
        add_left(memory, voice, frames)
        audible = shaped(memory, voice, right, frames)
        add_side(memory, voice, 1, audible)
    end_ramp(voice, audible)
    over = voice.position >> POSITION_BITS >= voice.length_frames
    faded = voice.fade_frames > 0 and voice.fade_index >= voice.fade_frames
    if audible < frames or over or faded:
        end_voice(memory, voice)


@compiled
def mix_voices(memory: Any, span: int) -> None:
    """Adds the next `span` frames, at most CHUNK_FRAMES, of every voice to memory.left and .right,
    and to memory.slot_mix in a block that is wanted by slot."""
    voices = memory.voices
    for index in range(memory.physical_voices):
        if voices[index].state != VOICE_FREE:
            mix_voice(memory, voices[index], span)
