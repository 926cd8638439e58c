"""What functions say of themselves, and which calls fit it."""

from typing import Any

import orjson
import pytest

from croupier.domain.call import Call
from croupier.domain.function import FunctionRef, Service
from croupier.domain.scope import Scope
from croupier.errors import InvalidArgument
from croupier.server.catalog import MOST_PROVIDERS, Catalog, compile_schema
from croupier.server.manifest import read_functions, read_provider

HERE, THERE = Scope("demo", "dev"), Scope("demo", "prod")
DAYS = {"type": "object", "properties": {"days": {"type": "integer", "minimum": 1}}, "required": ["days"]}


def manifest(schema: Any = DAYS, function_id: str = "ban", **more: Any) -> bytes:
    return orjson.dumps([{"id": function_id, "request": {"json_schema": schema}, **more}])


def service(manifest_json: bytes) -> Service:
    return Service(service_id="s", functions=(FunctionRef("ban"),), manifest_json=manifest_json)


def call(payload: Any, scope: Scope = HERE, **fields: Any) -> Call:
    data = payload if isinstance(payload, bytes) else orjson.dumps(payload)
    return Call(id="c", function_id="ban", scope=scope, payload=data, caller="x", **fields)


@pytest.fixture
def catalog() -> Catalog:
    catalog = Catalog()
    catalog.learn("a", HERE, (service(manifest()),))
    return catalog


def test_a_payload_is_checked_against_the_schema_and_every_fault_is_named(catalog: Catalog) -> None:
    assert catalog.check(call({"days": 3})).function.id == "ban"
    with pytest.raises(InvalidArgument, match="does not fit ban: /days") as caught:
        catalog.check(call({"days": 0}))
    assert list(caught.value.details) == ["/days"]


def test_a_game_server_may_send_a_whole_manifest(catalog: Catalog) -> None:
    whole = orjson.dumps({"provider": {"id": "s"}, "functions": orjson.loads(manifest()), "entities": []})
    catalog.learn("a", THERE, (service(whole),))
    with pytest.raises(InvalidArgument, match="does not fit ban: /days"):
        catalog.check(call({"days": 0}, THERE))


def test_a_payload_is_checked_in_its_own_scope_only(catalog: Catalog) -> None:
    assert catalog.check(call({"days": 0}, THERE)).function.schema is None


@pytest.mark.parametrize(
    "payload", [b"{", b"\xff", b'{"days": NaN}', b"[" * 5_000, b'{"a":' * 2_000 + b"1" + b"}" * 2_000]
)
def test_a_payload_that_is_no_json_is_refused_where_there_is_a_schema(catalog: Catalog, payload: bytes) -> None:
    with pytest.raises(InvalidArgument, match="must be JSON"):
        catalog.check(call(payload))
    assert catalog.check(call(payload, THERE)).function.schema is None


def test_many_faults_are_named_in_part(catalog: Catalog) -> None:
    schema = {"properties": {f"p{n}": {"type": "integer"} for n in range(50)}}
    catalog.learn("a", HERE, (service(manifest(schema)),))
    with pytest.raises(InvalidArgument) as caught:
        catalog.check(call({f"p{n}": "x" * 10_000 for n in range(50)}))
    assert len(caught.value.details) == 10
    assert len(caught.value.message) < 5_000


def test_a_description_goes_with_its_agent(catalog: Catalog) -> None:
    catalog.learn("b", HERE, (service(manifest({"required": ["hours"]})),))
    with pytest.raises(InvalidArgument, match="hours"):
        catalog.check(call({"days": 3}))
    catalog.forget("b")
    catalog.check(call({"days": 3}))
    catalog.learn("a", HERE, ())
    catalog.check(call({}))
    assert catalog.function(HERE, "ban") is None


def test_an_agent_that_leaves_twice_leaves_nothing_behind(catalog: Catalog) -> None:
    for _ in range(2):
        catalog.forget("a")
    catalog.forget("who")
    assert catalog.function(HERE, "ban") is None


@pytest.mark.parametrize(
    "schema",
    [
        {"type": "nothing"},
        {"pattern": "("},
        {"$ref": "http://elsewhere.example/schema"},
        {"$ref": "file:///etc/passwd"},
        {"$ref": "#/nowhere"},
    ],
)
def test_a_schema_that_cannot_be_used_leaves_its_function_unchecked(catalog: Catalog, schema: Any) -> None:
    with pytest.raises(InvalidArgument, match="not a usable JSON Schema"):
        compile_schema(schema)
    catalog.learn("a", HERE, (service(manifest(schema)),))
    assert catalog.check(call({"days": 0})).function.id == "ban"


