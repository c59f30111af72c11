"""`gan808 doctor`: what of this machine a player depends on, one line each, with what to do.

Nothing is changed: what is opened is closed again, and no folder is made. Main thread.
"""

from __future__ import annotations

import os
import shutil
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from gan808 import paths, realtime
from gan808.config import Settings
from gan808.errors import DeviceError, Gan808Error, Guard

GOOD, CARE, BAD = "ok", "note", "bad"
MARKS = {GOOD: "ok", CARE: "--", BAD: "!!"}
# A minute of stereo at 48 kHz and 24 bits is 17 MB; an hour of it should fit.
LEAST_FREE_BYTES, SCARCE_FREE_BYTES = 100 << 20, 1 << 30
SLOW_SOUND_S = 4.0  # slower, and a new sound a bar is more than the machine can make
PIPEWIRE_SOCKET = "pipewire-0"


@dataclass(frozen=True, slots=True)
class Finding:
    """name: the part that was looked at; state: GOOD, CARE (it plays without the part) or BAD;
    told: one line for the user."""

    name: str
    state: str
    told: str

    @property
    def line(self) -> str:
        """For a reader."""
        return f"{MARKS[self.state]}  {self.name:<10}{self.told}"


def examine(settings: Settings) -> Iterator[Finding]:
    """Look at everything in turn; a part that cannot even be looked at is a finding too."""
    parts: dict[str, Callable[[Settings], Finding]] = {
        "sound": sound, "server": server, "realtime": real_time, "midi": midi,
        "renderer": renderer, "disk": disk, "network": network,
    }
    for name, look in parts.items():
        found: list[Finding] = []
        failed: list[Gan808Error] = []
        with Guard(name, failed.append):
            found.append(look(settings))
        yield found[0] if found else Finding(name, BAD, str(failed[0]))


def sound(settings: Settings) -> Finding:
    """Whether there is a device to play to."""
    from gan808.engine.outputs.registry import list_outputs

    try:
        found = list_outputs()
    except DeviceError as error:
        return Finding("sound", BAD, f"{error}; on Debian: apt install libportaudio2")
    if not found:
        return Finding("sound", CARE, "no sound device, so it plays into a file; plug one in, or "
                       "start JACK or PipeWire")
    names = ", ".join(dict.fromkeys(device.name or device.host_api for device in found[:3]))
    more = f" and {len(found) - 3} more" if len(found) > 3 else ""
    return Finding("sound", GOOD, f"{names}{more}")


def server(settings: Settings) -> Finding:
    """Whether a low-latency sound server runs, where such is the custom."""
    from gan808.engine.jack.client import JackClient

    if sys.platform in ("darwin", "win32"):
        return Finding("server", GOOD, "none needed: the system's own drivers are quick enough")
    runtime = Path(os.environ.get("XDG_RUNTIME_DIR", "/run/user/0"))
    pipewire = (runtime / PIPEWIRE_SOCKET).exists()
    try:
        client = JackClient("gan808-doctor")
    except DeviceError as error:
        if pipewire:
            return Finding("server", CARE, "PipeWire runs, but not as JACK: apt install "
                           "pipewire-jack, then `pw-jack gan808 run`")
        return Finding("server", CARE, f"no JACK or PipeWire runs ({error}): notes are some "
                       "milliseconds later; start one, such as `jackd -d alsa -p 128`")
    client.close()
    return Finding("server", GOOD, "PipeWire as JACK" if pipewire else "JACK runs")


def real_time(settings: Settings) -> Finding:
    """Whether the system lets this user run ahead of everything else."""
    if sys.platform in ("darwin", "win32"):
        return Finding("realtime", GOOD, "the system grants it to sound by itself")
    if not realtime.realtime_is_granted():
        return Finding("realtime", CARE, "not granted, so sound may break up on a busy machine; "
                       "put yourself into the group audio (`sudo usermod -aG audio $USER`), "
                       "have `@audio - rtprio 95` in /etc/security/limits.d/audio.conf, and log "
                       "in anew")
    return Finding("realtime", GOOD, "granted")


def midi(settings: Settings) -> Finding:
    """Which inputs there are."""
    from gan808.control.midi.systems import list_midi_inputs

    names = list(dict.fromkeys(port.name for port in list_midi_inputs()))
    if not names:
        return Finding("midi", CARE, "no MIDI input; plug one in whenever you like, or "
                       "`--midi virtual` opens a port that programs play into")
    return Finding("midi", GOOD, ", ".join(names[:3]) + (" ..." if len(names) > 3 else ""))


def renderer(settings: Settings) -> Finding:
    """Whether the kit makes sounds here, and how quickly."""
    from gan808.sound.kit.kit import find_kit
    from gan808.sound.renderer import Renderer

    kit = find_kit(settings.kit.name, paths.kit_folders())
    made = Renderer(kit, kit.geometry.sample_rate_hz, threads=settings.renderer.threads)
    name = kit.classes[0]
    made.render([name], [1])  # loads and compiles what a run has ready
    began_s = time.perf_counter()
    made.render([name], [2])
    took_s = time.perf_counter() - began_s
    told = f"kit {kit.name}: a sound in {took_s:.2f} s"
    if took_s > SLOW_SOUND_S:
        return Finding("renderer", CARE, f"{told}, which is slow; swap less, such as `--evolve "
                       "0.25`")
    return Finding("renderer", GOOD, told)


def disk(settings: Settings) -> Finding:
    """Whether what is written can be, and for how long."""
    places = (paths.state_folder(), paths.recordings_folder(), paths.exports_folder())
    for place in places:
        there = _existing(place)
        if not os.access(there, os.W_OK | os.X_OK):
            return Finding("disk", BAD, f"{there}: cannot be written to, so {place.name} is not "
                           "kept; give yourself the right to (`ls -ld` shows whose it is)")
    place = min(places, key=lambda each: shutil.disk_usage(_existing(each)).free)
    free = shutil.disk_usage(_existing(place)).free
    told = f"{free / 1e9:.1f} GB free for {place}"
    if free < LEAST_FREE_BYTES:
        return Finding("disk", BAD, f"{told}: a recording would fill it; make room")
    if free < SCARCE_FREE_BYTES:
        return Finding("disk", CARE, f"{told}: room for a recording of less than an hour")
    return Finding("disk", GOOD, told)


def network(settings: Settings) -> Finding:
    """Whether the ports of OSC and of the panel are free, or ours already."""
    from gan808.control.osc.client import shown
    from gan808.control.osc.status_client import ask_status
    from gan808.control.osc.udp_socket import OscSocket

    osc = settings.osc
    if not osc.enabled:
        return Finding("network", CARE, "OSC is off in config.toml, so there is no panel either")
    where = shown(osc.host, osc.port)
    try:
        with closing(OscSocket(osc.host, osc.port)) as listening:
            listening.open()
    except DeviceError as error:
        try:
            ask_status(osc.host, osc.port)
        except DeviceError:
            return Finding("network", BAD, str(error))
        return Finding("network", GOOD, f"a GAN-808 runs at {where}")
    return Finding("network", GOOD, f"OSC and the panel at {where}")


def _existing(place: Path) -> Path:
    """The folder, or the nearest above it that is there."""
    return next(path for path in (place, *place.parents) if path.exists())
