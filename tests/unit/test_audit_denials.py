"""Refusals on record, and what keeps them from filling the disk."""

import orjson
import pytest
from tests.planes.audit_testbed import AuditInMemory, audit_in_memory

from croupier.domain.principal import Principal
from croupier.errors import PermissionDenied, Unauthenticated, Unavailable
from croupier.server.access.audit import denials
from croupier.server.access.guard import Guard

ANN = Principal(name="ann", kind="user")


class Full(AuditInMemory):
    """A disk that is full."""

    async def record(self, *notes, durable=True):
        raise Unavailable("the disk is full")


async def test_a_refusal_by_the_guard_is_on_record():
    kept = AuditInMemory()
    guard = Guard("token", audit=audit_in_memory(kept))
    with pytest.raises(PermissionDenied):
        await guard.require(ANN, "packs.import", None, "prom")
    (note,) = kept.notes
    assert (note.actor, note.action, note.target, note.result) == (ANN, "packs.import", "prom", "denied")


async def test_a_refusal_is_on_record_once_however_often_it_is_passed_on():
    kept = AuditInMemory()
    audit, error = audit_in_memory(kept), PermissionDenied("no")
    await audit.denied(ANN, "packs.import", error)
    await audit.denied(ANN, "function.invoke", error)
    assert len(kept.notes) == 1


async def test_the_same_refusal_again_is_counted():
    kept = AuditInMemory()
    audit = audit_in_memory(kept)
    for _ in range(10_000):
        await audit.denied(ANN, "packs.import", PermissionDenied("no"))
    await audit.stop()
    first, counted = kept.notes
    assert orjson.loads(first.details) == {"message": "no"}
    assert orjson.loads(counted.details) == {"again": 9_999}


async def test_names_that_are_made_up_without_end_are_counted_together(monkeypatch):
    monkeypatch.setattr(denials, "MOST", 10)
    kept = AuditInMemory()
    audit = audit_in_memory(kept)
    for number in range(1_000):
        await audit.denied(Principal(name=str(number)), "login", Unauthenticated("no"))
    await audit.stop()
    assert len(kept.notes) == 12


async def test_a_refusal_that_cannot_be_written_stays_a_refusal():
    guard = Guard("token", audit=audit_in_memory(Full()))
    with pytest.raises(PermissionDenied):
        await guard.require(ANN, "packs.import", None)


async def test_a_change_that_cannot_be_put_on_record_does_not_happen():
    done = []
    with pytest.raises(Unavailable, match="disk is full"):
        async with audit_in_memory(Full()).act(ANN, "packs.import"):
            done.append("imported")
    assert not done


async def test_an_act_leaves_its_intent_and_how_it_ended():
    kept = AuditInMemory()
    audit = audit_in_memory(kept)
    with pytest.raises(PermissionDenied):
        async with audit.act(
            ANN, "packs.import", target="prom", details={"password": "hunter2", "digest": "ab"}
        ) as act:
            act.add(files=3)
            raise PermissionDenied("nobody trusted signed it")
    intent, outcome = kept.notes
    assert intent.act_id == outcome.act_id == act.id
    assert (outcome.result, outcome.reason) == ("failed", "permission_denied")
    assert "hunter2" not in intent.details
    assert orjson.loads(outcome.details) == {"files": 3}


def test_an_empty_header_is_no_token_where_there_is_none_in_the_settings():
    for token in (None, "token"):
        for value in (b"", b" ", b"Bearer", b"Bearer "):
            with pytest.raises(Unauthenticated):
                Guard(token).authenticate({b"authorization": value})


async def test_who_tries_one_thing_after_the_other_leaves_some_rows_and_a_number():
    kept = AuditInMemory()
    audit = audit_in_memory(kept)
    for number in range(10_000):
        await audit.denied(ANN, "function.invoke", PermissionDenied("no"), target=f"player.ban{number}")
    await audit.stop()
    assert len(kept.notes) == denials.PER_CALLER + 2
    assert orjson.loads(kept.notes[-1].details) == {"again": 10_000 - denials.PER_CALLER - 1}


async def test_one_who_tries_everything_does_not_hide_what_another_is_refused():
    kept = AuditInMemory()
    audit = audit_in_memory(kept)
    for number in range(100):
        await audit.denied(ANN, "function.invoke", PermissionDenied("no"), target=f"player.ban{number}")
    await audit.denied(Principal(name="eve", kind="user"), "packs.import", PermissionDenied("no"))
    strangers = [Principal(name="", kind="nobody", address=f"192.0.2.{number}") for number in range(3)]
    for stranger in strangers:
        await audit.denied(stranger, "login", Unauthenticated("no"))
    await audit.stop()
    assert [note.actor.name for note in kept.notes].count("eve") == 1
    assert {note.address for note in kept.notes} >= {each.address for each in strangers}
