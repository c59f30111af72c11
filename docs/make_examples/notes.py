"""drum-rack-notes.md: which note plays what, for the drum rack or drum machine of a DAW."""

from __future__ import annotations

from gan808.config import Settings
from gan808.sound.kit.slots import TR808

TONES = ("C", "C#", "D", "D#", "E", "F", "F#", "G", "G#", "A", "A#", "B")

PAGE = """# Notes for a drum rack

Needs: a DAW that sends MIDI to another program (Ableton Live, Bitwig Studio, REAPER, Ardour, ...)
and `gan808 run --pattern off`. On Linux and macOS `--midi virtual` opens the port to send to; with
JACK it is there by itself; on Windows a loopback port such as loopMIDI does. The notes are those of
the default kit, on MIDI channel {channel}; `gan808 kits info NAME` tells those of another kit.

Octaves are counted as Live and Bitwig do, middle C (60) being C3; where it is C4, add one.

| note | name | slot | code | also | chokes |
|---|---|---|---|---|---|
{rows}

**Ableton Live.** A MIDI track without an instrument, "MIDI To": the port `GAN-808`, channel
{channel}; draw the notes above. To see names instead of keys put a Drum Rack on the track and, on
the pads of the notes above, an External Instrument each: "MIDI To" the port, channel {channel}; a
pad sends the note it sits on. The sound comes back through the External Instrument's "Audio From",
or straight from GAN-808's own output.

**Bitwig Studio.** A Drum Machine with a HW Instrument on each pad of the notes above: MIDI Out the
port, channel {channel}. Or an instrument track with one HW Instrument and nothing else.

**REAPER, Ardour.** Route the track's MIDI to the port on channel {channel}; both can
name the notes as General MIDI's drums, which these are.

What changes the sounds while you play (new, brighter, level, pan, ...) are controllers on the same
channel: see [docs/midi.md](../docs/midi.md).
"""


def name_of(note: int) -> str:
    """Of a MIDI note, with middle C (60) as C3."""
    return f"{TONES[note % 12]}{note // 12 - 2}"


def page() -> str:
    """The file."""
    rows = []
    for number, slot in sorted(enumerate(TR808, 1), key=lambda pair: pair[1].notes[0]):
        first, *others = slot.notes
        also = ", ".join(f"{note} ({name_of(note)})" for note in others)
        choke = f"group {slot.choke}" if slot.choke else ""
        rows.append(f"| {first} | {name_of(first)} | {number} {slot.name} | {slot.code} | {also} | "
                    f"{choke} |")
    return PAGE.format(channel=Settings().midi.channel, rows="\n".join(rows))
