"""One call to many: bounded, whole, and honest about each."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

import orjson
import pytest
from tests.unit.test_server_router import StillLink

from croupier.domain.call import Call, Result, Route
from croupier.domain.limits import PAYLOAD_BYTES
from croupier.domain.routing import Skipped
from croupier.domain.scope import Scope
from croupier.errors import (
    CroupierError,
    FunctionRejected,
    HandlerFailed,
    OutcomeUnknown,
    PayloadTooLarge,
    RateLimited,
    Unavailable,
)
from croupier.server.dispatch.broadcast import FAN_OUT, NAMED, broadcast
from croupier.server.dispatch.router import Target

Script = Callable[[Call, str], Awaitable[Result]]


async def echo(call: Call, service_id: str) -> Result:
    return Result(payload=call.payload, service_id=service_id or "chosen", agent_id="a")


@dataclass(eq=False)
class ScriptedLink(StillLink):
    """Answers with `script`, and remembers what it was sent."""

    script: Script = echo
    sent: list[tuple[Call, str]] = field(default_factory=list)
    under_way: int = 0
    most: int = 0

    async def invoke(self, call: Call, service_id: str, timeout: float) -> Result:
        self.sent.append((call, service_id))
        self.under_way += 1
        self.most = max(self.most, self.under_way)
        try:
            return await self.script(call, service_id)
        finally:
            self.under_way -= 1


def call(payload: bytes = b'{"n": 1}', **fields: object) -> Call:
    scope = Scope("demo", "dev")
    return Call(id="c1", function_id="f", scope=scope, payload=payload, caller="x", route=Route.BROADCAST, **fields)  # type: ignore[arg-type]


async def sent(link: ScriptedLink, count: int, wanted: Call | None = None, *, left: float = 30.0) -> Result:
    targets = [Target(link, f"s{number}") for number in range(count)]
    return await broadcast(wanted or call(), targets, [], asyncio.get_running_loop().time() + left)


def failing(failures: dict[str, CroupierError]) -> Script:
    async def script(call: Call, service_id: str) -> Result:
        if service_id in failures:
            raise failures[service_id]
        return await echo(call, service_id)

    return script


async def test_every_game_server_answers_for_itself_in_the_order_of_the_targets() -> None:
    link = ScriptedLink("a", script=failing({"s1": FunctionRejected("not here")}))
    answer = orjson.loads((await sent(link, 3)).payload)
    assert answer == {
        "results": [
            {"service_id": "s0", "agent_id": "a", "ok": True, "payload": {"n": 1}},
            {
                "service_id": "s1",
                "agent_id": "a",
                "ok": False,
                "error": {"reason": "function_rejected", "message": "not here"},
            },
            {"service_id": "s2", "agent_id": "a", "ok": True, "payload": {"n": 1}},
        ],
        "succeeded": 2,
        "failed": 1,
        "skipped": [],
    }


async def test_each_frame_has_an_id_of_its_own_and_no_word_of_the_broadcast() -> None:
    link = ScriptedLink("a")
    await sent(link, 5, call(metadata={"route": "broadcast", "mood": "good"}, idempotency_key="k"))
    assert len({one.id for one, _ in link.sent}) == 5
    assert {one.route for one, _ in link.sent} == {Route.LB}
    assert all(one.metadata == {"mood": "good"} and one.idempotency_key == "k" for one, _ in link.sent)


async def test_an_agent_without_named_game_servers_says_which_one_answered() -> None:
    link = ScriptedLink("a")
    skipped = [Skipped("b", "s9", "its agent drains")]
    found = await broadcast(call(b"\xff"), [Target(link)], skipped, asyncio.get_running_loop().time() + 30)
    assert orjson.loads(found.payload) == {
        "results": [{"service_id": "chosen", "agent_id": "a", "ok": True, "payload_base64": "/w=="}],
        "succeeded": 1,
        "failed": 0,
        "skipped": [{"agent_id": "b", "service_id": "s9", "why": "its agent drains", "code": "agent_drains"}],
    }


async def test_no_more_than_the_fan_out_are_asked_at_the_same_time() -> None:
    everybody = asyncio.Event()

    async def wait(call: Call, service_id: str) -> Result:
        if link.under_way == FAN_OUT:
            everybody.set()
        await everybody.wait()
        return await echo(call, service_id)

    link = ScriptedLink("a", script=wait)
    answer = orjson.loads((await sent(link, 3 * FAN_OUT)).payload)
    assert answer["succeeded"] == 3 * FAN_OUT
    assert link.most == FAN_OUT


async def test_a_caller_that_gives_up_frees_every_game_server() -> None:
    begun, freed = asyncio.Event(), []

    async def hang(call: Call, service_id: str) -> Result:
        if link.under_way == 10:
            begun.set()
        try:
            return await asyncio.get_running_loop().create_future()
        except asyncio.CancelledError:
            freed.append(service_id)
            raise

    link = ScriptedLink("a", script=hang)
    waiting = asyncio.ensure_future(sent(link, 10))
    await begun.wait()
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    assert len(freed) == 10


@pytest.mark.parametrize(
    ("failures", "raised"),
    [
        ([Unavailable("x"), Unavailable("y")], Unavailable),
        ([Unavailable("x"), RateLimited("y")], RateLimited),
        ([FunctionRejected("x"), Unavailable("y")], FunctionRejected),
        ([FunctionRejected("x"), HandlerFailed("y")], HandlerFailed),
        ([HandlerFailed("x"), OutcomeUnknown("y"), Unavailable("z")], OutcomeUnknown),
    ],
)
async def test_when_all_fail_the_gravest_failure_is_raised_and_every_one_is_named(
    failures: list[CroupierError], raised: type[CroupierError]
) -> None:
    link = ScriptedLink("a", script=failing({f"s{at}": error for at, error in enumerate(failures)}))
    with pytest.raises(CroupierError, match=f"all {len(failures)} game servers failed") as found:
        await sent(link, len(failures))
    assert type(found.value) is raised
    assert found.value.details == {f"s{at}": f"{error.reason}: {error.message}" for at, error in enumerate(failures)}


async def test_of_two_game_servers_with_one_id_both_failures_are_named() -> None:
    one, other = (ScriptedLink(name, script=failing({"s": HandlerFailed(name)})) for name in ("a", "b"))
    with pytest.raises(HandlerFailed) as found:
        await broadcast(call(), [Target(one, "s"), Target(other, "s")], [], asyncio.get_running_loop().time() + 30.0)
    assert found.value.details == {"s@a": "handler_failed: a", "s@b": "handler_failed: b"}


async def test_a_thousand_failures_with_long_words_stay_a_short_error() -> None:
    failure = HandlerFailed("x" * 100_000)
    link = ScriptedLink("a", script=failing({f"s{at}": failure for at in range(1_000)}))
    with pytest.raises(HandlerFailed) as found:
        await sent(link, 1_000)
    assert len(found.value.details) == NAMED
    assert sum(len(text) for text in found.value.details.values()) < 100_000
    assert len(found.value.message) < 1_000


async def test_answers_that_are_too_large_together_are_refused_with_what_ran() -> None:
    link = ScriptedLink("a", script=failing({"s0": HandlerFailed("x")}))
    with pytest.raises(PayloadTooLarge, match="the call ran: 4 game servers succeeded and 1 failed"):
        await sent(link, 5, call(b'"' + b"x" * (PAYLOAD_BYTES // 4) + b'"'))


async def test_after_the_deadline_nothing_is_sent() -> None:
    link = ScriptedLink("a")
    with pytest.raises(Unavailable, match=r"all 3 game servers failed \(3 unavailable\)"):
        await sent(link, 3, left=0.0)
    assert not link.sent
