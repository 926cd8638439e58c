"""Which hosts may be called."""

import ipaddress
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Self

from yarl import URL

from croupier_sdk import BadArgument

_PORTS = {"http": 80, "https": 443}
_URL_CHARACTERS = 8_192


@dataclass(frozen=True, kw_only=True, slots=True)
class Rule:
    host: str
    """In lower case; with `suffix`, what names end with, its dot included."""
    port: int | None
    """None: the port that belongs to the scheme."""
    suffix: bool

    @classmethod
    def parse(cls, text: str) -> Self:
        """Of a HostRule of the settings."""
        host, colon, port = text.rpartition(":")
        if not colon or port.endswith("]"):
            host, port = text, ""
        suffix = host.startswith("*.")
        return cls(host=_spelled(host.removeprefix("*").strip("[]")), port=int(port) if port else None, suffix=suffix)

    def covers(self, host: str, port: int, scheme: str) -> bool:
        if port != (_PORTS[scheme] if self.port is None else self.port):
            return False
        return host.endswith(self.host) if self.suffix else host == self.host


class Allowed:
    def __init__(self, rules: Iterable[str]) -> None:
        self._rules = tuple(Rule.parse(each) for each in rules)

    def check(self, text: str) -> URL:
        """The URL, read once: what is checked here is what is called. Raises BadArgument."""
        url = parse_url(text)
        host, port = host_of(url), url.port or 0
        if not any(rule.covers(host, port, url.scheme) for rule in self._rules):
            raise BadArgument(
                f"{host}:{port} is not among the hosts that this adapter may call: its --allow names them",
                "permission_denied",
            )
        return url


def parse_url(text: str) -> URL:
    """Raises BadArgument for anything but an absolute http or https URL that every reader reads alike."""
    if len(text) > _URL_CHARACTERS:
        raise BadArgument(f"argument 'url' is longer than {_URL_CHARACTERS} characters")
    if any(character <= " " or character in "\\\x7f" for character in text):
        raise BadArgument("argument 'url' holds a space, a control character or a backslash: write them as %20, %5C")
    try:
        url = URL(text)
        port = url.port
    except ValueError as error:
        raise BadArgument(f"argument 'url' is not a URL: {error}") from None
    if url.scheme not in _PORTS or not url.raw_host or not port:
        raise BadArgument("argument 'url' must be http://host/… or https://host/…")
    if url.raw_user is not None or url.raw_password is not None:
        raise BadArgument(
            "argument 'url' holds a user or password: the adapter is given the host's token by --token-env or --token-file"
        )
    return url.with_fragment(None)


def host_of(url: URL) -> str:
    """As rules spell it: IDNA, lower case, without the root's dot."""
    return _spelled((url.raw_host or "").rstrip("."))


def _spelled(host: str) -> str:
    """One spelling for each name and address."""
    try:
        return ipaddress.ip_address(host).compressed
    except ValueError:
        return host.lower()
