"""Which device a name means, without any device: an exact name, a part, a host, or too many."""

from __future__ import annotations

import pytest

from gan808.engine.outputs.devices import AUTO, OutputInfo, find_device
from gan808.errors import DeviceError


def machine(*devices: tuple[str, str], default: int = -1) -> list[OutputInfo]:
    """Devices of (name, host API)."""
    return [OutputInfo(name, host, 2, 48_000, index == default)
            for index, (name, host) in enumerate(devices)]


STUDIO = (("USB Audio One", "ALSA"), ("USB Audio Two", "ALSA"), ("HDMI", "ALSA"),
          ("system", "JACK Audio Connection Kit"))


@pytest.mark.parametrize(("name", "index"), [
    ("one", 0), ("USB Audio Two", 1), ("hdmi", 2), ("jack", 3), ("SYSTEM", 3),
])
def test_part_of_a_name_or_of_a_host_is_enough(name: str, index: int) -> None:
    assert find_device(machine(*STUDIO), name) == index


def test_an_ambiguous_name_lists_its_candidates_and_no_others() -> None:
    with pytest.raises(DeviceError) as caught:
        find_device(machine(*STUDIO), "usb")
    said = str(caught.value)
    assert "'usb' fits several" in said
    assert "USB Audio One" in said
    assert "USB Audio Two" in said
    assert "HDMI" not in said
    assert "\n" not in said


def test_of_several_that_fit_the_default_is_meant() -> None:
    assert find_device(machine(*STUDIO, default=1), "usb") == 1


def test_an_exact_name_wins_over_longer_ones() -> None:
    assert find_device(machine(("USB 2", "ALSA"), ("USB", "ALSA")), "usb") == 1


def test_one_device_under_several_hosts_is_one_device() -> None:
    assert find_device(machine(("Speakers", "MME"), ("Speakers", "WASAPI")), "speak") == 0


def test_no_name_is_the_default_or_the_first() -> None:
    assert find_device(machine(*STUDIO, default=2), AUTO) == 2
    assert find_device(machine(*STUDIO), AUTO) == 0


def test_a_name_that_fits_nothing_is_none_of_them() -> None:
    assert find_device(machine(*STUDIO), "Scarlett") is None
    assert find_device([], AUTO) is None
