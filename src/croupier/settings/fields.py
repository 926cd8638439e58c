"""The types of single settings: what is accepted, and the words that refuse the rest."""

import ipaddress
import json
import math
import re
from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, Field, SecretStr
from pydantic_core import PydanticCustomError

from croupier.domain.durations import seconds_of

_ADDRESS = re.compile(r"(?:\[(?P<six>[0-9a-fA-F:.]{2,45})\]|(?P<host>[A-Za-z0-9._-]{0,253})):(?P<port>\d{1,5})")
_HOST_RULE = re.compile(
    r"(?:(?:\*\.)?[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]+)*|\[[0-9a-fA-F:.]{2,45}\])(?::(?P<port>\d{1,5}))?"
)
_PUBLIC_NAME = re.compile(r"[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]+)*\.?|\[[0-9a-fA-F:.]{2,45}\]")
_TOKEN = re.compile(r"[!-~]{8,512}")

_LOOPBACK_ONLY = "this port is for programs of this machine, as plain text: use 127.0.0.1 or ::1"


def _refusal(kind: str, text: str) -> PydanticCustomError:
    # Pydantic formats the text, so braces that come from the input must not be read as fields.
    return PydanticCustomError("setting", "{text}", {"text": text, "kind": kind})


def pattern(expression: str, text: str) -> AfterValidator:
    """For text that is `expression` from its first to its last character; `text` says what to write."""
    compiled = re.compile(expression)

    def check(value: str) -> str:
        if not compiled.fullmatch(value):
            raise _refusal("pattern", text)
        return value

    return AfterValidator(check)


def _name(most: int) -> AfterValidator:
    return pattern(
        rf"[A-Za-z0-9][A-Za-z0-9._-]{{0,{most - 1}}}",
        f"write 1 to {most} letters, digits, `.`, `_` or `-`, beginning with a letter or digit",
    )


def parse_duration(value: object) -> float:
    """Seconds from `30s`, `500ms`, `2m`, `1h`, or a number of seconds."""
    if isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value):
        return float(value)
    seconds = seconds_of(value) if isinstance(value, str) else None
    if seconds is None:
        raise _refusal("duration", "write a duration such as 30s, 500ms or 2m, or a number of seconds")
    return seconds


def _host_and_port(value: str) -> tuple[str, int]:
    match = _ADDRESS.fullmatch(value)
    if match is None or int(match["port"]) > 65535:
        raise _refusal("address", "write host:port or [::1]:port, with a port from 0 to 65535")
    return match["six"] or match["host"], int(match["port"])


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _listen_address(value: str) -> str:
    host, port = _host_and_port(value)
    if not host:
        raise _refusal(
            "address", "name what to listen on: 127.0.0.1, ::1, an address of this machine, or 0.0.0.0 for all"
        )
    if host == "localhost":
        # A name may mean several addresses; what is listened on is one.
        return f"127.0.0.1:{port}"
    return value


def _dial_address(value: str) -> str:
    host, port = _host_and_port(value)
    if not port or not host:
        raise _refusal("dial", "name the host and the port to dial, 1 to 65535")
    return value


def _loopback_only(value: str) -> str:
    if not _is_loopback(_host_and_port(value)[0]):
        raise _refusal("loopback", _LOOPBACK_ONLY)
    return value


def _web_url(value: str) -> str:
    try:
        parts = urlsplit(value)
        host, _ = parts.hostname or "", parts.port
    except ValueError:
        host, parts = "", urlsplit("")
    if parts.scheme not in {"http", "https"} or not host or parts.query or parts.fragment or "@" in parts.netloc:
        raise _refusal("url", "write http://host:port or https://host, without user, query or fragment")
    return value.rstrip("/")


def _url(value: str) -> str:
    url = _web_url(value)
    if travels_openly(url):
        raise _refusal("url", "what is sent would travel unencrypted: use https://, or an address of this machine")
    return url


def _issuer(value: str) -> str:
    _url(value)
    return value


def travels_openly(url: str) -> bool:
    """Whether what is sent to `url` could be read on the way."""
    parts = urlsplit(url)
    return parts.scheme == "http" and not _is_loopback(parts.hostname or "")


def _host_rule(value: str) -> str:
    match = _HOST_RULE.fullmatch(value)
    if match is None or int(match["port"] or 0) > 65535:
        raise _refusal("host", "write host, host:port, *.suffix or *.suffix:port; an IPv6 address in brackets")
    return value.lower()


