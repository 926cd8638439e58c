"""People without a disk, and a clock that a test turns."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from argon2 import PasswordHasher

from croupier.domain.account import Account
from croupier.domain.audit import Note
from croupier.domain.credential import ApiToken, Session
from croupier.domain.identity import IdentityLink
from croupier.domain.policy import Binding
from croupier.domain.second_factor import SecondFactor
from croupier.server.access.addresses import Hosts
from croupier.server.access.audit import Audit
from croupier.server.access.audit.masking import Masker
from croupier.server.access.guard import Guard
from croupier.server.access.keys import DeploymentKey
from croupier.server.access.passwords import Passwords
from croupier.server.access.residents import Residents
from croupier.server.access.second_factors import SecondFactors
from croupier.server.access.tickets import Tickets
from croupier.server.access.ways_in import ways_in
from croupier.store.accounts import AccountChange

PASSWORD = "correct horse battery"
NOW = 1_800_000_000_000


class TurnedClock:
    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> int:
        return self.now

    def go_on(self, *, seconds: float) -> None:
        self.now += int(seconds * 1000)


class AccountsInMemory:
    """`croupier.store.accounts.AccountStore` for as long as a test lasts."""

    def __init__(self) -> None:
        self.kept_accounts: dict[str, Account] = {}
        self.kept_sessions: dict[str, Session] = {}
        self.kept_tokens: dict[str, ApiToken] = {}
        self.refusal: Exception | None = None

    async def change(self, change: AccountChange) -> None:
        if self.refusal is not None:
            raise self.refusal
        self.kept_accounts |= {each.id: each for each in change.accounts}
        self.kept_sessions |= {each.id: each for each in change.sessions}
        self.kept_tokens |= {each.id: each for each in change.tokens}
        for session_id in change.ended_sessions:
            self.kept_sessions.pop(session_id, None)
        for token_id in change.ended_tokens:
            self.kept_tokens.pop(token_id, None)

    async def seen(self, sessions: Mapping[str, int], tokens: Mapping[str, int]) -> None:
        for session_id, at in sessions.items():
            self.kept_sessions[session_id] = replace(self.kept_sessions[session_id], seen_ms=at)
        for token_id, at in tokens.items():
            self.kept_tokens[token_id] = replace(self.kept_tokens[token_id], seen_ms=at)

    async def accounts(self) -> list[Account]:
        return list(self.kept_accounts.values())

    async def sessions(self) -> list[Session]:
        return list(self.kept_sessions.values())

    async def tokens(self) -> list[ApiToken]:
        return list(self.kept_tokens.values())


class FactorsInMemory:
    """`croupier.store.second_factors.SecondFactorStore`."""

    def __init__(self) -> None:
        self.kept: dict[str, SecondFactor] = {}

    async def put(self, factor: SecondFactor) -> None:
        self.kept[factor.user_id] = factor

    async def remove(self, user_id: str) -> None:
        self.kept.pop(user_id, None)

    async def factors(self) -> list[SecondFactor]:
        return list(self.kept.values())


class IdentitiesInMemory:
    """`croupier.store.identities.IdentityStore`."""

    def __init__(self) -> None:
        self.kept: dict[tuple[str, str], IdentityLink] = {}

    async def link(self, link: IdentityLink) -> None:
        self.kept[(link.issuer, link.subject)] = link

    async def links(self) -> list[IdentityLink]:
        return list(self.kept.values())


class NotesInMemory:
    """What `Audit` needs of `croupier.store.audit.AuditStore`."""

    def __init__(self) -> None:
        self.notes: list[Note] = []

    async def record(self, *notes: Note, durable: bool = True) -> None:
        self.notes += notes


class CountedHasher(PasswordHasher):
    """Hashes so cheaply that a test can do it a thousand times, and counts how often it was asked."""

    def __init__(self) -> None:
        super().__init__(time_cost=1, memory_cost=8, parallelism=1)
        self.verified = 0

    def cost_more(self) -> None:
        """As after an update that raises what a hash costs."""
        super().__init__(time_cost=1, memory_cost=16, parallelism=1)

    def verify(self, *asked: Any) -> Any:
        self.verified += 1
        return super().verify(*asked)


@dataclass
class PeopleTestbed:
    token: str | None = "the-one-token"
    second_factor: Any = None
    """Instead of the usual one."""
    public_names: tuple[str, ...] = ()
    store: AccountsInMemory = field(default_factory=AccountsInMemory)
    session_idle: float = 3600.0
    session_lifetime: float = 86_400.0
    guard_options: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.clock = TurnedClock()
        self.hasher = CountedHasher()
        self.audit_store = NotesInMemory()
        self.audit = Audit(self.audit_store, Masker(b"key"))
        self.admins: list[str] = []
        self.residents = Residents(
            store=self.store,
            clock=self.clock,
            passwords=Passwords(self.hasher),
            steady=lambda: self.clock.now / 1000,
            session_idle=self.session_idle,
            session_lifetime=self.session_lifetime,
        )
        self.guard = Guard(
            self.token,
            credentials=self.residents.credentials,
            hosts=Hosts(self.public_names),
            **self.guard_options,
        )
        key = DeploymentKey(bytes(32))
        self.factors = SecondFactors(
            guard=self.guard,
            audit=self.audit,
            store=FactorsInMemory(),
            key=key,
            proofs=self.residents.sessions,
            clock=self.clock,
        )
        self.guard.policy.on_change(lambda: self.residents.streams.end(self.guard.policy.lessened))
        self.people = self.residents.people(
            guard=self.guard,
            audit=self.audit,
            second_factor=self.second_factor or self.factors,
            grant_admin=self._grant,
        )
        self.ways = ways_in(
            None,
            audit=self.audit,
            factors=self.factors,
            residents=self.residents,
            login=self.people.login,
            store=IdentitiesInMemory(),
            key=key,
            clock=self.clock,
            public_url="",
            before_setup=True,
        )

    def use_tickets(self, tickets: Tickets) -> None:
        """As a server for development does."""
        self.ways = replace(self.ways, tickets=tickets)

    async def _grant(self, user_id: str) -> None:
        self.admins.append(user_id)
        self.bind(user_id, "admin")

    def bind(self, user_id: str, role: str) -> None:
        """From now on the account has the role everywhere."""
        binding = Binding(subject=f"user:{user_id}", role=role)
        self.guard.policy.use(self.guard.policy.snapshot.changed(bindings=[binding]))

    async def add(self, name: str = "ann", password: str = PASSWORD, **fields: Any) -> Account:
        hashed = await self.residents.passwords.hash(password)
        return await self.residents.accounts.add(name, password_hash=hashed, created_by="test", **fields)
