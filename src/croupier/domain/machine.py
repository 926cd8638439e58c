"""Who a machine is, and what it was given to prove it: certificates, and the tokens by which it joins."""

import re
from dataclasses import dataclass
from enum import StrEnum
from urllib.parse import quote, unquote

from croupier.codes import Code
from croupier.domain.scope import Scope
from croupier.errors import InvalidArgument, PermissionDenied

SCHEME = "croupier://"
ANY = "*"
"""In place of a game or env: every one."""
HOSTS = 32
"""Names and addresses of one certificate."""

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:@-]{0,127}")
_HOST = re.compile(r"(?:[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.?){1,20}|[0-9a-fA-F:.]{2,45}")
_URI_CHARACTERS = 600


class MachineRole(StrEnum):
    SERVER = "server"
    EDGE = "edge"
    AGENT = "agent"
    GAME = "game"
    CLIENT = "client"


WIDE = frozenset({MachineRole.SERVER, MachineRole.EDGE, MachineRole.CLIENT})
"""Roles that may be of every game and env."""


@dataclass(frozen=True, kw_only=True, slots=True)
class MachineIdentity:
    """What a certificate says of its holder, written as `croupier://<deployment>/<role>/<game>/<env>/<id>`."""

    deployment: str
    role: MachineRole
    game_id: str
    env: str
    id: str

    def __str__(self) -> str:
        parts = (self.deployment, self.role, self.game_id, self.env, self.id)
        return SCHEME + "/".join(quote(part, safe=ANY + "@:") for part in parts)

    def covers(self, scope: Scope | None) -> bool:
        """Whether its game and env include `scope`; None is every game and env."""
        if scope is None:
            return self.game_id == ANY and self.env == ANY
        return self.game_id in {ANY, scope.game_id} and self.env in {ANY, scope.env}


def make_identity(*, deployment: str, role: str, game_id: str, env: str, id: str) -> MachineIdentity:  # noqa: A002 — the field's name
    """Raises InvalidArgument, naming the part at fault."""
    if role not in set(MachineRole):
        raise InvalidArgument(f"role {role[:64]!r} is unknown: {', '.join(MachineRole)}")
    kind = MachineRole(role)
    check_deployment(deployment)
    for label, value in (("game_id", game_id), ("env", env)):
        if not (_NAME.fullmatch(value) or (value == ANY and kind in WIDE)):
            raise InvalidArgument(
                f"{label} must be 1 to 64 letters, digits, '.', '_' or '-', starting with a letter or digit"
                + (
                    ", or * for every one" if kind in WIDE else f"; the certificate of an {kind} is of one game and env"
                ),
                {"field": label},
                code=Code.NAME_WRONG,
            )
    if not _ID.fullmatch(id):
        raise InvalidArgument(
            "id must be 1 to 128 letters, digits, '.', '_', ':', '@' or '-'",
            {"field": "machine"},
            code=Code.NAME_WRONG,
        )
    return MachineIdentity(deployment=deployment, role=kind, game_id=game_id, env=env, id=id)


def check_deployment(name: str) -> str:
    """Raises InvalidArgument."""
    if not _NAME.fullmatch(name):
        raise InvalidArgument("a deployment's name is 1 to 64 letters, digits, '.', '_' or '-'")
    return name


def parse_identity(uri: str) -> MachineIdentity:
    """Raises InvalidArgument."""
    parts = uri.removeprefix(SCHEME).split("/")
    if not uri.startswith(SCHEME) or len(uri) > _URI_CHARACTERS or len(parts) != 5:
        raise InvalidArgument("a machine's identity is written croupier://<deployment>/<role>/<game>/<env>/<id>")
    deployment, role, game_id, env, id_ = (unquote(part) for part in parts)
    identity = make_identity(deployment=deployment, role=role, game_id=game_id, env=env, id=id_)
    if str(identity) != uri:
        raise InvalidArgument("a machine's identity must be written in its one form")
    return identity


def check_hosts(hosts: tuple[str, ...]) -> tuple[str, ...]:
    """Host names and IP addresses in lower case, each once. Raises InvalidArgument."""
    if len(hosts) > HOSTS:
        raise InvalidArgument(
            f"a certificate names at most {HOSTS} hosts",
            {"field": "hosts", "most": str(HOSTS)},
            code=Code.TOO_MANY,
        )
    for host in hosts:
        if len(host) > 253 or not _HOST.fullmatch(host):
            raise InvalidArgument(
                f"{host[:80]!r} is no host name and no IP address; wildcards are not issued",
                {"given": host[:80]},
                code=Code.HOST_WRONG,
            )
    return tuple(dict.fromkeys(host.lower().rstrip(".") for host in hosts))


@dataclass(frozen=True, kw_only=True, slots=True)
class Peer:
    """Who is at the other end, as a certificate that was checked says."""

    identity: MachineIdentity
    serial: str
    """Hexadecimal, without leading zeros."""
    expires_ms: int

    def require(self, *roles: MachineRole) -> None:
        """Raises PermissionDenied unless it has one of these roles."""
        if self.identity.role not in roles:
            raise PermissionDenied(
                f"the certificate is of {self.identity.role} {self.identity.id}; this needs the certificate of "
                + " or ".join(roles)
            )

    def require_scope(self, scope: Scope | None) -> None:
        """Raises PermissionDenied unless the certificate is of this game and env."""
        if not self.identity.covers(scope):
            raise PermissionDenied(
                f"the certificate of {self.identity.id} is of {self.identity.game_id}|{self.identity.env}, "
                f"it may not speak for {scope or 'every game and env'}"
            )

    def require_id(self, claimed: str, what: str) -> None:
        """Raises PermissionDenied unless the certificate is of this very machine."""
        if claimed != self.identity.id:
            raise PermissionDenied(
                f"{what} {claimed[:128]} is not whom the certificate names: it is of {self.identity.role} {self.identity.id}"
            )


@dataclass(frozen=True, kw_only=True, slots=True)
class Certificate:
    """One that was issued here, or one of elsewhere that was revoked here. Times in milliseconds since 1970."""

    serial: str
    identity: str = ""
    """As URI; empty where only the serial is known."""
    not_before_ms: int = 0
    not_after_ms: int = 0
    issued_ms: int = 0
    issued_by: str = ""
    """Who asked: `user:ann`, `join:<token id>`, `renewal:<serial>`, `system`."""
    revoked_ms: int = 0
    """0 while it is good."""
    revoked_by: str = ""
    reason: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class JoinToken:
    """A leave to join once. What its bearer shows is not kept, only its hash."""

    id: str
    digest: str
    """SHA-256 of the secret, hexadecimal."""
    role: MachineRole
    game_id: str
    env: str
    machine_id: str = ""
    """Empty: the machine chooses its name."""
    hosts: tuple[str, ...] = ()
    """What the certificate may name besides the machine's own name."""
    created_ms: int
    created_by: str
    expires_ms: int
    used_ms: int = 0
    serial: str = ""
    """Of the certificate that was given for it."""
    revoked_ms: int = 0
