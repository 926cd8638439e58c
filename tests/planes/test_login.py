"""Signing in, staying in and being put out, over the whole HTTP side."""

import asyncio
import re

import pytest
from tests.planes.http_testbed import Testbed
from tests.planes.people_testbed import PASSWORD, PeopleTestbed

from croupier.domain.job import JobState
from croupier.errors import Unauthenticated, Unavailable
from croupier.server.access.login import Visitor

HERE = Visitor(address="192.0.2.1")
PATIENCE = 90.0
"""Seconds after which a stream counts as not ended."""


class Page:
    """A browser: keeps the cookie, and sends the CSRF token where a page would."""

    def __init__(self, bed: Testbed, *, client: str = "192.0.2.1", host: str = "localhost:8080") -> None:
        self.bed = bed
        self.client = client
        self.host = host
        self.cookie = ""
        self.csrf = ""

    async def send(self, method, path, *, csrf=None, headers=(), **sent):
        told = dict(headers)
        if self.cookie:
            told["Cookie"] = self.cookie
        token = self.csrf if csrf is None else csrf
        if token:
            told["X-CSRF-Token"] = token
        reply = await self.bed.request(
            method, path, token=None, headers=told, client=self.client, host=self.host, **sent
        )
        if (given := reply.headers.get("set-cookie")) is not None:
            self.cookie = given.split(";")[0]
        return reply

    async def sign_in(self, name="ann", password=PASSWORD, **more):
        reply = await self.send("POST", "/api/login", json={"name": name, "password": password, **more}, csrf="")
        if reply.status == 200:
            self.csrf = reply.json["csrf_token"]
        return reply


@pytest.fixture
async def bed():
    found = Testbed(residence=PeopleTestbed())
    account = await found.residence.add("ann", groups=frozenset({"ops"}))
    found.residence.bind(account.id, "admin")
    return found


@pytest.fixture
async def page(bed):
    found = Page(bed)
    assert (await found.sign_in()).status == 200
    return found


# ------------------------------------------------------------------------------------------------ in and out


async def test_who_signs_in_is_known_from_then_on(bed):
    page = Page(bed)
    reply = await page.sign_in()
    assert reply.json["user"]["name"] == "ann"
    assert reply.json["user"]["groups"] == ["ops"]
    me = (await page.send("GET", "/api/me")).json
    assert (me["name"], me["kind"], me["root"], me["csrf_token"]) == ("ann", "user", False, page.csrf)


async def test_the_cookie_is_out_of_reach_of_scripts_and_of_other_sites(bed):
    header = (await Page(bed).sign_in()).headers["set-cookie"]
    assert re.fullmatch(r"croupier_session=crs_\w+_[\w-]{43}; Path=/; Max-Age=86400; HttpOnly; SameSite=Lax", header)


async def test_the_cookie_travels_encrypted_only_unless_the_server_is_on_this_machine():
    bed = Testbed(residence=PeopleTestbed(public_names=("croupier.example.org",)))
    await bed.residence.add()
    page = Page(bed, host="croupier.example.org")
    header = (await page.sign_in()).headers["set-cookie"]
    assert header.startswith("__Host-croupier_session=")
    assert header.endswith("; HttpOnly; SameSite=Lax; Secure")
    assert (await page.send("GET", "/api/me")).status == 200
    page.host = "localhost"
    assert (await page.send("GET", "/api/me")).status == 401


async def test_the_secret_of_a_session_is_nowhere_but_in_the_cookie(bed, caplog):
    caplog.set_level(0)
    page = Page(bed)
    reply = await page.sign_in()
    secret = page.cookie.partition("=")[2]
    assert secret.encode() not in reply.body
    assert secret not in caplog.text
    assert PASSWORD not in caplog.text
    store = bed.residence.store
    assert secret not in repr(store.kept_sessions)
    assert PASSWORD not in repr(store.kept_accounts)
    assert "argon2" not in repr(store.kept_accounts)


async def test_signing_out_ends_the_session_and_takes_the_cookie_away(page):
    before = page.cookie
    reply = await page.send("POST", "/api/logout")
    assert reply.status == 204
    assert "Max-Age=0" in reply.headers["set-cookie"]
    page.cookie = before
    assert (await page.send("GET", "/api/me")).status == 401


