import pytest
from hypothesis import given
from hypothesis import strategies as st

from croupier_sdk.errors import Failure
from croupier_sdk.limits import BACKLOG_BYTES, BATCH_BYTES
from croupier_sdk.tunnel.flow import Flow, ProtocolError
from croupier_sdk.tunnel.session import Identity, Session
from croupier_wire.tunnel.v1 import tunnel_pb2
from croupier_wire.tunnel.v1.tunnel_pb2 import TunnelMessage

IDENTITY = Identity(service_id="game-1", game_id="demo", env="dev", version="1", incarnation="i1")


class Agent:
    """The other end, as far as these tests need it."""

    def __init__(self, session, *, window=4):
        self.session = session
        self.window = window
        self.flow = Flow()
        self.frames = []
        self.name = ""

    def open(self, *, resume=False):
        hello = TunnelMessage.FromString(self.session.hello()).hello
        if not resume:
            self.flow = Flow()
            self.name += "s"
        else:
            assert hello.session_id == self.name
            self.flow.acknowledge(hello.received)
        welcome = tunnel_pb2.Welcome(
            session_id=self.name, resumed=resume, received=self.flow.received, job_window=self.window, heartbeat_ms=1000
        )
        again = self.session.welcome(TunnelMessage(type="welcome", welcome=welcome).SerializeToString())
        if resume:
            for message in self.flow.unacknowledged():
                self.session.receive(message)
        return again

    def send(self, **frame):
        return self.session.receive(self.flow.pack([TunnelMessage(**frame).SerializeToString()]))

    def read(self, messages=None):
        """Take what the session writes, and return the frames."""
        messages = written(self.session) if messages is None else messages
        got = []
        for data in messages:
            message = TunnelMessage.FromString(data)
            if self.flow.accept(message, len(data)):
                got += [TunnelMessage.FromString(part) for part in message.batch]
        self.frames += got
        return got

    def ack_job(self, job_id, seq, *, stop=False):
        return self.send(type="job_ack", job_ack=tunnel_pb2.JobAckFrame(job_id=job_id, seq=seq, stop=stop))

    def start(self, job_id):
        self.send(type="start_job", start=tunnel_pb2.StartJobFrame(request_id=f"r-{job_id}", job_id=job_id))
        return self.session.job_accepted(f"r-{job_id}", job_id)


def written(session):
    messages = []
    while (message := session.next_message()) is not None:
        messages.append(message)
    return messages


def event(kind="log", message="", payload=b""):
    return tunnel_pb2.JobEventFrame(job_id="j", type=kind, message=message, payload=payload)


@pytest.fixture
def session():
    return Session(IDENTITY)


@pytest.fixture
def agent(session):
    agent = Agent(session)
    agent.open()
    return agent


def seqs(frames):
    return [frame.job_evt.seq for frame in frames if frame.HasField("job_evt")]


def test_hello_names_the_game_server_and_offers_sessions(session):
    hello = TunnelMessage.FromString(session.hello())
    assert hello.type == "hello"
    assert (hello.hello.agent_id, hello.hello.game_id, hello.hello.env) == ("game-1", "demo", "dev")
    assert (list(hello.hello.capabilities), hello.hello.session_id, hello.hello.incarnation) == (
        ["session", "keys"],
        "",
        "i1",
    )
    assert hello.seq == 0


def test_nothing_is_written_before_the_welcome(session):
    session.register(tunnel_pb2.Service(service_id="game-1"))
    session.hello()
    assert not session.has_output
    assert session.next_message() is None


def test_the_first_words_of_a_session_are_register(session):
    session.register(tunnel_pb2.Service(service_id="game-1"))
    agent = Agent(session)
    assert agent.open() is False
    (frame,) = agent.read()
    assert (frame.type, frame.register.services[0].service_id) == ("register", "game-1")


@pytest.mark.parametrize(
    "first",
    [TunnelMessage(type="invoke", invoke=tunnel_pb2.InvokeFrame()).SerializeToString(), b"\xff\xff", b""],
)
def test_an_agent_that_does_not_say_welcome_is_refused(session, first):
    session.hello()
    with pytest.raises(ProtocolError):
        session.welcome(first)


def test_an_agent_cannot_resume_a_session_it_was_not_asked_for(session):
    session.hello()
    welcome = tunnel_pb2.Welcome(session_id="other", resumed=True)
    with pytest.raises(ProtocolError, match="another session"):
        session.welcome(TunnelMessage(type="welcome", welcome=welcome).SerializeToString())


