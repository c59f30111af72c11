"""Keeps the pool full by driving the render process.

One thread of its own, "gan808-filler", does everything here: it starts, restarts and replaces the
child, renders and files. Other threads only leave requests in queues and wake it.
"""

from __future__ import annotations

import queue
import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from gan808.config import RendererSettings
from gan808.errors import Gan808Error, Guard, KitError, RenderError
from gan808.pool.pool import Pool, Want
from gan808.pool.render_process import RenderProcess
from gan808.pool.searches import DeliverNearest, Searches
from gan808.pool.seeds import Seeds
from gan808.sound.kit.kit import Kit
from gan808.sound.latent import Point
from gan808.sound.sound import Rendered, Sound

Deliver = Callable[[Sound | Gan808Error], None]
DeliverAll = Callable[[list[Rendered] | Gan808Error], None]
DeliverKit = Callable[[Kit | Gan808Error], None]
StartProcess = Callable[[Kit], RenderProcess]

LOADING_POLL_S = 0.05
# A SIGTERM for all of us reaches the child a moment before the player says stop: no accident.
GRACE_S = 0.3
IDLE_S = 1.0
FIRST_RESTART_S, LONGEST_RESTART_S = 1.0, 60.0
# A class that the critic never hears would otherwise keep all others from being rendered.
FIRST_BARREN_S, LONGEST_BARREN_S = 0.5, 30.0


@dataclass(frozen=True)
class FillerStatus:
    """What the filler has done. rejected: how often for each reason ("silent", "unsure", ...);
    ready: whether the render process has loaded the kit; pid: the process, None while there is
    none."""

    kit: str
    ready: bool
    rendered: int
    filed: int
    restarts: int
    pid: int | None
    rejected: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class _Request:
    class_name: str
    points: Sequence[Point]
    deliver: DeliverAll


@dataclass(frozen=True)
class _KitChange:
    kit: Kit
    process: RenderProcess
    deliver: DeliverKit


class _Pause:
    """A wait that doubles with every failure in a row and is short again after a success."""

    def __init__(self, first_s: float, longest_s: float) -> None:
        self._first_s, self._longest_s = first_s, longest_s
        self._next_s = first_s
        self._until_s = 0.0

    @property
    def over(self) -> bool:
        return time.monotonic() >= self._until_s

    def begin(self) -> float:
        pause_s = self._next_s
        self._until_s = time.monotonic() + pause_s
        self._next_s = min(2 * self._next_s, self._longest_s)
        return pause_s

    def forget(self) -> None:
        self._next_s = self._first_s
        self._until_s = 0.0


