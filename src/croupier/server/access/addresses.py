"""Under which names this server answers, and where a request came from."""

import ipaddress
from collections.abc import Iterable
from functools import lru_cache

from croupier.errors import PermissionDenied

Network = ipaddress.IPv4Network | ipaddress.IPv6Network

_HOPS = 32
"""Of X-Forwarded-For, from the end; nobody has more proxies."""


class Hosts:
    """The Host names that are answered: loopback ones, and those of the settings.

    A web page whose name was made to resolve to this machine (DNS rebinding) would else reach the server from the browser
    of somebody who may.
    """

    def __init__(self, public_names: Iterable[str] = ()) -> None:
        self._public = frozenset(name.lower() for name in public_names)

    def admit(self, host: bytes) -> None:
        """Raises PermissionDenied."""
        if not is_loopback(host) and name_of(host) not in self._public:
            raise PermissionDenied(
                "this server does not answer under this name: call it by a loopback name (localhost, 127.0.0.1 or [::1]), "
                "or add the name to server.public_names"
            )


class Proxies:
    """Those in front of the server, whose word is taken for where a request came from."""

    def __init__(self, networks: Iterable[str] = ()) -> None:
        self.trusted: tuple[Network, ...] = tuple(ipaddress.ip_network(each) for each in networks)

    def client(self, peer: str, forwarded: bytes) -> str:
        """The nearest address that is no trusted proxy; `forwarded` are the X-Forwarded-For headers, joined by commas."""
        found = peer
        for hop in reversed(forwarded.split(b",")[-_HOPS:] if forwarded else []):
            if not self._is_trusted(found):
                return found
            address = _address(hop)
            if address is None:
                return found
            found = address
        return found

    def _is_trusted(self, address: str) -> bool:
        if not self.trusted:
            return False
        try:
            found = ipaddress.ip_address(address)
        except ValueError:
            return False
        return any(found in network for network in self.trusted if network.version == found.version)


def _address(hop: bytes) -> str | None:
    text = hop.decode("latin-1").strip()
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        return str(ipaddress.ip_address(text))
    except ValueError:
        return None


@lru_cache(maxsize=256)
def name_of(host: bytes) -> str:
    """The name in a Host header; empty where there is none."""
    name, port = _split(host)
    return name.rstrip(".") if not port or port.isdecimal() else ""


@lru_cache(maxsize=256)
def is_loopback(host: bytes) -> bool:
    name, port = _split(host)
    if port and not port.isdecimal():
        return False
    if name.rstrip(".") == "localhost" or name.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False


def _split(host: bytes) -> tuple[str, str]:
    name = host.decode("latin-1").strip().lower()
    if name.startswith("["):
        name, _, port = name[1:].partition("]")
        return name, port.removeprefix(":")
    name, _, port = name.partition(":")
    return name, port
