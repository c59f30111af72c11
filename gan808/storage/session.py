"""The state from one run to the next: what this one begins with, and the thread that keeps it.

Whatever the user says for a run, on the command line or in config.toml, comes before what was kept.
One process keeps the state, the first to start; others of the same user neither read nor write it.
In a session manager's session the state lies in a folder of that, and is written when it asks.
`Session` is the main thread's; `SessionWriter` owns the thread "gan808-state", which asks the
machine for its state when something has changed, at most twice a second, and writes it. Nobody
waits for it.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING

from gan808 import atomic, paths
from gan808.config import Settings
from gan808.errors import ConfigError, Gan808Error, Guard, KitError
from gan808.instrument.events import Event, KitLoaded, ParameterChanged, SoundChanged
from gan808.instrument.parameter import Value
from gan808.instrument.state import KEPT_VALUES, KeptSlot, State
from gan808.sound.kit.kit import Kit, find_kit
from gan808.sound.sound import RENDER, Sound
from gan808.storage.session_files import LOCK, SOUNDS, Lock, StateFiles

if TYPE_CHECKING:
    from gan808.instrument.machine import Machine

SETTLE_S = 0.5  # what changes together is written once, and a moving knob twice a second
# Where every hit has a new sound the slots are written as often as this: each is gone in a moment.
FRESH_S = 10.0
ANSWER_S = 1.0
# Who saves on purpose would rather wait than have it refused; session managers give a minute.
SAVES_WITHIN_S = 20.0
# Who may not be there any more.
OTHERS = [("/seq/sync", mode) for mode in ("link", "jack", "jack-lead")]


class Session:
    """The state of the user who runs this program, or why it is left alone."""

    def __init__(
        self, settings: Settings, given: Collection[str] = (), *, fresh: bool = False,
        warn: Callable[[str], None], folder: Path | None = None,
    ) -> None:
        """Reads what was kept. given: what the user has said for this run, as section.key; fresh:
        begin anew, and keep that; the slots of other kits stay. settings: a reproducible run
        neither reads nor writes. folder: of a session manager's session; only `save` writes."""
        self._given = frozenset(given)
        self._warn = warn
        self._managed = folder is not None
        self._files = StateFiles(folder or paths.state_folder())
        self._lock = Lock(self._files.folder / LOCK)
        self._state: State | None = None
        self._keeper: SessionWriter | None = None
        self._machine: Machine | None = None  # once there is something to save
        self._fresh = fresh
        self._why_not = _why_not(settings, managed=self._managed)
        if not self._why_not:
            self._open()
        self.settings = self._with_state(settings)

    @property
    def line(self) -> str:
        """Where this run begins and whether it is kept, for people."""
        if self._why_not:
            return f"not kept: {self._why_not}"
        if self._managed:
            return "new in this session" if self._state is None else "as the session was saved"
        if self._state is not None:
            other = self._state.render != RENDER
            return ("as it was left; its seeds sound otherwise now, what was kept sounds as it did"
                    if other else "as it was left; --fresh begins anew")
        return "anew, kept from now on" if self._fresh else "kept from now on"

    @property
    def status(self) -> str:
        """Whether the next start goes on from here. Any thread."""
        keeper = self._keeper
        if self._managed and not self._why_not:
            return "kept when the session is saved"
        trouble = self._why_not or (keeper.trouble if keeper is not None else "")
        return f"not kept: {trouble}" if trouble else "kept"

    def kit(self) -> Kit:
        """The kit that was worn last, or that of the settings. Raises KitError."""
        folders = paths.kit_folders()
        if self._state is not None and "kit.name" not in self._given:
            try:
                return find_kit(self._state.kit, folders)
            except KitError as error:
                self._warn(f"the kit of last time: {error}; it begins with "
                           f"{self.settings.kit.name}")
        return find_kit(self.settings.kit.name, folders)

    def begin(self, machine: Machine) -> list[Sound]:
        """Have the machine, which has not been started, begin where the last run was left.

        Returns the sounds of its slots when all of them are there, so that no others need be
        read; else none.
        """
        state = self._state
        if state is None:
            return []
        slots = self._files.slots(machine.library.kit_place(machine.kit),
                                  machine.engine.sample_rate_hz)
        if "kit.width" in self._given:
            slots = tuple(_without_width(slot) for slot in slots)
        pattern = None if "sequencer.pattern" in self._given else state.pattern
        machine.snapshots.begin_with(replace(state, slots=slots, pattern=pattern))
        self._say(machine)
        sounds = {slot.code: slot.sound for slot in slots if slot.sound is not None}
        return list(sounds.values()) if set(machine.codes) <= set(sounds) else []

    def _say(self, machine: Machine) -> None:
        """What is no setting is a command. So is who leads: where Link or JACK cannot be joined any
        more, that is a line and not the end."""
        for address, setting in KEPT_VALUES.items():
            value = self._value(address)
            if value is not None and (setting is None or (address, value) in OTHERS):
                machine.submit(address, value)

    def go_on(self, machine: Machine) -> None:
        """What a first note does not need: what a kill has left is swept away, the sounds before
        the present ones come back, and the state is kept."""
        atomic.sweep([*paths.written_folders(), self._files.folder, self._files.folder / SOUNDS])
        if self._why_not:
            return
        if self._state is not None:
            history = self._files.history(
                machine.library.kit_place(machine.kit), machine.engine.sample_rate_hz)
            machine.post(machine.snapshots.add_history, history)
        self._machine = machine
        if not self._managed:
            self._keeper = SessionWriter(self._files, machine, self._warn)
            self._keeper.start()

    def save(self) -> None:
        """Write how things stand now: for a session manager, on any thread but the machine's.
        Raises Gan808Error."""
        machine = self._machine
        if machine is None:
            raise Gan808Error(self.line if self._why_not else "it has not started yet")
        try:
            self._files.write(
                machine.ask(machine.snapshots.state).result(SAVES_WITHIN_S))
        except TimeoutError:
            raise Gan808Error("the instrument does not answer") from None
        except OSError as error:
            raise Gan808Error(
                f"{error.filename or self._files.folder}: {error.strerror}") from error

    def freeze(self) -> None:
        """What changes from here on is no longer of interest: the end has begun."""
        if self._keeper is not None:
            self._keeper.freeze()

    def stop(self) -> None:
        """Write what is left to write and let another process keep the state."""
        if self._keeper is not None:
            self._keeper.stop()
        self._lock.give_back()

    def _open(self) -> None:
        try:
            if not self._lock.take():
                self._why_not = "another GAN-808 runs, and its state is kept"
                self._warn(f"the state is {self.line}; this one begins as configured")
                return
        except OSError as error:
            self._cannot(error)
        try:
            state = self._files.read()
        except ConfigError as error:
            aside = self._files.set_aside(datetime.now())
            where = f"; it is now {aside.name}" if aside is not None else ""
            self._warn(f"{error}{where}, and this run begins anew")
        except OSError as error:  # it may be whole: it is not written over
            self._cannot(error)
        else:
            self._state = None if self._fresh else state

    def _cannot(self, error: OSError) -> None:
        if not self._why_not:
            self._why_not = f"{error.filename or self._files.folder}: {error.strerror}"
            self._warn(f"the state is {self.line}")

    def _value(self, address: str) -> Value | None:
        """What was kept, None where the user has said something else for this run."""
        if self._state is None or ".".join(KEPT_VALUES[address] or ()) in self._given:
            return None
        return self._state.values.get(address)

    def _with_state(self, settings: Settings) -> Settings:
        overrides: dict[str, dict[str, Value]] = {}
        for address, setting in KEPT_VALUES.items():
            value = self._value(address)
            if setting is not None and value is not None and (address, value) not in OTHERS:
                overrides.setdefault(setting[0], {})[setting[1]] = value
        return settings.replace(overrides)


