import json
from enum import Enum
from typing import Annotated

import pytest

from croupier_sdk import BlockingJobContext, CallContext, Field, JobContext, Provider, RawPayload
from croupier_sdk.errors import BadArgument
from croupier_sdk.functions.docstrings import parse_docstring
from croupier_sdk.functions.encoding import Unserializable, to_payload


class Color(Enum):
    RED = "red"


@pytest.fixture
def game():
    return Provider(service_id="game-1", game_id="demo", env="dev")


def manifest(game, function_id):
    return json.loads(json.dumps(game.functions[function_id].manifest))


def test_a_typed_function_describes_itself(game):
    @game.function(
        "player.ban",
        version="2.1.0",
        category="player",
        risk="high",
        idempotent=True,
        timeout="1500ms",
        display_name={"en": "Ban", "zh": "封禁"},
        permission="player:ban",
        two_person_rule=True,
        sensitive=["reason"],
        route="lb",
        tags=["support"],
        entity="player",
        operation="ban",
        dry_run="dry",
    )
    def ban(
        player_id: Annotated[str, Field(label={"en": "Player", "zh": "玩家"})], reason: str = "", *, dry: bool = False
    ) -> dict[str, bool]:
        """Ban a player.

        They are logged out at once.

        Args:
            player_id: Who is banned,
                by id.
            reason (str): Shown to the player.
        """
        return {"banned": True}

    assert manifest(game, "player.ban") == {
        "id": "player.ban",
        "version": "2.1.0",
        "category": "player",
        "risk": "high",
        "auth": {"permission": "player:ban", "risk": "high", "two_person_rule": True},
        "semantics": {"mode": "command", "idempotent": True, "timeout": "1.5s", "route": "lb", "dry_run": "dry"},
        "display_name": {"en": "Ban", "zh": "封禁"},
        "summary": {"en": "Ban a player."},
        "description": "They are logged out at once.",
        "tags": ["support"],
        "entity": "player",
        "operation": "ban",
        "ui": {"fields": {"player_id": {"label": {"en": "Player", "zh": "玩家"}}, "reason": {"sensitive": True}}},
        "request": {
            "json_schema": {
                "type": "object",
                "properties": {
                    "player_id": {"type": "string", "description": "Who is banned, by id."},
                    "reason": {
                        "type": "string",
                        "description": "Shown to the player.",
                        "default": "",
                        "writeOnly": True,
                    },
                    "dry": {"type": "boolean", "default": False},
                },
                "required": ["player_id"],
                "additionalProperties": False,
            }
        },
        "response": {"json_schema": {"type": "object", "additionalProperties": {"type": "boolean"}}},
    }
    assert game.functions["player.ban"].seconds == 1.5


def test_a_decorator_says_all_that_a_descriptor_may_hold(game):
    @game.function(
        "item.move",
        allow_if="has_role('gm')",
        two_person_rule={"approvers": ["lead"], "threshold": 2},
        rate_limit="10/m",
        concurrency=4,
        hash_key="source",
        labels={"team": "economy"},
        menu={"section": "Items", "order": 3},
        examples=[{"source": "p1", "target": "p2"}],
        layout={"type": "grid", "cols": 2},
        views=[{"type": "table", "transform": {"expr": "$.items"}}],
        response_schema={"type": "object"},
    )
    def move(
        source: Annotated[str, Field(entity="player")], target: Annotated[str, Field(entity="player", widget="pick")]
    ) -> dict: ...

    said = manifest(game, "item.move")
    assert said["auth"] == {
        "allow_if": "has_role('gm')",
        "risk": "low",
        "two_person_rule": {"approvers": ["lead"], "threshold": 2},
    }
    assert said["semantics"] == {"mode": "command", "rate_limit": "10/m", "concurrency": 4}
    assert said["routing"] == {"hash_key": "source"}
    assert (said["labels"], said["menu"]) == ({"team": "economy"}, {"section": "Items", "order": 3})
    assert said["request"]["json_schema"]["examples"] == [{"source": "p1", "target": "p2"}]
    assert said["outputs"] == {
        "layout": {"type": "grid", "cols": 2},
        "views": [{"type": "table", "transform": {"expr": "$.items"}}],
    }
    assert said["ui"]["fields"] == {
        "source": {"entity": "player"},
        "target": {"entity": "player", "widget": "pick"},
    }
    assert said["response"] == {"json_schema": {"type": "object"}}