class Filler:
    """Renders the class shortest of stock, files what the critic accepts, counts the rest."""

    def __init__(
        self,
        kit: Kit,
        pool: Pool,
        sample_rate_hz: int,
        settings: RendererSettings,
        on_notice: Callable[[str], None],
        *,
        start_process: StartProcess | None = None,
    ) -> None:
        """on_notice gets one line for the user, on the filler's thread. settings.seed below zero
        counts as 0: the caller draws one. start_process stands in for the real child in tests."""
        self._kit = kit
        self._pool = pool
        self._settings = settings
        self._on_notice = on_notice
        self._rate_hz = sample_rate_hz
        self._make = start_process or (lambda k: RenderProcess(k, self._rate_hz, settings))
        self._stale = False
        self._seeds = Seeds(max(settings.seed, 0))
        self._requests: queue.SimpleQueue[_Request] = queue.SimpleQueue()
        self._searches = Searches()
        self._kits: queue.SimpleQueue[tuple[Kit, DeliverKit]] = queue.SimpleQueue()
        self._verdicts: queue.SimpleQueue[tuple[Kit, bool]] = queue.SimpleQueue()
        self._change: _KitChange | None = None
        self._ready: _KitChange | None = None  # delivered, and not yet decided on
        self._process: RenderProcess | None = None
        self._wake = threading.Event()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="gan808-filler", daemon=True)
        self._restart = _Pause(FIRST_RESTART_S, LONGEST_RESTART_S)
        self._barren: dict[Want, _Pause] = {}
        self._kit_failure: KitError | None = None
        self._counts: Counter[str] = Counter()
        self._rejected: Counter[str] = Counter()
        self._is_ready = False

    def start(self) -> None:
        """Start the thread, and from it the render process."""
        self._pool.on_take(self._wake.set)
        self._thread.start()

    def stop(self) -> None:
        """End the render process and the thread; returns within a second. Requests still waiting
        are delivered a RenderError, on the caller's thread."""
        self._stopping.set()
        self._pool.on_take(None)
        self._wake.set()
        if self._process is not None:
            self._process.stop()  # from here, because the thread may be waiting for its answer
        for change in (self._change, self._ready):
            if change is not None:
                change.process.stop()
        if self._thread.is_alive():
            self._thread.join(0.5)
        self._fail_waiting(RenderError("the renderer has stopped"))

    def request(self, class_name: str, seed: int | Point, deliver: Deliver) -> None:
        """Render the sound of a seed or point ahead of the stock. deliver is called on the filler's
        thread with the sound, even one that the critic rejects, or with the error. Never blocks."""
        point = seed if isinstance(seed, Point) else Point(seed)
        self.request_points(class_name, [point], partial(deliver_first, deliver))

    def request_points(
        self, class_name: str, points: Sequence[Point], deliver: DeliverAll
    ) -> None:
        """As request, for several points of latent space: deliver gets them in that order, each
        with what the critic has against it. None of them goes into the pool."""
        self._requests.put(_Request(class_name, points, deliver))
        self._wake.set()

    def search(self, file: Path, class_names: Sequence[str], deliver: DeliverNearest) -> None:
        """Find the kit's nearest sound to a recording, in these classes or, where none is named,
        in all. It goes on between everything else. deliver is called on the filler's thread, or at
        once when too many wait. Never blocks."""
        self._searches.ask(file, class_names, deliver)
        self._wake.set()

    def load_kit(self, kit: Kit, deliver: DeliverKit) -> None:
        """Start a render process for another kit beside the present one.

        When it is ready, deliver gets the kit, and `adopt_kit` or `give_up_kit` must follow; until
        then, and on failure, when deliver gets the error, all stays as it is. deliver is called on
        the filler's thread. Never blocks.
        """
        self._kits.put((kit, deliver))
        self._wake.set()

    def adopt_kit(self, kit: Kit) -> None:
        """The kit that was ready plays from now on: the pool is emptied and takes its classes, the
        old process ends. Never blocks."""
        self._verdicts.put((kit, True))
        self._wake.set()

    def give_up_kit(self, kit: Kit) -> None:
        """The kit that was ready does not play: its process ends. Never blocks."""
        self._verdicts.put((kit, False))
        self._wake.set()

    def change_rate(self, sample_rate_hz: int) -> None:
        """Render at another rate from now on, in a process of its own. Never blocks."""
        self._rate_hz, self._stale = sample_rate_hz, True
        self._wake.set()

    def status(self) -> FillerStatus:
        """Counters since the start. Any thread."""
        process = self._process
        return FillerStatus(
            kit=self._kit.name,
            ready=self._is_ready,
            rendered=self._counts["rendered"],
            filed=self._counts["filed"],
            restarts=self._counts["restarts"],
            pid=None if process is None else process.pid,
            rejected=dict(self._rejected),
        )

    def _run(self) -> None:
        guard = Guard("the renderer", self._failed)
        while not self._stopping.is_set():
            self._wake.clear()
            pause_s = LOADING_POLL_S
            with guard:
                pause_s = self._step()
            if pause_s:
                self._wake.wait(pause_s)
        self._drop_process()
        for change in (self._change, self._ready):
            if change is not None:
                change.process.stop()

    def _step(self) -> float:
        """One piece of work; returns how long to wait before the next, 0 for none."""
        if self._stale:
            self._stale = False
            self._drop_process()
            self._change, self._ready = map(self._begun_anew, (self._change, self._ready))
        self._follow_kit_change()
        if self._kit_failure is not None:
            self._fail_waiting(self._kit_failure)
            return IDLE_S if self._change is None else LOADING_POLL_S
        if not self._have_process():
            return LOADING_POLL_S
        with suppress(queue.Empty):
            self._serve(self._requests.get_nowait())
            return 0.0
        # Turn and turn about with the stock: neither waits longer than for a piece of the other.
        searched = self._searches.step(self._current())
        want = self._pool.shortest(skip=self._resting())
        if want is None and searched:
            return 0.0
        if want is None:
            return IDLE_S if self._change is None else LOADING_POLL_S
        self._render(want)
        return 0.0

    def _have_process(self) -> bool:
        """Whether the child is ready. Starts one when there is none and the pause is over."""
        if self._process is None:
            if not self._restart.over:
                return False
            self._process = self._make(self._kit)
            self._process.start()
            if self._stopping.is_set():  # stop() may have looked before the process was there
                self._drop_process()
                return False
        self._is_ready = self._process.ready()
        return self._is_ready

    def _current(self) -> RenderProcess:
        if self._process is None:
            raise RenderError("the render process is not running")
        return self._process

    def _serve(self, request: _Request) -> None:
        answers: list[list[Rendered] | Gan808Error] = []
        with Guard("the renderer", answers.append):
            names = [request.class_name] * len(request.points)
            answers.append(self._current().render(names, request.points))
        (answer,) = answers
        request.deliver(answer)
        if not isinstance(answer, Gan808Error):
            self._counts["rendered"] += len(answer)
        elif not isinstance(answer, RenderError) or not self._current().alive():
            raise answer  # more than refused, as an unknown class is

    def _render(self, want: Want) -> None:
        class_name = want.class_name
        seeds = self._seeds.next(self._kit.name, class_name, self._settings.batch)
        rendered = self._current().render([class_name] * len(seeds), want.places(seeds))
        self._restart.forget()
        self._counts["rendered"] += len(rendered)
        fruitful = False
        for result in rendered:
            if result.rejection is not None:
                self._rejected[result.rejection] += 1
            elif self._pool.put(result.sound):
                self._counts["filed"] += 1
                fruitful |= result.sound.class_heard == class_name
            else:
                self._rejected["class_full"] += 1
        pause = self._barren.setdefault(want, _Pause(FIRST_BARREN_S, LONGEST_BARREN_S))
        if fruitful:
            pause.forget()
        else:
            pause.begin()

    def _resting(self) -> set[Want]:
        return {want for want, pause in self._barren.items() if not pause.over}

    def _failed(self, error: Gan808Error) -> None:
        if isinstance(error, KitError):
            self._give_up_kit(error)
        else:
            self._lost(error)

    def _lost(self, error: Gan808Error) -> None:
        """The child is gone or useless: end it, say so, start another after a pause."""
        self._drop_process()
        if self._stopping.wait(GRACE_S):
            return
        pause_s = self._restart.begin()
        self._counts["restarts"] += 1
        self._on_notice(f"{error}; the sound goes on, it starts again in {pause_s:.0f} s")

    def _give_up_kit(self, error: KitError) -> None:
        """A kit that cannot be rendered is not tried again; its factory sounds play on."""
        self._drop_process()
        self._kit_failure = error
        self._on_notice(f"{error}; no new sounds, the factory sounds play on")

    def _drop_process(self) -> None:
        process, self._process = self._process, None
        self._is_ready = False
        if process is not None:
            process.stop()
        self._searches.give_up(RenderError("the renderer has begun anew; send it again"))

    def _follow_kit_change(self) -> None:
        """Carry out the last decision, begin the latest change, deliver the kit that is ready."""
        with suppress(queue.Empty):
            self._decide(*self._verdicts.get_nowait())
        with suppress(queue.Empty):
            kit, deliver = self._kits.get_nowait()
            self._end_change(KitError(f"kit {kit.name} was asked for meanwhile"))
            with Guard(f"kit {kit.name}", deliver):
                self._change = self._begun(kit, deliver)
        change = self._change
        if change is None or self._ready is not None:
            return
        ready = False
        with Guard(f"kit {change.kit.name}", self._end_change):
            ready = change.process.ready()
        if ready:
            self._change, self._ready = None, change
            change.deliver(change.kit)

    def _decide(self, kit: Kit, adopted: bool) -> None:
        change = self._ready
        if change is None or change.kit is not kit:
            return
        self._ready = None
        if adopted:
            self._adopt(change)
        else:
            change.process.stop()

    def _begun(self, kit: Kit, deliver: DeliverKit) -> _KitChange:
        change = _KitChange(kit, self._make(kit), deliver)
        change.process.start()
        return change

    def _begun_anew(self, change: _KitChange | None) -> _KitChange | None:
        if change is None:
            return None
        change.process.stop()
        return self._begun(change.kit, change.deliver)

    def _end_change(self, error: Gan808Error) -> None:
        change, self._change = self._change, None
        if change is not None:
            change.process.stop()
            change.deliver(error)

    def _adopt(self, change: _KitChange) -> None:
        self._drop_process()
        self._kit, self._process = change.kit, change.process
        self._kit_failure = None
        self._barren.clear()
        self._restart.forget()
        self._pool.reset(change.kit.classes)

    def _fail_waiting(self, error: Gan808Error) -> None:
        self._searches.fail_all(error)
        with suppress(queue.Empty):
            while True:
                self._requests.get_nowait().deliver(error)


def deliver_first(deliver: Deliver, result: list[Rendered] | Gan808Error) -> None:
    """The one sound of a request, or the error, to whoever asked for one sound."""
    deliver(result if isinstance(result, Gan808Error) else result[0].sound)
