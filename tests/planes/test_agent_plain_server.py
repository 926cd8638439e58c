"""A server that speaks the contract and nothing else, written with the generated stubs."""

import asyncio

import grpc
import grpc.aio
import pytest
from tests.planes.agent_testbed import Agent, AttachedGame, Watched

from croupier.agent.control import ControlRegistration
from croupier.agent.instances import Instances
from croupier.domain.scope import Scope
from croupier.errors import NotFound, Unavailable
from croupier_wire.control.v1 import control_pb2, control_pb2_grpc
from croupier_wire.tunnel.v1 import tunnel_pb2, tunnel_pb2_grpc


class PlainServer(Watched, control_pb2_grpc.ControlServiceServicer, tunnel_pb2_grpc.TunnelServiceServicer):
    def __init__(self):
        super().__init__()
        self.registers = []
        self.received = []
        self.to_send = asyncio.Queue()

    async def start(self):
        self._server = grpc.aio.server()
        control_pb2_grpc.add_ControlServiceServicer_to_server(self, self._server)
        tunnel_pb2_grpc.add_TunnelServiceServicer_to_server(self, self._server)
        self.address = f"127.0.0.1:{self._server.add_insecure_port('127.0.0.1:0')}"
        await self._server.start()

    async def stop(self):
        await self._server.stop(None)

    async def Register(self, request, context):
        self.registers.append(request)
        self.stir()
        return control_pb2.RegisterResponse(session_id="their-session", expire_at=0)

    async def Open(self, requests, context):
        reading = asyncio.create_task(self._read(requests))
        try:
            while True:
                yield await self.to_send.get()
        finally:
            reading.cancel()

    async def _read(self, requests):
        async for message in requests:
            self.received.append(message)
            self.stir()

    def of_type(self, kind):
        return [message for message in self.received if message.type == kind]


@pytest.fixture
async def server():
    server = PlainServer()
    await server.start()
    yield server
    await server.stop()


@pytest.fixture
async def game(tmp_path, server):
    agent = await Agent(tmp_path, (server.address,)).start()
    game = await AttachedGame(agent.info.grpc).attach()
    # Anything but a Welcome tells that the server knows none.
    await server.to_send.put(tunnel_pb2.TunnelMessage(type="heartbeat"))
    await server.until(lambda: bool(server.registers) and bool(server.registers[-1].functions))
    yield game
    await game.cut()
    await agent.stop()


async def test_a_plain_server_gets_a_hello_and_a_registration_by_control_service(game, server):
    hello = server.received[0]
    assert (hello.type, hello.hello.agent_id, hello.hello.game_id, hello.hello.env) == (
        "hello",
        "agent-1",
        "demo",
        "dev",
    )
    request = server.registers[-1]
    assert (request.agent_id, request.game_id, request.env) == ("agent-1", "demo", "dev")
    assert [(each.id, each.version, each.enabled) for each in request.functions] == [("echo", "1.0.0", True)]


async def test_a_plain_server_is_told_of_changes_by_a_new_registration(game, server):
    game.register("echo", "player.ban")
    await server.until(lambda: {each.id for each in server.registers[-1].functions} == {"echo", "player.ban"})


async def test_a_plain_server_calls_with_single_frames(game, server):
    frame = tunnel_pb2.InvokeFrame(request_id="r-1", function_id="echo", payload=b"x")
    await server.to_send.put(tunnel_pb2.TunnelMessage(type="invoke", invoke=frame))
    await server.until(lambda: bool(server.of_type("result")))
    (message,) = server.of_type("result")
    assert (message.result.request_id, message.result.payload, message.result.error) == ("r-1", b"x", "")
    assert not message.batch


async def test_a_plain_server_gets_the_contracts_words_for_an_unknown_function(game, server):
    frame = tunnel_pb2.InvokeFrame(request_id="r-1", function_id="no.such")
    await server.to_send.put(tunnel_pb2.TunnelMessage(type="invoke", invoke=frame))
    await server.until(lambda: bool(server.of_type("result")))
    assert "no local handler for no.such" in server.of_type("result")[0].result.error


async def test_a_plain_server_starts_a_job_without_naming_it_and_hears_its_events(game, server):
    frame = tunnel_pb2.StartJobFrame(request_id="r-1", function_id="echo", payload=b"x")
    await server.to_send.put(tunnel_pb2.TunnelMessage(type="start_job", start=frame))
    await server.until(lambda: bool(server.of_type("start_job_result")))
    started = server.of_type("start_job_result")[0].start_r
    assert started.error == ""
    assert started.job_id
    game.tell(started.job_id, 1, progress=50)
    game.tell(started.job_id, 2, "done", payload=b"result")
    await server.until(lambda: len(server.of_type("job_event")) == 2)
    assert [(each.job_evt.type, each.job_evt.job_id) for each in server.of_type("job_event")] == [
        ("progress", started.job_id),
        ("done", started.job_id),
    ]
    await game.until(lambda: (started.job_id, 2, False) in game.job_acks)


class ScriptedControl(Watched):
    def __init__(self, failure):
        super().__init__()
        self.failure = failure
        self.asked = []

    async def register(self, **_):
        self.asked.append("register")
        self.stir()
        return "their-session"

    async def heartbeat(self, agent_id, session_id):
        assert session_id == "their-session"
        self.asked.append("heartbeat")
        self.stir()
        if self.asked.count("heartbeat") == 2:
            raise self.failure


@pytest.mark.parametrize("failure", [NotFound("who?"), Unavailable("away")])
async def test_a_control_service_that_forgets_or_fails_is_registered_with_again(failure):
    registration = ControlRegistration(
        agent_id="a", scope=Scope("demo", "dev"), version="1", rpc_addr="", instances=Instances(lambda: None)
    )
    control = ScriptedControl(failure)
    running = asyncio.create_task(registration.run(control, every=0.001))
    await control.until(lambda: len(control.asked) >= 4)
    running.cancel()
    assert control.asked[:4] == ["register", "heartbeat", "heartbeat", "register"]
