"""Signing in by an identity provider: a server, a provider and a browser, each a process or what speaks like one."""

import json
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import aiohttp
import pytest
import pytest_asyncio
from tests.system.stage import HERE, TOKEN, Stage, free_port, until
from yarl import URL

pytestmark = pytest.mark.asyncio(loop_scope="module")

SECRET = "s3cret+/=-of-the-client"
OIDC = {
    "client_id": "croupier",
    "client_secret_env": "IDP_SECRET",
    "name": "Example",
    "timeout": "1s",
    "groups": {"ops": ["operators"], "qa": ["testers", "viewers"]},
}


class Bed:
    """A server that knows a provider."""

    def __init__(self, root: Path) -> None:
        self.stage = Stage(root)
        port = free_port()
        self.issuer = f"http://127.0.0.1:{port}"
        self.provider = self.stage.program(
            "provider", sys.executable, str(HERE / "oidc_provider.py"), "--port", str(port), "--secret", SECRET
        )
        oidc = json.dumps(OIDC | {"issuer": self.issuer})
        self.stage.server.variables = {
            "CROUPIER_SERVER_OIDC": oidc,
            "IDP_SECRET": SECRET,
            "CROUPIER_SERVER_TOKEN": TOKEN,
        }
        self.url = f"http://{self.stage.http}"

    async def control(self, **orders: Any) -> None:
        async with aiohttp.ClientSession() as session, session.post(f"{self.issuer}/control", json=orders) as answer:
            assert answer.status == 200

    async def asked(self) -> dict[str, int]:
        async with aiohttp.ClientSession() as session, session.get(f"{self.issuer}/asked") as answer:
            found: dict[str, int] = await answer.json()
            return found

    async def ready(self) -> None:
        async def answers() -> bool:
            try:
                async with aiohttp.ClientSession() as session, session.get(f"{self.url}/readyz") as answer:
                    await self.control()
                    return answer.status == 200
            except aiohttp.ClientError:
                assert self.stage.server.process.returncode is None, self.stage.server.text()
                return False

        await until(answers, "server and provider are ready")


class Browser:
    """Keeps cookies, and follows one step at a time."""

    def __init__(self, bed: Bed) -> None:
        self.bed = bed
        self.session = aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True))

    async def get(self, url: str) -> tuple[int, str, Any]:
        """Status, where to go next, and what was said."""
        async with self.session.get(
            url if url.startswith("http") else self.bed.url + url, allow_redirects=False
        ) as answer:
            text = await answer.text()
            return answer.status, answer.headers.get("Location", ""), json.loads(text) if text[:1] == "{" else text

    async def begin(self, return_to: str = "/players?x=1") -> str:
        status, location, said = await self.get(f"/api/login/oidc?return_to={return_to}")
        assert status == 303, said
        assert location.startswith(f"{self.bed.issuer}/authorize?")
        return location

    async def at_provider(self, location: str, login_as: str = "ann", *, deny: bool = False) -> str:
        status, back, _ = await self.get(f"{location}&login_as={login_as}{'&deny' if deny else ''}")
        assert status == 302
        assert back.startswith(f"{self.bed.url}/api/login/oidc/callback?")
        return back

    async def sign_in(self, login_as: str = "ann") -> tuple[int, str, Any]:
        return await self.get(await self.at_provider(await self.begin(), login_as))

    async def me(self) -> Any:
        status, _, said = await self.get("/api/me")
        return said if status == 200 else None

    def cookies(self) -> set[str]:
        return {cookie.key for cookie in self.session.cookie_jar}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def bed(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Bed]:
    bed = Bed(tmp_path_factory.mktemp("oidc"))
    async with bed.stage, bed.provider, bed.stage.server:
        await bed.ready()
        yield bed


@pytest_asyncio.fixture(loop_scope="module")
async def browser(bed: Bed) -> AsyncIterator[Browser]:
    await bed.control()
    browser = Browser(bed)
    yield browser
    await browser.session.close()


async def test_whom_the_provider_lets_in_is_signed_in_and_returns_to_where_they_were(browser: Browser) -> None:
    await browser.bed.control(claims={"groups": ["ops", "unknown"]})
    assert await browser.me() is None
    assert await browser.sign_in() == (303, "/players?x=1", "")
    me = await browser.me()
    assert (me["name"], me["user"]["groups"]) == ("ann", ["operators"])
    assert browser.cookies() == {"croupier_session"}


async def test_groups_are_those_of_the_last_sign_in(browser: Browser) -> None:
    for claimed, held in ((["qa"], ["testers", "viewers"]), (["ops"], ["operators"]), (None, [])):
        await browser.bed.control(claims={"groups": claimed})
        assert (await browser.sign_in("gus"))[0] == 303
        assert (await browser.me())["user"]["groups"] == held


