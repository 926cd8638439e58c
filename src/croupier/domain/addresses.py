"""host:port as people and programs write it."""

import ipaddress
from functools import lru_cache
from urllib.parse import unquote

from croupier.errors import InvalidArgument


def split(address: str) -> tuple[str, int]:
    """Host (without brackets, empty for "every address") and port of "host:port", ":port" or "[::1]:port".

    Raises InvalidArgument.
    """
    host, colon, port = address.rpartition(":")
    if host.startswith("[") != host.endswith("]") or (":" in host and not host.startswith("[")):
        raise InvalidArgument(f"{address!r} is no address: write an IPv6 host in brackets, like [::1]:8080")
    if not colon or not port.isascii() or not port.isdecimal() or int(port) > 65535:
        raise InvalidArgument(f"{address!r} is no address: write host:port")
    return host.strip("[]"), int(port)


def join(host: str, port: int) -> str:
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def peer_host(peer: str) -> str:
    """The host in grpc's name of a peer: "ipv4:127.0.0.1:50000", "ipv6:%5B::1%5D:50000"; loopback for a unix socket."""
    kind, _, rest = peer.partition(":")
    if kind not in {"ipv4", "ipv6"}:
        return "127.0.0.1"
    return unquote(rest).rpartition(":")[0].strip("[]")


@lru_cache(maxsize=4096)
def peer_ip(peer: str) -> str:
    """The address in grpc's name of a peer, in its one spelling; nothing where an edge says anything else."""
    if not peer.startswith(("ipv4:", "ipv6:")):
        return ""
    try:
        return str(ipaddress.ip_address(peer_host(peer)))
    except ValueError:
        return ""


def dialable(address: str, peer: str) -> str:
    """`address` for dialling: where it says "every address" (contract: a listen string), the peer's own host."""
    host, port = split(address)
    if port == 0:
        raise InvalidArgument(f"{address!r} has port 0: register the port that the server really listens on")
    return join(peer_host(peer) if host in {"", "0.0.0.0", "::"} else host, port)  # noqa: S104 — recognised, not bound


def is_loopback(address: str) -> bool:
    host, _ = split(address)
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
