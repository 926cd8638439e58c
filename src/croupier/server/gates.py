"""Who may do what, and what stands before every call, put together."""

import asyncio
import functools
from dataclasses import dataclass

from pydantic import SecretStr

from croupier.redaction import Redactor
from croupier.server.access.addresses import Hosts
from croupier.server.access.audit import Audit
from croupier.server.access.clock import OnwardClock
from croupier.server.access.guard import Guard
from croupier.server.access.keys import DeploymentKey
from croupier.server.access.limits import Budgets, Limiter, Limits, Maintenance, Windows
from croupier.server.access.passwords import Passwords, usual_hasher
from croupier.server.access.people import People
from croupier.server.access.residents import Residents
from croupier.server.access.roles import Roles
from croupier.server.access.second_factors import SecondFactors
from croupier.server.access.secrets import PURPOSE, Envelope, Secrets
from croupier.server.access.tickets import Tickets
from croupier.server.access.ways_in import WaysIn, ways_in
from croupier.server.admission import Admission
from croupier.server.approvals import Approving
from croupier.server.dispatch.preview import preview
from croupier.server.explain import Explain
from croupier.server.explain.inspector import Inspector
from croupier.server.foundation import Foundation
from croupier.settings import SecretsSettings, ServerSettings, read_secret_key
from croupier.store.sql import system_clock


@dataclass(frozen=True, kw_only=True, slots=True)
class Gates:
    """Who may do what, and what stands before every call."""

    guard: Guard
    roles: Roles
    explain: Explain
    audit: Audit
    residents: Residents
    people: People
    ways: WaysIn
    admission: Admission
    limits: Limits
    windows: Windows
    maintenance: Maintenance
    approving: Approving
    secrets: Secrets

    async def begin(self) -> None:
        await self.ways.begin()
        await self.limits.begin()
        await self.maintenance.begin()
        await self.secrets.begin()

    async def close(self) -> None:
        self.residents.passwords.close()
        await self.ways.close()


@dataclass(frozen=True, slots=True)
class Sealing:
    """What secrets are sealed with by default, and what looks for them."""

    key: DeploymentKey
    redactor: Redactor

    async def envelope(self, settings: SecretsSettings) -> Envelope:
        """Raises FailedPrecondition when a key that is named is not there."""
        derived = self.key.derive(PURPOSE)
        now = await asyncio.to_thread(read_secret_key, settings.key_file, settings.key_env, settings.key_command)
        before = await asyncio.to_thread(read_secret_key, settings.previous_key_file, settings.previous_key_env)
        return Envelope(now or derived, [each for each in (before, derived) if each])


async def open_gates(
    settings: ServerSettings, base: Foundation, audit: Audit, sealing: Sealing, *, development: bool = False
) -> Gates:
    """`development` makes a server that issues tickets to its developer's browser."""
    store, catalog = base.store, base.catalog
    residents = Residents(
        store=store.accounts,
        clock=OnwardClock(wall=system_clock),
        passwords=Passwords(usual_hasher()),
        session_idle=settings.session_idle,
        session_lifetime=settings.session_lifetime,
    )
    await residents.begin()
    guard = Guard(
        plain(settings.token) or None,
        credentials=residents.credentials,
        hosts=Hosts((*settings.public_names, *settings.hosts)),
        audit=audit,
    )
    roles = Roles(guard=guard, store=store.policy, audit=audit, clock=system_clock)
    await roles.begin()
    guard.policy.on_change(lambda: residents.streams.end(guard.policy.lessened))
    foresee = functools.partial(preview, base.router)
    secrets = Secrets(
        guard=guard,
        audit=audit,
        store=store.secrets,
        envelope=await sealing.envelope(settings.secrets),
        redactor=sealing.redactor,
        clock=system_clock,
    )
    approving = Approving(
        settings.approvals,
        public_url=settings.public_url,
        guard=guard,
        audit=audit,
        accounts=residents.accounts,
        store=store,
        catalog=catalog,
        foresee=foresee,
        clock=system_clock,
        secrets=secrets,
        news=base.news,
    )
    factors = SecondFactors(
        guard=guard,
        audit=audit,
        store=store.second_factors,
        key=sealing.key,
        proofs=residents.sessions,
        clock=system_clock,
    )
    people = residents.people(guard=guard, audit=audit, second_factor=factors, grant_admin=roles.grant_admin)
    limiter = Limiter(budgets=Budgets(system_clock, store.guards))
    windows = Windows(system_clock)
    admission = Admission(
        guard=guard,
        catalog=catalog,
        audit=audit,
        approvals=approving.gate,
        limiter=limiter,
        windows=windows,
        repeats=store.repeats,
    )
    inspector = Inspector(
        guard=guard,
        catalog=catalog,
        limiter=limiter,
        windows=windows,
        rules=approving.gate.rules,
        foresee=foresee,
        clock=system_clock,
    )
    return Gates(
        guard=guard,
        roles=roles,
        explain=Explain(guard=guard, inspector=inspector, whois=residents.whois),
        audit=audit,
        residents=residents,
        people=people,
        ways=ways_in(
            settings.oidc,
            audit=audit,
            factors=factors,
            residents=residents,
            login=people.login,
            store=store.identities,
            key=sealing.key,
            secrets=secrets,
            clock=system_clock,
            public_url=settings.public_url or "",
            before_setup=settings.token is not None,
            tickets=_tickets(residents, roles, audit) if development else None,
        ),
        admission=admission,
        limits=Limits(guard=guard, audit=audit, store=store.guards, limiter=limiter),
        windows=windows,
        maintenance=Maintenance(guard=guard, audit=audit, store=store.guards, windows=windows),
        approving=approving,
        secrets=secrets,
    )


def _tickets(residents: Residents, roles: Roles, audit: Audit) -> Tickets:
    return Tickets(accounts=residents.accounts, clock=residents.clock, grant_admin=roles.grant_admin, audit=audit)


def plain(token: SecretStr | None) -> str:
    return token.get_secret_value() if token is not None else ""
