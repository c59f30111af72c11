"""Builds the parts of the instrument, starts them in order, stops them in reverse, supervises.

The only place that wires. Runs on the main thread, which then waits for a signal or for the output
to end. Order: the engine and the machine with the kit's factory sounds, then the output, so that
there is sound at once, and MIDI: now it can be played. Only then OSC, the stock of the run before
and the renderer, which takes seconds to load.
"""

from __future__ import annotations

import os
import threading
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING

from gan808 import paths, realtime
from gan808.app.display import Display
from gan808.app.jack_transport import open_transport
from gan808.app.midi import start_midi
from gan808.app.output_description import describe_output, describe_scheduling, may_return, on_jack
from gan808.app.output_opener import Opening, live_output
from gan808.app.parts import make_engine, with_seed
from gan808.app.present_export import export_present
from gan808.app.run_options import RunOptions
from gan808.app.run_recording import begin_recording, end_recording
from gan808.app.supervision import ending_on_ctrl_c, noticing_broken_threads, stopping_on_signals
from gan808.app.systemd import ServiceManager
from gan808.config import Settings
from gan808.control.link.peer import open_link
from gan808.control.midi.input import MidiInput
from gan808.engine.outputs.registry import Output, open_output
from gan808.errors import ConfigError, DeviceError, Gan808Error
from gan808.instrument.host import Host
from gan808.instrument.machine import Machine
from gan808.pool import store
from gan808.pool.factory import factory_sounds
from gan808.pool.filler import Filler
from gan808.pool.offline import OfflinePool
from gan808.pool.pool import Pool
from gan808.pool.render_process import RenderProcess
from gan808.recording.recorder import Recorder
from gan808.sound.kit.kit import find_kit
from gan808.storage import learned_controls
from gan808.storage.library import Library
from gan808.storage.session import Session

if TYPE_CHECKING:
    from gan808.app.managed_session import ManagedSession

WAIT_S = 0.05
FADE_S = 0.03
REOPEN_S = 2.0
HARD_STOP_S = 3.0
RATE_CHANGE_S = 10.0  # sixteen sounds are resampled in some tens of milliseconds
DONE, FAILED = 0, 1


@dataclass(frozen=True)
class RunOrder:
    """A run to play. settings: the options' among them; opening: a live output that is on its way
    already; given: settings the user has made, as section.key; managed: the session manager's
    session it belongs to."""

    settings: Settings
    options: RunOptions
    opening: Opening | None = None
    given: frozenset[str] = frozenset()
    managed: ManagedSession | None = None
    stop: threading.Event = field(default_factory=threading.Event)


def play(order: RunOrder) -> int:
    """Play until a signal, the end of --seconds or a failure; the exit status.

    Raises Gan808Error when it cannot start. For the main thread, whose signals it takes over.
    """
    with ending_on_ctrl_c():
        daemon = OfflineDaemon(order) if order.options.fast else Daemon(order)
    realtime.take_short_turns()
    with stopping_on_signals(order.stop), noticing_broken_threads(order.stop) as broken:
        status = daemon.run()
    return FAILED if broken else status


