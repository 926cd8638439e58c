import asyncio
import sqlite3
import threading

import pytest

from croupier_sdk import CallContext, KeyReused, Provider, Rejected
from croupier_sdk.errors import Failure
from croupier_sdk.limits import KEPT_KEY_SECONDS
from croupier_sdk.running.calls import Calls
from croupier_sdk.running.keys import KeyMemory
from croupier_sdk.running.workers import Workers


@pytest.fixture
def game():
    return Provider(service_id="game-1", game_id="demo", env="dev")


@pytest.fixture
def workers():
    workers = Workers(2, "test")
    yield workers
    workers.close()


def call(call_id="c1", key="k1", function_id="act", **values):
    return CallContext(call_id=call_id, function_id=function_id, idempotency_key=key, **values)


class Answers(dict):
    def __call__(self, call_id, outcome):
        assert call_id not in self, "answered twice"
        self[call_id] = outcome


@pytest.fixture
def answers():
    return Answers()


@pytest.fixture
def acting(game, workers):
    """Calls to an async function that counts its runs and ends when told to."""
    calls = Calls(game.functions, workers)
    calls.runs, calls.end = [], asyncio.Event()

    @game.function("act")
    async def act(value: int = 0) -> int:
        calls.runs.append(value)
        await calls.end.wait()
        return value

    return calls


async def test_a_key_that_comes_again_is_answered_and_not_run_again(acting, answers):
    acting.end.set()
    acting.start(call("c1"), b'{"value": 1}', answers)
    await acting.idle()
    acting.start(call("c2"), b'{"value": 1}', answers)
    assert answers == {"c1": b"1", "c2": b"1"}
    assert acting.runs == [1]


async def test_concurrent_calls_with_one_key_are_one_run_and_all_get_its_answer(acting, answers):
    for number in range(5):
        acting.start(call(f"c{number}"), b"{}", answers)
    acting.end.set()
    await acting.idle()
    assert answers == {f"c{number}": b"0" for number in range(5)}
    assert acting.runs == [0]


async def test_a_key_with_another_payload_is_a_conflict(acting, answers):
    acting.start(call("c1"), b'{"value": 1}', answers)
    acting.start(call("c2"), b'{"value": 2}', answers)
    assert answers["c2"].reason == "conflict"
    acting.end.set()
    await acting.idle()
    assert acting.runs == [1]


async def test_the_same_key_of_another_function_is_another_key(game, acting, answers):
    @game.function("other")
    async def other() -> str:
        return "other"

    acting.end.set()
    acting.start(call("c1"), b"{}", answers)
    acting.start(call("c2", function_id="other"), b"{}", answers)
    await acting.idle()
    assert answers == {"c1": b"0", "c2": b'"other"'}


async def test_a_no_of_the_function_is_remembered_and_a_refusal_of_ours_is_not(game, workers, answers):
    runs = []

    @game.function("act")
    async def act() -> None:
        runs.append(1)
        raise Rejected("no")

    calls = Calls(game.functions, workers)
    calls.draining = True
    calls.start(call("c0"), b"{}", answers)
    assert answers["c0"].reason == "unavailable"
    calls.draining = False
    for call_id in ("c1", "c2"):
        calls.start(call(call_id), b"{}", answers)
        await calls.idle()
    assert (answers["c1"], runs) == (answers["c2"], [1])
    assert answers["c1"].reason == "function_rejected"


async def test_one_of_two_callers_that_gives_up_does_not_stop_the_run_the_last_one_does(acting, answers):
    acting.start(call("c1"), b"{}", answers)
    acting.start(call("c2"), b"{}", answers)
    await asyncio.sleep(0)
    acting.cancel("c1")
    assert len(acting) == 1
    acting.cancel("c2")
    assert len(acting) == 0
    await acting.left()
    acting.start(call("c3"), b"{}", answers)
    assert answers["c3"].reason == "canceled"
    assert "it may have acted" in answers["c3"].message
    assert acting.runs == [0]


async def test_a_lost_session_stops_what_has_no_key_and_lets_the_rest_end_for_whoever_asks_again(acting, answers):
    acting.start(call("c1"), b"{}", answers)
    acting.start(call("c2", key=""), b"{}", answers)
    await asyncio.sleep(0)
    acting.session_lost()
    assert len(acting) == 1
    acting.start(call("c1"), b"{}", answers)
    acting.end.set()
    await acting.idle()
    assert answers == {"c1": b"0"}
    assert acting.runs == [0, 0]


async def test_a_waiting_callers_own_deadline_holds(acting, answers):
    acting.start(call("c1"), b"{}", answers)
    late = call("c2")
    late.deadline = 0.0
    expired = asyncio.Event()
    acting.start(late, b"{}", lambda call_id, outcome: (answers(call_id, outcome), expired.set()))
    await expired.wait()
    assert answers["c2"].reason == "deadline_exceeded"
    acting.end.set()
    await acting.idle()
    assert answers["c1"] == b"0"


async def test_what_a_handler_did_after_its_deadline_is_the_answer_to_who_asks_later(game, answers):
    release, one_thread = threading.Event(), Workers(1, "test")

    @game.function("act", timeout=0.01)
    def act() -> str:
        release.wait()
        return "done after all"

    calls = Calls(game.functions, one_thread)
    calls.start(call("c1"), b"{}", answers)
    await calls.idle()
    assert answers["c1"].reason == "deadline_exceeded"
    after_it = asyncio.get_running_loop().create_future()
    one_thread.submit(lambda: b"", after_it.set_result)
    release.set()
    await after_it
    calls.start(call("c2"), b"{}", answers)
    assert answers["c2"] == b'"done after all"'
    one_thread.close()


