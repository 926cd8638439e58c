"""Letting in whom the provider let in."""

import asyncio
import hashlib
import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from croupier.domain.account import NAME_CHARACTERS, Account
from croupier.domain.identifiers import new_id
from croupier.domain.identity import Identity, IdentityLink
from croupier.domain.principal import Principal
from croupier.errors import FailedPrecondition, InvalidArgument, PermissionDenied, Unauthenticated
from croupier.server.access.accounts import Accounts
from croupier.server.access.audit import Audit
from croupier.server.access.keys import DeploymentKey
from croupier.server.access.login import Login, SignedIn, Visitor
from croupier.server.access.oidc.attempt import (
    LIFETIME_MS,
    Attempt,
    begin_again,
    new_attempt,
    open_attempt,
    seal_attempt,
)
from croupier.server.access.oidc.claims import read_identity
from croupier.server.access.oidc.provider import Provider
from croupier.store.identities import IdentityStore

CALLBACK = "/api/login/oidc/callback"
PARAMETER_CHARACTERS = 4_096
_SPENT = 10_000
"""Attempts that were used, and are remembered so that they are not used again."""

Clock = Callable[[], int]

ACTION = "login.oidc"

_log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True, slots=True)
class Rules:
    """What of the provider's word counts here."""

    name: str
    """What people call the provider."""
    issuer: str
    public_url: str
    """Of this server; empty: the address that the browser calls it by."""
    groups_claim: str
    groups: Mapping[str, Sequence[str]]
    domains: Sequence[str]
    before_setup: bool = False
    """Whether people get in while nobody has set this server up: else who comes first would close the door behind them."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Sent:
    """A browser on its way to the provider."""

    location: str = field(repr=False)
    cookie: str = field(repr=False)


@dataclass(frozen=True, kw_only=True, slots=True)
class Returned:
    """A browser that came back and was let in."""

    signed_in: SignedIn
    return_to: str


class OidcLogins:
    def __init__(
        self,
        rules: Rules,
        *,
        audit: Audit,
        provider: Provider,
        key: DeploymentKey,
        accounts: Accounts,
        login: Login,
        store: IdentityStore,
        clock: Clock,
    ) -> None:
        self._rules = rules
        self._audit = audit
        self._provider = provider
        self._seal = key.seal_for("oidc.attempt")
        self._accounts = accounts
        self._login = login
        self._store = store
        self._clock = clock
        self._links: dict[tuple[str, str], str] = {}
        self._spent: dict[str, int] = {}
        """States of attempts, and when they were used; the oldest first."""
        self._admitting = asyncio.Lock()

    @property
    def name(self) -> str:
        return self._rules.name

    async def begin(self) -> None:
        self._links = {(link.issuer, link.subject): link.user_id for link in await self._store.links()}

    async def send(self, called_by: str, return_to: str) -> Sent:
        """`called_by` is the address under which the browser calls this server, `http://host:port`.

        Raises InvalidArgument for an address to return to that is not ours, Unavailable when the provider cannot be used.
        """
        self._check_set_up()
        attempt = new_attempt(
            issuer=self._rules.issuer,
            redirect_uri=(self._rules.public_url or called_by) + CALLBACK,
            return_to=return_to,
            now_ms=self._clock(),
        )
        location = await self._provider.authorization_url(attempt)
        return Sent(location=location, cookie=seal_attempt(self._seal, attempt))

    async def receive(self, visitor: Visitor, cookie: str, answer: Mapping[str, str]) -> Returned:
        """`answer` is what the provider sent the browser back with: `state`, and `code` or `error`.

        Raises Unauthenticated, PermissionDenied, Unavailable.
        """
        attempt = open_attempt(self._seal, cookie, self._clock())
        self._check_set_up()
        code = await self._checked_code(attempt, answer)
        try:
            identity = await self._identity(code, attempt)
        except (Unauthenticated, PermissionDenied) as error:
            _log.warning("a sign-in by %s from %s was refused: %s", self._rules.name, visitor.address, error.message)
            await self._audit.denied(Principal(name="", kind="nobody", address=visitor.address), ACTION, error)
            raise
        return Returned(signed_in=await self._admit(visitor, identity), return_to=attempt.return_to)

    async def _identity(self, code: str, attempt: Attempt) -> Identity:
        return read_identity(
            await self._provider.redeem(code, attempt),
            issuer=self._rules.issuer,
            groups_claim=self._rules.groups_claim,
            groups=self._rules.groups,
            domains=self._rules.domains,
        )

    async def _admit(self, visitor: Visitor, identity: Identity) -> SignedIn:
        user_id = self._links.get((identity.issuer, identity.subject), "")
        person = Principal(
            name=identity.name, kind="user", user_id=user_id, groups=identity.groups, address=visitor.address
        )
        details = {"issuer": identity.issuer, "subject": identity.subject, "groups": sorted(identity.groups)}
        async with self._audit.act(person, ACTION, target=user_id, details=details) as act:
            account = await self._account(identity)
            act.add(user_id=account.id, name=account.name)
            if account.disabled:
                raise PermissionDenied("this account is disabled here: ask an administrator")
            return await self._login.open(visitor, account)

    def _check_set_up(self) -> None:
        if not self._rules.before_setup and not len(self._accounts):
            raise FailedPrecondition("nobody has set this server up: open the link that it printed when it started")

    # -------------------------------------------------------------------------------------------- the answer

    async def _checked_code(self, attempt: Attempt, answer: Mapping[str, str]) -> str:
        if any(len(value) > PARAMETER_CHARACTERS for value in answer.values()):
            raise InvalidArgument("the answer of the identity provider is too long")
        if attempt.issuer != self._rules.issuer or not attempt.is_of(answer.get("state", "")):
            raise begin_again("this answer belongs to no login that this browser has begun")
        self._spend(attempt)
        issuer = answer.get("iss")
        if issuer is None and (await self._provider.metadata()).names_itself:
            raise begin_again("the identity provider did not say who it is (`iss`)")
        if issuer is not None and issuer != self._rules.issuer:
            raise begin_again("another identity provider answered than was asked")
        if "error" in answer:
            raise Unauthenticated(f"{self._rules.name} did not let you in ({answer['error'][:100]!a})")
        code = answer.get("code", "")
        if not code:
            raise begin_again("the identity provider sent no code")
        return code

    def _spend(self, attempt: Attempt) -> None:
        now_ms = self._clock()
        if attempt.state in self._spent:
            raise begin_again("this login was used already")
        for state, used_ms in list(self._spent.items()):
            if now_ms - used_ms <= 2 * LIFETIME_MS and len(self._spent) < _SPENT:
                break
            del self._spent[state]
        self._spent[attempt.state] = now_ms

    # -------------------------------------------------------------------------------------------- the account

    async def _account(self, identity: Identity) -> Account:
        """Whose it is, with what the provider says of them now; made when they are here for the first time."""
        async with self._admitting:
            user_id = await self._linked(identity)
            told = {"groups": identity.groups, "display_name": identity.display_name, "email": identity.email}
            known = self._accounts.get(user_id)
            if known is None:
                return await self._accounts.add(
                    self._free_name(identity), user_id=user_id, created_by=f"oidc:{identity.issuer}", **told
                )
            return known if known.disabled else await self._accounts.change(user_id, **told)

    async def _linked(self, identity: Identity) -> str:
        """The account's id, written down before there is an account: whoever is cut off in between gets it next time."""
        who = (identity.issuer, identity.subject)
        user_id = self._links.get(who)
        if user_id is None:
            user_id = new_id("u")
            await self._store.link(
                IdentityLink(issuer=identity.issuer, subject=identity.subject, user_id=user_id, linked_ms=self._clock())
            )
            self._links[who] = user_id
        return user_id

    def _free_name(self, identity: Identity) -> str:
        """What they are called there, unless somebody is called so here: nobody gets another's account by a name."""
        wish = identity.name or "user"
        if identity.name and self._accounts.named(wish) is None:
            return wish
        mark = hashlib.sha256(f"{identity.issuer}\n{identity.subject}".encode()).hexdigest()
        for length in (6, 12, 24):
            name = f"{wish[: NAME_CHARACTERS - length - 1]}-{mark[:length]}"
            if self._accounts.named(name) is None:
                return name
        return mark[:NAME_CHARACTERS]