def _public_name(value: str) -> str:
    if not _PUBLIC_NAME.fullmatch(value):
        raise _refusal("name", "write a host name or an address, without scheme and port, such as croupier.example.org")
    return value.lower().removeprefix("[").removesuffix("]").rstrip(".")


def _network(value: str) -> str:
    try:
        return str(ipaddress.ip_network(value))
    except ValueError:
        raise _refusal("network", "write an address or a network, such as 10.1.2.3 or 10.0.0.0/8") from None


def _by_host(value: object) -> object:
    """`host=NAME,host:port=NAME` as a mapping."""
    if isinstance(value, tuple | list):
        value = ",".join(str(item) for item in value)
    if not isinstance(value, str):
        return value
    pairs = [item.strip().rpartition("=") for item in value.split(",") if item.strip()]
    if not all(host and equals and name for host, equals, name in pairs):
        raise _refusal("by_host", "write which host gets which as host=NAME,host:port=NAME")
    return {host.strip(): name.strip() for host, _, name in pairs}


def _token(value: SecretStr) -> SecretStr:
    if not _TOKEN.fullmatch(value.get_secret_value()):
        raise _refusal("token", "a token is 8 to 512 visible ASCII characters without spaces")
    return value


def _comma_list(value: object) -> object:
    return tuple(item.strip() for item in value.split(",")) if isinstance(value, str) else value


def mapping_of(value: object) -> object:
    """The mapping that a variable holds as JSON; anything else as it is."""
    if not isinstance(value, str):
        return value
    try:
        return json.loads(value)
    except (ValueError, RecursionError):
        raise _refusal("mapping", "write a mapping; in a variable as JSON") from None


def _label_map(value: object) -> object:
    if not isinstance(value, str):
        return value
    pairs = [item.strip().partition("=") for item in value.split(",") if item.strip()]
    if not all(name and equals for name, equals, _ in pairs):
        raise _refusal("labels", "write labels as name=value,name=value")
    return {name.strip(): text.strip() for name, _, text in pairs}


def _edge_scopes(value: object) -> object:
    if not isinstance(value, str):
        return value
    scopes: dict[str, list[str]] = {}
    for edge, equals, scope in (item.strip().partition("=") for item in value.split(",") if item.strip()):
        if not edge or not equals:
            raise _refusal("edge_scopes", "write which scopes an edge may speak for as edge=game|env,edge=game|env")
        scopes.setdefault(edge.strip(), []).append(scope.strip())
    return scopes


Seconds = Annotated[float, BeforeValidator(parse_duration), Field(gt=0, le=86_400)]
"""`30s`, `500ms`, `2m`, `1h` or a number of seconds; held as seconds, above 0, at most a day."""

Retention = Annotated[float, BeforeValidator(parse_duration), Field(ge=86_400, le=3650 * 86_400)]
"""A duration such as 30d; held as seconds, from a day to ten years."""

Lifetime = Annotated[float, BeforeValidator(parse_duration), Field(ge=60, le=366 * 86_400)]
"""A duration such as 12h or 7d; held as seconds, from a minute to a year."""

PublicNames = Annotated[
    tuple[Annotated[str, Field(max_length=253), AfterValidator(_public_name)], ...],
    BeforeValidator(_comma_list),
    Field(max_length=64, strict=False),
]
"""Host names without ports; in a variable or flag separated by commas."""

Networks = Annotated[
    tuple[Annotated[str, Field(max_length=64), AfterValidator(_network)], ...],
    BeforeValidator(_comma_list),
    Field(max_length=64, strict=False),
]
"""Addresses and networks such as 10.0.0.0/8; in a variable or flag separated by commas."""

ListenAddress = Annotated[str, Field(max_length=300), AfterValidator(_listen_address)]
"""host:port to listen on; port 0 takes a free one. Beyond loopback only with TLS, which the process sees to when it starts."""

LocalAddress = Annotated[ListenAddress, AfterValidator(_loopback_only)]
"""As above, on loopback only."""

DialAddress = Annotated[str, Field(max_length=300), AfterValidator(_dial_address)]
"""host:port to dial. Beyond loopback only with TLS, which whoever dials sees to."""

LocalDialAddress = Annotated[DialAddress, AfterValidator(_loopback_only)]
"""As above, on loopback only."""

DialAddresses = Annotated[
    tuple[DialAddress, ...], BeforeValidator(_comma_list), Field(min_length=1, max_length=16, strict=False)
]
"""A list; in a variable or flag separated by commas."""

