"""What the sequencer's rows of the parameter table do to a pattern. Machine thread only.

Whoever shows a pattern is told of every change: of a step on the address it was set by, of a whole
row on /seq/row, of another pattern on /seq/pattern.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from gan808.errors import ConfigError, Gan808Error
from gan808.instrument.events import ParameterChanged
from gan808.instrument.parameter import Value
from gan808.sequencer.notation import DETAILS, read_row, write_row
from gan808.sequencer.patterns import Pattern
from gan808.sequencer.score import Score, When
from gan808.sequencer.steps import REST, Row
from gan808.sequencer.variation import euclidean

if TYPE_CHECKING:
    from gan808.instrument.calls import Answer, Call, Handler
    from gan808.instrument.context import Context
    from gan808.sequencer.sequencer import Sequencer
    from gan808.sequencer.sync import Sync

Result = TypeVar("Result")
# Row of the table -> field of a step.
FIELDS = {"/seq/step": "velocity", "/seq/chance": "chance", "/seq/ratchet": "ratchet",
          "/seq/nudge": "nudge", "/seq/tune": "tune_semitones", "/seq/pan": "pan",
          "/seq/decay": "decay", "/seq/condition": "condition"}
DETAIL_OF = {detail.field: detail for detail in DETAILS}

# What undo takes back, and how long after one edit another still belongs to it: a row that is
# drawn with one stroke is undone at once.
EDITS = (*FIELDS, "/seq/length", "/seq/row", "/seq/clear", "/seq/euclid", "/seq/mutate",
         "/seq/original")
STROKE_S, MOST_EDITS = 0.6, 100
LONGEST_TAP_S = 3.0


PATTERN = "/seq/pattern"


class EditHistory:
    """Patterns before the edits made to one pattern, and after those taken back."""

    def __init__(self) -> None:
        self._before: deque[Pattern] = deque(maxlen=MOST_EDITS)
        self._after: list[Pattern] = []
        self._latest: Pattern | None = None
        self._edited_s = -STROKE_S

    def note(self, before: Pattern, after: Pattern, now_s: float) -> None:
        """An edit has been made."""
        if before == after:
            return
        if now_s - self._edited_s >= STROKE_S or before is not self._latest:
            self._before.append(before)
        self._after.clear()
        self._latest, self._edited_s = after, now_s

    def undo(self, present: Pattern) -> Pattern | None:
        """The pattern before the last edit; None where there is none."""
        if not self._before:
            return None
        self._after.append(present)
        return self._before.pop()

    def redo(self, present: Pattern) -> Pattern | None:
        """The pattern that undo has left; None where there is none."""
        if not self._after:
            return None
        self._before.append(present)
        return self._after.pop()


class PatternCommands:
    """Choosing, editing, varying and saving patterns."""

    def __init__(self, context: Context, sequencer: Sequencer, sync: Sync) -> None:
        self._context = context
        self._sequencer = sequencer
        self._sync = sync
        self._asked = 0
        self._edits = EditHistory()
        self._taps: list[float] = []
        # Files being read or written, and what waits for them.
        self._pending = 0
        self._held: deque[tuple[Handler, Call]] = deque()

    def handlers(self) -> dict[str, Handler]:
        """What the rows of the table do."""
        handlers: dict[str, Handler] = {
            PATTERN: self._pattern,
            "/seq/length": self._length,
            "/seq/row": self._row,
            "/seq/clear": self._clear,
            "/seq/euclid": self._euclid,
            "/seq/mutate": self._mutate,
            "/seq/original": partial(self._rewrite, Score.revert),
            "/seq/fill": self._fill,
            "/seq/save": self._save,
            "/seq/density": partial(self._value, lambda score: score.density, Score.set_density),
            "/seq/vary": partial(self._value, lambda score: score.vary, _set_vary),
            "/seq/fills": partial(self._value, lambda score: score.fills, _set_fills),
        }
        handlers |= {address: partial(self._field, name) for address, name in FIELDS.items()}
        for address in EDITS:
            handlers[address] = partial(self._edit, handlers[address])
        return handlers | {
            "/seq/undo": partial(self._step_back, EditHistory.undo),
            "/seq/redo": partial(self._step_back, EditHistory.redo),
            "/seq/tap": self._tap,
        }

    def _edit(self, handler: Handler, call: Call) -> Answer | None:
        before = self._sequencer.edited
        answer = handler(call)
        self._edits.note(before, self._sequencer.edited, time.monotonic())
        return answer

    def _step_back(
        self, move: Callable[[EditHistory, Pattern], Pattern | None], call: Call
    ) -> Answer:
        pattern = move(self._edits, self._sequencer.edited)
        if pattern is None:
            raise Gan808Error("there is no edit to go to")
        return self._rewrite(lambda score: score.edit(lambda _: pattern), call)

    def _tap(self, call: Call) -> Answer:
        """Set the tempo from taps: the mean of the last eight gaps between them is one beat."""
        now_s = time.monotonic()
        if self._taps and now_s - self._taps[-1] > LONGEST_TAP_S:
            self._taps.clear()
        self._taps = [*self._taps[-8:], now_s]
        if len(self._taps) > 1 and self._taps[-1] > self._taps[0]:
            gap_s = (self._taps[-1] - self._taps[0]) / (len(self._taps) - 1)
            tempo = min(400.0, max(20.0, 60.0 / gap_s))
            self._sync.set_tempo(tempo)
            self._tell("/seq/tempo", self._sequencer.tempo_bpm)
        return ()

    # Patterns

    def _pattern(self, call: Call) -> Answer | None:
        if not call.arguments:
            return (self._sequencer.pattern.name,)
        self._asked += 1
        context, number = self._context, self._asked
        self._on_disk(
            call, partial(context.library.own_pattern, str(call.arguments[0]), context.kit.slots),
            partial(self._was_read, call, number))
        return None

    def _was_read(self, call: Call, number: int, pattern: Pattern) -> None:
        """Of patterns asked for one after the other the last is chosen."""
        if number != self._asked:
            raise ConfigError(f"pattern {pattern.name}: another was asked for meanwhile")
        call.answer(self._chosen(call, pattern))

    def in_order(self, handler: Handler, call: Call) -> Answer | None:
        """Carry out a call on the sequencer. While a pattern is being read or written the call
        waits, so that calls take effect in the order they came."""
        if self._held or (self._pending and (call.command != PATTERN or not call.arguments)):
            self._held.append((handler, call))
            return None
        return handler(call)

    def _on_disk(
        self, call: Call, work: Callable[[], Result], done: Callable[[Result], object]
    ) -> None:
        self._pending += 1
        self._context.disk.do(call.command, work, partial(self._go_on, call, done),
                              partial(self._go_on, call, call.answer))

    def _go_on(self, call: Call, work: Callable[[Any], object], result: object) -> None:
        self._pending -= 1
        call.go_on(work, result)
        while self._held and not self._pending:
            handler, held = self._held.popleft()
            held.go_on(_answer_with, handler, held)

    def _chosen(self, call: Call, pattern: Pattern) -> Answer:
        self._edits = EditHistory()
        self._sequencer.set_pattern(pattern)
        self._tell(call.command, self._sequencer.pattern.name)
        return (self._sequencer.pattern.name,)

    def _save(self, call: Call) -> None:
        edited = self._sequencer.edited
        self._on_disk(
            call, partial(self._context.library.save_pattern, edited, str(call.arguments[0])),
            partial(self._saved, call, edited))

    def _saved(self, call: Call, edited: Pattern, path: Path) -> None:
        saved = replace(edited, name=path.stem, source=path.stem)
        if self._sequencer.edited is edited:  # and no song has gone on to another
            self._sequencer.with_score(lambda score: score.keep_as(saved))
            self._tell(PATTERN, saved.name)
        call.answer((str(path),))

    # Steps and rows

    def _field(self, name: str, call: Call) -> Answer:
        slot, step = int(call.arguments[0]), int(call.arguments[1])
        code = self._context.codes[slot]
        if len(call.arguments) > 2:
            value = call.arguments[2]
            if isinstance(value, float):
                # OSC's 32-bit floats have seven digits; 0.2 should stay 0.2 where it is saved.
                value = round(value, 6)
            checked = DETAIL_OF[name].checked(value, f"{code}: step {step}: {name}")
            changed = self._sequencer.set_step(slot, step, **{name: checked})
            self._tell(call.command, code, step, getattr(changed, name))
        return (code, step, getattr(self._sequencer.step(slot, step), name))

    def _length(self, call: Call) -> Answer:
        slot = int(call.arguments[0])
        if len(call.arguments) > 1:
            row, length = self._row_of(slot), int(call.arguments[1])
            # Longer: the row goes on as it would have gone round.
            self._set_row(slot, tuple(row[place % len(row)] for place in range(length)))
            self._tell(call.command, self._context.codes[slot], length)
            self._tell_row(slot)
        return (self._context.codes[slot], len(self._row_of(slot)))

    def _row(self, call: Call) -> Answer:
        slot = int(call.arguments[0])
        if len(call.arguments) > 1:
            self._set_row(slot, read_row(str(call.arguments[1]), self._context.codes[slot]))
            self._tell_row(slot)
        return (self._context.codes[slot], write_row(self._row_of(slot)))

    def _clear(self, call: Call) -> Answer:
        def cleared(pattern: Pattern) -> Pattern:
            codes = pattern.rows if not call.arguments else (
                self._context.codes[int(call.arguments[0])],)
            return pattern.with_rows({code: (REST,) * len(pattern.row(code)) for code in codes})

        return self._rewrite(lambda score: score.edit(cleared), call)

    def _euclid(self, call: Call) -> Answer:
        slot, hits, *more = (int(value) for value in call.arguments)
        steps = more[0] if more else len(self._row_of(slot))
        if hits > steps:
            raise ConfigError(f"hits {hits}: more than the {steps} steps; give 0 to {steps}")
        self._set_row(slot, euclidean(hits, steps, more[1] if len(more) > 1 else 0))
        self._tell_row(slot)
        return (self._context.codes[slot],)

    # Variation

    def _mutate(self, call: Call) -> Answer:
        amount = float(call.arguments[0])
        return self._rewrite(lambda score: score.mutate(amount), call)

    def _fill(self, call: Call) -> Answer:
        when: When = "now" if call.arguments and call.arguments[0] == "now" else "bar"
        self._sequencer.with_score(lambda score: score.fill(when))
        return ()

    def _value(
        self, get: Callable[[Score], Value], put: Callable[[Score, float], None], call: Call
    ) -> Answer:
        if call.arguments:
            value = float(call.arguments[0])
            self._sequencer.with_score(lambda score: put(score, value))
            self._tell(call.command, self._sequencer.with_score(get))
        return (self._sequencer.with_score(get),)

    # Whoever listens

    def _rewrite(self, work: Callable[[Score], None], _: Call) -> Answer:
        """Do something to the whole pattern and tell of each row that has become another."""
        before = self._rows()
        self._sequencer.with_score(work)
        for slot, (old, new) in enumerate(zip(before, self._rows(), strict=True)):
            if old != new:
                self._tell_row(slot)
        return ()

    def _rows(self) -> list[Row]:
        slots = range(len(self._context.codes))
        return self._sequencer.with_score(lambda score: [score.row(slot) for slot in slots])

    def _row_of(self, slot: int) -> Row:
        return self._sequencer.with_score(lambda score: score.row(slot))

    def _set_row(self, slot: int, row: Row) -> None:
        self._sequencer.with_score(lambda score: score.set_row(slot, row))

    def _tell_row(self, slot: int) -> None:
        self._tell("/seq/row", self._context.codes[slot], write_row(self._row_of(slot)))

    def _tell(self, address: str, *values: Value) -> None:
        self._context.emit(ParameterChanged(address, values))


def _answer_with(handler: Handler, call: Call) -> None:
    answer = handler(call)
    if answer is not None:
        call.answer(answer)


def _set_vary(score: Score, share: float) -> None:
    score.vary = share


def _set_fills(score: Score, bars: float) -> None:
    score.fills = int(bars)
