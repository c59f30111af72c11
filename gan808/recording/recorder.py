"""Records a performance: /record/start, /record/stop and `run --record`.

The callback writes down what it plays and every command it carries out, each at its frame
(engine/recorder.py): only there is it known when a note "as soon as possible" began, which voice
was stolen for it and which sound its slot had. One thread, "gan808-recording", empties that into
files (format.py); nothing on the way of a note waits for it. Offline there is no thread: `follow`
does it.

`start`, `stop` and `state` are the machine thread's; `begin` and `close` belong to the wiring.
"""

from __future__ import annotations

import queue
import re
import threading
import time
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gan808 import __version__, paths
from gan808.engine import layout
from gan808.engine.engine import Engine
from gan808.errors import ConfigError, Gan808Error, Guard
from gan808.instrument.events import Event, KitLoaded, ParameterChanged
from gan808.instrument.names import is_plain_name
from gan808.instrument.protocols import KitLike
from gan808.recording.format import FORMAT, MIDI, ROW, WAV, Line, TakeFiles, digest_of
from gan808.sound.kit.kit import Kit
from gan808.sound.sound import RENDER

if TYPE_CHECKING:
    from gan808.instrument.calls import Answer, Call, Handler
    from gan808.instrument.machine import Machine

NAME = re.compile(r"[\w][\w .+-]{0,119}")
PERIOD_S = 0.05
# Files are made whole this often: what a kill costs at most.
KEEP_S = 0.5
# An output that has ended asks for no block any more; then the recording ends where it is.
LAST_BLOCK_S = 0.3
# A clock that is followed moves the tempo by hundredths all the time.
NEW_TEMPO_BPM = 0.05
SLOT_SETTINGS = "/slot/"


class Recorder:
    """At most one recording at a time."""

    def __init__(self, machine: Machine) -> None:
        self._machine = machine
        self._run: _Run | None = None

    # The parameter table's rows

    def handlers(self) -> dict[str, Handler]:
        """What the rows of the table do."""
        return {"/record": self.state, "/record/start": self.start, "/record/stop": self.stop}

    def start(self, call: Call) -> None:
        """Begin with the next block, under a name in the recordings folder or one of the time."""
        stem = named(str(call.arguments[0]) if call.arguments else "")
        engine = self._ready()
        self._machine.disk.do_for(
            call, partial(TakeFiles, stem, engine.sample_rate_hz, self._codes()),
            partial(self._start, call))

    def _start(self, call: Call, files: TakeFiles) -> None:
        try:
            call.answer((str(self._begin(self._ready(), files)),))
        except Gan808Error:  # another has begun meanwhile
            self._machine.disk.do(call.command, files.discard)
            raise

    def stop(self, call: Call) -> None:
        """End with the next block; answered with the WAV when the files are complete."""
        run = self._run
        if run is None or run.over:
            raise Gan808Error("nothing is being recorded")
        run.end(call)

    def state(self, _: Call) -> Answer:
        """Whether it records, how long it has, where to, and how many frames were lost."""
        run = self._run
        if run is None:
            return (0, 0.0, "", 0)
        return (int(not run.over), run.seconds, str(run.files.wav_path), run.lost_frames)

    # The wiring

    def begin(self, stem: Path) -> Path:
        """Begin with the next block, into STEM.wav and STEM.mid, and a WAV for each slot where
        [audio] outputs asks for them; returns the mix's path. Raises Gan808Error."""
        engine = self._ready()
        return self._begin(engine, TakeFiles(stem, engine.sample_rate_hz, self._codes()))

    def _codes(self) -> tuple[str, ...] | None:
        """The codes of the slots, where each is to be recorded alone besides."""
        return self._machine.codes if self._machine.settings.audio.by_slot else None

    def _ready(self) -> Engine:
        """The engine, if a recording can begin. Raises Gan808Error."""
        if self._run is not None and not self._run.over:
            raise Gan808Error(f"{self._run.files.wav_path} is being recorded; stop it first")
        engine = self._machine.engine
        if not isinstance(engine, Engine):
            raise Gan808Error("this engine cannot be recorded")
        if not engine.journal.answered:
            raise Gan808Error("the last recording is not over yet; try again")
        return engine

    def _begin(self, engine: Engine, files: TakeFiles) -> Path:
        run = _Run(self._machine, engine, files)
        self._run = run
        run.begin(threaded=self._machine.live)
        return run.files.wav_path

    def follow(self) -> None:
        """Offline: take what the last blocks have brought."""
        if self._run is not None and not self._run.over:
            self._run.step()

    def close(self) -> str | None:
        """End the recording, if there is one, and wait for its files; a line on what came of it."""
        run = self._run
        if run is None or run.over:
            return None
        return run.close()


