"""What people show to be known, and the rules of names, clocks, hosts and cookies."""

import asyncio
import base64
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.planes.people_testbed import PASSWORD, AccountsInMemory, PeopleTestbed

from croupier.domain.account import Account, checked_groups, checked_name, checked_text, folded
from croupier.domain.credential import Session, csrf_token, make_credential, read_credential
from croupier.domain.policy import Binding, Role
from croupier.domain.principal import Principal
from croupier.errors import Conflict, CroupierError, InvalidArgument, PermissionDenied, RateLimited, Unauthenticated
from croupier.server.access.addresses import Hosts, Proxies
from croupier.server.access.browser import check_origin, check_own_page, session_cookie, set_cookie
from croupier.server.access.clock import OnwardClock
from croupier.server.access.epoch import Epoch
from croupier.server.access.live import FORGOTTEN_AT_ONCE
from croupier.server.access.login import Visitor
from croupier.server.access.passwords import WAITING
from croupier.server.access.people import People
from croupier.server.access.streams import LiveStreams

ANYTHING = st.binary(max_size=300)
LOCAL = {b"host": b"localhost"}


@pytest.fixture
async def bed():
    found = PeopleTestbed()
    await found.add()
    return found


async def a_session(bed, name="ann"):
    account = bed.residents.accounts.named(name)
    _, text = await bed.residents.sessions.open(account.id, address="192.0.2.1", agent="")
    return text.encode()


async def a_token(bed, name="ann", **limits):
    account = bed.residents.accounts.named(name)
    wanted = {"name": "ci", "seconds": 3600, "created_by": "ann"} | limits
    return (await bed.residents.tokens.create(account.id, **wanted))[1].encode()


# ------------------------------------------------------------------------------------------------ credentials


async def test_a_session_and_a_token_say_who_shows_them(bed):
    credentials = bed.residents.credentials
    session, token = await a_session(bed), await a_token(bed, permissions=frozenset({"packs.read"}))
    by_session, by_token = credentials.principal(session), credentials.principal(token)
    assert (by_session.name, by_session.kind, by_session.permissions) == ("ann", "user", None)
    assert (by_token.name, by_token.kind, by_token.permissions) == ("ann", "token", frozenset({"packs:read"}))
    assert by_session.user_id == by_token.user_id != ""
    assert not by_session.root
    assert not by_token.root


async def test_a_token_is_no_session_for_a_browser(bed):
    assert bed.residents.credentials.session(await a_token(bed)) is None


async def test_what_was_remembered_counts_no_longer_than_the_credential(bed):
    token = await a_token(bed)
    assert bed.residents.credentials.principal(token) is not None
    bed.clock.go_on(seconds=3600)
    assert bed.residents.credentials.principal(token) is None


async def test_an_account_that_is_disabled_or_changed_is_known_as_it_is_now(bed):
    token = await a_token(bed)
    account = bed.residents.accounts.named("ann")
    assert bed.residents.credentials.principal(token).groups == frozenset()
    await bed.residents.accounts.change(account.id, groups=["ops"])
    assert bed.residents.credentials.principal(token).groups == {"ops"}
    await bed.residents.accounts.change(account.id, disabled=True)
    assert bed.residents.credentials.principal(token) is None
    await bed.residents.accounts.change(account.id, disabled=False)
    assert bed.residents.credentials.principal(token) is not None


async def test_one_secret_does_not_open_anothers_credential(bed):
    await bed.add("bob")
    ann, bob = read_credential(await a_token(bed)), read_credential(await a_token(bed, "bob"))
    mixed = b"crp_%s_%s" % (ann.id.encode(), bob.secret)
    as_session = b"crs_%s_%s" % (ann.id.encode(), ann.secret)
    assert bed.residents.credentials.principal(mixed) is None
    assert bed.residents.credentials.principal(as_session) is None


def test_what_was_made_can_be_read_and_says_nothing_of_its_secret():
    text, digest = make_credential("crp", "t1")
    shown = read_credential(text.encode())
    assert (shown.prefix, shown.id, shown.is_of(digest), shown.is_of(bytes(32))) == ("crp", "t1", True, False)
    assert text.split("_", 2)[2] not in repr(shown)


@given(ANYTHING)
def test_any_bytes_are_read_or_refused(text):
    shown = read_credential(text)
    assert shown is None or text.startswith(b"%s_%s_" % (shown.prefix.encode(), shown.id.encode()))