# ---------------------------------------------------------------------------------------------------- bounds


def ended(memory, key, answer, payload=b""):
    known = memory.claim(call(f"c-{key}", key), payload, lambda *_: None)
    memory.ended(known, answer)


def asked(memory, key):
    answers = []
    known = memory.claim(call("again", key), b"", lambda _, outcome: answers.append(outcome))
    return "runs" if known is not None else answers[0]


def test_the_oldest_key_makes_room_for_the_newest():
    memory = KeyMemory(keys=2)
    for key in "abc":
        ended(memory, key, b"x")
    assert len(memory) == 2
    assert asked(memory, "b") == b"x"
    assert asked(memory, "a") == "runs"


def test_a_key_whose_answer_had_to_go_is_not_run_again():
    memory = KeyMemory(size=10)
    ended(memory, "a", b"x" * 8)
    ended(memory, "b", b"y" * 8)
    assert asked(memory, "a").reason == "outcome_unknown"
    assert asked(memory, "b") == b"y" * 8


def test_a_key_is_kept_for_a_day():
    now = 0.0
    memory = KeyMemory(clock=lambda: now)
    ended(memory, "a", b"x")
    now = KEPT_KEY_SECONDS - 1
    assert asked(memory, "a") == b"x"
    now = KEPT_KEY_SECONDS
    assert asked(memory, "a") == "runs"


# ---------------------------------------------------------------------------------------------------- the game's own store


class Bank:
    """A database with accounts and a KeyStore in the same transactions, as the README shows it."""

    def __init__(self, path):
        self.db = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        self.db.execute("create table if not exists keys (key text primary key, digest blob, answer blob)")
        self.db.execute("create table if not exists gifts (player text)")

    def begin(self, key, digest):
        self.db.execute("begin immediate")
        kept = self.db.execute("select digest, answer from keys where key = ?", (key,)).fetchone()
        if kept is None:
            return None
        self.db.execute("rollback")
        if kept[0] != digest:
            raise KeyReused
        return kept[1]

    def finish(self, key, digest, answer):
        self.db.execute("insert into keys values (?, ?, ?)", (key, digest, answer))
        self.db.execute("commit")

    def rollback(self, key):
        self.db.execute("rollback")

    def give(self, player):
        self.db.execute("insert into gifts values (?)", (player,))

    def gifts(self):
        return self.db.execute("select count(*) from gifts").fetchone()[0]


@pytest.fixture
def path(tmp_path):
    return tmp_path / "bank.db"


def giving(bank, workers, *, sync=False):
    game = Provider(service_id="game-1", game_id="demo", env="dev", key_store=bank)
    if sync:

        @game.function("act")
        def act(player: str) -> str:
            bank.give(player)
            if player == "nobody":
                raise Rejected("no such player")
            return player
    else:

        @game.function("act")
        async def act(player: str) -> str:
            bank.give(player)
            await asyncio.sleep(0)
            if player == "nobody":
                raise Rejected("no such player")
            return player

    return Calls(game.functions, workers, key_store=bank)


@pytest.mark.parametrize("sync", [False, True])
async def test_a_key_in_the_games_own_transaction_outlives_the_process(path, workers, answers, sync):
    for process in ("c1", "c2"):
        calls = giving(Bank(path), workers, sync=sync)
        calls.start(call(process), b'{"player": "p1"}', answers)
        await calls.idle()
    assert answers == {"c1": b'"p1"', "c2": b'"p1"'}
    assert Bank(path).gifts() == 1
    calls = giving(Bank(path), workers, sync=sync)
    calls.start(call("c3"), b'{"player": "p2"}', answers)
    await calls.idle()
    assert answers["c3"].reason == "conflict"


@pytest.mark.parametrize("sync", [False, True])
async def test_what_a_handler_did_before_its_no_is_rolled_back(path, workers, answers, sync):
    calls = giving(Bank(path), workers, sync=sync)
    calls.start(call("c1"), b'{"player": "nobody"}', answers)
    await calls.idle()
    assert answers["c1"].reason == "function_rejected"
    assert Bank(path).gifts() == 0


async def test_a_cancelled_handler_is_rolled_back(path, workers, answers):
    bank = Bank(path)
    calls = giving(bank, workers)
    calls.start(call("c1"), b'{"player": "p1"}', answers)
    await asyncio.sleep(0)
    calls.cancel("c1")
    await calls.left()
    assert not bank.db.in_transaction
    assert bank.gifts() == 0


class Broken(Bank):
    def finish(self, key, digest, answer):
        raise OSError("the disk is full")


@pytest.mark.parametrize("sync", [False, True])
async def test_a_store_that_cannot_finish_leaves_the_outcome_unknown(path, workers, answers, caplog, sync):
    calls = giving(Broken(path), workers, sync=sync)
    calls.start(call("c1"), b'{"player": "p1"}', answers)
    await calls.idle()
    assert answers["c1"].reason == "outcome_unknown"
    assert isinstance(answers["c1"], Failure)


async def test_calls_without_a_key_do_not_touch_the_store(path, workers, answers):
    bank = Bank(path)
    calls = giving(bank, workers)
    calls.start(call("c1", key=""), b'{"player": "p1"}', answers)
    await calls.idle()
    assert answers == {"c1": b'"p1"'}
    assert bank.db.execute("select count(*) from keys").fetchone() == (0,)
