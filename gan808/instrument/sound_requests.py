"""Sounds made to order: by seed, by id, near the present one, on the way to another. Machine thread
only; the rendering happens elsewhere and its answer comes back here.
"""

from __future__ import annotations

import random
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Literal, TypeVar

from gan808.errors import ConfigError, Gan808Error, Guard
from gan808.instrument.parameter import SLOT, Value
from gan808.sound.class_mix import parse_class, require_classes
from gan808.sound.latent import Point, parse_id
from gan808.sound.sound import BATCH, FAULTS, FileId, Rendered, Sound, parse_file_id

if TYPE_CHECKING:
    from gan808.instrument.calls import Answer, Call, Handler
    from gan808.instrument.context import Context

Result = TypeVar("Result")
Place = tuple[str, Point]  # class or mix, and where in latent space
MIX = f"/slot/{SLOT}/mix"
RECALL = f"/slot/{SLOT}/recall"
# So many more are rendered than asked for, because the critic may refuse some.
SPARE = 1.5
NUMBERS = 1_000_000  # keeps ids short; two equal neighbours in a session are unlikely


@dataclass(frozen=True, slots=True)
class _Morph:
    """A slot's morph or mix: from which class and point, by which command to which seed or class,
    and the id of what it has brought last."""

    start: Place
    goal: tuple[str, Value]
    result: str


