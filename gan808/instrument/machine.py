"""The drum machine: joins slots, sequencer, evolution and commands, and owns the machine thread.

A note goes from the caller's thread straight into the caller's own port: no lock, no file, no
wait. Everything else is put on the machine thread's queue by `submit` and happens there, one
thing at a time. Offline (`start(live=False)`) there is no thread: `before_block` does its work.
"""

from __future__ import annotations

import heapq
import itertools
import queue
import threading
from collections.abc import Callable
from concurrent.futures import Future
from functools import partial
from typing import Any, TypeVar

from gan808.config import Settings
from gan808.engine.layout import MASTER_MOST
from gan808.engine.protocols import EngineLike, NotePort, PortLike
from gan808.errors import ConfigError, Gan808Error, Guard
from gan808.instrument.addresses import Request
from gan808.instrument.calls import Answer, Call, Reply, settle
from gan808.instrument.commands.handlers import Commands, Parts
from gan808.instrument.context import Context, PlayingKit
from gan808.instrument.disk import DiskWorker
from gan808.instrument.events import Event, Notice, Status, Subscribers
from gan808.instrument.evolution import Evolution
from gan808.instrument.evolver import Evolver
from gan808.instrument.host import Host
from gan808.instrument.kit_switch import KitSwitches
from gan808.instrument.learning import Learning
from gan808.instrument.live import LIVE
from gan808.instrument.midi_map import MidiMap
from gan808.instrument.parameter import Kind, Value
from gan808.instrument.parameters import BY_ADDRESS
from gan808.instrument.protocols import FillerLike, KitLike, LibraryLike, PoolLike
from gan808.instrument.swaps import Swaps
from gan808.instrument.widths import Widths
from gan808.sequencer.from_settings import make_sequencer
from gan808.sequencer.sync import Sync
from gan808.sequencer.thread import SequencerThread
from gan808.sound.sound import Sound

# Steps, and commands that have a time, are sent on this long before they are due, with their
# exact frame: longer than Python is ever held up, and than two blocks of the output.
AHEAD_S = 0.15
# A sequencer told to play begins this much later, so that its thread is ahead of its first step.
START_DELAY_S = 0.03
# Fresh sounds that may wait to be brought: a flood of notes is no reason to fill memory.
MOST_REFRESHES = 1024


Result = TypeVar("Result")


