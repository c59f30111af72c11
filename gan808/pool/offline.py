"""A pool that renders what is taken from it: for `--fast`, where the same seed gives the same file.

Everything happens on the taker's thread, in the order of its draws, so nothing depends on how fast
the renderer is.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from gan808.config import PoolSettings, RendererSettings
from gan808.errors import Gan808Error, RenderError
from gan808.pool.filler import Deliver, DeliverAll, DeliverKit, FillerStatus, deliver_first
from gan808.pool.pool import DescriptorName, Pool, Want
from gan808.pool.render_process import RenderProcess
from gan808.pool.searches import DeliverNearest, Searches
from gan808.pool.seeds import Seeds
from gan808.sound.kit.kit import Kit
from gan808.sound.latent import Point
from gan808.sound.sound import Sound

LOADING_TIMEOUT_S = 300.0
# A class the critic does not hear in so many batches counts as empty; half as many the next time.
BATCHES_A_DRAW = 8


class OfflinePool(Pool):
    """A Pool that fills a class to low_water before it is drawn from, and the answer to requests.

    It starts its render process at the first draw; stop ends it. The first failure is kept in
    `failure`, after which the pool behaves as an empty one.
    """

    def __init__(
        self, process: RenderProcess, pool: PoolSettings, renderer: RendererSettings
    ) -> None:
        super().__init__(process.kit.classes, limit=pool.limit, low_water=pool.low_water)
        self._process = process
        self._batch = renderer.batch
        self._least = min(max(pool.low_water, 1), pool.limit)
        self._seeds = Seeds(max(renderer.seed, 0))
        self._barren: Counter[Want] = Counter()
        self.failure: Gan808Error | None = None

    def start(self) -> None:
        """Start the render process; returns at once."""
        self._process.start()

    def stop(self) -> None:
        """End the render process. Any thread."""
        self._process.stop()

    def status(self) -> FillerStatus:
        """As Filler.status; it keeps no count."""
        return FillerStatus(self._process.kit.name, True, 0, 0, 0, None)

    def take(
        self, class_name: str, third: int | None = None, *, width: float = 0.0
    ) -> Sound | None:
        """As Pool.take, after rendering what is missing. Blocks for that long."""
        self._fill(Want(class_name, width))
        return super().take(class_name, third, width=width)

    def take_by(
        self,
        class_name: str,
        descriptor: DescriptorName,
        value: float,
        *,
        above: bool,
        third: int | None = None,
        width: float = 0.0,
    ) -> Sound | None:
        """As Pool.take_by, after rendering what is missing. Blocks for that long."""
        self._fill(Want(class_name, width))
        return super().take_by(
            class_name, descriptor, value, above=above, third=third, width=width)

    def request(self, class_name: str, seed: int | Point, deliver: Deliver) -> None:
        """Render that very sound now and deliver it before returning."""
        point = seed if isinstance(seed, Point) else Point(seed)
        self.request_points(class_name, [point], partial(deliver_first, deliver))

    def request_points(
        self, class_name: str, points: Sequence[Point], deliver: DeliverAll
    ) -> None:
        """Render those very sounds now and deliver them, with what the critic has against each,
        before returning."""
        try:
            self._process.ready(LOADING_TIMEOUT_S)
            rendered = self._process.render([class_name] * len(points), points)
        except Gan808Error as error:
            deliver(error)
        else:
            deliver(rendered)

    def search(self, file: Path, class_names: Sequence[str], deliver: DeliverNearest) -> None:
        """Find the kit's nearest sound to a recording now and deliver it before returning."""
        searches = Searches()
        searches.ask(file, class_names, deliver)
        try:
            self._process.ready(LOADING_TIMEOUT_S)
            while searches.step(self._process):
                pass
        except Gan808Error as error:
            searches.fail_all(error)

    def load_kit(self, kit: Kit, deliver: DeliverKit) -> None:
        """Not offline: one file is one kit."""
        deliver(RenderError(f"kit {kit.name}: --fast plays one kit from start to end"))

    def adopt_kit(self, kit: Kit) -> None:
        """Never asked for: no kit is ever ready."""

    def give_up_kit(self, kit: Kit) -> None:
        """Never asked for: no kit is ever ready."""

    def _fill(self, want: Want) -> None:
        if self.failure is not None or want.class_name not in self.stock():
            return
        try:
            if not self._process.ready(LOADING_TIMEOUT_S):
                raise RenderError(f"the renderer was not ready in {LOADING_TIMEOUT_S:.0f} s")
            for _ in range(max(BATCHES_A_DRAW >> self._barren[want], 1)):
                if self.count(want) >= self._least:
                    return
                self._render(want)
            if self.count(want) == 0:
                self._barren[want] += 1
        except Gan808Error as error:
            self.failure = error

    def _render(self, want: Want) -> None:
        seeds = self._seeds.next(self._process.kit.name, want.class_name, self._batch)
        for result in self._process.render([want.class_name] * len(seeds), want.places(seeds)):
            if result.rejection is None:
                self.put(result.sound)
