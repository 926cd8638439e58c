"""The adapter of Alertmanager, asking a real one."""

import asyncio
from datetime import UTC, datetime, timedelta

import aiohttp
import pytest
from tests.planes.adapter_testbed import PATIENCE, adapter, real_alertmanager

from croupier.settings import AlertmanagerAdapterSettings
from croupier_sdk import CallError

NOBODY = "00000000-0000-4000-8000-000000000000"


@pytest.fixture(scope="module")
def alertmanager(tmp_path_factory):
    with real_alertmanager(tmp_path_factory.mktemp("alertmanager")) as url:
        yield url


@pytest.fixture
async def agent(alertmanager):
    async with adapter(AlertmanagerAdapterSettings, url=alertmanager) as agent:
        yield agent


@pytest.fixture
async def fired(alertmanager):
    """Two alerts, as Prometheus would send them."""
    alerts = [
        {
            "labels": {"alertname": "ServerDown", "game": game, "severity": "critical"},
            "annotations": {"summary": "gone"},
        }
        for game in ("demo", "other")
    ]
    async with (
        aiohttp.ClientSession() as session,
        session.post(f"{alertmanager}/api/v2/alerts", json=alerts) as answer,
    ):
        assert answer.status == 200


async def rejection(awaitable):
    with pytest.raises(CallError) as caught:
        await awaitable
    return caught.value.reason, caught.value.message


def silence(value="demo", **arguments):
    matchers = [{"name": "alertname", "value": "ServerDown"}, {"name": "game", "value": value}]
    return {"matchers": matchers, "comment": "maintenance", "created_by": "ada", **arguments}


async def states(agent, **filters):
    found = (await agent.invoke("alertmanager.alerts", filters))["alerts"]
    return {alert["labels"]["game"]: alert["status"]["state"] for alert in found}


async def until(wanted, look):
    async with asyncio.timeout(PATIENCE):
        while await look() != wanted:  # noqa: ASYNC110 — Alertmanager tells nobody when it has sorted its alerts
            await asyncio.sleep(0.02)


async def test_alerts_are_listed_and_filtered(agent, fired):
    async def unsorted():
        return "unprocessed" in (await states(agent)).values()

    await until(False, unsorted)
    assert set(await states(agent)) == {"demo", "other"}
    assert set(await states(agent, filter=['game="other"', 'severity=~"crit.*"'])) == {"other"}
    assert await states(agent, filter=['game="nobody"']) == {}
    assert await states(agent, receiver="somebody") == {}


async def test_a_silence_holds_its_alerts_and_can_be_ended(agent, fired):
    made = await agent.invoke("alertmanager.silence", silence(duration="90m"))
    begins, ends = (datetime.fromisoformat(made[name]) for name in ("starts_at", "ends_at"))
    assert ends - begins == timedelta(minutes=90)
    (listed,) = (await agent.invoke("alertmanager.silences", {"filter": ['game="demo"']}))["silences"]
    assert (listed["id"], listed["createdBy"], listed["comment"]) == (made["silence_id"], "ada", "maintenance")
    assert listed["matchers"][1] == {"name": "game", "value": "demo", "isRegex": False, "isEqual": True}

    async def demo():
        return (await states(agent, filter=['alertname="ServerDown"'])).get("demo")

    await until("suppressed", demo)
    assert "demo" not in await states(agent, silenced=False)
    ended = await agent.invoke("alertmanager.expire_silence", {"silence_id": made["silence_id"]})
    assert ended == {"silence_id": made["silence_id"], "state": "expired"}
    await until("active", demo)
    assert (await agent.invoke("alertmanager.silences", {"filter": ['game="demo"']}))["silences"] == []
    (expired,) = (await agent.invoke("alertmanager.silences", {"states": ["expired"]}))["silences"]
    assert expired["id"] == made["silence_id"]


async def test_a_silence_may_begin_later(agent):
    later = (datetime.now(UTC) + timedelta(hours=1)).isoformat()
    made = await agent.invoke("alertmanager.silence", silence("later", starts_at=later, duration="1h30m"))
    found = (await agent.invoke("alertmanager.silences", {"states": ["pending"]}))["silences"]
    assert [each["id"] for each in found] == [made["silence_id"]]


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ({"matchers": []}, "'matchers'"),
        ({"matchers": [{"name": "alertname"}]}, "value"),
        ({"matchers": [{"name": "a", "value": "x", "isRegexp": True}]}, "is not known"),
        ({"matchers": [{"name": "game", "value": ".*", "isRegex": True}]}, "would silence every alert"),
        ({"matchers": [{"name": "game", "value": ""}]}, "would silence every alert"),
        ({"matchers": [{"name": "not a label", "value": "x"}]}, "Alertmanager: "),
        ({"matchers": [{"name": "game", "value": "(", "isRegex": True}]}, "Alertmanager: "),
        ({"comment": ""}, "'comment'"),
        ({"duration": "0s"}, "'duration'"),
        ({"duration": "2y"}, "'duration'"),
        ({"duration": "long"}, "'duration'"),
        ({"starts_at": "2001-01-01T00:00:00Z"}, "Alertmanager: "),
    ],
)
async def test_a_wrong_silence_is_refused_in_words_about_it(agent, arguments, says):
    reason, message = await rejection(agent.invoke("alertmanager.silence", silence(**arguments)))
    assert reason == "invalid_argument"
    assert says in message


async def test_a_matcher_may_ask_for_a_label_with_any_value_but_one(agent):
    matchers = [
        {"name": "rack", "value": "", "isEqual": False},
        {"name": "alertname", "value": "Any.*", "isRegex": True},
    ]
    made = await agent.invoke("alertmanager.silence", silence(matchers=matchers))
    await agent.invoke("alertmanager.expire_silence", {"silence_id": made["silence_id"]})
    one = await agent.invoke("alertmanager.silence", silence(matchers=matchers[:1]))
    await agent.invoke("alertmanager.expire_silence", {"silence_id": one["silence_id"]})


async def test_a_wrong_matcher_is_refused_by_alertmanager(agent):
    reason, message = await rejection(agent.invoke("alertmanager.alerts", {"filter": ["no matcher"]}))
    assert reason == "invalid_argument"
    assert message.startswith("Alertmanager: ")


async def test_a_silence_that_is_not_there_cannot_be_ended(agent):
    reason, message = await rejection(agent.invoke("alertmanager.expire_silence", {"silence_id": NOBODY}))
    assert reason == "function_rejected"
    assert "there is no silence" in message
    reason, _ = await rejection(agent.invoke("alertmanager.expire_silence", {"silence_id": "../alerts"}))
    assert reason == "invalid_argument"


async def test_a_repeated_key_makes_one_silence(agent):
    made = [
        await agent.invoke("alertmanager.silence", silence("once"), idempotency_key="silence-once") for _ in range(2)
    ]
    assert made[0] == made[1]
    found = (await agent.invoke("alertmanager.silences", {"filter": ['game="once"']}))["silences"]
    assert len(found) == 1