async def test_signing_in_again_makes_a_new_session_and_ends_the_one_before(page):
    before = page.cookie
    assert (await page.sign_in()).status == 200
    assert page.cookie != before
    page.cookie, after = before, page.cookie
    assert (await page.send("GET", "/api/me")).status == 401
    page.cookie = after
    assert (await page.send("GET", "/api/me")).status == 200


async def test_a_stolen_session_id_does_not_end_a_session(bed, page):
    session_id = (await page.send("GET", "/api/me")).json["session_id"]
    other = Page(bed)
    other.cookie = f"croupier_session=crs_{session_id}_{'A' * 43}"
    assert (await other.sign_in()).status == 200
    assert (await page.send("GET", "/api/me")).status == 200


@pytest.mark.parametrize("name", ["ann", "nobody", "disabled", "invited", "\uff2eobody", "x" * 5000, ""])
async def test_whatever_is_wrong_the_words_and_the_work_are_the_same(bed, name):
    residence = bed.residence
    await residence.add("disabled", disabled=True)
    await residence.residents.accounts.add("invited", created_by="test")
    reply = await Page(bed).sign_in(name, "a wrong password" if name == "ann" else PASSWORD)
    assert reply.status == 401
    assert reply.json["detail"] == "name or password is wrong"
    assert residence.hasher.verified == 1
    assert reply.json["code"] == "sign_in_wrong"
    assert set(reply.json) == {"type", "title", "status", "detail", "reason", "trace_id", "code"}


@pytest.mark.parametrize("name", ["ANN", "\uff41nn", "Ann"])
async def test_a_name_is_the_same_in_every_case_and_width(bed, name):
    assert (await Page(bed).sign_in(name)).json["user"]["name"] == "ann"


async def test_a_huge_password_is_refused_before_it_is_hashed(bed):
    reply = await Page(bed).sign_in("ann", "x" * 1025)
    assert reply.status == 400
    assert bed.residence.hasher.verified == 0


@pytest.mark.parametrize("password", ["пароль из слов", "密码密码密码一二三四", "a\x00b with a zero"])
async def test_any_text_may_be_a_password(bed, password):
    await bed.residence.add("bob", password)
    assert (await Page(bed).sign_in("bob", password + "x")).status == 401
    assert (await Page(bed).sign_in("bob", password)).status == 200


async def test_half_a_character_is_no_password(bed):
    body = b'{"name":"ann","password":"\\ud800 half a pair"}'
    assert (await bed.request("POST", "/api/login", token=None, body=body)).status == 400


async def test_letters_may_be_composed_either_way(bed):
    await bed.residence.add("bob", "caf\u00e9 cr\u00e8me br\u00fbl\u00e9e")
    assert (await Page(bed).sign_in("bob", "cafe\u0301 cre\u0300me bru\u0302le\u0301e")).status == 200


@pytest.mark.parametrize(
    "body", [b"", b"[]", b"{}", b'{"name":"ann"}', b'{"name":1,"password":2}', b"\xff", b'{"name":null,"password":""}']
)
async def test_what_is_no_login_is_refused(bed, body):
    assert (await bed.request("POST", "/api/login", token=None, body=body)).status == 400


async def test_an_outdated_hash_is_renewed_at_the_next_sign_in(bed):
    before = bed.residence.residents.accounts.named("ann").password_hash
    bed.residence.hasher.cost_more()
    assert (await Page(bed).sign_in()).status == 200
    after = bed.residence.residents.accounts.named("ann").password_hash
    assert after != before
    assert "m=16" in after


# ------------------------------------------------------------------------------------------------ other sites' pages


@pytest.mark.parametrize("csrf", ["", "x", "A" * 43, "é", "A" * 5000])
async def test_what_changes_something_needs_the_csrf_token(page, csrf):
    page.csrf = ""
    reply = await page.send("POST", "/api/users", csrf=csrf, json={"name": "eve"})
    assert reply.status == 403
    assert "X-CSRF-Token" in reply.json["detail"]
    assert page.bed.residence.residents.accounts.named("eve") is None


async def test_one_sessions_csrf_token_is_not_anothers(bed, page):
    other = Page(bed)
    await other.sign_in()
    reply = await page.send("POST", "/api/users", csrf=other.csrf, json={"name": "eve"})
    assert reply.status == 403