def named(name: str) -> Path:
    """Where a recording of that name goes; without one, of the present time. Raises ConfigError:
    whoever reaches the OSC port must not choose the folder."""
    if not name:
        name = f"gan808-{time.strftime('%Y%m%d-%H%M%S')}"
    stem = name.removesuffix(WAV).removesuffix(MIDI)
    if not NAME.fullmatch(stem) or not is_plain_name(stem):
        raise ConfigError(f"{name!r} is no name for a recording; give letters, digits, spaces and "
                          f". + - only: it goes to {paths.recordings_folder()}")
    return paths.recordings_folder() / stem


def stem_of(text: str) -> Path:
    """NAME or PATH of `run --record`, without its ending: a plain name goes to the recordings
    folder, a path begins with one or ends in .wav or .mid. Raises ConfigError."""
    path = Path(text).expanduser()
    if path.suffix in (WAV, MIDI):
        return path.with_suffix("")
    return path if len(Path(text).parts) > 1 or text.startswith("./") else named(text)


class _Run:
    """One recording from beginning to end. On a thread of its own, or offline on the thread that
    mixes."""

    def __init__(self, machine: Machine, engine: Engine, files: TakeFiles) -> None:
        self.files = files
        self.over = False
        self._machine = machine
        self._engine = engine
        self._journal = engine.journal
        self._sound_marks = machine.swaps.sound_marks
        self._events: queue.SimpleQueue[tuple[int, Event]] = queue.SimpleQueue()
        self._unsubscribe = machine.subscribe(self._hear)
        self._noted: set[int] = set()
        self._begun = False
        self._tempo = 0.0
        self._kept_s = time.monotonic()
        self._failure: Gan808Error | None = None
        self._calls: queue.SimpleQueue[Call] = queue.SimpleQueue()
        self._ending = threading.Event()
        self._thread: threading.Thread | None = None

    @property
    def seconds(self) -> float:
        return self._journal.taken_frames / self._engine.sample_rate_hz

    @property
    def lost_frames(self) -> int:
        return self._journal.losses.frames

    def begin(self, *, threaded: bool) -> None:
        self._sound_marks.hold()
        self._journal.ask(True, by_slot=self.files.by_slot)
        if threaded:
            self._thread = threading.Thread(
                target=self._work, name="gan808-recording", daemon=True)
            self._thread.start()

    def end(self, call: Call) -> None:
        """Ask for the end; the call is answered when the files are complete."""
        self._calls.put(call)
        if self._thread is None:
            self._finish()
        self._ending.set()
        if self.over:
            self._answer()

    def close(self) -> str:
        """End and wait; a line for the user."""
        self._ending.set()
        if self._thread is None:
            self._finish()
        else:
            self._thread.join()
        return self._summary()

    def step(self) -> None:
        """Take what there is; the first failure ends the writing, never the sound."""
        if self._failure is not None:
            return
        with Guard("recording", self._fail):
            self._take()

    def _fail(self, error: Gan808Error) -> None:
        self._failure = self._failure or error
        self._ending.set()

    def _hear(self, event: Event) -> None:
        """On the machine thread."""
        if isinstance(event, KitLoaded | ParameterChanged):
            self._events.put((self._engine.frames, event))

    def _work(self) -> None:
        while not self._ending.wait(PERIOD_S):
            self.step()
        self._finish()

    def _finish(self) -> None:
        self._unsubscribe()
        self._await_answer()
        played = self._journal.answered
        self._journal.ask(False)
        self._await_answer()
        with Guard("recording", self._fail):
            if not played:
                self.files.discard()
                raise Gan808Error(f"{self.files.wav_path}: nothing was played")
            if self._failure is None:
                self._take()
                self._write_end()
            if self._failure is not None and self.files.empty:
                self.files.discard()
            else:
                self.files.finish()
        self._sound_marks.release()
        self.over = True
        self._tell()

    def _await_answer(self) -> None:
        """Wait for the callback's next block, as long as there are blocks."""
        blocks, moved_s = self._engine.blocks, time.monotonic()
        while self._thread is not None and not self._journal.answered:
            if self._engine.blocks != blocks:
                blocks, moved_s = self._engine.blocks, time.monotonic()
            elif time.monotonic() - moved_s > LAST_BLOCK_S:
                return
            time.sleep(0.005)

    def _write_end(self) -> None:
        end = self._journal.ended_frame if self._journal.answered else self._engine.frames
        self.files.sound(self._journal.rest(end))
        losses = self._journal.losses
        self.files.write({"end": end, "lost_frames": losses.frames,
                          "lost_commands": losses.commands})

    def _summary(self) -> str:
        if self._failure is not None:
            return f"{self._failure}; the recording ends after {self.seconds:.1f} s"
        losses = self._journal.losses
        lost = "".join(f", {count} {what} lost: the disk was too slow" for count, what in (
            (losses.frames, "frames"), (losses.commands, "commands")) if count)
        slots = ", and each slot alone" if self.files.by_slot else ""
        return f"recorded {self.files.wav_path} and .mid{slots}, {self.seconds:.1f} s{lost}"

    def _tell(self) -> None:
        """Answer those who asked for the end. What was lost or went wrong is told to everybody."""
        self._answer()
        losses = self._journal.losses
        if self._failure is not None or losses.frames or losses.commands:
            self._machine.say(f"{self._summary()}; the sound goes on")

    def _answer(self) -> None:
        answer: Answer | Gan808Error = self._failure or (str(self.files.wav_path),)
        with suppress(queue.Empty):  # two threads come here, each for what the other has not taken
            while True:
                self._machine.post(self._calls.get_nowait().answer, answer)

    # What goes into the files

    def _take(self) -> None:
        if not self._begun:
            if not self._journal.answered:
                return
            self._begin_files()
        # The sound first: a command is in the journal before what it changed is on the tape.
        frames = self._journal.frames()
        rows = self._journal.commands()
        self._write_settings()
        if len(rows):
            self._note({int(row["parameter"]) for row in rows
                        if row["kind"] == layout.COMMAND_ASSIGN})
            self.files.write({"do": [list(row) for row in rows[list(ROW)].tolist()]})
        if len(frames):
            self.files.sound(frames)
            self.files.write({"until": self._journal.began_frame + self._journal.taken_frames})
        self._sound_marks.forget(self._noted)
        if time.monotonic() - self._kept_s > KEEP_S:
            self._kept_s = time.monotonic()
            self.files.keep()

    def _begin_files(self) -> None:
        self._begun = True
        settings, state = self._machine.settings, self._journal.state()
        self.files.write({
            "gan808": __version__, "format": FORMAT, "render": RENDER,
            "rate": self._engine.sample_rate_hz,
            "seed": settings.renderer.seed, "rounds": settings.renderer.griffin_lim_rounds,
            "threads": settings.renderer.threads, "voices": self._engine.voices,
            "max_sound_frames": self._engine.max_sound_frames})
        self._write_kit(self._machine.kit, int(state["frame"]))
        self._note({int(each["mark"]) for each in (*state["slots"], *state["voices"])})
        self.files.write({"state": state})
        self.files.keep()

    def _write_settings(self) -> None:
        """Tempo, kit and the machine's own settings, which the engine knows nothing of."""
        line = self._machine.sequencer.transport.line
        if abs(line.tempo_bpm - self._tempo) >= NEW_TEMPO_BPM:
            first, self._tempo = self._tempo == 0.0, line.tempo_bpm
            frame = self._journal.began_frame if first else round(line.anchor_frame)
            self.files.write({"tempo": line.tempo_bpm, "frame": frame,
                              "step": round(line.step_at(frame), 6)})
        while not self._events.empty():
            frame, event = self._events.get()
            if isinstance(event, KitLoaded):
                self._write_kit(self._machine.kit, event.frame or frame)
            elif isinstance(event, ParameterChanged) and SLOT_SETTINGS not in event.address:
                self.files.write({"set": event.address, "values": list(event.values),
                                  "frame": frame})

    def _write_kit(self, kit: KitLike, frame: int) -> None:
        line: Line = {"kit": kit.name, "frame": frame,
                      "slots": [[slot.code, slot.notes[0]] for slot in kit.slots]}
        if isinstance(kit, Kit):
            line |= {"folder": str(kit.folder), "fingerprint": self._fingerprint(kit)}
        self.files.write(line)

    def _fingerprint(self, kit: Kit) -> str:
        from gan808.pool.store import fingerprint

        rounds = self._machine.settings.renderer.griffin_lim_rounds
        try:
            return fingerprint(kit, self._engine.sample_rate_hz, rounds)
        except OSError:  # a kit whose folder has gone plays on; it cannot be replayed
            return ""

    def _note(self, marks: set[int]) -> None:
        """Write down which sounds these marks are, once each."""
        for mark in sorted(marks - self._noted - {0}):
            self._noted.add(mark)
            sound: Any = self._sound_marks.sound(mark)
            if sound is not None:
                self.files.write({"sound": mark, "id": sound.id, "digest": digest_of(sound.audio)})
