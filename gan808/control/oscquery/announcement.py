"""Tells the network by zeroconf (multicast DNS) that there is an instrument, and where.

`Announcement` owns the library's socket and thread; start and stop are for one thread of the
caller's. The library is an optional extra and is loaded when first used.
"""

from __future__ import annotations

import socket
from importlib.util import find_spec
from typing import TYPE_CHECKING

from gan808 import __version__
from gan808.errors import DeviceError

if TYPE_CHECKING:
    from zeroconf import ServiceInfo, Zeroconf

OSC, QUERY = "_osc._udp.local.", "_oscjson._tcp.local."
EVERY_HOST = ("0.0.0.0", "")
EVERY_HOST_V6 = "::"


def can_announce() -> bool:
    """Whether the library is there."""
    return find_spec("zeroconf") is not None


def is_loopback(host: str) -> bool:
    """Whether only this machine reaches a server that listens on that host."""
    # A socket for both families shows IPv4's addresses inside IPv6's.
    return host in ("localhost", "::1") or host.removeprefix("::ffff:").startswith("127.")


class Announcement:
    """OSC's port, and that of its description where there is one, under a name of this machine."""

    def __init__(self, host: str, osc_port: int, query_port: int | None) -> None:
        self._host = host
        self._ports = {OSC: osc_port, **({QUERY: query_port} if query_port else {})}
        self._zeroconf: Zeroconf | None = None
        self.name = f"GAN-808 on {socket.gethostname().partition('.')[0]}"

    def start(self) -> None:
        """Announce; takes about a second, for the name must be nobody else's. Raises DeviceError,
        one line, where the network does not let us."""
        from zeroconf import Error, InterfaceChoice, IPVersion, Zeroconf

        everywhere = self._host in (*EVERY_HOST, EVERY_HOST_V6)
        try:
            self._zeroconf = Zeroconf(
                InterfaceChoice.All if everywhere else [self._host],
                ip_version=IPVersion.V6Only if ":" in self._host and not everywhere
                else IPVersion.V4Only,
            )
            for kind, port in self._ports.items():
                info = self._service(kind, port)
                self._zeroconf.register_service(info, allow_name_change=True)
                self.name = info.name.removesuffix(f".{kind}")
        except (OSError, Error, RuntimeError, ValueError, AssertionError) as error:
            self.stop()
            why = str(error) or type(error).__name__
            raise DeviceError(f"OSC is not announced on the network: {why}") from error

    def stop(self) -> None:
        """Take it back; safe to call twice, or without start."""
        zeroconf, self._zeroconf = self._zeroconf, None
        if zeroconf is not None:
            zeroconf.close()

    def _service(self, kind: str, port: int) -> ServiceInfo:
        from zeroconf import ServiceInfo

        details = {"txtvers": "1", "version": __version__}
        if kind == OSC:
            details["types"] = "ifshdTFNI"
        return ServiceInfo(
            kind, f"{self.name}.{kind}", port, properties=details,
            server=f"{socket.gethostname().partition('.')[0]}-gan808.local.",
            parsed_addresses=self._addresses(),
        )

    def _addresses(self) -> list[str]:
        """Where we are reached. Every one of this machine's for a server on every network."""
        if self._host not in (*EVERY_HOST, EVERY_HOST_V6):
            return [self._host]
        import ifaddr  # what zeroconf itself asks

        found = [ip.ip for adapter in ifaddr.get_adapters() for ip in adapter.ips if ip.is_IPv4]
        return [str(ip) for ip in found if not is_loopback(str(ip))] or ["127.0.0.1"]