async def test_reading_needs_no_csrf_token(page):
    assert (await page.send("GET", "/api/users", csrf="")).status == 200


@pytest.mark.parametrize("origin", ["https://evil.example", "http://localhost:9999", "null", "http://[", ""])
async def test_a_page_of_another_site_changes_nothing_even_with_the_token(page, origin):
    reply = await page.send("POST", "/api/users", json={"name": "eve"}, headers={"Origin": origin})
    assert reply.status == 403
    reply = await page.send(
        "POST", "/api/login", json={"name": "ann", "password": PASSWORD}, headers={"Origin": origin}
    )
    assert reply.status == 403


async def test_the_servers_own_page_may(page):
    reply = await page.send("POST", "/api/users", json={"name": "bob"}, headers={"Origin": "http://localhost:8080"})
    assert reply.status == 200


async def test_a_bearer_token_needs_no_csrf_token_and_counts_more_than_the_cookie(page):
    headers = {"Cookie": page.cookie}
    assert (await page.bed.request("GET", "/api/me", headers=headers)).json["root"] is True
    assert (await page.bed.request("POST", "/api/users", json={"name": "bob"}, headers=headers)).status == 200
    assert (await page.bed.request("GET", "/api/me", token="wrong", headers=headers)).status == 401


async def test_two_session_cookies_are_refused(page):
    page.cookie += "; croupier_session=crs_x_y"
    reply = await page.send("GET", "/api/me")
    assert reply.status == 401
    assert "two session cookies" in reply.json["detail"]


async def test_two_cookie_headers_that_differ_are_refused(page):
    headers = [("Cookie", page.cookie), ("Cookie", "a=b")]
    assert (await page.bed.request("GET", "/api/me", token=None, headers=headers)).status == 400


# ------------------------------------------------------------------------------------------------ how long it lasts


async def test_a_session_that_nobody_uses_ends(bed, page):
    bed.residence.clock.go_on(seconds=3599)
    assert (await page.send("GET", "/api/me")).status == 200
    bed.residence.clock.go_on(seconds=3599)
    assert (await page.send("GET", "/api/me")).status == 200
    bed.residence.clock.go_on(seconds=3600)
    assert (await page.send("GET", "/api/me")).status == 401


async def test_a_session_ends_after_its_lifetime_however_much_it_is_used(bed, page):
    for _ in range(25):
        assert (await page.send("GET", "/api/me")).status == 200
        bed.residence.clock.go_on(seconds=3500)
    assert (await page.send("GET", "/api/me")).status == 401


async def test_sessions_outlive_the_server(bed, page):
    await bed.residence.residents.sweep()
    again = Testbed(residence=PeopleTestbed(store=bed.residence.store))
    await again.residence.residents.begin()
    page.bed = again
    assert (await page.send("GET", "/api/me")).status == 200


async def test_what_is_over_is_forgotten_on_disk_too(bed, page):
    bed.residence.clock.go_on(seconds=4000)
    await bed.residence.residents.sweep()
    assert bed.residence.store.kept_sessions == {}


async def test_the_use_of_a_session_is_written_down_now_and_then(bed, page):
    bed.residence.clock.go_on(seconds=61)
    await page.send("GET", "/api/me")
    await bed.residence.residents.sweep()
    (kept,) = bed.residence.store.kept_sessions.values()
    assert kept.seen_ms == bed.residence.clock.now


async def test_nobody_has_more_sessions_than_one_can_look_through(bed):
    pages = [Page(bed) for _ in range(51)]
    for each in pages:
        assert (await each.sign_in()).status == 200
    assert (await pages[0].send("GET", "/api/me")).status == 401
    assert (await pages[1].send("GET", "/api/me")).status == 200


# ------------------------------------------------------------------------------------------------ guessing


async def test_whoever_guesses_is_told_to_wait_and_how_long(bed):
    page = Page(bed)
    statuses = [(await page.sign_in("ann", "wrong wrong")).status for _ in range(4)]
    assert statuses == [401, 401, 401, 429]
    reply = await page.sign_in()
    assert reply.status == 429
    assert reply.headers["retry-after"] == "1"


