"""Which addresses may be connected to, whatever name led there.

Asked where a socket is made, of the very address that it is made for. A name that means one address when it is looked up and another
one later (DNS rebinding) has no second chance: there is no later.
"""

import ipaddress
import socket
from dataclasses import dataclass
from typing import Any

Address = ipaddress.IPv4Address | ipaddress.IPv6Address

_METADATA = frozenset(
    ipaddress.ip_address(text)
    for text in ("168.63.129.16", "100.100.100.200", "192.0.0.192", "fd00:ec2::254", "fd20:ce::254")
)
"""Where clouds tell a machine its secrets, beside the link-local 169.254.169.254."""
_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")
_LOCAL_NAT64 = ipaddress.IPv6Network("64:ff9b:1::/48")


class AddressRefused(OSError):
    """The address may not be called."""


@dataclass(frozen=True, kw_only=True, slots=True)
class AddressPolicy:
    private: bool = False
    """Networks that are nobody's on the internet: RFC 1918, RFC 6598, fc00::/7."""
    loopback: bool = False

    def refusal(self, address: Address) -> str:
        """Why it may not be called; nothing where it may."""
        return next((why for each in _meant(address) if (why := self._refusal(each))), "")

    def _refusal(self, address: Address) -> str:
        if address in _METADATA or address.is_link_local:
            return "link-local and metadata addresses are never called"
        if address.is_unspecified or address.is_multicast or (address.is_reserved and address.version == 4):
            return "no host has this address"
        if address.is_loopback:
            return "" if self.loopback else "it is an address of this machine; allow_loopback lets it be called"
        if address.is_global and not _is_local_only(address):
            return ""
        return "" if self.private else "it is an address of a private network; allow_private lets it be called"

    def make_socket(self, found: tuple[Any, ...]) -> socket.socket:
        """A socket for one result of getaddrinfo. Raises AddressRefused."""
        family, kind, protocol, _, place = found
        address = ipaddress.ip_address(str(place[0]).partition("%")[0])
        if why := self.refusal(address):
            raise AddressRefused(f"{address} may not be called: {why}")
        return socket.socket(family=family, type=kind, proto=protocol)


def _is_local_only(address: Address) -> bool:
    return isinstance(address, ipaddress.IPv6Address) and (address.is_site_local or address in _LOCAL_NAT64)


def _meant(address: Address) -> list[Address]:
    """The address, and the IPv4 one that is wrapped in it, which a gateway would call."""
    if isinstance(address, ipaddress.IPv4Address):
        return [address]
    last = ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    if address.ipv4_mapped is not None or address in _NAT64:
        return [last]
    wrapped: list[Address | None] = [address.sixtofour, *(address.teredo or ())]
    if address in _LOCAL_NAT64 or int(address) >> 32 == 0:
        wrapped.append(last)
    return [address, *(each for each in wrapped if each is not None)]
