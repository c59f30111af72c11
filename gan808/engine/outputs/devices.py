"""Which device a name means. Pure functions; any thread."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from gan808.errors import DeviceError

AUTO = "auto"


@dataclass(frozen=True, slots=True)
class OutputInfo:
    """One device that can be played on; is_default marks what `auto` would choose."""

    name: str
    host_api: str
    channels: int
    default_sample_rate_hz: int
    is_default: bool


def find_device(devices: Sequence[OutputInfo], spec: str) -> int | None:
    """The place among devices of the one whose name or host contains `spec`; for auto that of the
    default, else the first. None where none fits.

    An exact name comes first, then the default. Raises DeviceError for a name that fits several.
    """
    every = range(len(devices))
    if spec == AUTO:
        first = 0 if devices else None
        return next((place for place in every if devices[place].is_default), first)
    wanted = spec.casefold()
    fitting = [place for place in every if wanted == devices[place].name.casefold()] or [
        place for place in every if _fits(wanted, devices[place])]
    return _preferred(spec, devices, fitting) if fitting else None


def _fits(wanted: str, info: OutputInfo) -> bool:
    return wanted in f"{info.host_api}: {info.name}".casefold()


def _preferred(spec: str, devices: Sequence[OutputInfo], fitting: Sequence[int]) -> int:
    """The default among devices that fit, or the only one; one device may have several hosts."""
    wanted = spec.casefold()
    for place in fitting:
        if devices[place].is_default:
            return place
    names = list(dict.fromkeys(devices[place].name for place in fitting))
    if len(names) == 1 or all(wanted in devices[place].host_api.casefold() for place in fitting):
        return fitting[0]
    raise DeviceError(f"{spec!r} fits several sound devices: {', '.join(names)}; give more of "
                      "the name")
