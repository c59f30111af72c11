"""What a training command says of itself: messages over the pipe, and what they add up to.

A message is a dictionary: {"stage", "fraction", "text"} of the work at hand, {"said"} of a line for
the user, {"end", "why"} when the command is over.
"""

from __future__ import annotations

from collections import deque
from typing import Any

from gan808.progress import remaining_s

RUNNING, DONE, STOPPED, GONE = "running", "done", "stopped", "gone"
SAID = 30  # lines that are kept


class Account:
    """What the command has said so far. state: DONE, STOPPED (why says by whom or what), or GONE,
    which it cannot say itself."""

    def __init__(self, title: str, now_s: float) -> None:
        self._title = title
        self._state, self._why = RUNNING, ""
        self._stage, self._text = "", ""
        self._fraction: float | None = None
        self._first: float | None = None  # what an earlier command had done of this stage
        self._begun_s = self._heard_s = now_s
        self._said: deque[str] = deque(maxlen=SAID)

    def take(self, message: dict[str, Any], now_s: float) -> None:
        """Add a message that came at this time of a monotonic clock. Raises KeyError or TypeError
        for one that is none."""
        self._heard_s = now_s
        if "said" in message:
            self._said.append(str(message["said"]))
        elif "end" in message:
            self._state, self._why = str(message["end"]), str(message["why"])
        else:
            if message["stage"] != self._stage:
                self._stage, self._first, self._begun_s = str(message["stage"]), None, now_s
            fraction = message["fraction"]
            self._fraction, self._text = None, str(message["text"])
            if fraction is not None:
                self._fraction = float(fraction)
                if self._first is None:
                    self._first, self._begun_s = self._fraction, now_s

    def closed(self) -> None:
        """The pipe is closed: who has not said that it is over has died."""
        if self._state == RUNNING:
            self._state = GONE

    def to_dict(self, now_s: float) -> dict[str, Any]:
        """As JSON has it. After the end the clocks stand."""
        at_s = now_s if self._state == RUNNING else self._heard_s
        elapsed_s = at_s - self._begun_s
        left_s = (None if self._fraction is None or self._first is None
                  else remaining_s(self._first, self._fraction, elapsed_s))
        return {
            "title": self._title, "state": self._state, "why": self._why, "stage": self._stage,
            "fraction": self._fraction, "text": self._text, "elapsed_s": round(elapsed_s),
            "left_s": None if left_s is None else round(left_s),
            "silent_s": round(at_s - self._heard_s), "said": list(self._said),
        }