def test_frames_are_found_by_their_field_whatever_the_type_says(session, agent):
    (frame,) = agent.send(type="call", invoke=tunnel_pb2.InvokeFrame(request_id="r1"))
    assert frame == tunnel_pb2.InvokeFrame(request_id="r1")
    assert agent.send(type="from the future") == []


def test_a_single_frame_needs_no_batch(session, agent):
    data = TunnelMessage(seq=1, type="invoke", invoke=tunnel_pb2.InvokeFrame(request_id="r1")).SerializeToString()
    assert [frame.request_id for frame in session.receive(data)] == ["r1"]


def test_a_message_seen_before_is_dropped_and_a_gap_ends_the_stream(session, agent):
    first = agent.flow.pack(
        [TunnelMessage(type="invoke", invoke=tunnel_pb2.InvokeFrame(request_id="r1")).SerializeToString()]
    )
    assert len(session.receive(first)) == 1
    assert session.receive(first) == []
    agent.flow.pack([])
    with pytest.raises(ProtocolError, match="message 3 came after 1"):
        session.receive(agent.flow.pack([]))


def test_an_acknowledgement_of_what_was_never_sent_ends_the_stream(session, agent):
    with pytest.raises(ProtocolError, match="only 0 were sent"):
        session.receive(TunnelMessage(type="heartbeat", ack=7).SerializeToString())


@pytest.mark.parametrize("garbage", [b"\xff\xff\xff", b"{}"])
def test_garbage_ends_the_stream(session, agent, garbage):
    with pytest.raises(ProtocolError):
        session.receive(garbage)


