"""MIDI messages inside the audio callback: what a keymap makes of each, at the message's own frame.

Compiled by numba into the callback and run on its thread. A message becomes triggers, releases and
stops, which a recording gets as any others; what only Python can do is answered with 0 and left.
"""

from __future__ import annotations

from typing import Any

from gan808.engine.kernels.tape import note_command
from gan808.engine.kernels.voices import compiled, fade_slot, start_voice
from gan808.engine.layout import (
    ACT_ASK,
    ACT_CHANNEL,
    ACT_HIT,
    ACT_STOP,
    ACT_STRIKE,
    ALL_SLOTS,
    COMMAND_RELEASE,
    COMMAND_STOP,
    COMMAND_TRIGGER,
    KEY_CONTROLLER,
    KEY_NOTE,
    KEY_PRESSURE,
    MIDI_CHANNELS,
    MIDI_VALUES,
    NO_KEYMAP,
    SLOTS,
)

NOTE_OFF, NOTE_ON, PRESSURE, CONTROL_CHANGE = 0x80, 0x90, 0xA0, 0xB0
PAN, EXPRESSION, HOLD = 10, 11, 64
ALL_SOUND_OFF, RESET_CONTROLLERS, ALL_NOTES_OFF = 120, 121, 123
HALF, FULL = 64, 127


@compiled
def place(kind: int, channel: int, number: int) -> int:
    """Where in a keymap the key of a message is; see keymap.place."""
    return (kind * MIDI_CHANNELS + channel) * MIDI_VALUES + number


@compiled
def trigger(memory: Any, slot: int, velocity: float, gain: float, pan: float) -> None:
    """Starts a voice now."""
    command = memory.midi_command
    command.frame, command.kind, command.slot = memory.frame, COMMAND_TRIGGER, slot
    command.value, command.gain, command.pan = velocity, gain, pan
    command.tune_semitones, command.decay = 0.0, 1.0
    note_command(memory, command)
    start_voice(memory, command)


@compiled
def fade(memory: Any, kind: int, slot: int) -> None:
    """Stops or releases a slot, or all, now."""
    command = memory.midi_command
    command.frame, command.kind, command.slot = memory.frame, kind, slot
    command.value, command.gain, command.pan = 0.0, 0.0, 0.0
    note_command(memory, command)
    fade_slot(memory, slot, memory.choke_fade_frames if kind == COMMAND_STOP
              else memory.release_fade_frames)


@compiled
def let_go(memory: Any, keymap: Any, slot: int) -> None:
    """A key was let go: ends the sound of a gated slot, does nothing to a one-shot."""
    if keymap.gated[slot] != 0:
        fade(memory, COMMAND_RELEASE, slot)


@compiled
def let_go_unless_held(memory: Any, keymap: Any, channel: Any, slot: int) -> None:
    """The same, but the pedal keeps what it is down for."""
    if channel.holding != 0:
        channel.held |= 1 << slot
    else:
        let_go(memory, keymap, slot)


@compiled
def steer(memory: Any, keymap: Any, channel: Any, number: int, value: int) -> None:
    """A controller that belongs to the channel itself, as MIDI 1.0 and RP-015 have it."""
    if number == ALL_SOUND_OFF:
        fade(memory, COMMAND_STOP, ALL_SLOTS)
        channel.held = 0
        return
    if number >= ALL_NOTES_OFF:
        for slot in range(SLOTS):
            let_go_unless_held(memory, keymap, channel, slot)
        return
    if number == RESET_CONTROLLERS:
        channel.gain, channel.holding = 1.0, 0
    elif number == EXPRESSION:
        channel.gain = value / FULL
    elif number == PAN:
        channel.pan = (value - HALF) / (FULL - HALF if value > HALF else HALF)
    elif number == HOLD:
        channel.holding = 1 if value >= HALF else 0
    if channel.holding == 0 and channel.held != 0:
        for slot in range(SLOTS):
            if channel.held & (1 << slot) != 0:
                let_go(memory, keymap, slot)
        channel.held = 0


@compiled
def play_key(memory: Any, keymap: Any, key: Any, channel: Any, value: int) -> None:
    """A key, a controller or pressure that plays or silences; value 0: it was let go."""
    action, slot = key.action, key.slot
    if action == ACT_STOP:
        if value > 0:
            fade(memory, COMMAND_STOP, slot)
    elif action == ACT_STRIKE:
        if value > 0:
            channel.held &= ~(1 << slot)
            trigger(memory, slot, keymap.curve[value], channel.gain, channel.pan)
        else:
            let_go_unless_held(memory, keymap, channel, slot)
    elif action == ACT_HIT:
        if value > 0:
            velocity = key.velocity if key.velocity >= 0.0 else keymap.curve[value]
            trigger(memory, slot, velocity, 1.0, 0.0)
        else:
            let_go(memory, keymap, slot)


@compiled
def act(memory: Any, keymap: Any, message: int) -> int:
    """Carries out one message of three bytes, the status highest; 0 where Python is to decide."""
    status, number, value = (message >> 16) & 0xFF, (message >> 8) & 0x7F, message & 0x7F
    kind, channel = status & 0xF0, memory.midi_channels[status & 0x0F]
    if kind == CONTROL_CHANGE:
        key = keymap.keys[place(KEY_CONTROLLER, status & 0x0F, number)]
    elif kind == PRESSURE:
        key = keymap.keys[place(KEY_PRESSURE, status & 0x0F, number)]
        value = value if value >= HALF else 0
    elif kind in (NOTE_ON, NOTE_OFF):
        key = keymap.keys[place(KEY_NOTE, status & 0x0F, number)]
        value = value if kind == NOTE_ON else 0
    else:
        return 0
    if key.action == ACT_ASK:
        return 0
    if key.action == ACT_CHANNEL:
        steer(memory, keymap, channel, number, value)
    else:
        play_key(memory, keymap, key, channel, value)
    return 1


@compiled
def play_message(memory: Any, command: Any) -> None:
    """Carries out the message of a COMMAND_MIDI and answers whether it was."""
    acted = 0
    if memory.keymap != NO_KEYMAP:
        acted = act(memory, memory.keymaps[memory.keymap], command.cell)
    memory.midi_answers[command.parameter] = acted