class Daemon:
    """The instrument, live."""

    def __init__(self, order: RunOrder) -> None:
        """Build everything that can be wrong before anything starts. Raises Gan808Error."""
        self._stop = order.stop
        self._options = options = order.options
        self._managed = managed = order.managed
        self._reproducible = order.settings.renderer.seed >= 0
        self._display = Display(quiet=options.quiet)
        self._session = Session(order.settings, order.given, fresh=options.fresh,
                                warn=self._display.warn,
                                folder=managed.folder if managed is not None else None)
        self._settings = settings = with_seed(self._session.settings)
        self._scheduling = ""
        self._kit = self._session.kit()
        self._output = (order.opening.result() if order.opening else live_output(
            settings, options.seconds, settings.audio.sample_rate_hz or None))
        self._rate_hz = self._output.sample_rate_hz
        self._engine = make_engine(self._rate_hz, settings, self._display)
        self._pool = Pool(self._kit.classes, limit=settings.pool.limit,
                          low_water=settings.pool.low_water)
        self._filler = Filler(
            self._kit, self._pool, self._rate_hz, settings.renderer, self._display.warn
        )
        self._midi: list[MidiInput] = []  # once it is open
        self._machine = Machine(
            self._kit, self._engine, self._pool, self._filler, settings,
            Library.of_user(settings.imports.folder, export_present), self._host())
        self._recorder = Recorder(self._machine)
        self._machine.commands.register(self._recorder.handlers())
        self._first_sounds = self._session.begin(self._machine)
        self._factory = None if self._first_sounds else factory_sounds(self._kit, self._rate_hz)
        self._mark = ""
        self._panel = ""
        self._service = ServiceManager()

    def _host(self) -> Host:
        """What the machine is told of this program, and may have done by it."""
        controls = paths.controls_file()
        return Host(
            output=lambda: describe_output(self._output),
            midi_ports=lambda: [text for each in self._midi for text in each.ports_seen()],
            state=lambda: self._session.status,
            open_link=partial(open_link, start_stop=self._settings.sequencer.link_start_stop),
            open_jack=lambda lead: open_transport(self._output, self._engine, lead=lead),
            learned=learned_controls.load(controls),
            keep_learned=partial(learned_controls.save, controls))

    def _codes(self) -> tuple[str, ...]:
        return self._machine.codes

    def run(self) -> int:
        """Start, play, stop; the exit status. Raises Gan808Error when it cannot start."""
        with ExitStack() as running:
            self._start(running)
            status = self._supervise()
            self._service.stopping()
            hard_stop = threading.Timer(HARD_STOP_S, os._exit, [FAILED])
            hard_stop.daemon = True  # a driver that never returns must not keep the user
            hard_stop.start()
            self._session.freeze()  # what comes now is not how it was left
            self._machine.submit("/volume", 0.0)  # a sound cut off clicks
            if self._settings.audio.by_slot:  # the slots alone are not under the volume
                self._engine.port("wiring").stop()
            self._output.wait(FADE_S)
        hard_stop.cancel()
        end_recording(self._recorder, self._display)
        return status

    def _start(self, running: ExitStack) -> None:
        """Start the parts; running stops those that were started, in reverse."""
        running.callback(self._save_pool)
        if self._factory is not None:
            self._first_sounds = self._factory.sounds
            classes = {sound.main_class for sound in self._first_sounds}
            if not {slot.class_name for slot in self._kit.slots} <= classes:
                self._load_pool()  # some slots have nothing else to begin with
        running.callback(self._machine.stop)
        running.callback(self._session.stop)  # first: it asks the machine
        self._machine.start(sounds=self._first_sounds)
        running.callback(lambda: self._output.stop())  # whichever it is by then
        begin_recording(self._recorder, self._options.record)
        self._output.start(self._engine, self._codes)
        # Before any thread of ours has asked: what is real-time now is the sound's.
        self._scheduling = describe_scheduling(
            realtime.realtime_threads(), realtime.realtime_is_granted())
        midi = start_midi(running, self._machine, self._settings, lambda: self._output,
                          self._midi.append)
        # From here on it can be played; what a first note does not need comes after it.
        osc = self._start_osc(running)
        self._introduce(midi, osc)
        self._service.ready(f"playing: {describe_output(self._output)}")
        self._display.follow(self._machine)
        self._load_pool()
        running.callback(self._filler.stop)
        self._filler.start()
        if self._factory is not None:
            self._factory.keep()
        self._session.go_on(self._machine)
        if self._managed is not None:
            running.callback(self._managed.stop)
            self._managed.start(self._session, self._machine)

    def _start_osc(self, running: ExitStack) -> str:
        if not self._settings.osc.enabled:
            return "off"
        from gan808.control.osc.client import shown
        from gan808.control.osc.server import OscServer
        from gan808.control.oscquery.discovery import Discovery  # after the first note

        settings, osc = self._settings, OscServer(self._machine, self._settings)
        try:
            osc.start()
        except DeviceError:
            osc.stop()
            if self._managed is None:
                raise
            # Of several in one session one has the port of the settings.
            settings = settings.replace({"osc": {"port": 0}})
            osc = OscServer(self._machine, settings)
            osc.start()
        running.callback(osc.stop)
        discovery = Discovery(settings.osc, osc.address, self._display.say,
                              self._display.warn, panel_file=paths.panel_file())
        running.callback(discovery.stop)
        discovery.start()
        self._panel = discovery.panel
        return f"udp {shown(*osc.address)}"

    def _introduce(self, midi: str, osc: str) -> None:
        kit, settings, sequencer = self._kit, self._settings, self._machine.sequencer
        playing = f"{sequencer.pattern.name} at {sequencer.tempo_bpm:.4g} BPM"
        swaps = settings.evolve.swaps_per_bar
        evolving = f"{swaps:.4g} new sound{'' if swaps == 1 else 's'} a bar"
        self._display.facts([
            ("kit", f"{kit.name}: {len(kit.slots)} slots, {len(kit.classes)} classes"),
            ("pattern", f"{playing}, {evolving}" if sequencer.playing else "stopped"),
            ("sound", describe_output(self._output)),
            ("realtime", self._scheduling),
            ("midi", midi),
            ("osc", osc),
            *([("panel", self._panel)] if self._panel else []),
            ("seed", str(settings.renderer.seed)),
            ("state", self._session.line),
            *([("record", self._options.record)] if self._options.record else []),
            ("stop", "Ctrl-C"),
        ])
        if self._output.notice:
            self._display.warn(self._output.notice)

    def _supervise(self) -> int:
        """Wait for the end; a device that goes away is opened again when it returns."""
        while not self._stop.is_set():
            if not self._output.wait(WAIT_S):
                self._service.alive(self._engine.frames)
                continue
            failure = self._output.failure
            if failure is None:
                return DONE
            if not may_return(self._output):
                self._display.warn(str(failure))
                return FAILED
            self._display.warn(f"{failure}; it is opened again when it is back")
            self._reopen()
        return DONE

    def _reopen(self) -> None:
        """Replace the output once there is one again; gives up only when it is to stop."""
        self._output.stop()
        self._service.status("waiting for the sound device")
        # What played into JACK waits for JACK: its notes come from there too.
        place = self._output.name if on_jack(self._output) else self._settings.audio.output
        settings = self._settings.replace({"audio": {"output": place}})
        told = ""
        while not self._stop.wait(REOPEN_S):
            self._service.alive()
            try:
                wanted_hz = settings.audio.sample_rate_hz or None
                output = live_output(settings, self._options.seconds, wanted_hz,
                                     self._managed.presence if self._managed else None)
                if not may_return(output):
                    continue  # a file instead of the device is not what was playing
                self._follow_rate(output.sample_rate_hz)
                output.start(self._engine, self._codes)
            except DeviceError as error:
                if wanted_hz and str(error) != told:  # another rate than the settings ask for
                    told = str(error)
                    self._display.warn(f"{error}; config.toml has sample_rate_hz = {wanted_hz}")
                continue
            self._output = output
            again = f"playing again: {describe_output(output)}"
            self._display.say(again)
            self._service.status(again)
            return

    def _follow_rate(self, rate_hz: int) -> None:
        """Go over to the rate of an output that has not started yet."""
        if rate_hz == self._rate_hz:
            return
        end_recording(self._recorder, self._display)  # a WAV has one rate
        changed = self._machine.ask(partial(self._machine.change_rate, rate_hz))
        try:
            changed.result(RATE_CHANGE_S)
        except TimeoutError:
            raise Gan808Error(f"the machine is too busy to go over to {rate_hz} Hz") from None
        self._filler.change_rate(rate_hz)
        self._rate_hz = rate_hz
        if self._mark:
            self._mark = store.fingerprint(
                self._kit, rate_hz, self._settings.renderer.griffin_lim_rounds)

    def _load_pool(self) -> None:
        """Take up what the run before left in stock, once."""
        if self._mark:
            return
        rounds = self._settings.renderer.griffin_lim_rounds
        self._mark = store.fingerprint(self._kit, self._rate_hz, rounds)
        if not self._reproducible:  # what an earlier run left would change what is drawn
            for sound in store.load(paths.pool_folder(self._kit.name), self._mark):
                self._pool.put(sound)

    def _save_pool(self) -> None:
        """Keep what is in stock for the next start, if it is still this kit's."""
        if not self._mark:
            return
        if self._filler.status().kit == self._kit.name and (sounds := [
            sound for sound in self._pool.sounds() if sound.sample_rate_hz == self._rate_hz
        ]):
            store.save(paths.pool_folder(self._kit.name), self._mark, sounds)


