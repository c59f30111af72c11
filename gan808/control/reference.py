"""docs/osc.md and docs/midi.md, written from the tables the program runs on. No thread.

`python -m gan808.control.reference` writes them into the checkout; a test fails when they are old.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from gan808 import atomic
from gan808.config import Settings
from gan808.control.osc.server import FAILS_HZ, MAX_REQUESTS, MAX_WAITING, REMOTE_HZ
from gan808.instrument.parameter import Kind
from gan808.instrument.parameters import RESERVED_CC, TABLE
from gan808.sound.kit.slots import TR808

_OSC = """# OSC

UDP, port {port}, on {host} unless config.toml or `--osc HOST:PORT` says otherwise. This page is
made from the table the program runs on.

- A message acts at once. A bundle acts at its time tag: hits, values of slots, sounds, volume,
  start and stop to the sample, the pattern's tempo and steps from the next step, everything else
  when its time has come. One whose tag has passed acts at once, and `/gan808/late` says how late.
- SLOT is a code ({codes}), in any case, or a number from 1. Wildcards
  work (`?`, `*`, `[a-c]`, `[!a]`, `{{BD,SD}}`): `/gan808/slot/*/level 0.5`. In the last part of
  an address they read and set values, and set off nothing.
- Types `i f d h s S T F` are understood. Any number type does for a number: floats for whole
  numbers, T and F for 1 and 0. The impulse `I` of a button and `N` are no arguments.
- A button may send 1.0 (or T) when it is pressed and 0.0 (or F) when it is let go: an action that
  needs no argument acts on the first and does nothing on the second. A whole number 0 or 1 says the
  same where no seed or slot is meant by it.
- A value without arguments is a question, answered on the same address. Answers go to where the
  message came from.
- Set values are echoed to every registered client (`/gan808/notify 1`). A client that is silent
  for five minutes is forgotten; anything it sends keeps it. With a port, `/gan808/notify 1 9000`,
  that port of the sender's host is registered: `oscdump 9000` then shows everything that changes.
- A message that cannot be done changes nothing and is answered by `/gan808/fail`, with the
  address and one line that says what is accepted. In a bundle the others are still done, also
  where one is damaged.
- A bundle more than ten seconds ahead is of another clock: it is done at once, and
  `/gan808/warning` says so once a minute.
- `/gan808/sync 1` is answered by `/gan808/synced 1` when everything the sender asked before is
  done, new sounds and kits included.
- `/gan808/play` takes SuperDirt's name and value pairs, also as `/dirt/play`: point TidalCycles
  or Sardine at the port. Tidal's sample names find their slots (`bd`, `sn`, `hh`, `808oh`,
  `RolandTR909_cp`), `gain` is to the fourth power as there, and its greeting is answered.
- What `/slot/SLOT/info` says of a sound is the critic's opinion of it. Of a mix of classes it is
  sure as far as it hears any of them, and each finds it real by its share. A file of one's own was
  judged by nobody: its class is the slot's, the rest 0.
- Names of kits, patterns, exports and sound files are names, never paths: what comes over the
  network stays in the folders that `gan808 devices` shows.
- Floods have an end: {waiting} messages of one sender may wait for their time, one packet may ask
  for {requests} things, failures are told {fails} times a second, and a host other than this
  machine is sent {remote:.0f} messages a second at most.

`gan808 osc` prints the table below; with `--json` it is for programs.

## Found by other programs

- OSCQuery: every address with its type, range, access, description and present value is told over
  HTTP, at the number of the OSC port where that is free: `http://localhost:{port}/gan808/slot/BD`,
  `?VALUE`, `?RANGE`, `?HOST_INFO`. GET only reads. Over a WebSocket there it tells
  what is asked for by `LISTEN`, and takes OSC packets as binary frames from programs and from pages
  served there. `osc.query = false` turns it off.
- Zeroconf: an instrument that other machines can reach (`--osc 0.0.0.0:{port}`) is announced as
  `_osc._udp` and `_oscjson._tcp`, if the package zeroconf is installed
  (`pip install 'gan808[announce]'`). `osc.announce = "on"` announces it on this machine too,
  `"off"` never.
- Both begin half a second after the start, and neither is waited for.

## Addresses

{table}"""

_MIDI = """# MIDI

Notes are heard on channel {channel} (config.toml: `midi.channel`, 0 for all), on every port that
is plugged in (`midi.port = "auto"`), and on a port of our own, `GAN-808`, where the machine has
none or the sound goes to JACK. Ports may come and go. Running status and clock within other
messages are understood; system exclusive is passed over. This page is made from the tables the
program runs on.

## Notes

| slot | code | sound | notes |
|---|---|---|---|
{notes}