def test_conditions_of_a_parameter_are_said(game):
    @game.function("f")
    def f(
        kind: str,
        days: Annotated[int, Field(show_if="$.kind == 'mute'", disabled_if="$.kind == 'x'")] = 0,
        reason: Annotated[str, Field(required_if="$.kind == 'ban'")] = "",
    ) -> None: ...

    assert manifest(game, "f")["ui"]["fields"] == {
        "days": {"show_if": "$.kind == 'mute'", "disabled_if": "$.kind == 'x'"},
        "reason": {"required_if": "$.kind == 'ban'"},
    }


def test_a_parameter_that_may_be_hidden_needs_a_default(game):
    def f(days: Annotated[int, Field(show_if="$.kind == 'mute'")]) -> None: ...

    with pytest.raises(TypeError, match="function f, parameter days: with show_if it needs a default"):
        game.function("f")(f)


def test_a_hash_key_may_be_a_path(game):
    @game.function("f", hash_key="$.player.id")
    def f(player: dict[str, str]) -> None: ...

    assert manifest(game, "f")["routing"] == {"jsonpath": "$.player.id"}


def test_the_name_of_the_function_is_its_id_unless_given(game):
    @game.function()
    def heal() -> None: ...

    assert manifest(game, "heal")["version"] == "1.0.0"


def test_a_job_says_so_and_its_context_is_no_argument(game):
    @game.job("mail.send")
    async def send(text: str, job: JobContext) -> None: ...

    said = manifest(game, "mail.send")
    assert said["semantics"]["returns"] == "job"
    assert list(said["request"]["json_schema"]["properties"]) == ["text"]


def test_defaults_are_written_as_json(game):
    @game.function("paint")
    def paint(color: Color = Color.RED, size: int | None = None) -> None: ...

    properties = manifest(game, "paint")["request"]["json_schema"]["properties"]
    assert (properties["color"]["default"], properties["size"]["default"]) == ("red", None)


def test_raw_payload_comes_as_it_is_with_the_schema_that_was_given(game):
    @game.function("raw", request_schema={"type": "object"})
    def raw(payload: RawPayload) -> bytes:
        return payload

    assert game.functions["raw"].signature.bind(b"\x00") == {"payload": b"\x00"}
    assert manifest(game, "raw")["request"] == {"json_schema": {"type": "object"}}


def test_arguments_are_converted_and_checked(game):
    @game.function("paint")
    def paint(color: Color, count: Annotated[int, Field(ge=1)] = 1) -> None: ...

    bind = game.functions["paint"].signature.bind
    assert bind(b'{"color":"red"}') == {"color": Color.RED}
    for payload, words in (
        (b'{"color":"blue"}', "argument 'color' must be one of \"red\""),
        (b'{"color":"red","count":0}', "argument 'count' must be at least 1"),
        (b"{}", "argument 'color' is missing"),
        (b"[]", "the payload must be an object, not a list"),
        (b"{", "the payload is not JSON"),
        (b'{"color":NaN}', "NaN is not JSON"),
        (b"\xff", "it is not UTF-8"),
        (b"[" * 100_000, "nested too deeply"),
    ):
        with pytest.raises(BadArgument) as caught:
            bind(payload)
        assert words in str(caught.value)


def test_a_payload_beyond_the_limit_is_refused(game):
    @game.function("f")
    def f() -> None: ...

    with pytest.raises(BadArgument) as caught:
        game.functions["f"].signature.bind(b" " * 10_000_001)
    assert caught.value.reason == "payload_too_large"


def positional(x: int, /) -> None: ...
def untyped(x) -> None: ...
def starred(*x: int) -> None: ...
def unspeakable(x: complex) -> None: ...
def unfit_default(x: str = None) -> None: ...  # noqa: RUF013 — the mistake this is about
def two_raw(x: RawPayload, y: int) -> None: ...
def odd_answer() -> complex: ...
def sync_job(job: JobContext) -> None: ...
async def async_job(job: BlockingJobContext) -> None: ...
async def two_contexts(a: JobContext, b: JobContext) -> None: ...


@pytest.mark.parametrize(
    ("handler", "words"),
    [
        (positional, "function f, parameter x: .* positional-only"),
        (untyped, "function f, parameter x: it needs a type"),
        (starred, "function f, parameter x: "),
        (unspeakable, "function f, parameter x: the type complex has no JSON Schema"),
        (unfit_default, "function f, parameter x: the default must be a string, not null"),
        (two_raw, "function f, parameter x: RawPayload is the whole payload"),
        (odd_answer, "function f, return value: the type complex"),
        (sync_job, "function f, parameter job: a sync job takes BlockingJobContext, not JobContext"),
        (async_job, "function f, parameter job: an async job takes JobContext, not BlockingJobContext"),
        (two_contexts, "function f, parameter b: there is one context"),
    ],
)
def test_a_handler_that_cannot_be_offered_is_refused_where_it_is_written(game, handler, words):
    with pytest.raises(TypeError, match=words):
        game.job("f")(handler)
    assert "f" not in game.functions