class OfflineDaemon:
    """`--fast`: pattern and evolution into a file as fast as it goes, the same for the same seed.

    No MIDI and no OSC: nothing from outside could be timed. The output's thread does everything,
    sounds included, block by block.
    """

    def __init__(self, order: RunOrder) -> None:
        """Build the parts. Raises Gan808Error."""
        options = order.options
        if options.seconds is None:
            raise ConfigError("--fast would fill the disk: give --seconds S as well")
        self._stop = order.stop
        self._options = options
        self._settings = settings = with_seed(order.settings)
        self._display = Display(quiet=options.quiet)
        kit = find_kit(settings.kit.name, paths.kit_folders())
        self._output = self._open_output()
        rate_hz = self._output.sample_rate_hz
        self._engine = engine = make_engine(rate_hz, settings, self._display)
        process = RenderProcess(kit, rate_hz, settings.renderer)
        self._pool = OfflinePool(process, settings.pool, settings.renderer)
        self._machine = Machine(kit, engine, self._pool, self._pool, settings,
                                Library.of_user(settings.imports.folder))
        self._recorder = Recorder(self._machine)
        self._machine.commands.register(self._recorder.handlers())

    def run(self) -> int:
        """Render to the end of --seconds or until a signal; the exit status."""
        with ExitStack() as running:
            running.callback(self._output.stop)
            running.callback(self._pool.stop)  # first: the output may be waiting for a sound
            self._pool.start()
            self._display.facts([
                ("sound", describe_output(self._output)),
                ("seed", str(self._settings.renderer.seed)),
            ])
            self._machine.start(live=False)
            begin_recording(self._recorder, self._options.record)
            self._display.follow(self._machine)
            self._output.start(self._engine, lambda: self._machine.codes)
            while not self._stop.is_set() and not self._output.wait(WAIT_S):
                if self._pool.failure is not None:
                    break
        end_recording(self._recorder, self._display)
        failure = self._output.failure or self._pool.failure
        if failure is None or self._stop.is_set():
            return DONE
        self._display.warn(str(failure))
        return FAILED

    def _open_output(self) -> Output:
        audio = self._settings.audio
        return open_output(
            audio.output,
            sample_rate_hz=audio.sample_rate_hz or None,
            block_frames=audio.block_frames or None,
            seconds=self._options.seconds,
            fast=True,
            by_slot=audio.by_slot,
            file_dir=paths.recordings_folder(),
            before_block=self._before_block,
        )

    def _before_block(self, until_frame: int) -> None:
        self._recorder.follow()
        self._machine.before_block(until_frame)