class SoundRequests:
    """Carries out /new with a seed, /recall, /morph, /mix, /tail, /attack and /similar."""

    def __init__(self, context: Context, seed: int, at_hand: Callable[[str], Sound | None]) -> None:
        """seed: of the neighbours that are drawn, -1 for others each time; at_hand: the sound of an
        id that need not be rendered."""
        self._context = context
        self._at_hand = at_hand
        self._numbers = random.Random(None if seed < 0 else seed)
        self._morphs: dict[int, _Morph] = {}
        # By slot: morphs that came while one was being rendered. A knob sends thirty a second,
        # the renderer makes a few.
        self._waiting_morphs: dict[int, deque[Call]] = {}

    def handlers(self) -> dict[str, Handler]:
        """What the rows of the table do."""
        slot = f"/slot/{SLOT}"
        return {
            f"{slot}/similar": self.similar, RECALL: self.recall,
            f"{slot}/morph": self.morph, MIX: self.morph,
            f"{slot}/tail": partial(self.part, "t"), f"{slot}/attack": partial(self.part, "a"),
        }

    def ask(self, call: Call, class_name: str, place: int | Point, *more: float) -> None:
        """Have a sound rendered and put into the call's slot. The answer is its id, then `more`."""
        self._context.filler.request(
            class_name, place, partial(self._context.post, call.go_on, self._rendered, call, more)
        )

    def recall(self, call: Call) -> None:
        """The sound of an id, into the slot. Raises Gan808Error for one of another kit."""
        wanted = str(call.arguments[1])
        file = parse_file_id(wanted)
        kit_name, class_name, place = parse_id(wanted) if file is None else (
            file.kit, file.class_name, Point(0))
        if kit_name != self._context.kit.name:
            raise ConfigError(f"a sound of kit {kit_name}; load that kit first")
        require_classes(class_name, self._context.kit.classes, kit_name)
        ready = self._at_hand(wanted)
        if ready is not None:
            self._rendered(call, (), ready)
        elif file is not None:
            self._reload(call, file)
        else:
            self.ask(call, class_name, place)

    def _reload(self, call: Call, file: FileId) -> None:
        """The sound of a file of the user's, as it was."""
        context = self._context
        context.disk.do_for(
            call, partial(context.library.reload_sound, file, context.kit,
                          context.engine.sample_rate_hz),
            partial(self._reloaded, call))

    def _reloaded(self, call: Call, sound: Sound) -> None:
        if sound.kit != self._context.kit.name:
            raise Gan808Error("the kit has changed; send it again")
        self._rendered(call, (), sound)

    def morph(self, call: Call) -> None:
        """Part of the way from the present sound to another seed of its class, or, as a mix, to
        another class.

        Of the morphs to one seed that come while another is rendered only the last is made. Its
        sound answers all of them.
        """
        slot = call.slot
        if slot in self._waiting_morphs:
            self._waiting_morphs[slot].append(call)
        else:
            self._begin_morph([call])

    def _begin_morph(self, calls: list[Call]) -> None:
        """Begin the morph of the last of these calls, which all go the same way."""
        call, slot = calls[-1], calls[-1].slot
        found: list[tuple[Sound, _Morph, Place]] = []
        with Guard(call.command, lambda error: self._morph_is_made(calls, None, error)):
            found.append(self._morph_of(call))
        if not found:
            return
        sound, way, place = found[0]
        if place == _place_of(sound):
            self._morph_is_made(calls, way, sound)
            return
        self._waiting_morphs.setdefault(slot, deque())
        self._context.filler.request(
            *place, partial(self._context.post, self._morph_is_made, calls, way))

    def _morph_of(self, call: Call) -> tuple[Sound, _Morph, Place]:
        """The present sound, the way a morph goes on from it, and its place on that way."""
        goal, amount = (call.command, call.arguments[1]), float(call.arguments[2])
        sound, way = self._present(call), self._morphs.get(call.slot)
        if way is None or (way.goal, way.result) != (goal, sound.id):
            way = _Morph(_place_of(sound), goal, "")
        class_name, point = way.start
        if call.command == MIX:
            kit, mix = self._context.kit, parse_class(class_name)
            if goal[1] not in kit.classes:
                raise ConfigError(f"kit {kit.name} has no class {str(goal[1])[:80]!r}; it has "
                                  f"{', '.join(kit.classes)}")
            return sound, way, (str(mix.towards(str(goal[1]), amount)), point)
        return sound, way, (class_name, point.towards(int(goal[1]), amount))

    def _morph_is_made(
        self, calls: list[Call], way: _Morph | None, result: Sound | Gan808Error
    ) -> None:
        """A morph is there, or it failed: play it, answer, begin the next that waits.

        Undo leads to the sound before the first morph of a way, not through every turn of a knob.
        """
        slot = calls[-1].slot
        answers: list[Answer | Gan808Error] = []
        with Guard(calls[-1].command, answers.append):
            sound = _checked(result)
            if way is not None:
                present = self._present(calls[-1])
                if sound.id != present.id:
                    self._put(calls[-1], sound, remember=present.id != way.result
                              or _place_of(present) == way.start)
                self._morphs[slot] = _Morph(way.start, way.goal, sound.id)
            answers.append((sound.id,))
        for call in calls:
            call.answer(answers[0])
        waiting = self._waiting_morphs.pop(slot, deque())
        if waiting:
            same = [waiting.popleft()]
            while waiting and _goes_with(waiting[0], same[0]):
                same.append(waiting.popleft())
            self._waiting_morphs[slot] = waiting
            self._context.post(self._begin_morph, same)

    def similar(self, call: Call) -> Answer | None:
        """Neighbours of the present sound: the first plays, the others wait for evolution."""
        sound, radius = self._present(call), float(call.arguments[1])
        if sound.point.near(0, radius) == sound.point:
            return (sound.id, 0)
        count = int(call.arguments[2]) if len(call.arguments) > 2 else 1
        wanted = BATCH * -(-int(SPARE * count) // BATCH)
        numbers = self._numbers.sample(range(NUMBERS), wanted)
        self._choose(call, sound, [sound.point.near(n, radius) for n in numbers], count)
        return None

    def part(self, which: Literal["t", "a"], call: Call) -> None:
        """The present sound with the tail or the attack of another seed of its class: of the one
        named, or of the best of some."""
        sound = self._present(call)
        if len(call.arguments) > 1:
            self.ask(call, sound.class_asked, sound.point.with_part(which, int(call.arguments[1])))
            return
        seeds = self._numbers.sample(range(NUMBERS), BATCH)
        self._choose(call, sound, [sound.point.with_part(which, seed) for seed in seeds])

    def _choose(self, call: Call, sound: Sound, points: list[Point], count: int = 0) -> None:
        """Have these made of the class of a sound; the best plays, up to count - 1 more wait."""
        self._context.filler.request_points(
            sound.class_asked, points,
            partial(self._context.post, call.go_on, self._neighbours, call, sound, count),
        )

    def _present(self, call: Call) -> Sound:
        """The slot's sound. Raises Gan808Error when there is none to go on from."""
        self._require_slot(call)
        sound = self._context.swaps.sound(call.slot)
        if sound.kit != self._context.kit.name:
            raise Gan808Error(f"the present sound is of kit {sound.kit}; draw one of "
                              f"{self._context.kit.name} first")
        return sound

    def _rendered(
        self, call: Call, more: tuple[float, ...], result: Sound | Gan808Error
    ) -> None:
        """The filler's answer to a request for one sound, back on the machine thread."""
        sound = _checked(result)
        self._put(call, sound, remember=_remembers(call))
        call.answer((sound.id, *more))

    def _neighbours(
        self, call: Call, present: Sound, count: int, result: list[Rendered] | Gan808Error
    ) -> None:
        """The filler's answer to a request for neighbours, back on the machine thread. count 0:
        for one of them, and nothing is said of others."""
        chosen = best_of(_checked(result), present.class_heard)[:max(count, 1)]
        if not chosen:
            raise Gan808Error("none of the neighbours can be played; try another radius" if count
                              else "none of those made can be played; send it again")
        self._put(call, chosen[0])
        self._context.swaps.slots[call.slot].coming.extend(chosen[1:])
        call.answer((chosen[0].id, len(chosen) - 1) if count else (chosen[0].id,))

    def _put(self, call: Call, sound: Sound, *, remember: bool = True) -> None:
        self._require_slot(call)
        self._context.swaps.put(call.slot, sound, call.frame, remember=remember)

    def _require_slot(self, call: Call) -> None:
        if not call.slot < len(self._context.swaps.slots):
            raise Gan808Error("the kit has changed; its slot is gone")


def best_of(rendered: list[Rendered], class_name: str) -> list[Sound]:
    """Those that can be played, the better first: accepted and heard as that class, accepted,
    heard as that class, others; in their order otherwise."""
    playable = [each for each in rendered if each.rejection not in FAULTS]
    playable.sort(key=lambda each: (
        each.rejection is not None, each.sound.class_heard != class_name))
    return [each.sound for each in playable]


def _remembers(call: Call) -> bool:
    """Whether undo leads back to the present sound: a hand on a map recalls many, and undo is to
    take the whole stroke back."""
    return call.command != RECALL or len(call.arguments) < 3 or bool(call.arguments[2])


def _checked(result: Result | Gan808Error) -> Result:
    if isinstance(result, Gan808Error):
        raise result
    return result


def _goes_with(call: Call, other: Call) -> bool:
    """Whether two morphs of a slot lead to the same seed, or class, at the same time."""
    return (call.command, call.arguments[1], call.frame) == (
        other.command, other.arguments[1], other.frame)


def _place_of(sound: Sound) -> Place:
    """The class and point a sound was made of. Raises ConfigError for a file's."""
    return sound.class_asked, sound.point
