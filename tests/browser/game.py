"""A game server that asks much of the page: long answers, logs that run, texts that mean harm, and descriptions that are wrong."""

import argparse
import json
from typing import Annotated, Any, Literal

from croupier_sdk import Field, JobContext, Provider, RawPayload, Rejected

SCRIPT = "<script>window.hurt = 1</script><img src=x onerror='window.hurt = 1'>"
BACKWARDS = "\u202e\u2066gnp.exe \u05d0\u05d1\u05d2"
ZALGO = "Z\u0351\u036b\u0343\u0363\u0350a\u0351\u036b\u0343lgo" * 40
HARM = f"{SCRIPT} {BACKWARDS} {ZALGO}"
LONG = HARM + "x" * 1_000_000
"""A megabyte without a place to break a line."""

VIEWS: dict[str, dict[str, Any]] = {
    "table": {"template": [{"id": "$.text", "name": "$.text", HARM[:200]: "$.text", "nested": {"text": ["$.text"]}}]},
    "kv": {"template": {"name": "$.text", HARM[:200]: "$.text", "nested": {"text": ["$.text"]}}},
    "text": {"expr": "$.text"},
    "log": {"template": ["$.text", {"time": 1, "level": "error", "message": "$.text"}]},
    "diff": {"template": {"before": {"text": "", "gone": "$.text"}, "after": {"text": "$.text"}}},
    "entity": {"template": {"entity": "player", "id": "$.text", "name": "$.text"}},
    "number": {"template": [{"value": "$.text", "label": "$.text", "unit": "$.text"}]},
    "links": {"template": [{"url": "$.text", "text": "$.text"}, "$.text"]},
    "image": {"expr": "$.text"},
    "echarts.bar": {"template": [{"name": "$.text", "value": 1}, {"name": "$.text", "value": 2}]},
    "echarts.pie": {"template": [{"name": "$.text", "value": 1}, {"name": "$.text", "value": 2}]},
}
"""Every renderer, and what it is given of an answer `{"text": …}`."""
WRONG_VIEWS: list[dict[str, Any]] = [
    {"id": "wrong path", "type": "table", "transform": {"expr": "$.[[("}},
    {"id": "wrong template", "type": "kv", "transform": {"template": {"forEach": {"path": 7}}}},
    {"id": "wrong condition", "type": "kv", "show_if": "((("},
    {"id": "nobody draws it", "type": "no.such.view"},
    {"id": "right", "type": "text", "transform": {"expr": "$.right"}},
]
WRONG_SCHEMA = {
    "type": "object",
    "properties": {
        "away": {"$ref": "#/$defs/nowhere"},
        "pattern": {"type": "string", "pattern": "(?<bad"},
        "right": {"type": "string", "title": "What is right"},
    },
}
Choice = Literal["plain", "<script>window.hurt = 1</script>", "\u202e\u2066gnp.exe"]


def build(game: Provider) -> None:
    add_much(game)
    add_harm(game)
    add_wrong(game)


def add_much(game: Provider) -> None:
    @game.function("much.rows", mode="query", views=[{"id": "rows", "type": "table", "transform": {"expr": "$.rows"}}])
    async def rows(count: int) -> dict[str, list[dict[str, Any]]]:
        return {"rows": [{"number": number, "name": f"row {number}"} for number in range(count)]}

    @game.job("much.log")
    async def log(job: JobContext, lines: int) -> dict[str, int]:
        for number in range(lines):
            await job.log(f"line {number}.")
        return {"lines": lines}

    @game.function("much.items")
    async def items(values: list[int], names: list[dict[str, str]]) -> dict[str, int]:
        return {"values": len(values), "names": len(names)}


def add_harm(game: Provider) -> None:
    views = [
        {"id": f"as {view} {HARM[:100]}", "type": view, "title": f"{view} {HARM}", "transform": transform}
        for view, transform in VIEWS.items()
    ]

    @game.function("harm.answer", mode="query", views=views, display_name=HARM, summary=HARM, entity="player")
    async def answer(
        size: Annotated[Literal["short", "long"], Field(label=f"Size {HARM}", description=HARM)] = "long",
        choice: Annotated[Choice, Field(label=f"Choice {HARM}")] = "plain",
        text: Annotated[str, Field(label=f"Text {HARM}", placeholder=HARM)] = "",
    ) -> dict[str, str]:
        return {"text": text or (LONG if size == "long" else HARM)}

    @game.job("harm.log")
    async def log(job: JobContext) -> dict[str, str]:
        await job.progress(50, HARM)
        for text in (SCRIPT, BACKWARDS, ZALGO, LONG[:60_000]):
            await job.log(text)
        return {"text": HARM}

    @game.function("harm.fail")
    async def fail() -> None:
        raise Rejected(HARM, details={"text": HARM})


def add_wrong(game: Provider) -> None:
    @game.function("wrong.views", mode="query", views=WRONG_VIEWS)
    async def views() -> dict[str, str]:
        return {"right": "this view is right"}

    @game.function("wrong.form", request_schema=WRONG_SCHEMA)
    async def form(payload: RawPayload) -> bytes:
        return json.dumps({"came": json.loads(payload)}).encode()

    @game.function("wrong.conditions")
    async def conditions(
        first: Annotated[str, Field(label="First", widget="no-such-widget")] = "",
        second: Annotated[str, Field(label="Second", show_if="((( $.first")] = "",
    ) -> dict[str, str]:
        return {"first": first, "second": second}


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("agent")
    provider = Provider(service_id="much-1", game_id="demo", env="dev", agent=parser.parse_args().agent)
    build(provider)
    provider.run()