def test_a_function_that_is_no_job_takes_the_context_of_its_call(game):
    @game.function("f")
    def f(call: CallContext, x: int) -> None: ...

    assert list(game.functions["f"].signature.parameters) == ["x"]


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"risk": "huge"}, "f: risk must be one of low, medium, high"),
        ({"mode": "x"}, "f: mode must be"),
        ({"route": "x"}, "f: route must be"),
        ({"timeout": "soon"}, "f: timeout 'soon'"),
        ({"timeout": -1}, "f: timeout must not be negative"),
        ({"sensitive": "x"}, "f: sensitive must be a list"),
        ({"tags": 7}, "f: tags must be a list, not int"),
        ({"menu": "top"}, "f: menu must be an object"),
        ({"menu": {"sektion": "x"}}, "f: menu has no sektion; it has section, group"),
        ({"labels": {"a": 1}}, "f: labels are texts by name"),
        ({"category": None}, "f: category must be a text"),
        ({"concurrency": -1}, "f: concurrency is how many"),
        ({"rate_limit": "often"}, "f: rate_limit 'often' must be like"),
        ({"hash_key": "y"}, "function f, option hash_key: there is no parameter 'y'"),
        ({"examples": [{"x": 1}]}, "function f, example 1: argument 'x' is not known"),
        ({"examples": [{"x": object()}]}, "function f, example 1: it is not JSON"),
        ({"sensitive": ["y"]}, "function f, option sensitive: there is no parameter 'y'"),
        ({"dry_run": "x"}, "function f, option dry_run: there is no parameter 'x' of type bool"),
        ({"colour": 1}, "function f: unknown option colour"),
    ],
)
def test_a_wrong_option_is_refused(game, options, words):
    with pytest.raises((TypeError, ValueError), match=words):
        game.function("f", **options)(lambda: None)


def test_an_id_can_be_taken_once(game):
    game.function("f")(lambda: None)
    with pytest.raises(ValueError, match="function f is offered twice"):
        game.function("f")(lambda: None)


@pytest.mark.parametrize("function_id", ["a b", "x" * 129, "-x", "é"])
def test_a_malformed_id_is_refused(game, function_id):
    with pytest.raises(ValueError, match="function id"):
        game.function(function_id)(lambda: None)


def test_a_decorator_without_its_call_says_what_to_write(game):
    with pytest.raises(TypeError, match=r"@provider.function\(\)"):
        game.function(lambda: None)


def test_too_many_descriptions_are_refused(game):
    with pytest.raises(ValueError, match="at most 4000000"):
        game.function("f", summary="x" * 4_000_001)(lambda: None)


def test_answers_are_json_or_bytes():
    assert to_payload(None) == b"null"
    assert to_payload(b"\x00") == b"\x00"
    assert to_payload({"颜色": Color.RED}) == '{"颜色":"red"}'.encode()
    for value, words in (
        (object(), "object is not JSON"),
        (float("nan"), "not JSON"),
        ("x" * 10_000_001, "at most 10000000"),
        ("\ud800", "not JSON"),
    ):
        with pytest.raises(Unserializable, match=words):
            to_payload(value)


def test_a_docstring_in_google_style_is_read_by_section():
    said = parse_docstring(
        """Send mail.

        To everyone.
        Twice.

        Args:
            text: What it says:
                in full.

            **rest: More.

        Returns:
            count: how many
        """
    )
    assert (said.summary, said.description) == ("Send mail.", "To everyone. Twice.")
    assert said.arguments == {"text": "What it says: in full.", "rest": "More."}
    assert parse_docstring(None).summary == ""


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"agent": "10.0.0.1:19090"}, "agent: 10.0.0.1:19090 is not on this machine"),
        ({"agent": "agent.example:19090"}, "is not on this machine"),
        ({"agent": "127.0.0.1"}, "is not host:port"),
        ({"mode": "listen", "listen": "0.0.0.0:0"}, "listen: 0.0.0.0:0 is not on this machine"),
        ({"mode": "push"}, "mode must be attach or listen"),
        ({"game_id": ""}, "game_id"),
        ({"env": "a|b"}, "env"),
        ({"service_id": "a b"}, "service_id"),
    ],
)
def test_a_provider_refuses_options_that_cannot_be_meant(options, words):
    with pytest.raises(ValueError, match=words):
        Provider(**{"service_id": "game-1", "game_id": "demo", "env": "dev", **options})
