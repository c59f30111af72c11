"""THE table of everything that can be controlled from outside, and the check of its values.

One row an address: OSC, MIDI controllers, the documentation and the tests all read this table.
Addresses are written after `/gan808`, with SLOT where a slot's code or number stands. The table
is constant, its functions are pure: any thread may use them.
"""

from __future__ import annotations

from gan808.instrument.parameter import SLOT, Argument, Kind, Parameter

# Controllers the MIDI standard gives a fixed meaning that clashes with a knob: bank, data entry,
# volume (ours is the master's), (N)RPN, channel mode.
RESERVED_CC = frozenset({0, 6, 7, 32, 38, *range(96, 102), *range(120, 128)})


# The controllers of slots 1-16. What General MIDI gives a meaning, 1 and 2, is left out: pedals,
# sound controllers, effect sends come by themselves from files, keyboards and other programs.
LEVEL_CC = tuple(range(16, 32))
DECAY_CC = tuple(range(48, 64))
PAN_CC = tuple(range(102, 118))
TUNE_CC = (3, 9, 14, 15, 79, 80, 81, 82, 83, 85, 86, 87, 89, 90, 118, 119)
NEW_CC = (2, 12, 13, 33, 34, 35, 36, 37, 40, 41, 44, 45, 46, 47, 68, 69)


def _int(name: str, low: float, high: float, **more: object) -> Argument:
    return Argument(name, "i", low, high, **more)  # type: ignore[arg-type]


def _float(name: str, low: float, high: float, unit: str = "", **more: object) -> Argument:
    return Argument(name, "f", low, high, unit, **more)  # type: ignore[arg-type]


def _text(name: str, *choices: str, **more: object) -> Argument:
    return Argument(name, "s", choices=choices, **more)  # type: ignore[arg-type]


def _slot_value(name: str, argument: Argument, help: str, cc: tuple[int, ...] = ()) -> Parameter:
    address = f"/slot/{SLOT}/{name}"
    return Parameter(address, Kind.VALUE, (argument,), help, cc=cc, echo=True,
                     reply=f"{argument.type}:{argument.name}")


def _slot_action(name: str, help: str, *arguments: Argument, cc: tuple[int, ...] = (),
                 more: str = "") -> Parameter:
    return Parameter(f"/slot/{SLOT}/{name}", Kind.ACTION, arguments, help, cc=cc,
                     reply=f"s:address s:id {more}".strip(), reply_address="/done")


def _value(address: str, argument: Argument, help: str, cc: tuple[int, ...] = ()) -> Parameter:
    return Parameter(address, Kind.VALUE, (argument,), help, cc=cc, echo=True,
                     reply=f"{argument.type}:{argument.name}")


def _action(address: str, help: str, *arguments: Argument, reply: str = "") -> Parameter:
    return Parameter(address, Kind.ACTION, arguments, help,
                     reply=f"s:address {reply}".strip(), reply_address="/done")


def _step_value(name: str, argument: Argument, help: str) -> Parameter:
    return Parameter(f"/seq/{name}", Kind.VALUE, (_text("slot"), _int("step", 1, 64), argument),
                     help, echo=True, reply=f"s:slot i:step {argument.type}:{argument.name}")


def _row_value(name: str, argument: Argument, help: str) -> Parameter:
    return Parameter(f"/seq/{name}", Kind.VALUE, (_text("slot"), argument), help, echo=True,
                     reply=f"s:slot {argument.type}:{argument.name}")


SEED_MAX = 2**31 - 1
_seed = _int("seed", 0, SEED_MAX, optional=True)
_full = _float("velocity", 0, 1, optional=True, default=1.0)