def test_answers_gather_in_one_message_up_to_its_size(session, agent):
    for index in range(10):
        session.answer(f"r{index}", b"x")
    assert len(written(session)) == 1
    for index in range(4):
        session.answer(f"r{index}", b"x" * (BATCH_BYTES // 2 - 100))
    assert len(written(session)) == 2
    session.answer("big", b"x" * (BATCH_BYTES * 2))
    session.answer("small", b"x")
    assert len(written(session)) == 2


def test_a_failure_has_error_and_status(session, agent):
    session.answer("r1", Failure(reason="function_rejected", message="no", details={"why": "banned"}))
    (frame,) = agent.read()
    assert (frame.type, frame.result.error, frame.result.status.code) == ("result", "no", 10)
    assert (frame.result.status.reason, dict(frame.result.status.details)) == ("function_rejected", {"why": "banned"})


def test_answers_go_before_job_events(session, agent):
    agent.start("j")
    agent.read()
    session.put_event("j", event(), last=False)
    session.answer("r1", b"x")
    assert [frame.type for frame in agent.read()] == ["result", "job_event"]


def test_an_acknowledgement_is_sent_once_enough_has_arrived(session, agent):
    for _ in range(31):
        agent.send(type="drain", drain=tunnel_pb2.Drain())
    assert not session.has_output
    agent.send(type="drain", drain=tunnel_pb2.Drain())
    assert session.has_output
    heartbeat = TunnelMessage.FromString(session.next_message())
    assert (heartbeat.type, heartbeat.seq, heartbeat.ack) == ("heartbeat", 0, 32)
    assert not session.has_output


def test_an_acknowledgement_is_sent_once_much_has_arrived(session, agent):
    agent.send(type="invoke", invoke=tunnel_pb2.InvokeFrame(payload=b"x" * BATCH_BYTES))
    assert TunnelMessage.FromString(session.next_message()).ack == 1


def test_a_heartbeat_is_sent_when_asked_for_unless_something_else_goes(session, agent):
    session.beat()
    assert TunnelMessage.FromString(session.next_message()).type == "heartbeat"
    session.beat()
    session.answer("r1", b"x")
    assert len(written(session)) == 1


def test_a_resumed_session_sends_again_what_was_lost_under_the_same_numbers(session, agent):
    session.answer("r1", b"1")
    agent.read()
    session.answer("r2", b"2")
    lost = written(session)
    session.closed()
    session.answer("r3", b"3")
    assert not session.has_output
    assert agent.open(resume=True) is True
    messages = written(session)
    assert messages[0] == lost[0]
    assert [frame.result.request_id for frame in agent.read(messages)] == ["r2", "r3"]


def test_a_new_session_drops_the_answers_of_the_old(session, agent):
    session.register(tunnel_pb2.Service(service_id="game-1"))
    session.answer("r1", b"1")
    written(session)
    session.answer("r2", b"2")
    session.closed()
    assert agent.open() is False
    assert [frame.type for frame in agent.read()] == ["register"]


def test_a_new_session_hears_of_draining_again(session, agent):
    session.drain("stopping")
    agent.open()
    assert [frame.type for frame in agent.read()] == ["drain"]


def test_a_new_session_gets_every_event_that_was_not_acknowledged_oldest_first(session, agent):
    agent.start("j")
    for _ in range(6):
        session.put_event("j", event(), last=False)
    assert seqs(agent.read()) == [1, 2, 3, 4]
    agent.ack_job("j", 2)
    agent.open()
    assert seqs(agent.read()) == [3, 4, 5, 6]


def test_events_beyond_the_window_wait_for_the_acknowledgement(session, agent):
    agent.start("j")
    for index in range(4):
        assert not session.job_is_full("j"), index
        session.put_event("j", event(), last=False)
    assert session.job_is_full("j")
    session.put_event("j", event("done"), last=True)
    assert seqs(agent.read()) == [1, 2, 3, 4]
    agent.ack_job("j", 1)
    assert seqs(agent.read()) == [5]
    assert session.knows_job("j")
    agent.ack_job("j", 5)
    assert not session.knows_job("j")
    assert session.settled


def test_a_job_is_started_once_until_its_end_is_acknowledged(session, agent):
    assert agent.start("j") is True
    assert agent.start("j") is False
    session.put_event("j", event("done"), last=True)
    assert agent.start("j") is False
    answers = [frame.start_r.job_id for frame in agent.read() if frame.type == "start_job_result"]
    assert answers == ["j", "j", "j"]
    agent.ack_job("j", 1)
    assert agent.start("j") is True


def test_a_job_that_nobody_knows_is_forgotten(session, agent):
    agent.start("j")
    session.put_event("j", event(), last=False)
    agent.ack_job("j", 0, stop=True)
    assert not session.knows_job("j")
    session.put_event("j", event(), last=False)
    assert not session.job_is_full("j")


def test_an_acknowledgement_by_the_new_agent_spares_events_it_knows(session, agent):
    agent.start("j")
    for _ in range(3):
        session.put_event("j", event(), last=False)
    session.closed()
    agent.open()
    agent.ack_job("j", 3)
    assert not session.job_is_full("j")
    session.put_event("j", event(), last=False)
    assert seqs(agent.read())[-1] == 4


def test_a_long_line_of_a_job_is_cut_with_a_mark(session, agent):
    agent.start("j")
    session.put_event("j", event(message="x" * 100_000), last=False)
    message = agent.read()[-1].job_evt.message
    assert len(message) < 66_000
    assert message.endswith("… [34464 bytes cut]")


def test_new_calls_are_refused_and_events_wait_while_too_much_is_unacknowledged(session, agent):
    agent.start("j")
    for index in range(4):
        session.answer(f"r{index}", b"x" * (BACKLOG_BYTES // 4))
    assert session.busy
    unread = written(session)
    assert session.busy
    session.put_event("j", event(), last=False)
    assert not session.has_output
    agent.read(unread)
    agent.send(type="drain", drain=tunnel_pb2.Drain())
    assert not session.busy
    assert seqs(agent.read()) == [1]


@given(st.lists(st.sampled_from(["call", "event", "read", "lose", "cut", "ack"]), max_size=60))
def test_whatever_breaks_nothing_is_lost_or_doubled_in_a_resumed_session(steps):
    session = Session(IDENTITY)
    agent = Agent(session, window=3)
    agent.open()
    agent.start("j")
    calls = events = 0
    for step in steps:
        if step == "call":
            session.answer(f"r{calls}", b"x")
            calls += 1
        elif step == "event" and not session.job_is_full("j"):
            session.put_event("j", event(), last=False)
            events += 1
        elif step == "read":
            agent.read()
        elif step == "ack":
            agent.ack_job("j", len(seqs(agent.frames)))
        elif step == "lose":
            written(session)
            session.closed()
            agent.open(resume=True)
        elif step == "cut":
            agent.read(written(session)[:1])
            session.closed()
            agent.open(resume=True)
    for _ in range(events + 1):
        agent.read()
        agent.ack_job("j", len(seqs(agent.frames)))
    assert [frame.result.request_id for frame in agent.frames if frame.HasField("result")] == [
        f"r{n}" for n in range(calls)
    ]
    assert seqs(agent.frames) == list(range(1, events + 1))