MaybeAddresses = Annotated[tuple[DialAddress, ...], BeforeValidator(_comma_list), Field(max_length=16, strict=False)]
"""As above, and may be empty."""

Url = Annotated[str, Field(max_length=2000), AfterValidator(_url)]

IssuerUrl = Annotated[str, Field(max_length=2000), AfterValidator(_issuer)]
"""As it was written: a `/` at the end belongs to it."""

UpstreamUrl = Annotated[str, Field(max_length=2000), AfterValidator(_web_url)]
"""Of another system. Unencrypted only where no token is sent."""

HostRule = Annotated[str, Field(max_length=260), AfterValidator(_host_rule)]
"""`host`, `host:port`, `*.suffix` or `*.suffix:port`; without a port, the port that belongs to http or https."""

HostRules = Annotated[
    tuple[HostRule, ...], BeforeValidator(_comma_list), Field(min_length=1, max_length=1_000, strict=False)
]

Methods = Annotated[
    tuple[Literal["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"], ...],
    BeforeValidator(_comma_list),
    Field(min_length=1, max_length=7, strict=False),
]

_OwnName = Annotated[
    str, pattern(r"[A-Za-z0-9.:_-]{1,253}", "write a host name or an address, without scheme, port and brackets")
]

HostNames = Annotated[
    tuple[_OwnName, ...],
    BeforeValidator(_comma_list),
    Field(max_length=32, strict=False),
]
"""Names and addresses of one machine; in a variable or flag separated by commas."""

CertificateLife = Annotated[float, BeforeValidator(parse_duration), Field(ge=10, le=365 * 86_400)]
"""Of a certificate: a duration such as 7d; held as seconds, from 10 seconds to a year."""

VariableName = Annotated[
    str, pattern(r"[A-Za-z_][A-Za-z0-9_]{0,127}", "write the name of an environment variable: letters, digits and `_`")
]

SecretName = Annotated[str, _name(128)]
"""A secret of the platform that the server keeps (`croupier secret set`)."""

Ratio = Annotated[float, Field(ge=0, le=1)]
"""0 for none to 1 for all."""

RequestsPerSecond = Annotated[float, Field(ge=0, le=1_000_000, allow_inf_nan=False)]

Token = Annotated[SecretStr, AfterValidator(_token)]

Name = Annotated[str, _name(64)]
"""A game or env: letters, digits, `.`, `_`, `-`."""

HostName = Annotated[str, _name(128)]

Text = Annotated[str, Field(max_length=256)]

_Label = Annotated[
    str,
    pattern(
        r"[A-Za-z0-9][A-Za-z0-9._/-]{0,63}",
        "write 1 to 64 letters, digits, `.`, `_`, `/` or `-`, beginning with a letter or digit",
    ),
]

Labels = Annotated[
    dict[_Label, Text],
    BeforeValidator(_label_map),
    Field(max_length=64),
]
"""A mapping; in a variable or flag `name=value,name=value`."""

ScopeName = Annotated[
    str,
    pattern(
        r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}\|[A-Za-z0-9][A-Za-z0-9._-]{0,63}",
        "write game|env, each of letters, digits, `.`, `_` or `-`, such as demo|dev",
    ),
]
"""`game|env`"""

ScopeNames = Annotated[tuple[ScopeName, ...], BeforeValidator(_comma_list), Field(max_length=10_000, strict=False)]
"""A list; in a variable or flag separated by commas."""

EnvNames = Annotated[tuple[Name, ...], BeforeValidator(_comma_list), Field(max_length=64, strict=False)]
"""As above, of environments."""

EdgeScopes = Annotated[
    dict[HostName, Annotated[tuple[ScopeName, ...], Field(max_length=10_000, strict=False)]],
    BeforeValidator(_edge_scopes),
    Field(max_length=1_000),
]
"""A mapping of edge ids to lists of `game|env`; in a variable `edge=game|env,edge=game|env`."""

VariablesByHost = Annotated[dict[HostRule, VariableName], BeforeValidator(_by_host), Field(max_length=100)]
"""A mapping of hosts to names of environment variables; in a variable or flag `host=NAME,host:port=NAME`."""

Folder = Annotated[Path, AfterValidator(Path.expanduser)]

FilesByHost = Annotated[dict[HostRule, Folder], BeforeValidator(_by_host), Field(max_length=100)]
"""A mapping of hosts to files; in a variable or flag `host=FILE,host:port=FILE`."""
