"""Names that come from outside and become files: a plain name, never a path. Pure; any thread.

Whoever reaches the OSC port may choose a name, and neither the folder nor a device.
"""

from __future__ import annotations

import re

_PLAIN = re.compile(r"\w[\w .+~@-]{0,159}")
# Whatever their suffix, these are devices on Windows, in every folder.
_DEVICES = frozenset({"CON", "PRN", "AUX", "NUL", "CONIN$", "CONOUT$"} | {
    f"{device}{number}" for device in ("COM", "LPT") for number in "0123456789\u00b9\u00b2\u00b3"})
# File systems bound a name to 255 bytes, and what is added to it needs some of them.
LONGEST_BYTES = 200
ACCEPTED = "letters, digits, spaces and . + - ~ @ only"


def is_plain_name(name: str) -> bool:
    """Whether a name is one file's name, on every system: no separator, no control character, no
    dot or space at its end, not hidden, no device, and not too long."""
    device = name.partition(".")[0].rstrip().upper()
    return (_PLAIN.fullmatch(name) is not None and name[-1] not in " ."
            and len(name.encode()) <= LONGEST_BYTES
            and device not in _DEVICES)
