"""Many jobs stopped by one request."""

import pytest
from tests.planes.http_testbed import SCOPED, Testbed

from croupier.domain.job import UNFINISHED, JobState
from croupier.domain.listing import JobFilter
from croupier.domain.scope import Scope


@pytest.fixture
def bed() -> Testbed:
    testbed = Testbed()
    for name in ("j1", "j2", "j3"):
        testbed.jobs.add(name, state=JobState.RUNNING)
    return testbed


async def cancel(bed: Testbed, headers=(), **body):
    return await bed.request("POST", "/api/jobs/cancel", json=body, headers=headers)


async def test_jobs_are_stopped_by_their_ids_each_with_its_own_outcome(bed):
    reply = await cancel(bed, job_ids=["j1", "nope", "j2", "j1"], reason="wrong mail")

    assert reply.status == 200
    assert [(each["job_id"], each["state"], each["reason"]) for each in reply.json["jobs"]] == [
        ("j1", "running", ""),
        ("nope", "", "not_found"),
        ("j2", "running", ""),
    ]
    assert bed.jobs.reasons == ["wrong mail"] * 3
    assert (reply.json["dry_run"], reply.json["more"]) == (False, False)


async def test_jobs_are_stopped_by_what_they_have_in_common(bed):
    reply = await cancel(
        bed,
        SCOPED,
        filter={"function_id": "mail.send_all", "caller": "ann", "agent_id": "a1", "since": "1", "until": "9"},
        limit=2,
    )

    which = JobFilter(
        scope=Scope("demo", "dev"),
        function_id="mail.send_all",
        states=UNFINISHED,
        caller="ann",
        agent_id="a1",
        since_ms=1,
        until_ms=9,
    )
    assert bed.jobs.listed == [(which, 2, None)]
    assert ([each["job_id"] for each in reply.json["jobs"]], reply.json["more"]) == (["j1", "j2"], True)


async def test_a_dry_run_stops_nothing(bed):
    reply = await cancel(bed, filter={"state": ["running"]}, dry_run=True)

    assert (len(reply.json["jobs"]), reply.json["dry_run"]) == (3, True)
    assert bed.jobs.reasons == []


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"job_ids": []},
        {"filter": {}},
        {"job_ids": ["j1"], "filter": {"caller": "ann"}},
        {"filter": {"functionid": "mail.send_all"}},
        {"filter": {"caller": "ann"}, "dryrun": True},
        {"filter": {"state": ["sleeping"]}},
        {"filter": {"game_id": "demo"}},
        {"filter": {"caller": "x" * 257}},
        {"filter": {"since": "yesterday"}},
        {"filter": {"caller": "ann"}, "limit": 0},
        {"filter": {"caller": "ann"}, "limit": 501},
        {"job_ids": ["j"] * 501},
        {"job_ids": [7]},
    ],
    ids=str,
)
async def test_a_choice_that_is_none_stops_nothing(bed, body):
    reply = await cancel(bed, **body)

    assert (reply.status, reply.json["reason"]) == (400, "invalid_argument")
    assert not bed.jobs.reasons
