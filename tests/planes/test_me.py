"""What a page knows of whoever opens it: who they are, what they may and the games that they see."""

import pytest
from tests.planes.http_testbed import SCOPED, Testbed
from tests.planes.people_testbed import NOW, PASSWORD, PeopleTestbed

from croupier.domain.permission import PAGE
from croupier.domain.policy import Binding, Role


class Visit:
    """Somebody who signed in."""

    def __init__(self, bed: Testbed, cookie: str) -> None:
        self._bed = bed
        self._cookie = cookie

    async def get(self, path, headers=None):
        reply = await self._bed.request("GET", path, token=None, headers={"Cookie": self._cookie, **(headers or {})})
        assert reply.status == 200, reply.body
        return reply.json


@pytest.fixture
async def bed():
    found = Testbed(residence=PeopleTestbed())
    await found.residence.add("ann", groups=frozenset({"gm"}))
    return found


@pytest.fixture
async def ann(bed):
    reply = await bed.request("POST", "/api/login", token=None, json={"name": "ann", "password": PASSWORD})
    assert reply.status == 200, reply.body
    return Visit(bed, reply.headers["set-cookie"].split(";")[0])


def bind(bed, *bindings, roles=()):
    policy = bed.residence.guard.policy
    policy.use(policy.snapshot.changed(roles=roles, bindings=bindings))


SUPPORT = Role(name="support", permissions=frozenset({"calls:read", "function:player.*"}))


async def test_somebody_without_a_role_is_known_and_sees_nothing(ann):
    me = await ann.get("/api/me", SCOPED)
    assert (me["name"], me["root"], me["acting_as"]) == ("ann", False, "")
    assert (me["roles"], me["may"], me["may_somewhere"], me["games"]) == ([], [], [], [])
    assert me["csrf_token"]


async def test_roles_are_told_with_where_they_are_held_and_through_whom(bed, ann):
    bind(
        bed,
        Binding(subject="group:gm", role="support", game_id="demo", env="dev"),
        Binding(subject="user:ann", role="auditor"),
        Binding(subject="user:eve", role="admin"),
        roles=[SUPPORT],
    )
    held = {
        (each["role"], each["subject"], each["game_id"], each["env"]) for each in (await ann.get("/api/me"))["roles"]
    }
    assert held == {("support", "group:gm", "demo", "dev"), ("auditor", "user:ann", "*", "*")}


async def test_permissions_are_those_of_the_scope_that_is_named(bed, ann):
    bind(bed, Binding(subject="user:ann", role="support", game_id="demo", env="dev"), roles=[SUPPORT])
    here = await ann.get("/api/me", SCOPED)
    assert (here["scope"], here["may"], here["may_somewhere"]) == ("demo|dev", ["calls:read"], ["calls:read"])
    for elsewhere in ("/api/me", "/api/me?game_id=demo&env=prod"):
        assert (await ann.get(elsewhere))["may"] == []
        assert (await ann.get(elsewhere))["may_somewhere"] == ["calls:read"]


async def test_the_bearer_of_the_settings_token_may_everything_and_sees_every_game(bed):
    me = (await bed.request("GET", "/api/me")).json
    assert (me["root"], me["roles"], set(me["may"])) == (True, [], set(PAGE))
    assert me["games"] == [
        {"game_id": "demo", "envs": [{"env": "dev", "production": False}]},
        {"game_id": "other", "envs": [{"env": "prod", "production": True}]},
    ]
    assert (me["expires_ms"], me["idle_ends_ms"], me["csrf_token"]) == (0, 0, "")


async def test_a_session_tells_when_it_ends_and_when_it_ends_unused(bed, ann):
    bed.residence.clock.go_on(seconds=100)
    me = await ann.get("/api/me")
    assert (me["expires_ms"], me["idle_ends_ms"]) == (NOW + 86_400_000, NOW + 100_000 + 3_600_000)
    bed.residence.clock.go_on(seconds=3_000)
    assert (await ann.get("/api/me"))["idle_ends_ms"] == NOW + 3_100_000 + 3_600_000


async def test_the_second_factor_is_told_as_at_its_own_address(ann):
    assert (await ann.get("/api/me"))["second_factor"] == await ann.get("/api/me/second_factor")


async def test_a_token_is_told_what_it_may_and_not_what_its_account_may(bed, ann):
    bind(bed, Binding(subject="user:ann", role="admin"))
    _, text = await bed.residence.residents.tokens.create(
        bed.residence.residents.accounts.named("ann").id,
        created_by="ann",
        name="ci",
        seconds=3600,
        permissions=frozenset({"calls:read"}),
        scopes=frozenset({"demo|*"}),
    )
    me = (await bed.request("GET", "/api/me", token=text, headers=SCOPED)).json
    assert (me["kind"], me["may"], me["may_somewhere"]) == ("token", ["calls:read"], ["calls:read"])
    assert [each["game_id"] for each in me["games"]] == ["demo"]


# ------------------------------------------------------------------------------------------------ games


async def test_games_are_those_in_which_one_may_do_anything(bed, ann):
    assert (await ann.get("/api/games")) == {"games": []}
    bind(bed, Binding(subject="user:ann", role="support", game_id="other", env="*"), roles=[SUPPORT])
    assert (await ann.get("/api/games"))["games"] == [
        {"game_id": "other", "envs": [{"env": "prod", "production": True}]}
    ]


async def test_a_game_that_only_a_binding_names_is_there_for_whom_it_lets_in(bed, ann):
    bind(
        bed,
        Binding(subject="user:ann", role="support", game_id="new", env="*"),
        Binding(subject="user:ann", role="support", game_id="newer", env="stage"),
        Binding(subject="user:eve", role="support", game_id="hidden", env="dev"),
        roles=[SUPPORT],
    )
    assert (await ann.get("/api/games"))["games"] == [
        {"game_id": "new", "envs": []},
        {"game_id": "newer", "envs": [{"env": "stage", "production": False}]},
    ]


async def test_who_is_let_into_an_environment_of_every_game_sees_the_games_that_have_it(bed, ann):
    bind(bed, Binding(subject="user:ann", role="support", game_id="*", env="prod"), roles=[SUPPORT])
    games = (await ann.get("/api/games"))["games"]
    assert games == [{"game_id": "other", "envs": [{"env": "prod", "production": True}]}]


async def test_the_page_can_be_looked_at_as_a_role_before_it_is_given_to_anybody(bed, ann):
    bind(bed, Binding(subject="user:ann", role="admin"), roles=[SUPPORT])
    me = await ann.get("/api/me", {"X-See-As": "support", **SCOPED})
    assert (me["acting_as"], me["may"], [each["role"] for each in me["roles"]]) == (
        "support",
        ["calls:read"],
        ["support"],
    )