def test_a_schema_nested_without_end_is_refused(catalog: Catalog) -> None:
    schema: dict[str, Any] = {}
    for _ in range(300):
        schema = {"properties": {"a": schema}}
    with pytest.raises(InvalidArgument, match="not a usable JSON Schema"):
        compile_schema(schema)


def test_a_schema_that_refers_to_itself_ends() -> None:
    tree = compile_schema(
        {"$defs": {"n": {"properties": {"next": {"$ref": "#/$defs/n"}, "v": {"type": "integer"}}}}, "$ref": "#/$defs/n"}
    )
    assert tree.is_valid({"v": 1, "next": {"v": 2}})
    assert not tree.is_valid({"v": 1, "next": {"v": "2"}})
    assert compile_schema({"$ref": "#"}).is_valid({})


def test_a_faulty_manifest_is_left_out_and_the_others_count(catalog: Catalog) -> None:
    catalog.learn("a", HERE, (service(b"rubbish"), service(manifest(function_id="kick"))))
    assert catalog.function(HERE, "ban") is None
    assert catalog.function(HERE, "kick") is not None


def test_what_a_provider_says_goes_before_what_a_game_server_says(catalog: Catalog) -> None:
    catalog.learn_provider("p", read_functions(manifest({"required": ["hours"]})))
    for scope in (HERE, THERE):
        with pytest.raises(InvalidArgument, match="hours"):
            catalog.check(call({"days": 3}, scope))
    catalog.learn_provider("p", [])
    catalog.check(call({"days": 3}))
    catalog.check(call({}, THERE))


def test_providers_are_bounded(catalog: Catalog) -> None:
    for n in range(MOST_PROVIDERS):
        catalog.learn_provider(f"p{n}", [])
    with pytest.raises(InvalidArgument, match="more than 1000 providers"):
        catalog.learn_provider("one more", [])
    catalog.learn_provider("p0", [])


# ------------------------------------------------------------------------------------------------ manifests


def test_a_manifest_is_read_in_every_spelling_of_the_contract() -> None:
    (function,) = read_functions(
        orjson.dumps(
            [
                {
                    "id": "mail.send_all",
                    "version": "1.2",
                    "category": "mail",
                    "auth": {"risk": {"level": "high"}},
                    "semantics": {"mode": "command", "returns": "job", "timeout": "2m", "idempotent": True},
                    "params": {"type": "object"},
                    "display_name": "Send mail",
                    "summary": {"en": "to all", "zh": "全服邮件"},
                    "unheard_of": [1],
                }
            ]
        )
    )
    assert (function.version, function.category, function.risk) == ("1.2", "mail", "high")
    assert (function.mode, function.returns, function.timeout, function.idempotent) == ("command", "job", 120.0, True)
    assert function.schema == {"type": "object"}
    assert function.display_name == {"en": "Send mail"}
    assert function.summary == {"en": "to all", "zh": "全服邮件"}


@pytest.mark.parametrize(
    ("value", "seconds"),
    [("30s", 30.0), ("500ms", 0.5), ("2m", 120.0), ("1h", 3600.0), (7, 7.0), ("1.5", 1.5), ("", None)],
)
def test_durations_are_read(value: Any, seconds: float | None) -> None:
    assert read_functions(manifest(semantics={"timeout": value}))[0].timeout == seconds


@pytest.mark.parametrize("value", ["soon", "-1s", "0s", True, "9" * 400, "8d", "604801s", ["1s"]])
def test_durations_that_are_none_are_refused(value: Any) -> None:
    with pytest.raises(InvalidArgument, match=r"functions\[0\].semantics.timeout"):
        read_functions(manifest(semantics={"timeout": value}))


@pytest.mark.parametrize(
    ("entry", "at"),
    [
        (7, r"functions\[0\].id"),
        ({"id": 7}, r"functions\[0\].id"),
        ({"id": "f", "version": 1.0}, r"functions\[0\].version"),
        ({"id": "f", "semantics": []}, None),
        ({"id": "f", "semantics": "fast"}, r"functions\[0\].semantics"),
        ({"id": "f", "risk": 3}, r"functions\[0\].risk"),
        ({"id": "f", "request": {"json_schema": "any"}}, r"functions\[0\].request.json_schema"),
    ],
)
def test_a_faulty_entry_is_named(entry: Any, at: str | None) -> None:
    if at is None:
        assert read_functions(orjson.dumps([entry]))[0].id == "f"
        return
    with pytest.raises(InvalidArgument, match=at):
        read_functions(orjson.dumps([entry]))


def test_a_manifest_is_bounded() -> None:
    with pytest.raises(InvalidArgument, match="at most 4000000"):
        read_functions(b" " * 4_000_001)
    with pytest.raises(InvalidArgument, match="at most 10000 functions"):
        read_provider(orjson.dumps({"functions": [{"id": "f"}] * 10_001}))
