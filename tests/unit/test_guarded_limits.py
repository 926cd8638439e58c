"""Who may set limits, windows and secrets, and see which; and that it is on record."""

import sqlite3
from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path

import orjson
import pytest

from croupier.domain.limit import Limit
from croupier.domain.maintenance import Window
from croupier.domain.policy import read_binding
from croupier.domain.principal import Principal
from croupier.domain.secret import SecretPlace, VersionState
from croupier.errors import NotFound, PermissionDenied
from croupier.redaction import Redactor
from croupier.server.access.audit import Audit, Masker
from croupier.server.access.guard import Guard
from croupier.server.access.limits import Limiter, Limits, Maintenance, Windows
from croupier.server.access.policy.policy import Policy
from croupier.server.access.policy.snapshot import Snapshot
from croupier.server.access.secrets import Envelope, Secrets
from croupier.store.sql import SqlStore, open_store

ROOT = Principal(name="ci", root=True)
OF_DEMO = Principal(name="ann", kind="user", user_id="u1", credential="s1")
OF_PROD = Principal(name="bob", kind="user", user_id="u2", credential="s2")
VIEWER = Principal(name="eve", kind="user", user_id="u3", credential="s3")
NOBODY = Principal(name="joe", kind="user", user_id="u4", credential="s4")
"""Everything in demo; everything in demo|prod; a viewer of other; nothing."""


class House:
    def __init__(self, store: SqlStore) -> None:
        policy = Policy()
        bindings = [
            read_binding("user:u1", "admin", "demo", "*"),
            read_binding("user:u2", "admin", "demo", "prod"),
            read_binding("user:u3", "viewer", "other", "*"),
        ]
        policy.use(Snapshot((), bindings))
        guard = Guard("the-token-of-the-test", policy=policy)
        audit = Audit(store.audit, Masker(bytes(32)))
        self.store = store
        self.limits = Limits(guard=guard, audit=audit, store=store.guards, limiter=Limiter())
        self.maintenance = Maintenance(guard=guard, audit=audit, store=store.guards, windows=Windows(lambda: 1_000))
        self.secrets = Secrets(
            guard=guard,
            audit=audit,
            store=store.secrets,
            envelope=Envelope(bytes(32)),
            redactor=Redactor(),
            clock=lambda: 7,
        )


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    store = await open_store(tmp_path / "croupier.db", audit_key=bytes(32))
    yield House(store)
    await store.close()


PLACES = [("*", "*"), ("demo", "*"), ("demo", "prod"), ("other", "dev")]


def a_window(game_id: str, env: str) -> Window:
    return Window(id="", game_id=game_id, env=env, reason="hardware", starts_ms=0, created_by="", created_ms=0)


@pytest.mark.parametrize(
    ("caller", "may"), [(ROOT, PLACES), (OF_DEMO, PLACES[1:3]), (OF_PROD, PLACES[2:3]), (VIEWER, []), (NOBODY, [])]
)
async def test_limits_windows_and_secrets_are_set_by_who_may_there(house: House, caller: Principal, may) -> None:
    for number, (game_id, env) in enumerate(PLACES):
        limit = Limit(id=f"l{number}", functions="*", game_id=game_id, env=env, concurrency=1)
        setting = [
            partial(house.limits.put, caller, limit),
            partial(house.maintenance.start, caller, a_window(game_id, env)),
            partial(house.secrets.set, caller, SecretPlace("s", game_id, env), b"value"),
        ]
        for each in setting:
            if (game_id, env) in may:
                await each()
            else:
                with pytest.raises(PermissionDenied):
                    await each()


async def test_what_does_not_concern_somebody_is_not_shown_and_not_touched(house: House) -> None:
    for number, (game_id, env) in enumerate(PLACES):
        await house.limits.put(ROOT, Limit(id=f"l{number}", functions="*", game_id=game_id, env=env, concurrency=1))
        await house.maintenance.start(ROOT, a_window(game_id, env))
        await house.secrets.set(ROOT, SecretPlace("s", game_id, env), b"value")

    assert [each.limit.id for each in await house.limits.list(OF_PROD)] == ["l0", "l1", "l2"]
    assert {(each.game_id, each.env) for each in await house.maintenance.list(VIEWER)} == {("*", "*"), ("other", "dev")}
    assert [str(each.place) for each in await house.secrets.list(OF_DEMO)] == [
        "s of *|*",
        "s of demo|*",
        "s of demo|prod",
    ]
    for refused in (house.limits.list(VIEWER), house.maintenance.list(NOBODY), house.secrets.list(VIEWER)):
        with pytest.raises(PermissionDenied):
            await refused
    with pytest.raises(NotFound):
        await house.limits.get(OF_PROD, "l3")
    with pytest.raises(PermissionDenied):
        await house.limits.remove(OF_PROD, "l1")
    with pytest.raises(PermissionDenied):
        await house.limits.put(OF_PROD, Limit(id="l1", functions="*", game_id="demo", env="prod", concurrency=9))
    with pytest.raises(PermissionDenied):
        await house.secrets.move(OF_PROD, SecretPlace("s"), 1, VersionState.DESTROYED)
    await house.limits.remove(OF_PROD, "l2")


async def test_a_secret_is_used_by_who_may_there_only(house: House) -> None:
    await house.secrets.set(ROOT, SecretPlace("s"), b"value")
    with pytest.raises(PermissionDenied):
        await house.secrets.resolve("s", purpose="x", caller=VIEWER)
    found = await house.secrets.resolve("s", purpose="x", caller=Principal(name="outbox", kind="system"))
    assert found.get_secret_value() == b"value"


async def test_every_change_is_on_record_before_and_after(house: House, tmp_path: Path) -> None:
    await house.limits.put(ROOT, Limit(id="l", functions="*", concurrency=1))
    await house.limits.remove(ROOT, "l")
    window = await house.maintenance.start(ROOT, a_window("*", "*"))
    await house.maintenance.end(ROOT, window.id)
    rows = [orjson.loads(row) for row in _rows(tmp_path)]
    assert [(row["action"], row["phase"]) for row in rows] == [
        (action, phase)
        for action in ("limits.set", "limits.remove", "maintenance.start", "maintenance.end")
        for phase in ("intent", "outcome")
    ]


def _rows(folder: Path) -> list[str]:
    with sqlite3.connect(folder / "croupier.db") as database:
        found = [row for (row,) in database.execute("SELECT row FROM audit ORDER BY seq")]
    database.close()
    return found
