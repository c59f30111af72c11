"""libjack through ctypes: the functions that are used, typed, and their addresses.

Loaded when first needed. Any thread may call them, but for those of the process callback, whose
addresses go to compiled code.
"""

from __future__ import annotations

import ctypes
import sys
from functools import cache
from typing import Any

from gan808.errors import DeviceError

JACK_HOST_API = "JACK Audio Connection Kit"
CLIENT_NAME = "gan808"
PORTS = (b"out_left", b"out_right")

LIBRARIES = {"darwin": "libjack.0.dylib", "win32": "libjack64.dll"}
MIDI_TYPE = b"8 bit raw midi"
AUDIO_TYPE = b"32 bit float mono audio"
IS_INPUT, IS_OUTPUT, IS_PHYSICAL = 1, 2, 4
PLAYBACK_LATENCY = 1
NO_START_SERVER = 1

_POINTER, _TEXT, _FRAMES = ctypes.c_void_p, ctypes.c_char_p, ctypes.c_uint32
# name: (result, arguments)
_PROTOTYPES: dict[str, tuple[Any, list[Any]]] = {
    "jack_client_open": (_POINTER, [_TEXT, ctypes.c_int, _POINTER]),
    "jack_client_close": (ctypes.c_int, [_POINTER]),
    "jack_get_client_name": (_TEXT, [_POINTER]),
    "jack_activate": (ctypes.c_int, [_POINTER]),
    "jack_set_process_callback": (ctypes.c_int, [_POINTER, _POINTER, _POINTER]),
    "jack_set_xrun_callback": (ctypes.c_int, [_POINTER, _POINTER, _POINTER]),
    "jack_on_shutdown": (None, [_POINTER, _POINTER, _POINTER]),
    "jack_set_error_function": (None, [_POINTER]),
    "jack_set_info_function": (None, [_POINTER]),
    "jack_get_sample_rate": (_FRAMES, [_POINTER]),
    "jack_get_buffer_size": (_FRAMES, [_POINTER]),
    "jack_port_get_latency_range": (None, [_POINTER, ctypes.c_int, _POINTER]),
    "jack_port_register": (_POINTER, [_POINTER, _TEXT, _TEXT, ctypes.c_ulong, ctypes.c_ulong]),
    "jack_port_unregister": (ctypes.c_int, [_POINTER, _POINTER]),
    "jack_port_name": (_TEXT, [_POINTER]),
    "jack_get_ports": (ctypes.POINTER(_TEXT), [_POINTER, _TEXT, _TEXT, ctypes.c_ulong]),
    "jack_connect": (ctypes.c_int, [_POINTER, _TEXT, _TEXT]),
    "jack_disconnect": (ctypes.c_int, [_POINTER, _TEXT, _TEXT]),
    "jack_port_connected_to": (ctypes.c_int, [_POINTER, _TEXT]),
    "jack_get_time": (ctypes.c_uint64, []),
    "jack_free": (None, [_POINTER]),
    "jack_port_get_buffer": (_POINTER, [_POINTER, _FRAMES]),
    "jack_midi_get_event_count": (ctypes.c_uint32, [_POINTER]),
    "jack_midi_event_get": (ctypes.c_int, [_POINTER, _POINTER, ctypes.c_uint32]),
    "jack_last_frame_time": (_FRAMES, [_POINTER]),
    "jack_midi_clear_buffer": (None, [_POINTER]),
    "jack_midi_event_write": (ctypes.c_int, [_POINTER, _FRAMES, _POINTER, ctypes.c_size_t]),
    "jack_get_cycle_times": (ctypes.c_int, [_POINTER] * 5),
    "jack_transport_query": (ctypes.c_int, [_POINTER, _POINTER]),
    "jack_transport_start": (None, [_POINTER]),
    "jack_transport_stop": (None, [_POINTER]),
    "jack_transport_locate": (ctypes.c_int, [_POINTER, _FRAMES]),
    "jack_set_sync_callback": (ctypes.c_int, [_POINTER] * 3),
    "jack_set_timebase_callback": (ctypes.c_int, [_POINTER, ctypes.c_int, _POINTER, _POINTER]),
    "jack_release_timebase": (ctypes.c_int, [_POINTER]),
}


@cache
def libjack() -> Any:
    """The library with its functions typed. Raises DeviceError where it is missing."""
    name = LIBRARIES.get(sys.platform, "libjack.so.0")
    try:
        library = ctypes.CDLL(name)
        for function, (result, arguments) in _PROTOTYPES.items():
            typed = getattr(library, function)
            typed.restype, typed.argtypes = result, arguments
    except (OSError, AttributeError) as error:
        raise DeviceError(f"JACK is not available: {error}") from error
    return library


def address_of(function: str) -> int:
    """The address of one of its functions."""
    return int(ctypes.cast(getattr(libjack(), function), ctypes.c_void_p).value or 0)


def open_client(name: str) -> int:
    """A client of the running server. Raises DeviceError; never starts a server."""
    client = libjack().jack_client_open(name.encode(), NO_START_SERVER, None)
    if not client:
        raise DeviceError("JACK is not available: no server runs")
    return int(client)


def port_names(client: int, kind: bytes, flags: int) -> list[str]:
    """The full names of the server's ports of a kind."""
    listed = libjack().jack_get_ports(client, None, kind, flags)
    names: list[str] = []
    while listed and listed[len(names)]:
        names.append(listed[len(names)].decode())
    if listed:
        libjack().jack_free(listed)
    return names


def players(client: int) -> list[str]:
    """Who can play: clients with two audio inputs or more, the one with the sound card first."""
    found = [*_owners(client, IS_INPUT | IS_PHYSICAL), *_owners(client, IS_INPUT)]
    return list(dict.fromkeys(found))


def _owners(client: int, flags: int) -> list[str]:
    owners = [name.rpartition(":")[0] for name in port_names(client, AUDIO_TYPE, flags)]
    return [name for name in dict.fromkeys(owners) if owners.count(name) >= len(PORTS)]


def play_into(client: int, device: str) -> None:
    """Connects a client's PORTS to the first audio inputs of another. Where one has gone
    meanwhile, the user's patchbay is there."""
    inputs = [name for name in port_names(client, AUDIO_TYPE, IS_INPUT)
              if name.rpartition(":")[0] == device]
    own = libjack().jack_get_client_name(client)
    for port, there in zip(PORTS, inputs, strict=False):
        libjack().jack_connect(client, b"%s:%s" % (own, port), there.encode())