async def test_guessing_at_somebody_does_not_keep_them_out_from_elsewhere(bed):
    for number in range(200):
        guesser = Page(bed, client=f"198.51.100.{number}")
        await guesser.sign_in("ann", "wrong wrong")
        await guesser.sign_in("ann", "wrong wrong")
    assert (await Page(bed, client="192.0.2.77").sign_in()).status == 200


async def test_an_address_may_be_named_by_a_proxy_that_is_trusted_and_by_nobody_else(bed):
    trusting = Testbed(residence=bed.residence, trusted_proxies=("10.0.0.0/8",))
    forwarded = {"X-Forwarded-For": "203.0.113.9, 10.1.1.1"}
    page = Page(trusting, client="10.2.2.2")
    await page.send("POST", "/api/login", json={"name": "ann", "password": PASSWORD}, headers=forwarded)
    stranger = Page(trusting, client="192.0.2.5")
    await stranger.send("POST", "/api/login", json={"name": "ann", "password": PASSWORD}, headers=forwarded)
    found = {session.address for session in bed.residence.residents.sessions.of()}
    assert found == {"203.0.113.9", "192.0.2.5"}


# ------------------------------------------------------------------------------------------------ setup and invitations


async def test_the_setup_link_makes_one_administrator_and_works_once():
    bed = Testbed(residence=PeopleTestbed(token=None))
    secret = bed.residence.people.setup.open()
    body = {"token": secret, "name": "root", "password": PASSWORD}
    page = Page(bed)
    wrong = await page.send("POST", "/api/setup", json={**body, "token": "guess"})
    assert wrong.status == 401
    reply = await page.send("POST", "/api/setup", json=body)
    assert reply.status == 200
    assert bed.residence.admins == [reply.json["user"]["user_id"]]
    assert (await page.send("GET", "/api/me")).json["name"] == "root"
    assert (await page.send("POST", "/api/setup", json={**body, "name": "eve"}, csrf="")).status == 401
    assert bed.residence.people.setup.open() == ""
    made = [note for note in bed.residence.audit_store.notes if note.action == "users.setup"]
    assert [(note.actor.name, note.target) for note in made] == [("setup", "root")] * 2


async def test_two_who_open_the_setup_link_at_once_are_not_both_let_in():
    bed = Testbed(residence=PeopleTestbed(token=None))
    secret = bed.residence.people.setup.open()
    bodies = [{"token": secret, "name": name, "password": PASSWORD} for name in ("ann", "bob")]
    replies = await asyncio.gather(*(Page(bed).send("POST", "/api/setup", json=body) for body in bodies))
    assert sorted(reply.status for reply in replies) == [200, 401]
    assert len(bed.residence.residents.accounts) == 1


async def test_a_setup_link_expires_and_every_start_makes_a_new_one():
    bed = Testbed(residence=PeopleTestbed(token=None))
    first = bed.residence.people.setup.open()
    body = {"name": "root", "password": PASSWORD}
    second = bed.residence.people.setup.open()
    assert (await Page(bed).send("POST", "/api/setup", json={**body, "token": first})).status == 401
    bed.residence.clock.go_on(seconds=86_400)
    assert (await Page(bed).send("POST", "/api/setup", json={**body, "token": second})).status == 401


async def test_there_is_no_setup_where_no_link_was_made():
    bed = Testbed(residence=PeopleTestbed())
    reply = await Page(bed).send("POST", "/api/setup", json={"token": "", "name": "root", "password": PASSWORD})
    assert reply.status == 401


@pytest.mark.parametrize("password", ["", "short", "aaaaaaaaaaaaaaa", "ADMINISTRATOR"])
async def test_a_password_that_is_easy_to_guess_is_refused(password):
    bed = Testbed(residence=PeopleTestbed(token=None))
    body = {"token": bed.residence.people.setup.open(), "name": "administrator", "password": password}
    assert (await Page(bed).send("POST", "/api/setup", json=body)).status == 400
    assert (await Page(bed).send("POST", "/api/setup", json={**body, "password": PASSWORD})).status == 200


