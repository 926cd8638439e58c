"""Which entities calls are about, as the catalog remembers it."""

import orjson
import pytest

from croupier.domain.call import Call
from croupier.domain.entity import Subject
from croupier.domain.function import Service
from croupier.domain.scope import Scope
from croupier.server.catalog import Catalog, subject_keys
from croupier.server.catalog.spoken import ABSENCE

SCOPE = Scope("g", "prod")


def call(function_id: str = "player.ban", scope: Scope = SCOPE) -> Call:
    return Call(id="1", function_id=function_id, scope=scope, payload=b'{"player_id":"p1","guild":"g1"}', caller="x")


def about(catalog: Catalog, called: Call) -> tuple[Subject, ...]:
    entry, called = catalog.accept(called)
    return catalog.about(called, entry)


def learn(catalog: Catalog, key: str) -> None:
    manifest = {"functions": [{"id": "player.ban", "entity": "player", "entity_key": key}]}
    catalog.learn("a1", SCOPE, (Service(service_id="s1", version="1", manifest_json=orjson.dumps(manifest)),))


def test_a_new_description_counts_from_the_next_call_on() -> None:
    now = [0.0]
    catalog = Catalog(lambda: now[0])
    assert about(catalog, call()) == ()
    learn(catalog, "player_id")
    assert about(catalog, call()) == (Subject("player", "p1"),)
    learn(catalog, "guild")
    assert about(catalog, call()) == (Subject("player", "g1"),)
    catalog.forget("a1")
    now[0] += ABSENCE
    assert about(catalog, call()) == ()


def test_what_one_scope_says_is_nothing_to_another() -> None:
    catalog = Catalog()
    learn(catalog, "player_id")
    assert about(catalog, call(scope=Scope("g", "test"))) == ()


def test_made_up_functions_and_scopes_do_not_fill_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(subject_keys, "REMEMBERED", 10)
    monkeypatch.setattr(subject_keys, "REMEMBERED_SCOPES", 5)
    keys = subject_keys.SubjectKeys(lambda _: [])
    entry = Catalog().accept(call("f"))[0]
    for number in range(100):
        keys.work_out(call(f"f{number}"), entry)
        assert len(keys.known) <= 10
    for number in range(100):
        keys.work_out(call(scope=Scope(f"g{number}", "prod")), entry)
        assert len(keys.known) <= 5
