"""The adapter of Grafana against its documented search API, replayed by a real HTTP server: Grafana itself is in no Debian archive."""

import json
from pathlib import Path

import pytest
from aiohttp import web
from tests.planes.adapter_testbed import adapter, serving

from croupier.adapters.grafana import link
from croupier.settings import GrafanaAdapterSettings
from croupier_sdk import CallError

CONTRACT = json.loads(Path(__file__).with_name("grafana_contract.json").read_text(encoding="utf-8"))
TOKEN = "glsa_0123456789-token-of-grafana"
BY_NAME = {exchange["name"]: exchange for exchange in CONTRACT}


def in_query(request: web.Request) -> dict[str, object]:
    found: dict[str, object] = {}
    for name in request.query:
        values = request.query.getall(name)
        found[name] = values if len(values) > 1 else values[0]
    return found


async def search(request: web.Request) -> web.Response:
    anonymous = request.headers.get("Authorization") != f"Bearer {TOKEN}"
    for exchange in CONTRACT:
        if exchange["query"] == in_query(request) and exchange.get("anonymous", False) == anonymous:
            return web.json_response(exchange["answer"], status=exchange["status"])
    return web.json_response({"message": f"not in the contract: {request.query_string}"}, status=400)


@pytest.fixture
async def grafana():
    async with serving({"/api/search": search, "/grafana/api/search": search}) as address:
        yield f"http://{address}"


@pytest.fixture
def token_file(tmp_path):
    path = tmp_path / "grafana-token"
    path.write_text(f"{TOKEN}\n")
    return path


async def test_dashboards_are_found_with_links_that_open(grafana, token_file):
    async with adapter(GrafanaAdapterSettings, url=grafana, token_file=token_file) as agent:
        found = await agent.invoke("grafana.search", {})
    assert found["dashboards"] == [
        {
            "uid": "adx8k2",
            "title": "Lobby servers",
            "folder": "Game servers",
            "tags": ["game", "lobby"],
            "starred": False,
            "link": f"{grafana}/d/adx8k2/lobby-servers",
        },
        {
            "uid": "bqz01c",
            "title": "Payments",
            "folder": "",
            "tags": [],
            "starred": True,
            "link": f"{grafana}/d/bqz01c/payments",
        },
    ]


async def test_what_is_asked_reaches_grafana_by_its_names(grafana, token_file):
    asked = {"query": "lobby & co", "tags": ["game", "lobby"], "starred": True, "limit": 10, "page": 2}
    async with adapter(GrafanaAdapterSettings, url=f"{grafana}/grafana/", token_file=token_file) as agent:
        assert await agent.invoke("grafana.search", asked) == {"dashboards": []}


async def test_without_its_token_grafana_is_unavailable_and_the_adapter_says_why(grafana):
    async with adapter(GrafanaAdapterSettings, url=grafana) as agent:
        with pytest.raises(CallError) as caught:
            await agent.invoke("grafana.search", {})
    assert caught.value.reason == "unavailable"
    assert "check the token" in caught.value.message


@pytest.mark.parametrize(
    ("path", "base", "opens"),
    [
        ("/d/u/s", "https://g.example", "https://g.example/d/u/s"),
        ("/grafana/d/u/s", "https://g.example:3000/grafana", "https://g.example:3000/grafana/d/u/s"),
        ("//evil.example/d", "https://g.example", ""),
        ("/\\evil.example", "https://g.example", ""),
        ("javascript:alert(1)", "https://g.example", ""),
        (7, "https://g.example", ""),
    ],
)
def test_a_link_never_leads_away_from_grafana(path, base, opens):
    assert link(path, base) == opens
