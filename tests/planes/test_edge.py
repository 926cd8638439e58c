"""Calls and tunnels through an edge: what arrives, what is refused, and what a lost link or a drain means."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Any

import aiohttp
import grpc
import grpc.aio
import pytest
from tests.planes.edge_testbed import LINK_TOKEN, EdgeUnderTest, bare_link, carried, edge_of
from tests.planes.scripted_agent import (
    HERE,
    OTHER,
    SCOPE,
    ScriptedAgent,
    Server,
    answer,
    attached,
    eventually,
    keep_silent,
    raw_agent,
    raw_method,
    refused,
    registration,
    running,
    seen_away,
    stub_of,
    within,
)

from croupier.domain.limits import PAYLOAD_BYTES
from croupier.edge import passing
from croupier.edge.passing import Passing
from croupier.relay.frames import Open, Status
from croupier.tunnel.grpc import OPEN, ServerContext
from croupier_wire.control.v1 import control_pb2, control_pb2_grpc
from croupier_wire.edge.job.v1 import job_pb2, job_pb2_grpc
from croupier_wire.function.v1 import function_pb2, function_pb2_grpc
from croupier_wire.relay.v1 import relay_pb2 as wire
from croupier_wire.server.v1 import server_pb2_grpc
from croupier_wire.tunnel.v1 import tunnel_pb2

INVOKE = "/croupier.function.v1.FunctionService/Invoke"


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[Server]:
    async with running(tmp_path, link_token=LINK_TOKEN) as server:
        yield server


@pytest.fixture
async def edge(server: Server) -> AsyncIterator[EdgeUnderTest]:
    async with edge_of(server) as edge:
        yield edge


@pytest.fixture
async def channel(edge: EdgeUnderTest) -> AsyncIterator[grpc.aio.Channel]:
    async with grpc.aio.insecure_channel(edge.grpc) as channel:
        yield channel


def behind(
    edge: EdgeUnderTest, server: Server, agent_id: str = "agent-1", **more: Any
) -> AbstractAsyncContextManager[ScriptedAgent]:
    """An agent that is connected through the edge, and whose functions the server knows."""
    return attached(server, agent_id, address=edge.grpc, **more)


def request(**more: Any) -> function_pb2.InvokeRequest:
    return function_pb2.InvokeRequest(**{"function_id": "f", "payload": b"{}", "metadata": HERE, **more})


# ------------------------------------------------------------------------------------------------ agents behind it


async def test_calls_reach_an_agent_behind_an_edge_and_the_registry_says_where_it_hangs(
    edge: EdgeUnderTest, server: Server
) -> None:
    async with behind(edge, server):
        replies = await asyncio.gather(*(server.invoke("f", {"n": number}) for number in range(100)))
        assert [reply.json for reply in replies] == [{"n": number} for number in range(100)]
        agent = await server.agent("agent-1")
    assert agent is not None
    assert (agent["edge"], agent["ip"], agent["type"]) == ("edge-1", "127.0.0.1", "agent")


async def test_the_server_may_dial_the_edge_instead(tmp_path: Path) -> None:
    async with edge_of() as edge:
        async with running(tmp_path, link_token=LINK_TOKEN, edges=(edge.grpc,)) as server:
            await edge.linked()
            async with behind(edge, server):
                assert (await server.invoke("f", {"n": 1})).json == {"n": 1}
        await edge.linked(0)


async def test_ten_megabytes_pass_both_ways(edge: EdgeUnderTest, server: Server) -> None:
    payload = {"text": "x" * (PAYLOAD_BYTES - 20)}
    async with behind(edge, server):
        reply = await server.invoke("f", payload)
    assert reply.status == 200
    assert reply.json == payload


async def test_an_agent_that_knows_the_contract_alone_works_through_an_edge(
    edge: EdgeUnderTest, server: Server
) -> None:
    async with (
        raw_agent(edge.grpc, stub=server_pb2_grpc.TunnelServiceStub) as agent,
        grpc.aio.insecure_channel(edge.grpc) as channel,
    ):
        await agent.hello()
        control = stub_of(control_pb2_grpc.ControlServiceStub, channel)
        await control.Register(registration("plain-1"))
        calling = asyncio.ensure_future(server.invoke("f", {"n": 1}))
        frame = await agent.hear_frame("invoke")
        await agent.say("result", result={"request_id": frame.request_id, "payload": b"[1]"})
        assert (await calling).json == [1]
        shown = await server.agent("plain-1")
    assert shown is not None
    assert shown["edge"] == "edge-1"


async def test_a_bad_hello_is_refused_by_the_server_behind_the_edge(edge: EdgeUnderTest) -> None:
    async with raw_agent(edge.grpc) as agent:
        await agent.say("heartbeat")
        code, text = await agent.refusal()
    assert code == grpc.StatusCode.INVALID_ARGUMENT
    assert text.startswith("bad hello")


async def test_a_session_goes_on_when_its_agent_moves_to_another_edge(edge: EdgeUnderTest, server: Server) -> None:
    async with edge_of(server, edge_id="edge-2") as second, behind(edge, server, script=keep_silent) as agent:
        calling = asyncio.ensure_future(server.invoke("f", {"n": 1}))
        frame = await agent.request()
        await agent.cut()
        agent.address = second.grpc
        assert (await agent.connect()).resumed

        answer(agent, frame)

        assert (await calling).json == {"n": 1}
        shown = await server.agent("agent-1")
        assert shown is not None
        assert shown["edge"] == "edge-2"


async def test_a_session_goes_on_over_the_next_link_when_the_server_lost_this_one(
    edge: EdgeUnderTest, server: Server
) -> None:
    async with behind(edge, server, script=keep_silent) as agent:
        calling = asyncio.ensure_future(server.invoke("f", {"n": 1}))
        frame = await agent.request()
        for link in edge.edge._links:
            link.close()
        await agent.lost()
        await edge.linked()
        await agent.cut()
        assert (await agent.connect()).resumed

        answer(agent, frame)

        assert (await calling).json == {"n": 1}
        assert len(agent.executed) == 1


async def test_a_call_that_comes_while_an_agent_moves_is_sent_when_it_is_back(
    edge: EdgeUnderTest, server: Server
) -> None:
    async with edge_of(server, edge_id="edge-2") as second, behind(edge, server) as agent:
        await edge.edge._passing.drain(0)
        await agent.lost()
        await seen_away(server)
        calling = asyncio.ensure_future(server.invoke("f", {"n": 1}))
        await agent.cut()
        agent.address = second.grpc
        assert (await agent.connect()).resumed
        assert (await calling).json == {"n": 1}


async def test_an_agent_that_leaves_its_edge_by_itself_is_not_waited_for(edge: EdgeUnderTest, server: Server) -> None:
    async with behind(edge, server) as agent:
        await agent.cut()
        await seen_away(server)
        reply = await server.invoke("f")
    assert (reply.status, reply.json["reason"]) == (503, "unavailable")


# ------------------------------------------------------------------------------------------------ callers in front of it


async def test_functions_are_called_through_an_edge_in_either_codec(
    edge: EdgeUnderTest, server: Server, channel: grpc.aio.Channel
) -> None:
    functions = stub_of(function_pb2_grpc.FunctionServiceStub, channel)
    async with behind(edge, server) as agent:
        told = await functions.Invoke(request(payload=b"[1]"), metadata=server.credentials, timeout=20)
        raw = await channel.unary_unary(INVOKE)(
            b'{"function_id":"f","payload":"WzJd","metadata":{"game_id":"demo","env":"dev"}}',
            metadata=server.credentials,
        )
    assert told.payload == b"[1]"
    assert raw == b'{"payload":"WzJd"}'
    assert 10_000 < agent.executed[0].deadline_ms <= 21_000


async def test_a_job_is_started_followed_and_read_through_an_edge(
    edge: EdgeUnderTest, server: Server, channel: grpc.aio.Channel
) -> None:
    functions = stub_of(function_pb2_grpc.FunctionServiceStub, channel)
    async with behind(edge, server) as agent:
        job_id = (await functions.StartJob(request(), metadata=server.credentials)).job_id
        story = functions.StreamJob(function_pb2.JobStreamRequest(job_id=job_id), metadata=server.credentials)
        for number in range(1, 100):
            agent.tell(job_id, number, message=f"line {number}")
        agent.tell(job_id, 100, "done", payload=b"{}")
        events = [event async for event in story]
        result = await stub_of(job_pb2_grpc.JobServiceStub, channel).GetJobResult(
            job_pb2.GetJobResultRequest(job_id=job_id), metadata=server.credentials
        )
    assert [event.seq for event in events] == list(range(1, 101))
    assert result.state == "succeeded"


async def test_an_error_of_the_server_arrives_with_code_text_and_reason(
    server: Server, channel: grpc.aio.Channel
) -> None:
    with pytest.raises(grpc.aio.AioRpcError) as failed:
        await channel.unary_unary(INVOKE)(request(function_id="nope").SerializeToString(), metadata=server.credentials)
    assert failed.value.code() == grpc.StatusCode.NOT_FOUND
    assert "nope" in (failed.value.details() or "")
    assert dict(failed.value.trailing_metadata() or ())["croupier-reason"] == "not_found"


async def test_a_caller_that_goes_away_cancels_the_call_in_the_game_server(
    edge: EdgeUnderTest, server: Server, channel: grpc.aio.Channel
) -> None:
    async with behind(edge, server, script=keep_silent) as agent:
        call = channel.unary_unary(INVOKE)(request().SerializeToString(), metadata=server.credentials)
        frame = await agent.request()
        call.cancel()
        await agent.aborted(frame.request_id)
        await edge.calls(0)


async def test_a_call_whose_deadline_passes_ends_at_every_hop(
    edge: EdgeUnderTest, server: Server, channel: grpc.aio.Channel
) -> None:
    async with behind(edge, server, script=keep_silent) as agent:
        call = channel.unary_unary(INVOKE)(request().SerializeToString(), metadata=server.credentials, timeout=2.0)
        frame = await agent.request()
        code, _ = await refused(call)
        await agent.aborted(frame.request_id)
    assert code == grpc.StatusCode.DEADLINE_EXCEEDED
    assert frame.deadline_ms <= 2_100  # grpcio rounds it up, by ten milliseconds at most for each hop


async def test_an_end_that_comes_when_its_caller_has_given_up_is_no_fault_of_the_edge(
    server: Server, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    answers, carry = passing._answers, Passing.carry
    ended = asyncio.Event()

    async def late(*call: Any) -> Status:
        try:
            return await answers(*call)
        except asyncio.CancelledError:
            # A deadline ends the call, and at the server too: that end is often here before grpcio cancels the method.
            return Status(grpc.StatusCode.DEADLINE_EXCEEDED.value[0], "too late")

    async def noted(self: Passing, path: str, context: ServerContext) -> None:
        try:
            await carry(self, path, context)
        finally:
            if path == INVOKE:
                ended.set()

    monkeypatch.setattr(passing, "_answers", late)
    monkeypatch.setattr(Passing, "carry", noted)
    async with (
        edge_of(server) as edge,
        behind(edge, server, script=keep_silent) as agent,
        grpc.aio.insecure_channel(edge.grpc) as channel,
    ):
        call = channel.unary_unary(INVOKE)(request().SerializeToString(), metadata=server.credentials)
        await agent.request()
        call.cancel()
        await ended.wait()
        assert [record.getMessage() for record in caplog.records if record.levelname == "ERROR"] == []


async def test_a_request_that_is_too_large_fails_alone(
    edge: EdgeUnderTest, server: Server, channel: grpc.aio.Channel
) -> None:
    async with behind(edge, server):
        large = request(payload=b"x" * (PAYLOAD_BYTES + 1_030_000)).SerializeToString()
        code, _ = await refused(channel.unary_unary(INVOKE)(large, metadata=server.credentials))
        assert code == grpc.StatusCode.INVALID_ARGUMENT
        assert (await server.invoke("f", {"n": 1})).status == 200
    assert edge.links == 1


# ------------------------------------------------------------------------------------------------ without a link


async def test_without_a_link_a_call_is_refused_at_once_with_what_to_do() -> None:
    async with edge_of() as edge, grpc.aio.insecure_channel(edge.grpc) as channel:
        code, text = await refused(raw_method(channel, INVOKE, {"function_id": "f"}))
        ready, _ = await _get(edge, "/readyz")
    assert code == grpc.StatusCode.UNAVAILABLE
    assert "no link with a server" in text
    assert ready == 503


async def test_a_call_whose_link_is_lost_says_that_it_may_have_run(
    edge: EdgeUnderTest, server: Server, channel: grpc.aio.Channel
) -> None:
    async with behind(edge, server, script=keep_silent) as agent:
        call = channel.unary_unary(INVOKE)(request().SerializeToString(), metadata=server.credentials)
        await agent.request()
        for link in edge.edge._links:
            link.close()
        with pytest.raises(grpc.aio.AioRpcError) as failed:
            await call
    assert failed.value.code() == grpc.StatusCode.UNKNOWN
    assert dict(failed.value.trailing_metadata() or ())["croupier-reason"] == "outcome_unknown"


async def test_an_edge_with_another_token_gets_no_link_and_the_token_is_in_no_log(
    server: Server, caplog: pytest.LogCaptureFixture
) -> None:
    async with edge_of(server, link_token="another-link-token") as edge:

        async def is_said() -> bool:
            return "another link_token" in caplog.text

        await eventually(is_said)
        assert edge.links == 0
    assert "another-link-token" not in caplog.text
    assert LINK_TOKEN not in caplog.text


async def test_a_server_without_a_token_links_with_nobody(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    async with running(tmp_path) as server, edge_of(server, link_token="a-link-token") as edge:

        async def is_said() -> bool:
            return "takes no edges" in caplog.text

        await eventually(is_said)
        assert edge.links == 0


async def test_a_call_whose_link_is_lost_before_its_request_came_says_so(
    edge: EdgeUnderTest, channel: grpc.aio.Channel
) -> None:
    call: Any = channel.stream_stream(INVOKE)()
    await call.wait_for_connection()
    await edge.calls(1)
    for link in edge.edge._links:
        link.close()
    await edge.linked(0)
    await call.write(request().SerializeToString())
    assert await call.code() in {grpc.StatusCode.UNKNOWN, grpc.StatusCode.UNAVAILABLE}
    assert "link to the server was lost" in await call.details()


async def test_a_caller_that_reads_nothing_holds_up_nobody_but_itself(
    edge: EdgeUnderTest, server: Server, channel: grpc.aio.Channel
) -> None:
    functions = stub_of(function_pb2_grpc.FunctionServiceStub, channel)
    async with behind(edge, server) as agent:
        job_id = (await functions.StartJob(request(), metadata=server.credentials)).job_id
        story = functions.StreamJob(function_pb2.JobStreamRequest(job_id=job_id), metadata=server.credentials)
        for number in range(1, 21):
            agent.tell(job_id, number, message="x", payload=b"x" * 500_000)
        await agent.acknowledged(job_id, 20)
        replies = await asyncio.gather(*(server.invoke("f", {"n": number}) for number in range(50)))
        assert {reply.status for reply in replies} == {200}
        agent.tell(job_id, 21, "done")
        assert [event.seq async for event in story] == list(range(1, 22))


# ------------------------------------------------------------------------------------------------ an edge that lies


@pytest.fixture
async def walled(tmp_path: Path) -> AsyncIterator[Server]:
    """A server at which edge-1 may speak for demo|dev only."""
    async with running(tmp_path, link_token=LINK_TOKEN, edge_scopes={"edge-1": [str(SCOPE)]}) as server:
        yield server


async def test_an_edge_brings_no_agent_of_a_scope_that_is_not_its_own(walled: Server) -> None:
    async with edge_of(walled) as edge, behind(edge, walled):
        async with raw_agent(edge.grpc) as liar:
            await liar.hello("agent-2", OTHER)
            code, text = await liar.refusal()
        assert code == grpc.StatusCode.PERMISSION_DENIED
        assert "edge edge-1 may not speak for other|prod" in text
        assert (await walled.invoke("f")).status == 200, "its other agents are none the worse"
        assert await walled.agent("agent-2") is None


async def test_an_edge_registers_and_renews_nothing_outside_its_scopes(walled: Server) -> None:
    async with (
        edge_of(walled) as edge,
        grpc.aio.insecure_channel(edge.grpc) as through,
        grpc.aio.insecure_channel(walled.grpc) as direct,
    ):
        control = stub_of(control_pb2_grpc.ControlServiceStub, through)
        there = registration("direct-1", game_id=OTHER.game_id, env=OTHER.env)
        await stub_of(control_pb2_grpc.ControlServiceStub, direct).Register(there)
        outcomes = [
            await refused(control.Register(there)),
            await refused(control.Heartbeat(control_pb2.HeartbeatRequest(agent_id="direct-1"))),
            await refused(
                control.RegisterCapabilities(
                    control_pb2.RegisterCapabilitiesRequest(provider=control_pb2.ProviderMeta(id="p"))
                )
            ),
        ]
        await control.Register(registration("edged-1"))
    assert {code for code, _ in outcomes} == {grpc.StatusCode.PERMISSION_DENIED}


async def test_an_edge_cannot_make_the_server_dial_an_address(edge: EdgeUnderTest, server: Server) -> None:
    async with grpc.aio.insecure_channel(edge.grpc) as channel:
        control = stub_of(control_pb2_grpc.ControlServiceStub, channel)
        await control.Register(registration("edged-1", rpc_addr=server.grpc))
    shown = await server.agent("edged-1")
    assert shown is not None
    assert not shown["healthy"]


async def test_an_edge_cannot_take_the_id_of_an_agent_that_is_alive(edge: EdgeUnderTest, server: Server) -> None:
    async with behind(edge, server) as agent:
        liar = ScriptedAgent(edge.grpc, "agent-1", incarnation="two")
        connecting = asyncio.ensure_future(liar.connect())
        await eventually(_started(liar))
        await liar.lost()
        connecting.cancel()
        await liar.cut()
        assert (await server.invoke("f")).status == 200
        assert len(agent.executed) == 1


def _started(agent: ScriptedAgent) -> Any:
    async def started() -> bool:
        return agent._task is not None

    return started


@pytest.mark.parametrize(
    "method", ["/croupier.relay.v1.RelayService/Link", "/grpc.health.v1.Health/Check", "/croupier.attach.v1.X/Y"]
)
async def test_an_edge_opens_what_passes_edges_and_nothing_else(server: Server, method: str) -> None:
    async with bare_link(server) as (link, stream), carried(link, stream):
        opened = link.open(Open(method))
        assert await within(opened.read()) is None
        assert opened.status is not None
        assert opened.status.code == grpc.StatusCode.PERMISSION_DENIED.value[0]
        assert method in opened.status.message
        still = link.open(Open(INVOKE))
        await still.write(request().SerializeToString())
        assert await within(still.read()) is None
        assert still.status is not None
        assert still.status.code == grpc.StatusCode.UNAUTHENTICATED.value[0]


async def test_a_peer_that_is_no_address_is_not_shown(server: Server) -> None:
    async with bare_link(server) as (link, stream), carried(link, stream):
        opened = link.open(Open(OPEN, peer="ipv4:<b>somewhere</b>:1"))
        hello = tunnel_pb2.Hello(agent_id="agent-1", game_id=SCOPE.game_id, env=SCOPE.env, capabilities=["session"])
        await opened.write(tunnel_pb2.TunnelMessage(type="hello", hello=hello).SerializeToString())
        await within(opened.read())
        shown = await server.agent("agent-1")
        assert shown is not None
        assert (shown["ip"], shown["edge"]) == ("", "edge-1")


@pytest.mark.parametrize(
    "frame",
    [
        wire.Frame(stream=7, kind=wire.KIND_MESSAGE, message=b"x"),
        wire.Frame(stream=2, kind=wire.KIND_OPEN, open=wire.Open(method=OPEN)),
        wire.Frame(stream=1, kind=wire.KIND_UNSPECIFIED),
    ],
)
async def test_an_edge_that_breaks_the_links_rules_loses_the_link_and_hears_why(
    server: Server, frame: wire.Frame, caplog: pytest.LogCaptureFixture
) -> None:
    async with bare_link(server) as (_, stream):
        await stream.write(wire.LinkMessage(frames=[frame]).SerializeToString())
        assert await within(stream._call.code()) == grpc.StatusCode.INVALID_ARGUMENT


# ------------------------------------------------------------------------------------------------ the end


async def test_a_draining_edge_sends_tunnels_away_lets_calls_end_and_takes_nothing_new(
    server: Server, channel: grpc.aio.Channel, edge: EdgeUnderTest
) -> None:
    async with edge_of(server, edge_id="edge-2") as second, behind(edge, server, script=keep_silent) as agent:
        call = channel.unary_unary(INVOKE)(request().SerializeToString(), metadata=server.credentials, timeout=30)
        frame = await agent.request()

        draining = asyncio.ensure_future(edge.edge._passing.drain(30))
        await agent.lost()
        late = await refused(raw_method(channel, INVOKE, {}))
        ready, body = await _get(edge, "/readyz")
        await agent.cut()
        agent.address = second.grpc
        assert (await agent.connect()).resumed
        answer(agent, frame)

        assert function_pb2.InvokeResponse.FromString(await call).payload == b"{}"
        await draining
    assert late[0] == grpc.StatusCode.UNAVAILABLE
    assert "draining" in late[1]
    assert (ready, b"draining" in body) == (503, True)


async def test_a_call_that_outlasts_the_drain_says_that_it_may_have_run(
    server: Server, channel: grpc.aio.Channel, edge: EdgeUnderTest
) -> None:
    async with behind(edge, server, script=keep_silent) as agent:
        call = channel.unary_unary(INVOKE)(request().SerializeToString(), metadata=server.credentials)
        frame = await agent.request()
        await edge.edge._passing.drain(0)
        with pytest.raises(grpc.aio.AioRpcError) as failed:
            await call
        await agent.cut()
        agent.address = server.grpc
        await agent.connect()
        await agent.aborted(frame.request_id)
    assert dict(failed.value.trailing_metadata() or ())["croupier-reason"] == "outcome_unknown"


async def test_an_edge_tells_prometheus_what_it_carries(edge: EdgeUnderTest, server: Server) -> None:
    async with behind(edge, server):
        healthy, _ = await _get(edge, "/healthz")
        ready, _ = await _get(edge, "/readyz")
        _, metrics = await _get(edge, "/metrics")
    assert (healthy, ready) == (200, 200)
    assert b"croupier_edge_links 1.0" in metrics
    assert b'croupier_edge_streams{kind="tunnel"} 1.0' in metrics


async def _get(edge: EdgeUnderTest, path: str) -> tuple[int, bytes]:
    async with aiohttp.ClientSession() as session, session.get(f"http://{edge.http}{path}") as response:
        return response.status, await response.read()