This is the default kit; a kit of your own says its notes in kit.toml (`gan808 kits info NAME`).

Velocity passes through `midi.velocity_curve`: linear, soft (a light touch is enough), hard (it
takes force) or fixed (always 100). A note on with velocity 0 is a note off. A note off ends the
sound only where the slot's gate is on (`/gan808/slot/SLOT/gate 1`).

## When a note sounds

On JACK a note to our port there, `gan808:GAN-808`, sounds at its own frame of the cycle that brings
it, whatever Python does meanwhile: it costs the card's own buffers and nothing of ours. So do note
offs, hold, expression, pan, all sound off, all notes off, a hand on a cymbal, and notes and
controllers learned for `/trig` and `/stop`. Of an open and a closed hat within a millisecond the
closed one is heard, whichever came first. A port of JACK's that `midi.port` names is heard the
same way.

From other ports (ALSA, CoreMIDI, Windows) a note sounds in the next block; with
`engine.note_mode = "steady"` always `steady_delay_ms` after it arrived, so that its timing is even.
Where JACK hands USB devices over itself, connect them to our port there.

With `midi.map = "roland-td"` or `"alesis"` a drum module's zones play too: rims of snare and
toms, edges of hats, edges and bells of cymbals, and the hi-hat pedal (CC 4) shortens the open hat
as it closes. Pressure on a cymbal's key chokes it. Pads that send where they are hit (a positional
controller) are learned as any other: `gan808 learn /slot/SD/tune`.

## Controllers

{table}| 10 | pan of the notes that come by MIDI, added to the slot's own | 64 the middle |
| 11 | expression: loudness of the notes that come by MIDI | 0-127 |
| 64 | hold: notes of slots whose gate is on ring until it is let go | 64-127 holds |
| 120 | all sound off: silences everything | any |
| 121 | reset all controllers: expression and hold, as the standard says; the others stay | any |
| 123-127 | all notes off: ends slots whose gate is on, lets one-shots ring | any |

Controllers {reserved} are left alone: the MIDI standard means other
things by them. So are the pedals, sound controllers and effect sends of General MIDI (1, 5, 65-67,
71-78, 84, 91-95), which files, keyboards and other programs set by themselves: a set-up block for
channel 10 leaves the kit as it is, but for volume, pan and expression.

Pressure on a single key (polyphonic aftertouch) of 64 or more silences a cymbal, as a hand does.

## Learning

    gan808 learn /slot/BD/level

binds the controller that is moved next to the level of BD in the running program. What can be
learned is any value or action of [osc.md](osc.md), with the arguments that stand fast; the control
gives the last one:

- `/slot/BD/level`, `/volume`, `/seq/tempo`, `/evolve/mode`: a controller moves it over its whole
  range.
- `'/slot/BD/morph 17'`, `/slot/BD/similar`, `'/seq/step BD 5'`: a controller gives the amount, the
  radius, the velocity; of actions a note does so too, by its velocity.
- `/slot/BD/new`, `/seq/play`, `'/seq/pattern house'`, `'/slot/BD/mute 1'`: a controller acts at
  64-127, a note when it is struck.
- `'/trig BD'`, `/stop`: a note, or a controller by its value, plays or silences, as quick as the
  notes of the kit.

A learned control is heard on the channel it was learned on, whatever `midi.channel` says, and takes
the place of what the tables here say of it. The first message after a move may make a value jump:
it goes at once to where the knob stands. Controllers that the standard has given a meaning (bank,
data entry, 96-101, 120-127) and releases of keys are not learned.

`gan808 learn --list` shows what was learned; `--forget "cc 1 21"`, `--forget /slot/BD/level` and
`--forget all` undo it. It is kept in `controls.toml` in the user's data folder; a slot that another
kit does not have waits there for one that does. Over OSC: `/gan808/learn`, `/gan808/learn/cancel`,
`/gan808/learn/forget`, `/gan808/learn/list`; `/gan808/learned` tells registered clients.

## Program change

Program 1 is the first kit of `gan808 kits list`, program 2 the second, and so on. The kit is made
ready beside the one that plays and takes over at the next beat or bar, as `evolve.quantise` says. A
program right after a bank select (CC 0 or 32) is a drum kit of General MIDI's: it is passed over.

## Clock in

`sequencer.sync` says who sets the tempo, `/gan808/seq/sync` changes it: `midi` follows a MIDI clock
and waits for its start, `auto` plays by itself until a start comes. Start, continue, stop and song
position are followed; jitter is smoothed out. Where several ports send a clock the first is
followed, until it is silent for half a second, or stands while another starts. A clock that stops
coming is said so, and the beat goes on at its last tempo until it returns. `sync_offset_ms` moves
steps against the master.

## Clock out

