import json

import pytest

from croupier_sdk import CallContext, JobContext, Provider
from croupier_sdk.errors import Failure
from croupier_sdk.limits import PAYLOAD_BYTES
from croupier_sdk.running.execution import run_async, run_sync
from croupier_wire.common.v1.common_pb2 import I18nText, Menu


@pytest.fixture
def game():
    return Provider(service_id="game-1", game_id="demo", env="dev")


def outcome(game, function_id, payload):
    call = CallContext(call_id="c", function_id=function_id)
    return run_sync(game.functions[function_id], payload, call, call)


@pytest.fixture
def naming(game):
    @game.function("name")
    def name(menu: Menu) -> I18nText:
        """Name a menu."""
        return I18nText(en=f"{menu.section}/{menu.order}")

    return game


def test_a_handler_takes_and_returns_messages(naming):
    answer = outcome(naming, "name", Menu(section="GM", order=3).SerializeToString())

    assert I18nText.FromString(answer) == I18nText(en="GM/3")


def test_it_answers_json_with_json_where_no_pack_says_which_messages_it_takes(naming):
    assert json.loads(outcome(naming, "name", b'{"section": "GM", "order": 3}')) == {"en": "GM/3", "zh": ""}


def test_no_payload_is_an_empty_message(naming):
    assert I18nText.FromString(outcome(naming, "name", b"")) == I18nText(en="/0")


def test_its_description_has_the_messages_and_their_schemas(naming):
    entry = naming.functions["name"].manifest

    assert entry["request"]["proto_fqn"] == "croupier.common.v1.Menu"
    assert entry["request"]["json_schema"]["properties"]["order"]["maximum"] == 2**31 - 1
    assert entry["response"] == {
        "json_schema": {
            "type": "object",
            "properties": {"en": {"type": "string"}, "zh": {"type": "string"}},
            "additionalProperties": False,
        },
        "proto_fqn": "croupier.common.v1.I18nText",
    }
    assert entry["summary"] == {"en": "Name a menu."}


def test_options_may_speak_of_the_fields_of_its_message(game):
    @game.function("f", sensitive=["path"], dry_run="hidden", hash_key="section", examples=[{"section": "GM"}])
    def f(menu: Menu) -> I18nText: ...

    entry = game.functions["f"].manifest

    assert entry["request"]["json_schema"]["properties"]["path"] == {"type": "string", "writeOnly": True}
    assert entry["ui"] == {"fields": {"path": {"sensitive": True}}}
    with pytest.raises(TypeError, match="there is no parameter 'order' of type bool"):
        game.function("g", dry_run="order")(f)
    with pytest.raises(TypeError, match="there is no parameter 'unknown'"):
        game.function("g", sensitive=["unknown"])(f)
    with pytest.raises(TypeError, match=r"example 1: .*no field named"):
        game.function("g", examples=[{"unknown": 1}])(f)


@pytest.mark.parametrize(
    ("payload", "says"),
    [
        (b"\xff", "the payload is no croupier.common.v1.Menu, and no JSON object either"),
        (b"[1]", "the payload is no croupier.common.v1.Menu, and no JSON object either"),
        (b'{"colour": 1}', 'no field named "colour"'),
        (b'{"order": "hunter2"}', "the payload does not fit croupier.common.v1.Menu"),
        (b'{"section": "\xff"}', "the payload does not fit croupier.common.v1.Menu"),
        (b"{", "the payload does not fit croupier.common.v1.Menu"),
        (b"\x0a" * (PAYLOAD_BYTES + 1), f"at most {PAYLOAD_BYTES} are taken"),
    ],
)
def test_what_is_no_such_message_is_the_callers_mistake(naming, payload, says):
    failure = outcome(naming, "name", payload)

    assert isinstance(failure, Failure)
    assert failure.reason in {"invalid_argument", "payload_too_large"}
    assert says in failure.message
    assert "hunter2" not in failure.message


def test_an_answer_of_another_type_is_the_handlers_fault(game):
    @game.function("wrong")
    def wrong(menu: Menu) -> I18nText:
        return menu

    failure = outcome(game, "wrong", b"")

    assert isinstance(failure, Failure)
    assert failure.reason == "handler_failed"
    assert "of type Menu, and the handler says it returns croupier.common.v1.I18nText" in failure.message


def test_a_handler_of_plain_arguments_may_return_a_message(game):
    @game.function("find")
    def find(section: str) -> Menu:
        return Menu(section=section)

    assert json.loads(outcome(game, "find", b'{"section": "GM"}'))["section"] == "GM"


async def test_a_job_takes_and_returns_messages(game):
    @game.job("work")
    async def work(menu: Menu, job: JobContext) -> I18nText:
        return I18nText(en=menu.section)

    function = game.functions["work"]
    call = CallContext(call_id="j", function_id="work")
    answer = await run_async(function, Menu(section="GM").SerializeToString(), call, call)

    assert I18nText.FromString(answer) == I18nText(en="GM")


def test_a_message_is_the_whole_payload(game):
    with pytest.raises(TypeError, match="function f, parameter menu: a message is the whole payload"):

        @game.function("f")
        def f(menu: Menu, times: int) -> None: ...
