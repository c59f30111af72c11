"""Which device a name means, without any device: an exact name, a part, a host, or too many."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from gan808.engine.outputs import portaudio_output
from gan808.engine.outputs.devices import AUTO, OutputInfo, find_device
from gan808.engine.outputs.output import OutputRequest
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


class FakeSounddevice:
    """sounddevice with two playback devices and a microphone."""

    PortAudioError = OSError
    default = SimpleNamespace(device=(2, 1))

    def query_hostapis(self) -> list[dict[str, str]]:
        return [{"name": "ALSA"}]

    def query_devices(self) -> list[dict[str, Any]]:
        return [{"name": name, "hostapi": 0, "max_output_channels": channels,
                 "default_samplerate": 44_100.0}
                for name, channels in (("HDMI", 2), ("USB", 8), ("Microphone", 0))]

    def check_output_settings(self, **settings: Any) -> None:
        if settings["samplerate"] != 44_100:
            raise OSError("not at this rate")


def test_portaudio_takes_what_it_has_gives_back_what_it_has_not_and_plays_the_mix_alone(
        monkeypatch: pytest.MonkeyPatch) -> None:
    uses: list[int] = []
    fake = SimpleNamespace(acquire=lambda: uses.append(1) or FakeSounddevice(),
                           release=lambda: uses.append(-1))
    monkeypatch.setattr(portaudio_output, "PORTAUDIO", fake)
    take = portaudio_output.PortAudioOutput.from_request
    output = take(OutputRequest(AUTO))
    assert output is not None
    assert (output.name, output.sample_rate_hz, output.notice) == ("ALSA: USB", 44_100, None)
    assert sum(uses) == 1
    output.stop()
    named = take(OutputRequest("hdmi", by_slot=True))
    assert named is not None
    assert named.name == "ALSA: HDMI"
    assert "here the mix alone" in (named.notice or "")
    named.stop()
    assert take(OutputRequest("Scarlett")) is None
    assert take(OutputRequest("hdmi", fast=True)) is None
    with pytest.raises(DeviceError, match="cannot play at 48000 Hz: not at this rate"):
        take(OutputRequest("hdmi", 48_000))
    assert sum(uses) == 0