@given(st.integers(0, 300), st.integers(0, 255))
def test_a_credential_with_one_byte_changed_opens_nothing(place, byte):
    text, digest = make_credential("crp", "t1")
    changed = bytearray(text.encode())
    changed[place % len(changed)] = byte
    shown = read_credential(bytes(changed))
    assert (
        bytes(changed) == text.encode()
        or shown is None
        or not shown.is_of(digest)
        or shown.id + shown.prefix != "t1crp"
    )


def a_jwt(algorithm, **header):
    parts = [{"alg": algorithm, "typ": "JWT", **header}, {"sub": "ann", "root": True, "exp": 4_000_000_000}]
    encoded = [base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=") for part in parts]
    return b".".join([*encoded, b"" if algorithm == "none" else b"c2lnbmF0dXJl"])


@pytest.mark.parametrize("algorithm", ["none", "None", "HS256", "EdDSA", "RS256"])
async def test_a_jwt_opens_nothing_whatever_its_algorithm(bed, algorithm):
    with pytest.raises(Unauthenticated):
        bed.guard.verify(a_jwt(algorithm, jwk={"kty": "oct", "k": ""}))


@given(ANYTHING)
async def test_any_authorization_header_is_refused_in_words(value):
    with pytest.raises(Unauthenticated, match="Authorization: Bearer"):
        PeopleTestbed().guard.authenticate({**LOCAL, b"authorization": value})


@given(ANYTHING, st.sampled_from([b"", b"croupier_session=", b"croupier_session=crs_s1_"]))
async def test_any_cookie_is_refused_in_words(value, before):
    with pytest.raises(Unauthenticated):
        PeopleTestbed().guard.authenticate({**LOCAL, b"cookie": before + value})


@pytest.mark.parametrize("token", [None, "the-one-token"])
@pytest.mark.parametrize("shown", [b"", b"Bearer ", b"Bearer", b"Bearer \x00", b"bearer the-one-toke"])
def test_nothing_is_not_a_token(token, shown):
    with pytest.raises(Unauthenticated):
        PeopleTestbed(token=token).guard.authenticate({**LOCAL, b"authorization": shown})


async def test_a_token_is_found_again_in_a_moment(bed):
    """A thousand in a hundredth of what a login takes: the digest is not computed again."""
    token = await a_token(bed)
    header = {**LOCAL, b"authorization": b"Bearer " + token}
    first = bed.guard.authenticate(header)
    assert all(bed.guard.authenticate(header) is first for _ in range(1000))


async def test_the_use_of_a_token_is_written_down_now_and_then(bed):
    token = await a_token(bed)
    bed.residents.credentials.principal(token)
    await bed.residents.sweep()
    (kept,) = bed.store.kept_tokens.values()
    assert kept.seen_ms == bed.clock.now


async def test_tokens_are_bounded(bed):
    for _ in range(100):
        await a_token(bed)
    with pytest.raises(RateLimited):
        await a_token(bed)


@pytest.mark.parametrize("seconds", [0, -1, 59, 366 * 86_400 + 1, float("inf"), float("nan")])
async def test_a_token_expires_within_a_year(bed, seconds):
    with pytest.raises(InvalidArgument):
        await a_token(bed, seconds=seconds)


@pytest.mark.parametrize(
    "limits",
    [{"permissions": frozenset({"x y"})}, {"permissions": frozenset({""})}, {"scopes": frozenset({"demo"})}],
)
async def test_limits_that_cannot_be_read_are_refused(bed, limits):
    with pytest.raises(InvalidArgument):
        await a_token(bed, **limits)


# ------------------------------------------------------------------------------------------------ use cases


@pytest.fixture
async def admin(bed):
    account = await bed.add("root")
    bed.bind(account.id, "admin")
    return bed.residents.credentials.principal(await a_session(bed, "root"))


@pytest.fixture
async def ann(bed):
    return bed.residents.credentials.principal(await a_session(bed))


async def test_who_has_no_right_changes_nobody(bed, ann: Principal):
    people: People = bed.people
    other = (await bed.add("bob")).id
    attempts = [
        people.accounts(ann),
        people.account(ann, other),
        people.named(ann, "bob"),
        people.add(ann, "eve"),
        people.change(ann, other, display_name="x"),
        people.disable(ann, other),
        people.enable(ann, other),
        people.invite(ann, other),
        people.set_password(ann, other, "another good one"),
        people.revoke(ann, other),
        people.sessions(ann, other),
        people.tokens(ann, "*"),
        people.create_token(ann, other, name="x", seconds=3600),
    ]
    for attempt in attempts:
        with pytest.raises(PermissionDenied):
            await attempt
    await bed.people.sessions(ann)
    await bed.people.tokens(ann)
    await bed.people.create_token(ann, name="mine", seconds=3600)


async def test_what_belongs_to_others_is_not_told_from_what_is_not_there(bed, ann):
    await bed.add("bob")
    session = read_credential(await a_session(bed, "bob")).id
    token = read_credential(await a_token(bed, "bob")).id
    for end, known in ((bed.people.end_session, session), (bed.people.end_token, token)):
        words = []
        for wanted in (known, "never"):
            with pytest.raises(CroupierError) as refused:
                await end(ann, wanted)
            words.append((type(refused.value), refused.value.message.replace(wanted, "")))
        assert words[0] == words[1]


async def test_who_manages_accounts_gives_no_groups_without_the_right_to_give_roles(bed, ann):
    bed.guard.policy.use(bed.guard.policy.snapshot)
    account = await bed.add("clerk")
    token = await a_token(bed, "clerk", permissions=frozenset({"users:*"}))
    bed.bind(account.id, "admin")
    clerk = bed.residents.credentials.principal(token)
    await bed.people.add(clerk, "eve")
    with pytest.raises(PermissionDenied):
        await bed.people.add(clerk, "mallory", groups=frozenset({"admins"}))
    with pytest.raises(PermissionDenied):
        await bed.people.change(clerk, ann.user_id, groups=frozenset({"admins"}))


@pytest.fixture
async def clerk(bed):
    """May manage accounts and operate games, and no more."""
    role = Role(name="clerk", permissions=frozenset({"users:*", "tokens:manage", "function:player.*"}))
    account = await bed.add("clerk")
    bed.guard.policy.use(bed.guard.policy.snapshot.changed(roles=[role]))
    bed.bind(account.id, "clerk")
    return bed.residents.credentials.principal(await a_session(bed, "clerk"))


async def test_nobody_takes_over_an_account_that_may_more_than_they_do(bed, admin, clerk):
    for attempt in (
        bed.people.set_password(clerk, admin.user_id, "another good one"),
        bed.people.invite(clerk, admin.user_id),
        bed.people.disable(clerk, admin.user_id),
        bed.people.revoke(clerk, admin.user_id),
        bed.people.create_token(clerk, admin.user_id, name="x", seconds=3600),
    ):
        with pytest.raises(PermissionDenied, match="root may do what you may not"):
            await attempt


async def test_who_may_as_much_manages_an_account(bed, admin, clerk, ann):
    bed.guard.policy.use(
        bed.guard.policy.snapshot.changed(
            roles=[Role(name="banner", permissions=frozenset({"function:player.ban"}))],
            bindings=[Binding(subject=f"user:{ann.user_id}", role="banner", game_id="demo")],
        )
    )
    await bed.people.set_password(clerk, ann.user_id, "another good one")
    await bed.people.disable(admin, clerk.user_id)


async def test_a_narrowed_token_takes_over_nobody_who_may_more(bed, admin, clerk):
    for limits in ({"permissions": frozenset({"users:*"})}, {"scopes": frozenset({"*|*"})}):
        token = bed.residents.credentials.principal(await a_token(bed, "root", **limits))
        with pytest.raises(PermissionDenied):
            await bed.people.invite(token, clerk.user_id)


async def test_a_token_makes_no_tokens_and_changes_no_password(bed, admin):
    root = bed.residents.credentials.principal(await a_token(bed, "root"))
    with pytest.raises(PermissionDenied):
        await bed.people.create_token(root, name="more", seconds=3600)
    with pytest.raises(PermissionDenied):
        await bed.people.change_password(root, None, "x", "another good one")


async def test_every_change_of_people_is_on_record(bed, admin):
    people = bed.people
    bob = await people.add(admin, "bob")
    await people.invite(admin, bob.id)
    await people.set_password(admin, bob.id, "another good one")
    await people.change(admin, bob.id, groups=frozenset({"ops"}))
    token, text = await people.create_token(admin, name="ci", seconds=3600)
    await people.end_token(admin, token.id)
    await people.disable(admin, bob.id)
    await people.enable(admin, bob.id)
    await people.revoke(admin, bob.id)
    notes = bed.audit_store.notes
    assert [note.action for note in notes[::2]] == [note.action for note in notes[1::2]]
    assert [note.action for note in notes[::2]] == [
        "users.add", "users.invite", "users.password", "users.change", "tokens.create", "tokens.end",
        "users.disable", "users.enable", "users.revoke",
    ]  # fmt: skip
    assert {note.actor.name for note in notes} == {"root"}
    assert text not in repr(notes)
    assert "another good one" not in repr(notes)


async def test_so_many_may_wait_for_their_password_and_no_more(bed):
    passwords = bed.residents.passwords
    kept = bed.residents.accounts.named("ann").password_hash
    tries = [asyncio.ensure_future(passwords.verify(kept, "x")) for _ in range(WAITING + 5)]
    known = asyncio.ensure_future(passwords.verify(kept, PASSWORD, is_known=True))
    done = await asyncio.gather(*tries, return_exceptions=True)
    assert [type(each) for each in done[WAITING:]] == [RateLimited] * 5
    assert set(done[:WAITING]) == {False}
    assert await known is True, "who is known does not wait behind strangers"


async def test_ten_thousand_failed_logins_cost_few_hashes_and_keep_nobody_out(bed):
    async def tried(address):
        try:
            return await bed.people.login.sign_in(Visitor(address=address), "ann", "wrong wrong")
        except (RateLimited, Unauthenticated):
            return None

    for _ in range(10_000):
        assert await tried("198.51.100.1") is None
    assert bed.hasher.verified < 30
    signed_in = await bed.people.login.sign_in(Visitor(address="192.0.2.1"), "ann", PASSWORD)
    assert signed_in.account.name == "ann"
    assert len(bed.audit_store.notes) < 40, "and the record is not flooded"


@pytest.mark.parametrize("name", ["developer", "SYSTEM", "Nobody"])
async def test_nobody_is_called_like_the_server_calls_others_than_people(bed, name):
    with pytest.raises(Conflict):
        await bed.residents.accounts.add(name, created_by="test")


async def test_many_sessions_that_are_over_are_forgotten_by_and_by(bed):
    account = bed.residents.accounts.named("ann")
    for number in range(FORGOTTEN_AT_ONCE * 2 + 1):
        session = Session(id=f"s{number}", user_id=account.id, secret_sha256=b"", created_ms=0, until_ms=1, seen_ms=0)
        bed.store.kept_sessions[session.id] = session
    await bed.residents.sessions.begin()
    await bed.residents.sweep()
    assert bed.store.kept_sessions == {}
    assert bed.residents.sessions.of(account.id) == []


# ------------------------------------------------------------------------------------------------ names


@pytest.mark.parametrize("name", ["ann", "Ann.O-Neil_2", "ann@example.org", "管理员", "a+b", "å", "x" * 64])
def test_a_name_may_be_in_any_language(name):
    assert checked_name(name)


@pytest.mark.parametrize(
    "name", ["", " ", "a b", "a\n", "a\x00", "a\u202eb", "a\u200bb", "x" * 65, "a/b", "<b>", "a:b", "\ufdfa" * 64]
)
def test_what_is_no_name_is_refused(name):
    with pytest.raises(InvalidArgument):
        checked_name(name)


@given(st.text(max_size=80))
def test_folding_twice_is_folding_once(name):
    assert folded(folded(name)) == folded(name)


@given(st.text(max_size=300))
def test_any_text_is_a_name_a_line_and_a_group_or_refused(text):
    for check in (
        checked_name,
        lambda value: checked_text(value, "it"),
        lambda value: checked_groups(frozenset({value})),
    ):
        try:
            check(text)
        except InvalidArgument:
            continue


# ------------------------------------------------------------------------------------------------ clocks


class TwoClocks:
    def __init__(self):
        self.wall, self.steady = 1_000_000, 5_000
        self.clock = OnwardClock(wall=lambda: self.wall, steady=lambda: self.steady)

    def go_on(self, *, wall, steady):
        self.wall += wall
        self.steady += steady
        return self.clock()


def test_a_clock_that_is_set_back_does_not_go_back():
    clocks = TwoClocks()
    assert clocks.go_on(wall=100, steady=100) == 1_000_100
    assert clocks.go_on(wall=-500_000, steady=100) == 1_000_200
    assert clocks.go_on(wall=100, steady=100) == 1_000_300


def test_a_machine_that_slept_is_as_late_as_the_wall_says():
    clocks = TwoClocks()
    assert clocks.go_on(wall=3_600_000, steady=10) == 4_600_000


@given(st.lists(st.tuples(st.integers(-(10**9), 10**9), st.integers(0, 10**6)), max_size=50))
def test_time_goes_on_whatever_the_wall_says(steps):
    clocks = TwoClocks()
    before = clocks.clock()
    for wall, steady in steps:
        after = clocks.go_on(wall=wall, steady=steady)
        assert after >= before + steady
        before = after


async def test_what_ended_stays_ended_when_the_clock_is_set_back(bed):
    clocks = TwoClocks()
    bed.residents.sessions._clock = clocks.clock
    text = await a_session(bed)
    clocks.go_on(wall=4_000_000, steady=4_000_000)
    assert bed.residents.credentials.principal(text) is None
    clocks.go_on(wall=-3_900_000, steady=1)
    assert bed.residents.credentials.principal(text) is None


async def test_a_session_of_the_future_is_not_taken_over(bed):
    await a_session(bed)
    earlier = PeopleTestbed(store=bed.store)
    earlier.clock.now -= 86_400_000
    await earlier.residents.begin()
    assert earlier.residents.sessions.of() == []
    assert bed.store.kept_sessions == {}


# ------------------------------------------------------------------------------------------------ hosts and proxies


@pytest.mark.parametrize("host", [b"croupier.example.org", b"CROUPIER.example.org:8443", b"croupier.example.org."])
def test_a_public_name_is_answered(host):
    Hosts(["croupier.example.org"]).admit(host)


@pytest.mark.parametrize(
    "host",
    [
        b"",
        b"evil.example",
        b"croupier.example.org.evil",
        b"x.croupier.example.org",
        b"croupier.example.org:x",
        b"[::2]",
    ],
)
def test_any_other_name_is_refused(host):
    with pytest.raises(PermissionDenied, match="public_names"):
        Hosts(["croupier.example.org"]).admit(host)


@given(ANYTHING)
def test_any_host_header_is_answered_or_refused(host):
    try:
        Hosts(["croupier.example.org"]).admit(host)
    except PermissionDenied:
        return
    assert b"localhost" in host.lower() or b"127." in host or b":" in host or b"croupier" in host.lower()


@pytest.mark.parametrize(
    ("peer", "forwarded", "found"),
    [
        ("192.0.2.1", b"203.0.113.1", "192.0.2.1"),
        ("10.0.0.1", b"", "10.0.0.1"),
        ("10.0.0.1", b"203.0.113.1", "203.0.113.1"),
        ("10.0.0.1", b"1.1.1.1, 203.0.113.1", "203.0.113.1"),
        ("10.0.0.1", b"1.1.1.1, 203.0.113.1 , 10.0.0.2", "203.0.113.1"),
        ("10.0.0.1", b"203.0.113.1:4711", "203.0.113.1"),
        ("10.0.0.1", b"[2001:db8::1]:4711", "2001:db8::1"),
        ("10.0.0.1", b"unknown", "10.0.0.1"),
        ("10.0.0.1", b"\xff, ,", "10.0.0.1"),
        ("10.0.0.1", b"10.0.0.3, 10.0.0.2", "10.0.0.3"),
        ("", b"203.0.113.1", ""),
    ],
)
def test_the_nearest_address_that_is_no_trusted_proxy_counts(peer, forwarded, found):
    assert Proxies(["10.0.0.0/8", "::1"]).client(peer, forwarded) == found


@given(ANYTHING)
def test_any_forwarded_header_is_read(forwarded):
    assert Proxies(["10.0.0.0/8"]).client("10.0.0.1", forwarded)


# ------------------------------------------------------------------------------------------------ cookies


def test_a_cookie_is_read_among_others():
    headers = {**LOCAL, b"cookie": b'a=1; croupier_session=crs_x; b="2"; croupier_session2=y'}
    assert session_cookie(headers) == b"crs_x"
    assert session_cookie(LOCAL) is None
    assert session_cookie({b"host": b"public.example", b"cookie": b"croupier_session=x"}) is None


@given(ANYTHING)
def test_any_cookie_header_is_read_or_refused(value):
    try:
        session_cookie({**LOCAL, b"cookie": value})
    except Unauthenticated as refused:
        assert "cookie" in refused.message  # noqa: PT017 — most are read


@given(ANYTHING, ANYTHING)
def test_no_header_stands_for_the_csrf_token(value, origin):
    with pytest.raises(PermissionDenied):
        check_own_page({**LOCAL, b"x-csrf-token": value}, "POST", b"crs_s1_secret")
    right = csrf_token(b"crs_s1_secret").encode()
    if origin != b"http://localhost":
        with pytest.raises(PermissionDenied):
            check_own_page(
                {**LOCAL, b"x-csrf-token": right, b"origin": b"http://evil.example" + origin}, "POST", b"crs_s1_secret"
            )


@pytest.mark.parametrize("site", [b"cross-site", b"same-site", b"\xff"])
def test_a_browser_that_says_where_a_request_comes_from_is_believed(site):
    with pytest.raises(PermissionDenied):
        check_origin({**LOCAL, b"sec-fetch-site": site})


def test_a_cookie_header_is_one_line():
    name, value = set_cookie(LOCAL, make_credential("crs", "s1")[0], 60)
    assert name == b"set-cookie"
    assert not set(value) & {10, 13, 0}


# ------------------------------------------------------------------------------------------------ live streams


async def test_a_story_ends_in_the_middle_when_its_reader_may_no_longer():
    allowed, epoch = [True], Epoch()
    streams = LiveStreams(still=lambda _: allowed[0], epoch=epoch)
    left = asyncio.Event()

    async def story():
        try:
            yield 1
            await asyncio.Event().wait()
        finally:
            left.set()

    told = []

    async def read():
        async for each in streams.follow(Principal(name="ann", user_id="u1"), story()):
            told.append(each)
            allowed[0] = False
            epoch.end()

    with pytest.raises(Unauthenticated, match="sign in again"):
        await read()
    assert (told, left.is_set(), len(streams)) == ([1], True, 0)


async def test_a_story_that_ends_by_itself_ends_well():
    streams = LiveStreams(still=lambda _: True, epoch=Epoch())

    async def story():
        for number in range(3):
            yield number

    assert [each async for each in streams.follow(Principal(name="ann"), story())] == [0, 1, 2]


async def test_a_fault_of_the_story_is_its_readers():
    streams = LiveStreams(still=lambda _: True, epoch=Epoch())

    async def story():
        yield 1
        raise InvalidArgument("broken")

    with pytest.raises(InvalidArgument):
        _ = [each async for each in streams.follow(Principal(name="ann"), story())]
    assert len(streams) == 0


async def test_who_was_put_out_since_they_were_let_in_follows_nothing():
    streams = LiveStreams(still=lambda _: False, epoch=Epoch())

    async def story():
        yield 1

    with pytest.raises(Unauthenticated):
        _ = [each async for each in streams.follow(Principal(name="ann"), story())]


# ------------------------------------------------------------------------------------------------ many


async def test_ten_thousand_accounts_are_there_after_a_start():
    store = AccountsInMemory()
    for number in range(10_000):
        account = Account(id=f"u{number}", name=f"user{number}", created_ms=number, changed_ms=number)
        store.kept_accounts[account.id] = account
    bed = PeopleTestbed(store=store)
    await bed.residents.begin()
    assert len(bed.residents.accounts) == 10_000
    assert bed.residents.accounts.named("USER9999").id == "u9999"


async def test_what_hangs_on_a_session_ends_soon_after_its_time_without_anybody_asking(bed, monkeypatch):
    monkeypatch.setattr("croupier.server.access.residents.LOOK_SECONDS", 0.01)
    caller = bed.residents.credentials.principal(await a_session(bed))
    running = asyncio.ensure_future(bed.residents.run())
    with bed.residents.streams.hold(caller) as ended:
        bed.clock.go_on(seconds=3601)
        async with asyncio.timeout(30):
            await ended.wait()
    running.cancel()
    assert not bed.residents.streams.is_in_force(caller)
