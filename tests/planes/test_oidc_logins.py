"""Who somebody of an identity provider is here: accounts, groups and sessions, over a store and a provider on loopback."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import aiohttp
import orjson
import pytest
from aiohttp import web
from argon2 import PasswordHasher
from pydantic import SecretStr
from tests.system.oidc_provider import Provider as FakeProvider

from croupier.domain.audit import AuditFilter
from croupier.domain.principal import Principal
from croupier.domain.secret import SecretPlace
from croupier.errors import CroupierError, FailedPrecondition, PermissionDenied, RateLimited, Unauthenticated
from croupier.redaction import Redactor
from croupier.server.access.accounts import Accounts
from croupier.server.access.audit import Audit, Masker
from croupier.server.access.epoch import Epoch
from croupier.server.access.guard import Guard
from croupier.server.access.keys import DeploymentKey
from croupier.server.access.login import Login, Visitor
from croupier.server.access.oidc.fetching import Fetcher, ProviderFailed
from croupier.server.access.oidc.logins import OidcLogins, Returned, Rules
from croupier.server.access.oidc.provider import AT_ONCE, Client, Provider
from croupier.server.access.passwords import Passwords
from croupier.server.access.second_factors import SecondFactors
from croupier.server.access.secrets import Envelope, Secrets
from croupier.server.access.sessions import Sessions
from croupier.server.access.throttle import Throttle
from croupier.store.sql import open_store, system_clock

HERE = "http://127.0.0.1:8080"
VISITOR = Visitor(address="127.0.0.1", agent="test")
DAY_MS = 86_400_000


class Bed:
    def __init__(self, store: Any, fake: FakeProvider, *, secret_name: str | None = None, **rules: Any) -> None:
        self.fake = fake
        self.store = store
        epoch = Epoch()
        self.accounts = Accounts(store=store.accounts, clock=system_clock, epoch=epoch)
        self.sessions = Sessions(
            store=store.accounts, clock=system_clock, epoch=epoch, idle_ms=DAY_MS, lifetime_ms=DAY_MS
        )
        audit = Audit(store.audit, Masker(bytes(32)))
        key = DeploymentKey(bytes(32))
        factors = SecondFactors(
            guard=Guard("the-one-token"),
            audit=audit,
            store=store.second_factors,
            key=key,
            proofs=self.sessions,
            clock=system_clock,
        )
        login = Login(
            accounts=self.accounts,
            sessions=self.sessions,
            passwords=Passwords(PasswordHasher(time_cost=1, memory_cost=8)),
            throttle=Throttle(),
            clock=system_clock,
            second_factor=factors,
            audit=audit,
        )
        self.fetcher = Fetcher(seconds=5.0)
        self.secrets = Secrets(
            guard=Guard("the-one-token"),
            audit=audit,
            store=store.secrets,
            envelope=Envelope(bytes(32)),
            redactor=Redactor(),
            clock=system_clock,
        )
        client = Client(
            issuer=fake.issuer,
            client_id="croupier",
            secret=None if secret_name else SecretStr(fake.secret),
            scopes=("openid",),
            secret_name=secret_name,
        )
        self.logins = OidcLogins(
            Rules(
                **{
                    "name": "Example",
                    "issuer": fake.issuer,
                    "public_url": "",
                    "groups_claim": "groups",
                    "groups": {},
                    "domains": (),
                    "before_setup": True,
                }
                | rules
            ),
            audit=audit,
            provider=Provider(client, fetcher=self.fetcher, clock=system_clock, secrets=self.secrets),
            key=key,
            accounts=self.accounts,
            login=login,
            store=store.identities,
            clock=system_clock,
        )

    async def begin(self) -> None:
        await self.accounts.begin()
        await self.sessions.begin()
        await self.secrets.begin()
        await self.logins.begin()

    async def answer(self, login_as: str) -> tuple[str, dict[str, str]]:
        """The cookie, and what the provider answers."""
        sent = await self.logins.send(HERE, "/")
        async with (
            aiohttp.ClientSession() as session,
            session.get(f"{sent.location}&login_as={login_as}", allow_redirects=False) as response,
        ):
            back = response.headers["Location"]
        assert back.startswith(f"{HERE}/api/login/oidc/callback?")
        return sent.cookie, dict(parse_qsl(urlsplit(back).query))

    async def sign_in(self, login_as: str = "ann", **claims: Any) -> Returned:
        self.fake.claims = claims
        cookie, answer = await self.answer(login_as)
        return await self.logins.receive(VISITOR, cookie, answer)


@pytest.fixture
async def fake() -> AsyncIterator[FakeProvider]:
    provider = FakeProvider("", "croupier", "s3cret+/=")
    runner = web.AppRunner(provider.app())
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    provider.issuer = f"http://127.0.0.1:{runner.addresses[0][1]}"
    yield provider
    provider.never.set()
    await runner.cleanup()


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Any]:
    opened = await open_store(tmp_path / "croupier.db")
    yield opened
    await opened.close()


@pytest.fixture
async def bed(store: Any, fake: FakeProvider) -> AsyncIterator[Bed]:
    made = Bed(store, fake)
    await made.begin()
    yield made
    await made.fetcher.close()


async def test_the_first_sign_in_makes_an_account_without_a_password(bed):
    signed_in = (await bed.sign_in(groups=["ops"])).signed_in
    account = bed.accounts.get(signed_in.session.user_id)
    assert (account.name, account.display_name, account.email) == ("ann", "Ann Lee", "ann@example.org")
    assert account.groups == {"ops"}
    assert account.password_hash == ""
    assert account.created_by == f"oidc:{bed.fake.issuer}"
    assert signed_in.session.proved_ms == 0


async def test_of_two_first_sign_ins_at_once_both_get_one_account(bed):
    answers = [await bed.answer("ann") for _ in range(5)]
    ends = await asyncio.gather(*(bed.logins.receive(VISITOR, *answer) for answer in answers))
    assert len({end.signed_in.account.id for end in ends}) == 1
    assert len(bed.accounts) == 1


async def test_nobody_gets_a_local_account_by_its_name_or_address(bed):
    local = await bed.accounts.add("ann", email="ann@example.org", password_hash="x", created_by="root")
    account = (await bed.sign_in("ann")).signed_in.account
    assert account.id != local.id
    assert account.name.startswith("ann-")
    assert bed.accounts.get(local.id) == local


async def test_somebody_whom_the_provider_does_not_name_has_a_name_all_the_same(bed):
    first = (await bed.sign_in("a1", preferred_username=None, email=None)).signed_in.account
    second = (await bed.sign_in("a2", preferred_username="\u0000", email=None)).signed_in.account
    assert first.name.startswith("user-")
    assert second.name.startswith("user-")
    assert first.name != second.name


async def test_who_is_disabled_here_stays_out_and_keeps_nothing_new(bed):
    account = (await bed.sign_in(groups=["ops"])).signed_in.account
    await bed.accounts.change(account.id, disabled=True)
    with pytest.raises(PermissionDenied, match="disabled here"):
        await bed.sign_in(groups=["boss"])
    assert bed.accounts.get(account.id).groups == {"ops"}


async def test_groups_that_are_taken_away_at_the_provider_are_gone_here_too(bed):
    account = (await bed.sign_in(groups=["ops", "boss"])).signed_in.account
    await bed.sign_in(groups=["ops"])
    assert bed.accounts.get(account.id).groups == {"ops"}
    await bed.sign_in(groups=None)
    assert bed.accounts.get(account.id).groups == frozenset()


async def test_whoever_is_cut_off_between_link_and_account_gets_the_account_next_time(bed, store):
    cookie, answer = await bed.answer("ann")
    refused = bed.accounts.add

    async def cut_off(*_, **__):
        raise asyncio.CancelledError

    bed.accounts.add = cut_off
    with pytest.raises(asyncio.CancelledError):
        await bed.logins.receive(VISITOR, cookie, answer)
    bed.accounts.add = refused
    (link,) = await store.identities.links()
    assert (await bed.sign_in("ann")).signed_in.account.id == link.user_id


async def test_people_are_known_again_after_a_restart(bed, store, fake):
    account = (await bed.sign_in("ann")).signed_in.account
    again = Bed(store, fake)
    await again.begin()
    assert (await again.sign_in("ann")).signed_in.account.id == account.id
    await again.fetcher.close()


async def test_nobody_comes_before_the_server_is_set_up(store, fake):
    bed = Bed(store, fake, before_setup=False)
    with pytest.raises(FailedPrecondition, match="set this server up"):
        await bed.logins.send(HERE, "/")
    await bed.accounts.add("root", created_by="setup")
    assert (await bed.sign_in("ann")).signed_in.account.name == "ann"
    await bed.fetcher.close()


async def test_only_people_of_the_allowed_domains_get_an_account(store, fake):
    bed = Bed(store, fake, domains=("studio.example",))
    for claims in ({}, {"email": "ann@studio.example", "email_verified": False}, {"email": None}):
        with pytest.raises(PermissionDenied):
            await bed.sign_in("ann", **claims)
    assert len(bed.accounts) == 0
    await bed.sign_in("ann", email="ann@studio.example")
    await bed.fetcher.close()


async def test_the_client_s_secret_can_be_one_that_the_server_keeps_and_its_uses_are_on_record(store, fake, caplog):
    bed = Bed(store, fake, secret_name="idp.client")
    await bed.begin()
    with pytest.raises(ProviderFailed, match="does not have what it needs"):
        await bed.sign_in("ann")
    assert "idp.client" in caplog.text
    await bed.secrets.set(
        Principal(name="ann", root=True), SecretPlace(name="idp.client"), fake.secret.encode() + b"\n"
    )

    assert (await bed.sign_in("ann")).signed_in.account.name == "ann"

    (used,) = (await store.audit.search(AuditFilter(action="secrets.use"), 10)).rows
    assert fake.issuer in orjson.loads(used.row)["details"]
    await bed.fetcher.close()


async def test_a_provider_that_says_it_names_itself_must_do_so(bed, fake):
    fake.metadata = {"authorization_response_iss_parameter_supported": True}
    with pytest.raises(Unauthenticated, match="`iss`"):
        await bed.sign_in("ann")
    cookie, answer = await bed.answer("ann")
    assert await bed.logins.receive(VISITOR, cookie, answer | {"iss": fake.issuer})


async def test_an_answer_longer_than_any_is_refused(bed):
    cookie, answer = await bed.answer("ann")
    with pytest.raises(CroupierError, match="too long"):
        await bed.logins.receive(VISITOR, cookie, answer | {"code": "x" * 5000})


async def test_a_provider_that_hangs_is_asked_once_for_all_who_wait_and_again_later(store, fake):
    fake.misbehave = "hang_configuration"
    bed = Bed(store, fake)
    bed.fetcher._limits = aiohttp.ClientTimeout(total=0.2)
    ends = await asyncio.gather(*(bed.logins.send(HERE, "/") for _ in range(20)), return_exceptions=True)
    assert all(isinstance(end, ProviderFailed) for end in ends)
    assert fake.asked["configuration"] == 1
    await bed.fetcher.close()


async def test_more_exchanges_than_are_possible_at_once_are_refused(bed, fake):
    answers = [await bed.answer("ann") for _ in range(AT_ONCE + 1)]
    fake.misbehave = "hang"
    waiting = [asyncio.ensure_future(bed.logins.receive(VISITOR, *answer)) for answer in answers]
    await fake.hanging.wait()
    done, _ = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
    (refused,) = done
    assert isinstance(refused.exception(), RateLimited)
    for each in waiting:
        each.cancel()
    await asyncio.gather(*waiting, return_exceptions=True)
    fake.misbehave = ""
    fake.never.set()
    assert await bed.sign_in("ann")


async def test_a_browser_that_leaves_while_the_provider_hangs_frees_everything(bed, fake):
    cookie, answer = await bed.answer("ann")
    fake.misbehave = "hang"
    waiting = asyncio.ensure_future(bed.logins.receive(VISITOR, cookie, answer))
    await fake.hanging.wait()
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    fake.misbehave = ""
    fake.never.set()
    assert await bed.sign_in("ann")
