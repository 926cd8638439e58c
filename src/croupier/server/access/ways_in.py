"""What stands beside the password, put together: second factors, an identity provider where the settings name one, tickets in
development.
"""

from collections.abc import Callable
from dataclasses import dataclass

from croupier.server.access.audit import Audit
from croupier.server.access.enrolments import Enrolments
from croupier.server.access.keys import DeploymentKey
from croupier.server.access.login import Login
from croupier.server.access.oidc.fetching import Fetcher
from croupier.server.access.oidc.logins import OidcLogins, Rules
from croupier.server.access.oidc.provider import Client, Provider
from croupier.server.access.residents import Residents
from croupier.server.access.second_factors import SecondFactors
from croupier.server.access.secrets import OwnSecrets
from croupier.server.access.tickets import Tickets
from croupier.settings import OidcSettings, read_credential
from croupier.store.identities import IdentityStore

Clock = Callable[[], int]


@dataclass(frozen=True, kw_only=True, slots=True)
class WaysIn:
    factors: SecondFactors
    enrolments: Enrolments
    oidc: OidcLogins | None
    fetcher: Fetcher | None
    tickets: Tickets | None = None
    """Only of a development server."""

    async def begin(self) -> None:
        """Raises FailedPrecondition when what is kept was sealed by another key."""
        await self.factors.begin()
        if self.oidc is not None:
            await self.oidc.begin()

    async def close(self) -> None:
        if self.fetcher is not None:
            await self.fetcher.close()


def ways_in(
    settings: OidcSettings | None,
    *,
    audit: Audit,
    factors: SecondFactors,
    residents: Residents,
    login: Login,
    store: IdentityStore,
    key: DeploymentKey,
    secrets: OwnSecrets | None = None,
    clock: Clock,
    public_url: str,
    before_setup: bool,
    tickets: Tickets | None = None,
) -> WaysIn:
    """`public_url`: where browsers find this server; empty: where they called it. `before_setup`: whether the provider's people get in while nobody has an account. Raises FailedPrecondition
    where the client's secret is not where the settings say.
    """
    enrolments = Enrolments(
        factors=factors,
        accounts=residents.accounts,
        login=login,
        sessions=residents.sessions,
        clock=residents.clock,
    )
    if settings is None:
        return WaysIn(factors=factors, enrolments=enrolments, oidc=None, fetcher=None, tickets=tickets)
    fetcher = Fetcher(seconds=settings.timeout)
    oidc = OidcLogins(
        _rules(settings, public_url=public_url, before_setup=before_setup),
        audit=audit,
        provider=Provider(_client(settings), fetcher=fetcher, clock=clock, secrets=secrets),
        key=key,
        accounts=residents.accounts,
        login=login,
        store=store,
        clock=clock,
    )
    return WaysIn(factors=factors, enrolments=enrolments, oidc=oidc, fetcher=fetcher, tickets=tickets)


def _client(settings: OidcSettings) -> Client:
    return Client(
        issuer=settings.issuer,
        client_id=settings.client_id,
        secret=read_credential(settings.client_secret_env, settings.client_secret_file),
        scopes=settings.scopes,
        secret_name=settings.client_secret_name,
    )


def _rules(settings: OidcSettings, *, public_url: str, before_setup: bool) -> Rules:
    return Rules(
        name=settings.name,
        issuer=settings.issuer,
        public_url=public_url,
        groups_claim=settings.groups_claim,
        groups=settings.groups,
        domains=settings.allowed_domains,
        before_setup=before_setup,
    )