TABLE: tuple[Parameter, ...] = (
    Parameter("/hello", Kind.CLIENT, (), "who is there", reply="s:version i:api",
              reply_address="/hello/reply"),
    Parameter("/notify", Kind.CLIENT, (_int("on", 0, 1), _int("port", 1, 65535, optional=True)),
              "1 registers the sender, or a port of its host, for echoes and events, 0 removes it; "
              "silent clients expire",
              reply="s:address", reply_address="/done"),
    Parameter("/watch", Kind.CLIENT, (_int("on", 0, 1),), "1: the sender is told what plays as it "
              "plays, /slot/SLOT/played and /seq/playhead, until it is silent for 10 seconds",
              reply="s:address", reply_address="/done"),
    Parameter("/sync", Kind.CLIENT, (_int("id", -2**31, 2**31 - 1),),
              "answered when everything sent before has been done", reply="i:id",
              reply_address="/synced"),
    Parameter("/status", Kind.QUERY, (_int("peek", 0, 1, optional=True),),
              "how the machine is doing, and the peak since the last that asked; peek 1: who asks "
              "next is told of it too; rate is 0 while no device is open",
              reply="i:voices i:pool f:load f:peak i:xruns f:rate f:latency_ms",
              reply_address="/status.reply"),
    Parameter("/counters", Kind.QUERY, (),
              "since the start: commands that came late, voices stolen, commands dropped",
              reply="i:late i:stolen i:dropped"),
    Parameter("/trig", Kind.LIVE, (_text("slot"), _full), "play a slot"),
    Parameter("/play", Kind.LIVE, (),
              "SuperDirt-style name/value pairs: s gain pan speed note n cut, others are ignored; "
              "/dirt/play is the same", pairs=True),
    Parameter("/stop", Kind.LIVE, (_text("slot", optional=True),), "silence one slot, or all"),
    _value("/volume", _float("volume", 0, 1), "master volume", cc=(7,)),
    _slot_value("level", _float("level", 0, 1, default=0.8), "loudness of the slot",
                cc=LEVEL_CC),
    _slot_value("tune", _float("tune", -24, 24, "semitones", default=0.0),
                "pitch of the slot", cc=TUNE_CC),
    _slot_value("decay", _float("decay", 0, 1, default=1.0),
                "1 is the whole sound, less fades it sooner", cc=DECAY_CC),
    _slot_value("pan", _float("pan", -1, 1, default=0.0), "-1 left, 1 right", cc=PAN_CC),
    _slot_value("width", _float("width", 0, 1, default=0.0),
                "0: its sounds are mono; above: left and right so far apart, 1 as two seeds"),
    _slot_value("mute", _int("mute", 0, 1, default=0), "1 silences the slot"),
    _slot_value("solo", _int("solo", 0, 1, default=0), "1: of all slots only such sound"),
    _slot_value("choke", _int("choke", 0, 8),
                "slots of the same group cut each other off, of those hit together the last in "
                "the kit is heard; 0 is none"),
    _slot_value("lock", _int("lock", 0, 1, default=0), "1: evolution never swaps it"),
    _slot_value("gate", _int("gate", 0, 1, default=0), "1: a note off ends the sound"),
    _slot_action("new", "a fresh sound from the pool, or the one with that seed", _seed,
                 cc=NEW_CC),
    _slot_action("recall", "the sound of an id of the running kit; remember 0: undo leads to the "
                 "sound before the present one", _text("id"),
                 _int("remember", 0, 1, optional=True)),
    _slot_action("similar", "a sound near the present one: radius 1 is as far away as another "
                 "seed; with a count, more of them wait and are what evolution brings next",
                 _float("radius", 0, 1), _int("count", 1, 16, optional=True), more="i:waiting"),
    _slot_action("morph", "towards another seed of its class: 0 is the present sound, 1 the other; "
                 "sent again with the same seed it moves along the same way",
                 _int("seed", 0, SEED_MAX), _float("amount", 0, 1)),
    _slot_action("mix", "towards another class with the same seed: 0 is the present sound, 1 that "
                 "class alone; sent again with the same class it moves along the same way",
                 _text("class"), _float("amount", 0, 1)),
    _slot_action("tail", "the attack of the present sound, the rest of another of its class: that "
                 "seed's, or one that fits", _seed),
    _slot_action("attack", "the other way about: the attack of another, the rest of the present "
                 "sound", _seed),
    _slot_action("brighter", "a brighter sound from the pool"),
    _slot_action("darker", "a darker sound from the pool"),
    _slot_action("longer", "a longer sound from the pool"),
    _slot_action("shorter", "a shorter sound from the pool"),
    _slot_action("higher", "a higher sound from the pool"),
    _slot_action("lower", "a lower sound from the pool"),
    _slot_action("undo", "the sound before, up to 16 steps back"),
    _slot_action("redo", "the sound that undo has left"),
    _slot_action("load", "your own file of that name in the imports or recordings folder, as loud "
                 "as the slot's class", _text("file")),
    _slot_action("match", "the kit's sound that is nearest to a file of that name, in seconds, and "
                 "how far from it; of one class, else of all", _text("file"),
                 _text("class", optional=True), more="f:distance_db"),
    _slot_action("copy", "the sound of another slot", _text("from")),
    Parameter(f"/slot/{SLOT}/picture", Kind.QUERY, (), "its sound to look at: see /sound/picture",
              reply="s:id i:columns i:bands b:spectrogram b:peaks"),
    Parameter(f"/slot/{SLOT}/played", Kind.EVENT, (_float("velocity", 0, 1),),
              "to who watches: it has begun to sound, from wherever it was played"),
    Parameter(f"/slot/{SLOT}/info", Kind.QUERY, (), "what the slot is playing",
              reply="s:id i:seed s:class f:confidence f:realness"),
    Parameter(f"/slot/{SLOT}/changed", Kind.EVENT, (_text("id"), Argument("seed", "i")),
              "a swap happened"),
    _action("/seq/play", "start the pattern from its first step"),
    _action("/seq/stop", "stop the pattern"),
    _action("/seq/tap", "a tap of the tempo; from the second one on it is taken"),
    _action("/seq/undo", "the pattern before the last edit"),
    _action("/seq/redo", "the edit that undo has taken back"),
    Parameter("/seq/playhead", Kind.EVENT, (_int("step", -1, 2**31 - 1),),
              "to who watches: the step it has come to, from 0 where it began; -1: stopped"),
    _value("/seq/tempo", _float("tempo", 20, 400, "BPM"), "tempo of the pattern"),
    _value("/seq/sync", _text("sync", "internal", "midi", "link", "jack", "jack-lead", "auto"),
           "where the tempo comes from; jack: its transport, jack-lead: leads that; auto: a MIDI "
           "clock once it sends a start"),
    Parameter("/seq/clock", Kind.QUERY, (),
              "what sets the tempo now: internal, midi, midi lost, link and its other peers, jack, "
              "jack lead or jack off", reply="s:clock"),
    _value("/seq/swing", _float("swing", 0, 1),
           "how late every second sixteenth falls: 0 straight, 0.67 a triplet, 1 half a step"),
    _value("/seq/pattern", _text("pattern"), "the pattern, from the next bar on"),
    Parameter("/seq/patterns", Kind.QUERY, (), "the patterns there are",
              reply="s:pattern for each"),
    _value("/seq/song", _text("song"), "the song that plays, off for none: patterns and scenes by "
           "themselves, from the next bar on"),
    Parameter("/seq/songs", Kind.QUERY, (), "the songs there are", reply="s:song for each"),
    Parameter("/seq/part", Kind.QUERY, (), "the part of the song that plays, from 1, and how many "
              "there are; 0 without a song; sent to clients when it is another",
              reply="i:part i:parts"),
    _value("/seq/countin", _int("beats", 0, 16), "beats counted, on the rim shot, before the "
           "pattern starts; 0: none"),
    _step_value("step", _float("velocity", 0, 1, optional=True),
                "velocity of one step of the pattern, 0 is a rest; without velocity: what it is"),
    _step_value("chance", _float("chance", 0, 1, optional=True), "how often a step sounds"),
    _step_value("ratchet", _int("hits", 1, 8, optional=True),
                "hits of a step, evenly until the next one"),
    _step_value("nudge", _float("nudge", -0.5, 0.5, "of a step", optional=True),
                "a step earlier or later than its place"),
    _step_value("tune", _float("semitones", -24, 24, optional=True),
                "tune of a step, on top of its slot's"),
    _step_value("pan", _float("pan", -1, 1, optional=True),
                "pan of a step, on top of its slot's: -1 left, 1 right"),
    _step_value("decay", _float("decay", 0, 1, optional=True),
                "decay of a step, times its slot's: 1 leaves it as it is, less fades it sooner"),
    _step_value("condition", _text("condition", optional=True),
                "when a step sounds: fill, !fill, first, !first, or 2:3, the second of every three "
                "times that its row goes round; an empty text: always"),
    _row_value("length", _int("steps", 1, 64, optional=True),
               "steps of a slot's row, which goes round by itself"),
    _row_value("row", _text("signs", optional=True),
               "a slot's whole row: X accent, x normal, o soft, g ghost, . rest"),
    _action("/seq/clear", "rests for one slot, or all", _text("slot", optional=True)),
    _action("/seq/save", "save the pattern, edits included, in the user's patterns folder",
            _text("name"), reply="s:file"),
    _action("/seq/original", "the pattern as it was chosen, without edits and mutations"),
    _action("/seq/euclid", "so many hits as evenly as they go into so many steps (default: as many "
            "as the row has), that many steps later", _text("slot"), _int("hits", 0, 64),
            _int("steps", 1, 64, optional=True), _int("rotation", -64, 64, optional=True),
            reply="s:slot"),
    _action("/seq/mutate", "change the pattern within its style, to stay: 0 nothing, 1 much",
            _float("amount", 0, 1)),
    _value("/seq/density", _float("density", -1, 1, default=0.0),
           "-1 only accents, 0 as it is written, 1 nearly twice the hits"),
    _value("/seq/vary", _float("share", 0, 1),
           "share of bars that vary by themselves; the next is the pattern again"),
    _action("/seq/fill", "a fill at the end of the next bar (default), or of this one",
            _text("when", "now", "bar", optional=True)),
    _value("/seq/fills", _int("bars", 0, 64), "every so many bars end in a fill; 0: none"),
    _value("/evolve", _float("swaps", 0, 64, "a bar"),
           "how many sounds are swapped a bar; fractions count up over bars; 0 is none"),
    _value("/evolve/quantise", _text("quantise", "now", "beat", "bar"), "where swaps fall"),
    _value("/evolve/mode", _text("mode", "one", "all", "fresh"),
           "a swap is one slot, or all of them, or every hit is a new sound"),
    Parameter("/evolve/next", Kind.QUERY, (), "the slots that change next",
              reply="s:slot for each"),
    Parameter("/snapshot", Kind.QUERY, (), "everything at once, as JSON", reply="s:json"),
    Parameter("/slots", Kind.QUERY, (), "the kit's slots",
              reply="(s:code s:name s:class i:note) for each"),
    Parameter("/history", Kind.QUERY, (), "the sounds of the last hour, the latest first",
              reply="(s:id s:slot i:seconds_ago) for each"),
    Parameter("/pool", Kind.QUERY, (), "sounds in stock",
              reply="(s:class i:sounds) for each class"),
    Parameter("/pool/sounds", Kind.QUERY, (), "what each slot plays, then what it may draw, the "
              "longest in stock first; as many as one answer holds",
              reply="(s:slot s:id) for each"),
    _action("/pool/take", "a sound out of the stock, at hand and not played; where few are left, "
            "one that stays there", _text("slot"), reply="s:id"),
    Parameter("/renderer", Kind.QUERY, (), "sounds rendered and filed since the start",
              reply="i:ready i:rendered i:filed f:filed_a_minute"),
    Parameter("/sound/picture", Kind.QUERY, (_text("id"),), "a sound at hand to look at: bytes of "
              "levels column by column from the lowest band; pairs of least and greatest sample",
              reply="s:id i:columns i:bands b:spectrogram b:peaks"),
    Parameter("/sound/audio", Kind.QUERY, (_text("id"), _int("from", 0, 2**31 - 1)),
              "a sound at hand in pieces: 16-bit little-endian frames from that one on",
              reply="s:id i:rate i:frames i:channels b:pcm"),
    _action("/sound/render", "have a sound at hand, without playing it", _text("id"),
            reply="s:id"),
    _action("/sound/keep", "save the slot's sound among the favourites", _text("slot"),
            reply="s:file"),
    _action("/sound/export", "save the slot's sound as a WAV of that name, or named after its id",
            _text("slot"), _text("name", optional=True), reply="s:file"),
    Parameter("/sound/files", Kind.QUERY, (), "your own sound files, to load and to match",
              reply="s:file for each"),
    _action("/export", "write the sounds of now for another sampler: wav, sfz, h2drumkit, sf2 or "
            "dspreset, under that name in the exports folder", _text("format"), _text("name"),
            reply="s:file"),
    _action("/kit/load", "load a kit beside the one that plays, then swap to it", _text("kit"),
            reply="s:kit"),
    Parameter("/kit/list", Kind.QUERY, (), "the kits there are", reply="s:kit for each"),
    _action("/kit/save", "save the kit under that name, beginning with the sounds of now",
            _text("kit"), reply="s:kit"),
    Parameter("/record", Kind.QUERY, (), "whether it records, how long, where to, what was lost",
              reply="i:on f:seconds s:file i:lost_frames"),
    _action("/record/start", "record what is heard into NAME.wav and how it came about into "
            "NAME.mid, in the recordings folder; without a name, of the present time",
            _text("name", optional=True), reply="s:file"),
    _action("/record/stop", "end the recording; answered when its files are complete",
            reply="s:file"),
    Parameter("/scene", Kind.QUERY, (), "the scene saved or recalled last; sent to clients when it "
              "is another", reply="s:scene"),
    _action("/scene/save", "save kit, slots with their sounds, and pattern under that name, in "
            "place of what is there", _text("name"), reply="s:scene"),
    _action("/scene/recall", "play that scene: the slots from where swaps fall, the pattern from "
            "the next bar; its kit is loaded first if it is another", _text("name"),
            reply="s:scene"),
    Parameter("/scene/list", Kind.QUERY, (), "the scenes there are", reply="s:scene for each"),
    _action("/scene/delete", "delete that scene", _text("name"), reply="s:scene"),
    Parameter("/state", Kind.QUERY, (), "whether the next start goes on from here, or why not",
              reply="s:state"),
    _action("/learn", "the next controller that arrives moves this from now on, of an action also "
            "the next note: an address and the arguments before the one that it gives, such as "
            "/slot/BD/level, /trig BD or /seq/pattern house",
            _text("target"), reply="s:target"),
    Parameter("/midi/ports", Kind.QUERY, (), "the MIDI ports open now, and what came last",
              reply="(s:port s:last) for each"),
    _action("/learn/cancel", "wait for no control any more"),
    _action("/learn/forget", "unlearn a control (cc 10 21), all that move a target, or all",
            _text("control"), reply="i:forgotten"),
    Parameter("/learn/list", Kind.QUERY, (), "what was learned",
              reply="(s:control s:target) for each"),
    Parameter("/learned", Kind.EVENT, (_text("control"), _text("target")),
              "a control was moved after /learn, and moves this from now on"),
    Parameter("/late", Kind.EVENT, (_text("address"), _float("late", 0, 1e6, "ms")),
              "a bundle's time tag had passed; it was played at once"),
    Parameter("/warning", Kind.EVENT, (_text("address"), _text("why")),
              "a message was done, though not as it was meant, and why"),
    Parameter("/fail", Kind.EVENT, (_text("address"), _text("why")),
              "a message changed nothing, and why"),
)

BY_ADDRESS: dict[str, Parameter] = {row.address: row for row in TABLE}
