"""The adapter of Prometheus, asking a real one."""

import asyncio

import pytest
from tests.planes.adapter_testbed import PATIENCE, adapter, real_prometheus

from croupier.settings import PromAdapterSettings
from croupier_sdk import CallError

CONFIG = """\
global: {scrape_interval: 200ms, scrape_timeout: 200ms, evaluation_interval: 200ms}
rule_files: [rules.yml]
scrape_configs: []
"""
RULES = """\
groups:
  - name: sample
    rules:
      - {record: "sample:answer", expr: "vector(42)", labels: {game: demo}}
"""


@pytest.fixture(scope="module")
def prometheus(tmp_path_factory):
    with real_prometheus(tmp_path_factory.mktemp("prometheus"), CONFIG, RULES) as url:
        yield url


@pytest.fixture
async def agent(prometheus):
    async with adapter(PromAdapterSettings, url=prometheus) as agent:
        yield agent


async def rejection(awaitable):
    with pytest.raises(CallError) as caught:
        await awaitable
    return caught.value.reason, caught.value.message


async def test_a_query_answers_with_prometheus_own_document(agent):
    answer = await agent.invoke("prom.query", {"expr": "vector(1) + 1", "time": 1700000000})
    assert answer["status"] == "success"
    assert answer["data"] == {"resultType": "vector", "result": [{"metric": {}, "value": [1700000000, "2"]}]}


async def test_a_moment_is_rfc_3339_or_seconds_since_1970(agent):
    for moment in ("2023-11-14T22:13:20Z", "2023-11-15T06:13:20+08:00", 1700000000, 1700000000.0):
        answer = await agent.invoke("prom.query", {"expr": "time()", "time": moment})
        assert answer["data"]["result"] == [1700000000, "1700000000"]


async def test_a_recording_rule_can_be_queried(agent):
    async with asyncio.timeout(PATIENCE):
        while not (found := (await agent.invoke("prom.query", {"expr": "sample:answer"}))["data"]["result"]):  # noqa: ASYNC110 — Prometheus tells nobody
            await asyncio.sleep(0.05)
    assert found[0]["metric"] == {"__name__": "sample:answer", "game": "demo"}
    assert found[0]["value"][1] == "42"


async def test_a_range_has_a_point_for_every_step(agent):
    asked = {"expr": "vector(3)", "start": "2023-11-14T22:13:20Z", "end": 1700000060, "step": "15s"}
    answer = await agent.invoke("prom.query_range", asked)
    (series,) = answer["data"]["result"]
    assert [moment for moment, _ in series["values"]] == [1700000000, 1700000015, 1700000030, 1700000045, 1700000060]


async def test_a_range_is_the_last_hour_by_minutes_where_nothing_is_said(agent):
    answer = await agent.invoke("prom.query_range", {"expr": "vector(3)"})
    (series,) = answer["data"]["result"]
    assert len(series["values"]) == 61
    (series,) = (await agent.invoke("prom.query_range", {"expr": "vector(3)", "step": 600.5}))["data"]["result"]
    assert len(series["values"]) == 6


@pytest.mark.parametrize(
    ("function", "arguments", "says"),
    [
        ("prom.query", {"expr": "up("}, "parse error"),
        ("prom.query", {"expr": ""}, "'expr'"),
        ("prom.query", {}, "'expr' is missing"),
        ("prom.query", {"expr": "up", "time": "yesterday"}, "'time' must be a moment with a zone"),
        ("prom.query", {"expr": "up", "time": "2023-11-14T22:13:20"}, "'time' must be a moment with a zone"),
        ("prom.query", {"expr": "up", "time": -1}, "1970 to 9999"),
        ("prom.query", {"expr": "up", "time": 1e300}, "1970 to 9999"),
        ("prom.query", {"expr": "up", "extra": 1}, "is not known"),
        ("prom.query_range", {"expr": "up", "start": 10, "end": 5}, "must not be before"),
        ("prom.query_range", {"expr": "up", "step": "0s"}, "at least 1ms"),
        ("prom.query_range", {"expr": "up", "step": 0}, "'step'"),
        ("prom.query_range", {"expr": "up", "step": "soon"}, "'step'"),
        ("prom.query_range", {"expr": "up", "start": 0, "end": 1700000000, "step": "1s"}, "at most 11000 steps"),
        ("prom.query_range", {"expr": "sum(up) + on", "step": "1m"}, "Prometheus: "),
    ],
)
async def test_a_wrong_question_is_refused_in_words_about_it(agent, function, arguments, says):
    reason, message = await rejection(agent.invoke(function, arguments))
    assert reason == "invalid_argument"
    assert says in message


async def test_an_answer_that_is_too_large_is_refused_and_not_read(prometheus):
    async with adapter(PromAdapterSettings, url=prometheus, max_answer=1_000) as agent:
        asked = {"expr": "vector(3)", "start": 0, "end": 10_000, "step": 1}
        reason, message = await rejection(agent.invoke("prom.query_range", asked))
    assert reason == "function_rejected"
    assert "more than 1000 bytes" in message


async def test_a_path_that_is_not_prometheus_is_said_to_be_wrong(prometheus):
    async with adapter(PromAdapterSettings, url=f"{prometheus}/nowhere") as agent:
        reason, message = await rejection(agent.invoke("prom.query", {"expr": "up"}))
    assert (reason, message) == ("function_rejected", "Prometheus: 404 page not found")


async def test_a_prometheus_that_is_away_is_unavailable():
    async with adapter(PromAdapterSettings, url="http://127.0.0.1:1") as agent:
        reason, message = await rejection(agent.invoke("prom.query", {"expr": "up"}))
    assert reason == "unavailable"
    assert "http://127.0.0.1:1 cannot be reached: " in message
