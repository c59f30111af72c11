"""What is told to who watches, whatever happens to the kit meanwhile."""

from __future__ import annotations

from typing import Any

from gan808.control.osc.watch import PlaybackWatch
from tests.instrument.rig import Rig

WATCHER = ("127.0.0.1", 9)


def test_a_kit_with_fewer_slots_comes_while_a_hit_is_told() -> None:
    """The machine's thread changes the codes between one look at them and the next."""
    rig, told = Rig(), list[Any]()
    kits = [rig.machine.codes, rig.machine.codes[:2]]
    watch = PlaybackWatch(rig.engine, rig.machine.sequencer, lambda: kits.pop(0),
                          lambda address, values, _: told.append((address, *values)))
    rig.engine.begun = lambda since: (since + 1, [(15, 0.5)])  # type: ignore[method-assign]
    watch._look([WATCHER])
    assert told[0] == (f"/slot/{rig.machine.codes[15]}/played", 0.5)
    told.clear()
    watch._look([WATCHER])
    assert not [address for address, *_ in told if address.endswith("/played")]