async def test_who_is_invited_sets_a_password_once(bed):
    made = await bed.request("POST", "/api/users", json={"name": "bob"})
    invitation = made.json["invitation"]
    assert (await Page(bed).sign_in("bob")).status == 401
    body = {"invitation": invitation, "password": PASSWORD}
    assert (await Page(bed).send("POST", "/api/setup/password", json=body)).json == {"name": "bob"}
    assert (await Page(bed, client="192.0.2.2").sign_in("bob")).status == 200
    assert (await Page(bed).send("POST", "/api/setup/password", json=body)).status == 401


@pytest.mark.parametrize("wrong", ["", "cri_x_y", "crs_x_" + "A" * 43, "\ud800", "cri_{id}_" + "A" * 43])
async def test_an_invitation_that_was_never_made_is_refused(bed, wrong):
    account = bed.residence.residents.accounts.named("ann")
    with pytest.raises(Unauthenticated):
        await bed.residence.people.accept(HERE, wrong.replace("{id}", account.id), PASSWORD)


async def test_an_invitation_expires_and_a_new_one_replaces_it(bed):
    account = bed.residence.residents.accounts.named("ann")
    address = f"/api/users/{account.id}/password"
    first = (await bed.request("POST", address)).json["invitation"]
    second = (await bed.request("POST", address)).json["invitation"]
    with pytest.raises(Unauthenticated):
        await bed.residence.people.accept(HERE, first, PASSWORD)
    bed.residence.clock.go_on(seconds=3 * 86_400)
    with pytest.raises(Unauthenticated):
        await bed.residence.people.accept(HERE, second, PASSWORD)


# ------------------------------------------------------------------------------------------------ being put out


@pytest.fixture
async def job(bed):
    bed.jobs.add("j1", state=JobState.RUNNING)
    return "j1"


async def follow(page, job):
    connection = page.bed.connect("GET", f"/api/stream_job?id={job}", token=None, headers={"Cookie": page.cookie})
    assert (await connection.message())["status"] == 200
    await connection.read_until(b"retry")
    return connection


async def disable(page):
    admin = page.bed
    account = admin.residence.residents.accounts.named("ann")
    assert (await admin.request("POST", f"/api/users/{account.id}/disable")).status == 200


async def revoke(page):
    account = page.bed.residence.residents.accounts.named("ann")
    reply = await page.bed.request("POST", f"/api/users/{account.id}/revoke")
    assert reply.json == {"sessions": 1, "tokens": 0}


async def end_session(page):
    session_id = (await page.send("GET", "/api/me")).json["session_id"]
    assert (await page.bed.request("DELETE", f"/api/sessions/{session_id}")).status == 200


async def set_password(page):
    account = page.bed.residence.residents.accounts.named("ann")
    body = {"password": "another good one"}
    assert (await page.bed.request("POST", f"/api/users/{account.id}/password", json=body)).status == 200


async def sign_out(page):
    cookie = page.cookie
    assert (await page.send("POST", "/api/logout")).status == 204
    page.cookie = cookie


async def leave_group(page):
    account = page.bed.residence.residents.accounts.named("ann")
    reply = await page.bed.request("PATCH", f"/api/users/{account.id}", json={"groups": []})
    assert reply.json["groups"] == []


async def outlast(page):
    page.bed.residence.clock.go_on(seconds=100_000)
    await page.bed.residence.residents.sweep()


@pytest.mark.parametrize("act", [disable, revoke, end_session, set_password, sign_out, outlast])
async def test_who_is_put_out_follows_nothing_any_more(page, job, act):
    stream = await follow(page, job)
    await act(page)
    async with asyncio.timeout(PATIENCE):
        await stream.reply()
    assert page.bed.jobs.followers == 0
    assert len(page.bed.residence.residents.streams) == 0
    assert (await page.send("GET", "/api/me")).status == 401


async def test_who_loses_a_group_is_asked_anew(page, job):
    stream = await follow(page, job)
    await leave_group(page)
    async with asyncio.timeout(PATIENCE):
        await stream.reply()
    assert (await page.send("GET", "/api/me")).status == 200