`midi.clock_out` sends 24 ticks a beat, start, continue, stop and song position to every output with
that text in its name, or on a port of our own (`"virtual"`: `GAN-808 clock`; on JACK where the
sound goes there). Ticks come whether it plays or not, and are due when the beat is heard. On JACK
the client that plays sends them, each on its frame; elsewhere a thread of its own does, with
real-time priority where that is granted. An output that is not there is waited for. It goes on
while another's MIDI clock or a Link session is followed; only the device whose clock is followed
does not get it back, unless `midi.clock_out` is the whole name of its port.

## JACK transport

`sequencer.sync = "jack"` follows JACK's transport to the sample, `"jack-lead"` leads it:
[jack.md](jack.md), where session managers are too.

## Notes out

`midi.notes_out` sends the hits of the pattern as notes, so that other gear plays it: to the same
choices as the clock, and through the same port where both name the same (`"virtual"`: `GAN-808
notes`, or `GAN-808 clock and notes`). A hit is the first note of its slot in the table above, on
`midi.channel` (10 where that is 0), as hard as it was hit; the note off follows after 50 ms, or
with the next hit. Fills, ratchets and chances are sent as they sound; slots that are mute,
count-ins and what is played by hand are not. On JACK a note lies on the very frame of its hit, so
that an instrument on the same server sounds with it to the sample; elsewhere it is sent when the
hit is heard. When the pattern stops the notes end, at the end of the program too, and a port that
comes or returns is told "all notes off" first.

## Ableton Link

With the extra `link` (`pip install 'gan808[link]'`) `sequencer.sync = "link"` joins the session on
the network: its tempo, both ways, and its bar. `link_start_stop` shares starts and stops.
"""


def osc_table() -> str:
    """Markdown: every address with its arguments, meaning and answer."""
    lines = ["| address (after /gan808) | arguments | meaning | answer |", "|---|---|---|---|"]
    for row in TABLE:
        told = "<br>".join(
            f"{a.type} {a.name}{' (optional)' if a.optional else ''}: {a.accepted}"
            + (f", default {a.default}" if a.default is not None else "")
            for a in row.arguments
        )
        answer = " ".join(part for part in (row.reply_address, row.reply) if part)
        if row.kind is Kind.EVENT:
            answer = "sent"
        lines.append(f"| `{row.address}` | {told} | {row.help} | {answer} |")
    return "\n".join(lines) + "\n"


def controller_table() -> str:
    """Markdown: every MIDI controller with what it moves."""
    lines = ["| CC | moves | range |", "|---|---|---|"]
    for row in sorted((r for r in TABLE if r.cc), key=lambda r: r.cc):
        numbers = _spans(row.cc) + (" (slots 1-16)" if row.per_slot else "")
        span = "64-127 acts" if row.kind is Kind.ACTION else row.arguments[0].accepted
        lines.append(f"| {numbers} | `{row.address}`: {row.help} | {span} |")
    return "\n".join(lines) + "\n"


def _spans(numbers: Sequence[int]) -> str:
    """`3 9 14-15`"""
    spans: list[list[int]] = []
    for number in numbers:
        if spans and spans[-1][-1] == number - 1:
            spans[-1].append(number)
        else:
            spans.append([number])
    return " ".join(f"{s[0]}-{s[-1]}" if len(s) > 1 else str(s[0]) for s in spans)


def osc_page() -> str:
    """docs/osc.md."""
    osc = Settings().osc
    limits = {"waiting": MAX_WAITING, "requests": MAX_REQUESTS, "fails": round(FAILS_HZ),
              "remote": REMOTE_HZ}
    codes = ", ".join(f"`{slot.code}`" for slot in TR808[:3]) + ", ..."
    return _OSC.format(port=osc.port, host=osc.host, codes=codes, table=osc_table(),
                       **limits)


def midi_page() -> str:
    """docs/midi.md."""
    notes = "\n".join(
        f"| {number} | {slot.code} | {slot.name} | {' '.join(map(str, slot.notes))} |"
        for number, slot in enumerate(TR808, 1)
    )
    reserved = ", ".join(str(number) for number in sorted(RESERVED_CC) if number != 7
                         and number < 120)
    return _MIDI.format(
        channel=Settings().midi.channel, notes=notes, table=controller_table(), reserved=reserved
    )


def pages(folder: Path) -> dict[Path, str]:
    """Every page of the folder and the text it should have."""
    return {folder / "osc.md": osc_page(), folder / "midi.md": midi_page()}


def write(folder: Path) -> None:
    """Write the pages into an existing or new folder."""
    folder.mkdir(exist_ok=True)
    for path, text in pages(folder).items():
        atomic.write_text(path, text)


if __name__ == "__main__":
    write(Path(__file__).resolve().parents[2] / "docs")
