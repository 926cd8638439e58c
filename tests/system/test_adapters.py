"""Adapters as processes: a call by HTTP reaches a real Prometheus and comes back; they are killed, started again and stopped."""

import asyncio
import json
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from aiohttp import web
from tests.planes.adapter_testbed import real_prometheus, serving
from tests.system.stage import PROGRAM, TOKEN, Program, Stage, until

from croupier.forms import Transform
from croupier.shipped import shipped_packs

RULES = """\
groups:
  - name: croupier
    interval: 200ms
    rules:
      - {record: "croupier:calls:sum", expr: "sum(croupier_calls_total)"}
"""


def scraping(address: str) -> str:
    """Prometheus's configuration: our own server's metrics, and a recording rule over them."""
    return f"""\
global: {{scrape_interval: 1s, scrape_timeout: 1s}}
rule_files: [rules.yml]
scrape_configs:
  - job_name: croupier
    authorization: {{credentials: {TOKEN}}}
    static_configs: [{{targets: ["{address}"]}}]
"""


@pytest.fixture
def prometheus(stage: Stage, tmp_path: Path) -> Iterator[str]:
    (tmp_path / "prometheus").mkdir()
    with real_prometheus(tmp_path / "prometheus", scraping(stage.http), RULES) as url:
        yield url


def adapter(stage: Stage, kind: str, *options: str) -> Program:
    return stage.program(
        f"adapter-{kind}", PROGRAM, "adapter", kind, "--agent", stage.local, "--game", "demo", "--env", "dev", *options
    )


async def test_our_own_metrics_are_asked_of_a_real_prometheus_through_server_agent_and_adapter(
    stage: Stage, prometheus: str
) -> None:
    prom = adapter(stage, "prom", "--url", prometheus)
    stage.server.variables = {"CROUPIER_SERVER_PACKS": json.dumps({"directories": [str(shipped_packs())]})}
    for program in (stage.server, stage.agent, prom):
        await program.start()
    await stage.reachable("prom.query")

    async def recorded() -> object:
        status, body = await stage.invoke("prom.query", {"expr": "croupier:calls:sum"})
        assert status == 200, body
        return any(float(each["value"][1]) >= 1 for each in body["data"]["result"])

    await until(recorded, "the recording rule has counted a call")
    status, body = await stage.invoke("prom.query_range", {"expr": 'up{job="croupier"}', "step": "1s"})
    assert (status, body["data"]["resultType"]) == (200, "matrix")
    _, described = await stage.get("/api/descriptors/prom.query_range")
    chart = described["descriptor"]["outputs"]["views"][0]
    (series,) = Transform.read(chart["transform"]).apply(body)
    assert (chart["renderer"], series["name"], series["labels"]["job"]) == ("echarts.line", "up", "croupier")
    assert 1 in [value for _, value in series["data"]]
    status, body = await stage.invoke("prom.query", {"expr": "up", "time": "yesterday"})
    assert (status, body["faults"][0]["path"]) == (400, "/time")  # the server's own check, by the shipped pack
    status, body = await stage.invoke("prom.query", {"expr": "up{"})
    assert (status, body["reason"]) == (400, "invalid_argument")
    assert "parse error" in body["detail"]

    await prom.kill()
    await prom.start()
    await stage.answers("prom.query", {"expr": "vector(1)"})
    await stage.agent.kill()
    await stage.agent.start()
    await stage.answers("prom.query", {"expr": "vector(1)"})
    assert await prom.stop() == 0
    assert "Traceback" not in prom.text()


async def test_a_call_in_flight_is_answered_before_a_stopped_adapter_ends(stage: Stage) -> None:
    asked, gate = asyncio.Event(), asyncio.Event()

    async def slow(request: web.Request) -> web.Response:
        asked.set()
        await gate.wait()
        return web.Response(text="late")

    async with serving({"/slow": slow}) as address:
        http = adapter(stage, "http", "--allow", address, "--allow-loopback")
        for program in (stage.server, stage.agent, http):
            await program.start()
        await stage.reachable("http.request")
        call = asyncio.ensure_future(stage.invoke("http.request", {"url": f"http://{address}/slow", "method": "POST"}))
        await asked.wait()
        stopped = asyncio.ensure_future(http.stop())

        async def draining() -> bool:
            _, body = await stage.get("/api/function_instances?function_id=http.request")
            return not any(instance["healthy"] for instance in body["instances"])

        await until(draining, "the adapter takes no new calls")
        gate.set()
        status, body = await call
        assert (status, body["text"]) == (200, "late")
        assert await stopped == 0


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_an_adapter_waits_for_its_agent_and_ends_with_0_when_it_is_told_to(
    stage: Stage, number: signal.Signals
) -> None:
    programs = [
        adapter(stage, "http", "--allow", "127.0.0.1:1", "--allow-loopback"),
        adapter(stage, "grafana"),
        adapter(stage, "alertmanager"),
    ]
    for program in programs:
        await program.start()

    async def tried() -> bool:
        return all("not attached to the agent" in program.text() for program in programs)

    await until(tried, "all adapters look for the agent")
    for program in (stage.server, stage.agent):
        await program.start()
    for function_id in ("http.request", "grafana.search", "alertmanager.silence"):
        await stage.reachable(function_id)
    status, body = await stage.invoke("http.request", {"url": "http://127.0.0.1:1/"})
    assert (status, body["reason"]) == (503, "unavailable")
    for program in programs:
        assert await program.stop(number) == 0
        assert "Traceback" not in program.text()
