import pytest

from croupier.agent.attachments import AttachedServer, Attachments
from croupier.agent.instances import Instances
from croupier.agent.jobs import Jobs
from croupier.agent.resend import Resend
from croupier.domain.scope import Scope
from croupier.errors import CroupierError, Unavailable
from croupier.tunnel.acceptor import Acceptor, AcceptorConfig
from croupier.tunnel.codec import decode, encode, parse
from croupier.tunnel.frames import CallResult, Hello, Invoke
from croupier.tunnel.peer import AcceptorPeer
from croupier_wire.tunnel.v1 import tunnel_pb2

FRAME = Invoke(request_id="r-1", function_id="echo", payload=b"")


class Bed:
    def __init__(self):
        hello = Hello(agent_id="game-1", game_id="demo", env="dev", capabilities=("session",))
        self.machine = Acceptor(hello, session_id="s", incarnation="a", config=AcceptorConfig())
        instances = Instances(lambda: None)
        attachments = Attachments(Scope("demo", "dev"), instances, Jobs(), Resend(instances))
        self.server = AttachedServer(AcceptorPeer(self.machine, attachments))
        self.machine.connect(hello, 0.0)
        self.answers = []

    def call(self):
        return self.server.call(FRAME, encode(FRAME), 5.0, lambda outcome, raw: self.answers.append((outcome, raw)))

    def sent(self):
        return [decode(parse(raw)) for raw in parse(self.machine.take()).batch]

    def answer(self, frame):
        message = tunnel_pb2.TunnelMessage(seq=1, batch=[encode(frame)]).SerializeToString()
        for event in self.machine.receive(message, 0.0):
            event.token(event.outcome, event.raw)


@pytest.fixture
async def bed():
    bed = Bed()
    yield bed
    bed.server.peer.close("the test is over")


async def test_a_request_id_that_is_in_flight_already_travels_under_another_name(bed):
    names = [bed.call(), bed.call()]
    assert names[0] == "r-1"
    assert names[1] != "r-1"
    assert [frame.request_id for frame in bed.sent()] == names
    bed.answer(CallResult(request_id=names[1], payload=b"second"))
    assert bed.answers == [(CallResult(request_id="r-1", payload=b"second", service_id="game-1"), b"")]


async def test_the_end_of_the_session_ends_both(bed):
    bed.call()
    bed.call()
    bed.server.peer.close("gone")
    assert len(bed.answers) == 2
    assert all(isinstance(outcome, CroupierError) for outcome, _ in bed.answers)
    with pytest.raises(Unavailable):
        bed.call()