async def test_who_loses_a_role_is_asked_anew_and_nobody_else(bed, page, job):
    bob = await bed.residence.add("bob")
    bed.residence.bind(bob.id, "viewer")
    other = Page(bed)
    await other.sign_in("bob")
    mine, others = await follow(page, job), await follow(other, job)
    policy = bed.residence.guard.policy
    (lost,) = [each for each in policy.snapshot.bindings if each.role == "admin"]
    policy.use(policy.snapshot.changed(without=[lost]))
    async with asyncio.timeout(PATIENCE):
        await mine.reply()
    assert not others.task.done()
    others.hang_up()
    await others.reply()


async def test_others_go_on_when_one_is_put_out(bed, page, job):
    await bed.residence.add("bob")
    other = Page(bed)
    await other.sign_in("bob")
    stream = await follow(other, job)
    await disable(page)
    assert len(bed.residence.residents.streams) == 1
    assert not stream.task.done()
    stream.hang_up()
    await stream.reply()


async def test_proving_a_second_factor_cuts_nothing(bed, page, job):
    stream = await follow(page, job)
    caller = bed.residence.guard.session({b"cookie": page.cookie.encode(), b"host": b"localhost"})
    await bed.residence.residents.sessions.proved(caller, bed.residence.clock.now)
    assert (await page.send("GET", "/api/me")).json["proved_ms"] == bed.residence.clock.now
    assert not stream.task.done()
    stream.hang_up()
    await stream.reply()


async def test_a_disk_that_refuses_keeps_nobody_in(bed, page):
    residence = bed.residence
    residence.store.refusal = Unavailable("the disk is full")
    session_id = next(iter(residence.store.kept_sessions))
    with pytest.raises(Unavailable):
        await residence.residents.sessions.end([session_id])
    assert (await page.send("GET", "/api/me")).status == 401
    residence.store.refusal = None
    await residence.residents.sweep()
    assert residence.store.kept_sessions == {}


async def test_who_changes_their_password_stays_in_here_and_nowhere_else(bed, page):
    elsewhere = Page(bed, client="192.0.2.9")
    await elsewhere.sign_in()
    body = {"current": "wrong wrong", "password": "another good one"}
    assert (await page.send("POST", "/api/me/password", json=body)).status == 401
    assert (await page.send("POST", "/api/me/password", json={**body, "current": PASSWORD})).status == 204
    assert (await page.send("GET", "/api/me")).status == 200
    assert (await elsewhere.send("GET", "/api/me")).status == 401
    assert (await elsewhere.sign_in()).status == 401
    assert (await elsewhere.sign_in("ann", "another good one")).status == 200


async def test_nobody_disables_themselves(page):
    me = (await page.send("GET", "/api/me")).json
    assert (await page.send("POST", f"/api/users/{me['user']['user_id']}/disable")).status == 409


# ------------------------------------------------------------------------------------------------ sessions, listed


async def test_people_see_their_sessions_and_end_them(bed, page):
    other = Page(bed, client="192.0.2.2")
    await other.send(
        "POST", "/api/login", json={"name": "ann", "password": PASSWORD}, headers={"User-Agent": "Fire\x1bfox\u202e"}
    )
    listed = (await page.send("GET", "/api/sessions")).json["sessions"]
    assert [(each["address"], each["current"]) for each in listed] == [("192.0.2.2", False), ("192.0.2.1", True)]
    assert "\x1b" not in listed[0]["agent"]
    assert (await page.send("DELETE", f"/api/sessions/{listed[0]['session_id']}")).status == 200
    assert (await other.send("GET", "/api/me")).status == 401


async def test_a_session_that_is_not_there_is_not_found(page):
    assert (await page.send("DELETE", "/api/sessions/never")).status == 404


# ------------------------------------------------------------------------------------------------ on record


async def test_what_happens_at_the_door_is_on_record_without_secrets(bed):
    page = Page(bed)
    await page.sign_in("a password typed as name", "wrong wrong")
    await page.sign_in("ann", "wrong wrong")
    await page.sign_in()
    await page.send("POST", "/api/logout")
    notes = bed.residence.audit_store.notes
    assert [(note.actor.name, note.action, note.result) for note in notes] == [
        ("", "login", "denied"),
        ("ann", "login", "denied"),
        ("ann", "login", "ok"),
        ("ann", "logout", "ok"),
    ]
    assert "typed" not in repr(notes)
    assert "wrong wrong" not in repr(notes)
    assert PASSWORD not in repr(notes)