class Machine:
    """Sixteen slots, a sequencer and an evolving kit on top of an engine.

    codes: the kit's slot codes; a tuple, replaced whole when the kit changes, so any thread reads
    it. The attributes port, swaps, sequencer, evolution belong to the machine thread.
    """

    def __init__(
        self,
        kit: KitLike,
        engine: EngineLike,
        pool: PoolLike,
        filler: FillerLike,
        settings: Settings,
        library: LibraryLike,
        host: Host | None = None,
    ) -> None:
        """Nothing sounds before `start`. Raises ConfigError for a pattern that is not there."""
        host = host or Host()
        self.engine = engine
        self.pool = pool
        self.filler = filler
        self.settings = settings
        self.library = library
        self._inbox: queue.SimpleQueue[Callable[[], None] | None] = queue.SimpleQueue()
        self._subscribers = Subscribers()
        self._playing = PlayingKit(kit, settings.midi.map)
        self.port = engine.port("machine")
        self.swaps = Swaps(engine, self.port, pool, self.emit, settings.kit.width)
        self.evolution = Evolution(
            settings.evolve.swaps_per_bar, settings.evolve.quantise, settings.evolve.mode,
            None if settings.renderer.seed < 0 else settings.renderer.seed,
        )
        self.sequencer = make_sequencer(
            settings, library.pattern(settings.sequencer.pattern, kit.slots), self.codes, engine,
            listener=self,
        )
        self.sync = Sync(
            self.sequencer, engine, settings.sequencer.sync,
            offset_s=settings.sequencer.sync_offset_ms / 1000, say=self.say,
            open_link=host.open_link, open_jack=host.open_jack,
        )
        self.disk = DiskWorker(self.post)
        context = Context(
            self._playing, self.swaps, engine, pool, filler, library, self.disk, self.emit,
            self.post, self.now)
        self.learning = Learning(context, host.learned, host.keep_learned)
        self._widths = Widths(context)
        self.midi_map = MidiMap(context, self.learning, self.port, settings)
        self.switches = KitSwitches(context, self.sequencer, self.midi_map, self._change_kit)
        self.commands = Commands(
            context, Parts(self.sequencer, self.sync, self.evolution, self.learning, self.switches,
                           self._widths), settings, host, self)
        self.snapshots = self.commands.snapshots
        self._evolver = Evolver(self.evolution, self.swaps, self.sequencer.used_slots,
                                self.switches.pending, self.emit)
        self._waiting: list[tuple[int, int, Call]] = []
        self._order = itertools.count()
        self._guard = Guard("the machine")
        self._threads: tuple[threading.Thread, SequencerThread] | None = None
        self.live = True
        self._offline_frame: int | None = None
        self.renew_lead()

    @property
    def kit(self) -> KitLike:
        """The kit that plays. Any thread."""
        return self._playing.kit

    @property
    def codes(self) -> tuple[str, ...]:
        """Its slots' codes, in order; replaced whole when the kit changes. Any thread."""
        return self._playing.codes

    # Life

    def start(self, *, live: bool = True, sounds: list[Sound] | None = None) -> None:
        """Send the settings and the kit's factory sounds to the engine and begin.

        live: start the machine's and the sequencer's threads; otherwise the caller drives
        everything with `before_block`. sounds: the factory sounds, where the caller has them.
        Raises KitError for factory sounds that cannot be read.
        """
        self.port.set_master(MASTER_MOST * self.settings.audio.master_volume)
        first = sounds or self.kit.factory_sounds(self.engine.sample_rate_hz)
        self.switches.schedule(self.kit, first, 0)
        self.midi_map.follow()
        self.live, self._offline_frame = live, None if live else 0
        if self.settings.sequencer.song:
            self.commands.songs.begin(self.settings.sequencer.song)
        if not live:
            if self.settings.sequencer.playing:
                self.sequencer.play(self.soon())
            return
        if self.settings.sequencer.playing and self.settings.sequencer.song:
            # After what the song begins with, which is on the queue.
            self.post(lambda: self.sync.begin(self.soon()))
        else:
            self.sync.begin(self.soon(), playing=self.settings.sequencer.playing)
        sequencing = SequencerThread(
            self.sync.advance, self.engine.clock.frame_now, self._ahead_frames
        )
        working = threading.Thread(target=self._work, name="gan808-machine", daemon=True)
        self._threads = (working, sequencing)
        self.disk.start()
        working.start()
        sequencing.start()

    def stop(self) -> None:
        """End the threads, sequencer first; commands still queued are done, and what is being
        written is waited for, for a moment. Idempotent."""
        if self._threads is None:
            return
        working, sequencing = self._threads
        sequencing.stop()
        self.sync.close()
        self._inbox.put(None)
        working.join()
        self._threads = None
        self.disk.finish()

    def before_block(self, until_frame: int) -> None:
        """Offline: do everything that must be in the engine before frames below until_frame."""
        self._do_all(until_frame)
        self.sync.advance(until_frame)
        self._do_all(until_frame)
        self._offline_frame = until_frame

    # The hot path: any thread, its own port

    def trigger(
        self,
        port: NotePort,
        slot: int,
        velocity: float,
        frame: int = 0,
        *,
        gain: float = 1.0,
        pan: float = 0.0,
        tune_semitones: float = 0.0,
    ) -> bool:
        """Play slot 0..15 at velocity 0..1 through the calling thread's port; 0 = now.

        False when the port's ring was full: the note is lost and counted, nothing waits.
        """
        played = port.trigger(
            slot, velocity, frame, gain=gain, pan=pan, tune_semitones=tune_semitones
        )
        if self.evolution.fresh and self._inbox.qsize() < MOST_REFRESHES:
            self._inbox.put(partial(self._evolver.refresh, slot, frame))
        return played

    def release(self, port: NotePort, slot: int, frame: int = 0) -> bool:
        """A key was let go: ends the sound of a gated slot, does nothing to a one-shot."""
        slots = self.swaps.slots
        if slot < len(slots) and slots[slot].gated:
            return port.release(slot, frame)
        return True

    def slot_for_note(self, note: int) -> int | None:
        """The slot 0..15 a MIDI note plays, None for a note that plays nothing."""
        return self._playing.slot_of_note.get(note)

    def handle(
        self, request: Request, port: PortLike, frame: int = 0, reply: Reply | None = None
    ) -> None:
        """Carry out a decoded request: live ones at once on `port`, others by `submit`.

        reply gets a tuple of values, or a Gan808Error; for a live request only the error.
        Rows of kind CLIENT are the control surface's own business and not accepted here.
        """
        if request.parameter.kind is not Kind.LIVE:
            self.submit(request.parameter.address, *request.arguments, frame=frame, reply=reply)
            return
        with Guard(request.parameter.address, reply):
            played = LIVE[request.parameter.address].play(
                self, port, request.slot, request.values, frame)
            if not played:
                raise Gan808Error("the engine is too busy; the note is lost")

    # Commands: any thread in, machine thread out

    def submit(
        self, command: str, *arguments: Value, frame: int = 0, reply: Reply | None = None,
    ) -> Future[Answer]:
        """Put a command of the parameter table on the machine thread.

        command: the row's address, such as "/slot/SLOT/level"; arguments: slot (0..15) first
        where the row has one, then the values; a value row without values is read. frame: when
        it is to happen, 0 = now. The answer is a tuple of plain values, soon or when what was asked
        for is there; reply is called with it, or a Gan808Error, on the machine thread. Without
        reply an error is logged. Never waits. Raises ConfigError for a command that is not in the
        table.
        """
        row = BY_ADDRESS.get(command)
        if row is None or row.kind not in (Kind.VALUE, Kind.ACTION, Kind.QUERY):
            raise ConfigError(f"{command!r} is no command of the machine")
        call = Call(command, arguments, frame)
        call.then(call.log_refusal if reply is None else reply)
        self._inbox.put(partial(self._take, call) if frame > 0 else partial(self._run, call))
        return call.future

    def post(self, work: Callable[..., None], *arguments: Any) -> None:
        """Do `work(*arguments)` on the machine thread; for answers from other threads."""
        self._inbox.put(partial(work, *arguments))

    def ask(self, work: Callable[[], Result]) -> Future[Result]:
        """What `work` gives on the machine thread; for other threads, which may wait for it."""
        future: Future[Result] = Future()
        self.post(settle, future, work)
        return future

    def look_at_clock(self) -> None:
        """The MIDI clock starts, jumps or is new: the sequencer looks at once. Any thread."""
        threads = self._threads
        if threads is not None:
            threads[1].wake()

    def say(self, text: str) -> None:
        """One line for the user, from any thread."""
        self.post(self.emit, Notice(text))

    def load_numbered_kit(self, number: int, reply: Reply | None = None) -> None:
        """Load the kit at that place (0..127) of /kit/list: a MIDI program change. Any thread."""
        call = Call("/kit/load", (number,))
        call.then(call.log_refusal if reply is None else reply)
        self.post(call.go_on, self.commands.kits.load_numbered, call, number)

    def subscribe(self, callback: Callable[[Event], None]) -> Callable[[], None]:
        """Call back with every event, on the machine thread, until the returned function is
        called. The callback must return at once."""
        return self._subscribers.subscribe(callback)

    def emit(self, event: Event) -> None:
        """Tell every listener; machine thread only."""
        self._subscribers.emit(event)

    def status(self, *, reset_peak: bool = False) -> Status:
        """How things stand. Any thread. reset_peak: whoever asks next is told what comes now."""
        stats, stock = self.engine.stats(reset_peak=reset_peak), self.pool.stock()
        rate, plays = self.engine.sample_rate_hz, self.engine.plays
        return Status(
            kit=self.kit.name, voices=stats.voices, pool=sum(stock.values()), stock=stock,
            load=stats.load, peak=stats.peak, xruns=stats.xruns,
            late_commands=stats.late_commands, dropped_commands=stats.dropped_commands,
            stolen_voices=stats.stolen_voices, sample_rate_hz=rate if plays else 0,
            latency_ms=1000.0 * self.engine.latency_frames / rate if plays else 0.0,
            pattern=self.sequencer.pattern.name, playing=self.sequencer.playing,
            tempo_bpm=self.sequencer.tempo_bpm, clock=self.sync.clock,
            swaps_per_bar=self.evolution.swaps_per_bar,
            sounds=tuple(slot.sound.id if slot.sound else "" for slot in tuple(self.swaps.slots)),
        )

    # The machine thread

    def now(self) -> int:
        """The frame that counts as now: the engine's, or offline where the block begins."""
        if self._offline_frame is not None:
            return self._offline_frame
        return self.engine.clock.frame_now()

    def soon(self) -> int:
        """A frame the sequencer can start at without being late."""
        if self._offline_frame is not None:
            return self._offline_frame
        delay = round(START_DELAY_S * self.engine.sample_rate_hz)
        return self.engine.clock.frame_now() + delay

    def _change_kit(self, kit: KitLike) -> None:
        """The kit's codes and notes are what is played from now on; machine thread only."""
        self._playing.change(kit)
        self.learning.follow()
        self._widths.follow()

    def renew_lead(self) -> None:
        """How far ahead is sent, in frames of the engine's rate; machine thread only."""
        rate, block = self.engine.sample_rate_hz, self.settings.audio.block_frames
        self._ahead_frames = round(AHEAD_S * rate) + 2 * block
        if self._threads is not None:
            self._threads[1].ahead_frames = self._ahead_frames

    def _work(self) -> None:
        settled = True
        while True:
            try:
                busy = self._waiting or self.switches or not settled
                work = self._inbox.get(timeout=0.01 if busy else None)
            except queue.Empty:
                self.switches.carry_out(self.now())
                settled = self._settle(self.now())
                continue
            if work is None:
                return
            with self._guard:
                self.switches.carry_out(self.now())
                work()
            settled = self._settle(self.now())

    def _do_all(self, until_frame: int) -> None:
        self.switches.carry_out(until_frame - 1)
        while True:
            try:
                work = self._inbox.get_nowait()
            except queue.Empty:
                break
            if work is not None:
                with self._guard:
                    work()
        self._settle(until_frame)

    def _run(self, call: Call) -> None:
        self.commands.run(call)

    def _take(self, call: Call) -> None:
        """Keep a timed call until it is due, or nearly: the engine's own queue is short."""
        lead = self._ahead_frames if BY_ADDRESS[call.command].scheduled else 0
        heapq.heappush(self._waiting, (call.frame - lead, next(self._order), call))

    def _settle(self, frame: int) -> bool:
        """Carry out what is due and have the engine know what came of it all; whether it does."""
        while self._waiting and self._waiting[0][0] <= frame:
            self._run(heapq.heappop(self._waiting)[2])
        return self.midi_map.follow()

    # The sequencer's listener: its thread, so only the queue is touched

    def on_beat(self, index: int, frame: int, next_frame: int) -> None:
        """A beat is about to be scheduled; evolution decides on the machine thread."""
        self._inbox.put(partial(self._evolver.beat, index, frame, next_frame))
        self._inbox.put(partial(self.commands.songs.beat, index))

    def on_hit(self, slot: int, frame: int) -> None:
        """A step is about to be scheduled; in fresh mode it gets a sound of its own."""
        if self.evolution.fresh:
            self._inbox.put(partial(self._evolver.refresh, slot, frame))
