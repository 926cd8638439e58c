"""Assignments over HTTP."""

import pytest
from tests.planes.http_testbed import Testbed

from croupier.domain.scope import Scope

WANTED = {"demo|dev": ["player.*", "mail.send"], "demo|prod": []}


@pytest.fixture
def bed():
    return Testbed()


async def test_assignments_are_kept_and_hold_at_once(bed):
    assert (await bed.request("GET", "/api/assignments")).json == {}
    reply = await bed.request("PUT", "/api/assignments", json=WANTED)
    assert (reply.status, reply.json) == (200, {"demo|dev": ["mail.send", "player.*"], "demo|prod": []})
    assert (await bed.request("GET", "/api/assignments")).json == reply.json
    assert bed.catalog.assignments == await bed.kept.assignments()
    assert bed.catalog.assignments[Scope("demo", "dev")].admits("player.ban")


async def test_what_is_unchanged_is_not_sent_again(bed):
    tag = (await bed.request("PUT", "/api/assignments", json=WANTED)).headers["etag"]
    reply = await bed.request("GET", "/api/assignments", headers={"If-None-Match": f'"other", {tag}'})
    assert (reply.status, reply.body, reply.headers["etag"]) == (304, b"", tag)
    assert reply.headers["cache-control"] == "no-cache"


async def test_a_change_over_another_change_is_refused(bed):
    tag = (await bed.request("GET", "/api/assignments")).headers["etag"]
    assert (await bed.request("PUT", "/api/assignments", json=WANTED, headers={"If-Match": tag})).status == 200
    reply = await bed.request("PUT", "/api/assignments", json={}, headers={"If-Match": tag})
    assert (reply.status, reply.json["reason"]) == (409, "failed_precondition")
    assert (await bed.request("GET", "/api/assignments")).json != {}


@pytest.mark.parametrize(
    "body", [[], {"demo": []}, {"demo|dev": "player.*"}, {"demo|dev": ["*x"]}, {"demo|dev": [""]}, {"demo|dev": None}]
)
async def test_assignments_that_make_no_sense_are_refused_whole(bed, body):
    await bed.request("PUT", "/api/assignments", json=WANTED)
    reply = await bed.request("PUT", "/api/assignments", json=body)
    assert (reply.status, reply.json["reason"]) == (400, "invalid_argument")
    assert len((await bed.request("GET", "/api/assignments")).json) == 2