class SessionWriter:
    """Writes the state whenever it has changed, from start to stop."""

    def __init__(self, files: StateFiles, machine: Machine, warn: Callable[[str], None]) -> None:
        self.trouble = ""
        self._files = files
        self._machine = machine
        self._warn = warn
        self._guard = Guard("the state", self._cannot_keep)
        self._changed = threading.Event()
        self._changed.set()  # what it begins with is kept too
        self._stirred = False
        self._stopping = threading.Event()
        self._last: Future[State] | None = None
        self._unsubscribe = machine.subscribe(self._on_event)
        self._thread = threading.Thread(target=self._run, name="gan808-state", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def freeze(self) -> None:
        """Take the last state as things are now; it is written in the background."""
        if self._last is None:
            self._unsubscribe()
            self._last = self._ask()
            self._stopping.set()
            self._changed.set()

    def stop(self) -> None:
        """Returns when the last state is written. The machine must not have stopped yet."""
        self.freeze()
        if self._thread.is_alive():
            self._thread.join()

    def _on_event(self, event: Event) -> None:
        """On the machine thread."""
        if isinstance(event, SoundChanged) and self._machine.evolution.fresh:
            self._stirred = True
        elif changes_state(event):
            self._changed.set()

    def _run(self) -> None:
        while not self._stopping.is_set():
            if not self._changed.wait(FRESH_S) and not self._stirred:
                continue
            if self._stopping.wait(SETTLE_S):
                break
            self._changed.clear()
            self._stirred = False
            with self._guard:
                self._keep(self._ask())
        if self._last is not None:
            with self._guard:
                self._keep(self._last)

    def _ask(self) -> Future[State]:
        """The state, as soon as the machine has a moment."""
        return self._machine.ask(self._machine.snapshots.state)

    def _keep(self, answer: Future[State]) -> None:
        with suppress(TimeoutError):  # the machine has died: that is told elsewhere
            state = answer.result(ANSWER_S)
            try:
                self._files.write(state)
            except OSError as error:
                self._cannot_keep(f"{error.filename or self._files.folder}: {error.strerror}",
                                  error.strerror)
            else:
                self.trouble = ""

    def _cannot_keep(self, why: str | Gan808Error, trouble: str | None = None) -> None:
        if not self.trouble:
            self._warn(f"the state cannot be kept: {why}; the sound goes on")
        self.trouble = trouble or "it cannot be written"


def changes_state(event: Event) -> bool:
    """Whether what is kept is another after an event."""
    return isinstance(event, ParameterChanged | SoundChanged | KitLoaded)


def _why_not(settings: Settings, *, managed: bool) -> str:
    """Why this run is left out of it; "" where it is not. A session manager is not refused."""
    if not settings.state.keep and not managed:
        return "config.toml says so"
    return "a run with a seed is the same each time" if settings.renderer.seed >= 0 else ""


def _without_width(slot: KeptSlot) -> KeptSlot:
    values = {name: value for name, value in slot.values.items() if name != "width"}
    return replace(slot, values=MappingProxyType(values))
