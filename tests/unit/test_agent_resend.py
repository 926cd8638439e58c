import asyncio

import pytest
from tests.unit.agent_parts import ScriptedGameServer, instance

from croupier.agent.forward import Forward
from croupier.agent.instances import Instances
from croupier.agent.jobs import Jobs
from croupier.agent.metrics import Calls
from croupier.agent.resend import DURABLE_KEYS, KEYS, Resend
from croupier.domain.scope import Scope
from croupier.errors import OutcomeUnknown, RateLimited, Unavailable
from croupier.tunnel.frames import CallResult, Invoke

LOST = OutcomeUnknown("the session ended")


class Bed:
    """One game server, lost and back; what callers are told is in `outcomes`."""

    def __init__(self, patience=1000.0):
        self.instances = Instances(lambda: None)
        self.resend = Resend(self.instances, patience=patience)
        self.forward = Forward(Scope("demo", "dev"), self.instances, Jobs(), Calls(), self.resend)
        self.outcomes = []
        self.told = asyncio.Event()

    def server(self, service_id="game-1", incarnation="i1", capabilities=(KEYS,), manifest=b""):
        server = ScriptedGameServer(service_id, incarnation)
        server.capabilities = frozenset(capabilities)
        self.instances.put(instance(service_id, server=server, attached=True, manifest=manifest))
        return server

    def done(self, outcome, raw):
        self.outcomes.append(getattr(outcome, "payload", outcome))
        self.told.set()

    def invoke(self, key="k1", timeout=100.0):
        frame = Invoke(request_id="r1", function_id="player.ban", payload=b"{}", idempotency_key=key)
        return self.forward.invoke(frame, b"raw", asyncio.get_running_loop().time() + timeout, self.done)

    def lose(self, server):
        self.instances.remove(self.instances.get(server.service_id))
        server.calls[-1][3](LOST, b"")

    def answer(self, server, payload=b"ok"):
        server.calls[-1][3](CallResult(request_id="r1", payload=payload), b"")


@pytest.fixture
async def bed():
    return Bed()


async def test_a_keyed_call_goes_again_to_the_process_that_had_it_with_the_time_that_is_left(bed):
    server = bed.server()
    bed.invoke()
    bed.lose(server)
    assert (bed.outcomes, server.outstanding) == ([], 0)
    again = bed.server()
    bed.resend.back(again)
    frame, raw, timeout, _ = again.calls[0]
    assert (frame.request_id, frame.idempotency_key, raw) == ("r1", "k1", b"")
    assert 0 < frame.deadline_ms <= timeout * 1000 <= 100_000
    bed.answer(again)
    assert bed.outcomes == [b"ok"]
    assert again.outstanding == 0


async def test_another_process_under_the_same_name_never_gets_it(bed):
    server = bed.server()
    bed.invoke()
    bed.lose(server)
    again = bed.server(incarnation="i2")
    bed.resend.back(again)
    assert again.calls == []
    assert bed.outcomes == [LOST]


async def test_another_process_gets_it_where_the_game_keeps_keys_for_good(bed):
    server = bed.server(capabilities=(KEYS, DURABLE_KEYS))
    bed.invoke()
    bed.lose(server)
    again = bed.server(incarnation="i2", capabilities=(KEYS, DURABLE_KEYS))
    bed.resend.back(again)
    bed.answer(again)
    assert bed.outcomes == [b"ok"]


@pytest.mark.parametrize(("key", "capabilities"), [("", (KEYS, DURABLE_KEYS)), ("k1", ())])
async def test_a_call_without_a_key_or_to_one_that_remembers_none_is_never_sent_again(bed, key, capabilities):
    server = bed.server(capabilities=capabilities)
    bed.invoke(key)
    bed.lose(server)
    assert bed.outcomes == [LOST]
    bed.resend.back(bed.server(capabilities=capabilities))
    assert len(bed.outcomes) == 1


@pytest.mark.parametrize("whole", [b"%s", b'{"provider": {"id": "game-1"}, "functions": %s, "entities": []}'])
@pytest.mark.parametrize("semantics", [b'{"idempotent": true}', b'{"mode": "query"}'])
async def test_an_idempotent_function_goes_to_whoever_offers_it(bed, semantics, whole):
    manifest = whole % (b'[{"id": "other"}, {"id": "player.ban", "semantics": ' + semantics + b"}]")
    server = bed.server(capabilities=(), manifest=manifest)
    other = bed.server("game-2", "i9", capabilities=())
    other.outstanding = 5
    bed.invoke("")
    server.calls[-1][3](LOST, b"")  # as it happens: the call is told before the game server leaves the table
    bed.instances.remove(bed.instances.get("game-1"))
    await asyncio.sleep(0)
    bed.answer(other)
    assert bed.outcomes == [b"ok"]
    assert other.outstanding == 5


async def test_nobody_back_in_time_is_outcome_unknown():
    bed = Bed(patience=0.001)
    server = bed.server()
    bed.invoke()
    bed.lose(server)
    await bed.told.wait()
    assert bed.outcomes == [LOST]
    bed.resend.back(bed.server())
    assert bed.outcomes == [LOST]


@pytest.mark.parametrize("refusal", [Unavailable("draining"), RateLimited("busy")])
async def test_a_refusal_of_the_second_sending_does_not_say_that_nothing_ran(bed, refusal):
    server = bed.server()
    bed.invoke()
    bed.lose(server)
    again = bed.server()
    bed.resend.back(again)
    again.calls[0][3](CallResult(request_id="r1", error=refusal), b"")
    assert bed.outcomes == [LOST]


async def test_a_link_that_does_not_take_the_second_sending_leaves_the_outcome_unknown(bed):
    server = bed.server()
    bed.invoke()
    bed.lose(server)
    again = bed.server()
    again.refuses = Unavailable("full")
    bed.resend.back(again)
    assert (bed.outcomes, again.outstanding) == ([LOST], 0)


async def test_a_caller_that_gives_up_while_its_call_waits_is_not_sent_again(bed):
    server = bed.server()
    flight = bed.invoke()
    bed.lose(server)
    flight.cancel("gone")
    again = bed.server()
    bed.resend.back(again)
    assert (again.calls, bed.outcomes, server.canceled, server.outstanding) == ([], [], [], 0)


async def test_a_call_can_be_lost_more_than_once(bed):
    server = bed.server()
    bed.invoke()
    for _ in range(3):
        bed.lose(server)
        server = bed.server()
        bed.resend.back(server)
    bed.answer(server)
    assert bed.outcomes == [b"ok"]


async def test_a_manifest_of_rubbish_makes_nothing_repeatable(bed):
    for manifest in (
        b"{",
        b"[1]",
        b'{"id": 1}',
        b'[{"semantics": {"idempotent": true}}]',
        b'[{"id": "x", "semantics": 3}]',
    ):
        server = bed.server(capabilities=(), manifest=manifest)
        bed.invoke("")
        server.calls[-1][3](LOST, b"")
    assert bed.outcomes == [LOST] * 5