async def test_what_a_group_of_the_provider_may_do_its_people_may_for_as_long_as_they_are_in_it(
    browser: Browser,
) -> None:
    headers = {"Authorization": f"Bearer {TOKEN}"}
    binding = {"subject": "group:testers", "role": "admin"}
    async with browser.session.post(f"{browser.bed.url}/api/bindings", json=binding, headers=headers) as answer:
        assert answer.status == 200, await answer.text()
    for claimed, status in ((["ops"], 403), (["qa"], 200), (["ops"], 403)):
        await browser.bed.control(claims={"groups": claimed})
        assert (await browser.sign_in("rio"))[0] == 303
        assert (await browser.get("/api/users"))[0] == status


async def test_the_same_person_has_the_same_account_under_any_name(browser: Browser) -> None:
    await browser.sign_in("kim")
    first = await browser.me()
    await browser.bed.control(claims={"preferred_username": "kim2", "email": "other@example.org"})
    await browser.sign_in("kim")
    assert (await browser.me())["user"]["user_id"] == first["user"]["user_id"]


async def test_another_person_of_the_same_name_and_address_has_another_account(browser: Browser) -> None:
    await browser.sign_in("lee")
    first = await browser.me()
    await browser.bed.control(claims={"preferred_username": "LEE", "email": "lee@example.org"})
    await browser.sign_in("mallory")
    second = await browser.me()
    assert second["user"]["user_id"] != first["user"]["user_id"]
    assert second["name"].startswith("LEE-")


@pytest.mark.parametrize(
    "claims",
    [
        {"nonce": "wrong"},
        {"nonce": None},
        {"aud": "another-client"},
        {"aud": ["croupier", "another"]},
        {"azp": "another-client"},
        {"exp": "-120"},
        {"exp": None},
        {"iat": "+3600"},
        {"iat": "-3600"},
        {"nbf": "+3600"},
        {"iss": "https://evil.example"},
        {"sub": None},
        {"sub": ""},
    ],
    ids=str,
)
async def test_a_token_with_a_wrong_claim_lets_nobody_in(browser: Browser, claims: dict[str, Any]) -> None:
    await browser.bed.control(claims=claims)
    status, _, problem = await browser.sign_in("zoe")
    assert (status, problem["reason"]) == (401, "unauthenticated")
    assert await browser.me() is None


@pytest.mark.parametrize("how", ["alg_none", "hs256_with_public_key", "other_key", "key_in_header"])
async def test_a_forged_signature_lets_nobody_in(browser: Browser, how: str) -> None:
    await browser.bed.control(misbehave=how)
    status, _, problem = await browser.sign_in("zoe")
    assert (status, problem["reason"]) == (401, "unauthenticated")
    assert "token is refused" in problem["detail"]
    assert await browser.me() is None


@pytest.mark.parametrize(
    "how",
    [
        "no_id_token",
        "not_json",
        "a_list",
        "huge",
        "gzip_bomb",
        "hang",
        "half",
        "redirect",
        "error_500",
        "refuse_client",
    ],
)
async def test_a_provider_that_misbehaves_lets_nobody_in_and_is_not_waited_for(browser: Browser, how: str) -> None:
    await browser.bed.control(misbehave=how)
    status, _, problem = await browser.sign_in("zoe")
    assert (status, problem["reason"]) == (503, "unavailable")
    assert "secret stack trace" not in json.dumps(problem)
    assert SECRET not in json.dumps(problem)
    assert await browser.me() is None


@pytest.mark.parametrize("how", ["huge_keys", "hang_keys"])
async def test_keys_that_cannot_be_read_let_nobody_in(browser: Browser, how: str) -> None:
    await browser.bed.control(misbehave=how, rotate=True)
    status, _, problem = await browser.sign_in("zoe")
    assert (status, problem["reason"]) == (503, "unavailable")


async def test_a_provider_may_change_its_keys(browser: Browser) -> None:
    assert (await browser.sign_in())[0] == 303
    await browser.bed.control(rotate=True)
    before = (await browser.bed.asked())["keys"]
    assert (await browser.sign_in())[0] == 303
    assert (await browser.sign_in())[0] == 303
    assert (await browser.bed.asked())["keys"] == before + 1


async def test_a_code_is_worth_nothing_in_another_browser(browser: Browser) -> None:
    back = await browser.at_provider(await browser.begin())
    other = Browser(browser.bed)
    for begun in (False, True):
        if begun:
            await other.begin()
        status, _, problem = await other.get(back)
        assert (status, problem["reason"]) == (401, "unauthenticated")
        assert "begin again" in problem["detail"]
    assert await other.me() is None
    await other.session.close()
    assert (await browser.get(back))[0] == 303


