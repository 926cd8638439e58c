"""Where a game server that registered by address is reached."""

import ipaddress
import re
from urllib.parse import unquote

from croupier.errors import FailedPrecondition, InvalidArgument

_LISTEN = re.compile(r"(?:\[(?P<six>[0-9a-fA-F:.]{0,45})\]|(?P<host>[A-Za-z0-9._-]{0,253})):(?P<port>\d{1,5})")
_ANY = {"", "0.0.0.0", "::"}  # noqa: S104 — recognised in what others listen on; nothing is bound to it here


def is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def peer_host(peer: str) -> str:
    """The host in gRPC's name of a peer: "ipv4:127.0.0.1:1234", "ipv6:%5B::1%5D:1234", "unix:" (this machine)."""
    kind, _, rest = peer.partition(":")
    if kind not in {"ipv4", "ipv6"}:
        return "127.0.0.1"
    return unquote(rest).rpartition(":")[0].strip("[]")


def split(address: str) -> tuple[str, int]:
    """Host and port. Raises InvalidArgument for anything but host:port or [::1]:port with a port from 1 to 65535."""
    match = _LISTEN.fullmatch(address)
    if match is None or not 0 < int(match["port"]) <= 65535:
        raise InvalidArgument("rpc_addr must be host:port, :port or [::1]:port with a port from 1 to 65535")
    return (match["six"] if match["six"] is not None else match["host"]), int(match["port"])


def dial_address(rpc_addr: str, peer: str) -> str:
    """Where to dial a game server that said it listens on `rpc_addr` and called from `peer`.

    A listen string names no host (":20081", "0.0.0.0:20081", "[::]:20081"): then it is the peer's.
    Raises InvalidArgument for no address, FailedPrecondition for another machine's.
    """
    host, port = split(rpc_addr)
    if host in _ANY:
        host = peer_host(peer)
    if not is_loopback(host):
        raise FailedPrecondition(
            f"rpc_addr {rpc_addr} is not on this machine, and this version has no TLS yet: what is sent could be read "
            f"on the way. Register an address of this machine, such as 127.0.0.1:{port}"
        )
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