async def test_an_answer_counts_once(browser: Browser) -> None:
    location = await browser.begin()
    kept = {cookie.key: cookie.value for cookie in browser.session.cookie_jar}
    back = await browser.at_provider(location)
    assert (await browser.get(back))[0] == 303
    browser.session.cookie_jar.clear()
    browser.session.cookie_jar.update_cookies(kept, URL(f"{browser.bed.url}/api/login/oidc"))
    status, _, problem = await browser.get(back)
    assert status == 401
    assert "used already" in problem["detail"]


@pytest.mark.parametrize(
    "change",
    [{"state": "x"}, {"state": None}, {"code": None}, {"code": "x"}, {"iss": "https://evil.example"}],
    ids=str,
)
async def test_an_answer_that_was_changed_on_the_way_lets_nobody_in(browser: Browser, change: dict[str, Any]) -> None:
    back = await browser.at_provider(await browser.begin())
    query = {name: value for name, (value,) in parse_qs(urlsplit(back).query).items()} | change
    kept = "&".join(f"{name}={value}" for name, value in query.items() if value is not None)
    status, _, problem = await browser.get(f"/api/login/oidc/callback?{kept}")
    assert (status, problem["reason"]) == (401, "unauthenticated")
    assert await browser.me() is None


async def test_an_answer_that_says_something_twice_is_refused(browser: Browser) -> None:
    back = await browser.at_provider(await browser.begin())
    status, _, problem = await browser.get(f"{back}&code=another")
    assert (status, problem["reason"]) == (400, "invalid_argument")


async def test_who_is_disabled_here_stays_out(browser: Browser) -> None:
    await browser.sign_in("dan")
    user_id = (await browser.me())["user"]["user_id"]
    headers = {"Authorization": f"Bearer {TOKEN}"}
    async with browser.session.post(f"{browser.bed.url}/api/users/{user_id}/disable", headers=headers) as answer:
        assert answer.status == 200
    assert await browser.me() is None
    status, _, problem = await browser.sign_in("dan")
    assert (status, problem["reason"]) == (403, "permission_denied")
    assert "disabled here" in problem["detail"]


async def test_a_code_for_another_verifier_is_refused_by_the_provider(browser: Browser) -> None:
    """PKCE: an attacker's code, put into the victim's browser with the victim's state, is exchanged for nothing."""
    attacker = Browser(browser.bed)
    stolen = parse_qs(urlsplit(await attacker.at_provider(await attacker.begin(), "eve")).query)["code"][0]
    state = parse_qs(urlsplit(await browser.begin()).query)["state"][0]
    status, _, problem = await browser.get(f"/api/login/oidc/callback?code={stolen}&state={state}")
    assert (status, problem["reason"]) == (401, "unauthenticated")
    assert await browser.me() is None
    await attacker.session.close()


async def test_whom_the_provider_does_not_let_in_is_told_so(browser: Browser) -> None:
    back = await browser.at_provider(await browser.begin(), deny=True)
    status, _, problem = await browser.get(back)
    assert status == 401
    assert "Example did not let you in ('access_denied')" in problem["detail"]


@pytest.mark.parametrize(
    "path", ["//evil.example", "https://evil.example", "/%5Cevil.example", "", "/%0d%0aSet-Cookie:a=b"]
)
async def test_nobody_is_sent_away_from_here(browser: Browser, path: str) -> None:
    status, _, problem = await browser.get(f"/api/login/oidc?return_to={path}")
    assert (status, problem["reason"]) == (400, "invalid_argument")


async def test_the_page_learns_how_one_can_sign_in(browser: Browser) -> None:
    status, _, said = await browser.get("/api/login/methods")
    assert (status, said) == (200, {"password": True, "providers": [{"name": "Example", "path": "/api/login/oidc"}]})


async def test_a_link_to_a_person_survives_a_restart(browser: Browser) -> None:
    await browser.sign_in("kim")
    first = (await browser.me())["user"]["user_id"]
    await browser.bed.stage.server.kill()
    await browser.bed.stage.server.start()
    await browser.bed.ready()
    await browser.sign_in("kim")
    assert (await browser.me())["user"]["user_id"] == first


@pytest.mark.parametrize("how", ["hang_configuration", "other_issuer", "plain_endpoint"])
async def test_a_provider_that_is_not_who_it_should_be_is_sent_nobody(browser: Browser, how: str) -> None:
    await browser.bed.stage.server.kill()
    await browser.bed.stage.server.start()
    await browser.bed.ready()
    await browser.bed.control(misbehave=how)
    status, _, problem = await browser.get("/api/login/oidc")
    assert (status, problem["reason"]) == (503, "unavailable")
    await browser.bed.control()

    async def asked_again() -> bool:
        return (await browser.get("/api/login/oidc"))[0] == 303

    await until(asked_again, "the provider is asked again")
    assert (await browser.sign_in())[0] == 303
