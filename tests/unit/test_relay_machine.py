import contextlib
from collections import defaultdict
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from croupier.domain.limits import MESSAGE_BYTES
from croupier.errors import PayloadTooLarge, RateLimited
from croupier.relay.codec import LinkViolation
from croupier.relay.frames import Open, Role, Status
from croupier.relay.machine import (
    BATCH_BYTES,
    HEARTBEAT,
    MESSAGE_COST,
    SILENCE,
    WINDOW,
    Arrived,
    Ended,
    Granted,
    HalfClosed,
    Mux,
    Opened,
)
from croupier_wire.relay.v1 import relay_pb2 as wire

METHOD = "/croupier.function.v1.FunctionService/Invoke"
HOW = Open(METHOD, metadata=(("authorization", b"Bearer t"), ("x-bin", b"\xff\x00")), peer="ipv4:192.0.2.1:5")


def pair(**options: Any) -> tuple[Mux, Mux]:
    """An edge's end and a server's."""
    return Mux(Role.EDGE, 0.0, **options), Mux(Role.SERVER, 0.0, **options)


def pump(source: Mux, target: Mux, now: float = 0.0) -> list[Any]:
    events: list[Any] = []
    while (message := source.take(now)) is not None:
        events += target.receive(message, now)
    return events


def message(*frames: wire.Frame) -> bytes:
    return wire.LinkMessage(frames=frames).SerializeToString()


def opening(stream: int) -> wire.Frame:
    return wire.Frame(stream=stream, kind=wire.KIND_OPEN, open=wire.Open(method=METHOD))


def saying(stream: int, data: bytes = b"x") -> wire.Frame:
    return wire.Frame(stream=stream, kind=wire.KIND_MESSAGE, message=data)


# ------------------------------------------------------------------------------------------------ a call


def test_a_call_passes_with_its_opening_messages_and_status() -> None:
    edge, server = pair()
    stream = edge.open(HOW)
    edge.send(stream, b"request")
    edge.half_close(stream)

    assert pump(edge, server) == [Opened(stream, HOW), Arrived(stream, b"request"), HalfClosed(stream)]
    server.send(stream, b"")
    server.send(stream, b"answer")
    status = Status(5, "no such thing ✗", (("croupier-reason", b"not_found"),))
    server.end(stream, status)

    assert pump(server, edge) == [Arrived(stream, b""), Arrived(stream, b"answer"), Ended(stream, status)]
    assert len(edge) == len(server) == 0
    assert not edge.ready
    assert not server.ready


def test_the_deadline_travels_as_the_time_that_is_left() -> None:
    edge, server = pair()
    stream = edge.open(Open(METHOD, deadline=12.5))
    sent = edge.take(10.0)
    assert sent is not None
    assert server.receive(sent, 1000.0) == [Opened(stream, Open(METHOD, deadline=1002.5))]


def test_a_cancelled_call_is_told_before_anything_else_and_its_late_messages_are_dropped() -> None:
    edge, server = pair()
    stream, other = edge.open(HOW), edge.open(HOW)
    pump(edge, server)
    server.send(stream, b"late")
    edge.send(other, b"m")
    edge.send(stream, b"never sent")
    edge.cancel(stream, Status(1, "gave up"))

    assert pump(edge, server) == [Ended(stream, Status(1, "gave up")), Arrived(other, b"m")]
    assert pump(server, edge) == []
    assert len(edge) == len(server) == 1


def test_what_was_under_way_when_the_other_end_ended_is_dropped() -> None:
    edge, server = pair()
    stream = edge.open(HOW)
    pump(edge, server)
    edge.send(stream, b"late")
    under_way = edge.take(0.0)
    assert under_way is not None
    server.end(stream, Status(0))
    assert pump(server, edge) == [Ended(stream, Status(0))]
    assert server.receive(under_way, 0.0) == []


def test_a_call_that_was_cancelled_before_it_was_sent_leaves_no_trace() -> None:
    edge, server = pair()
    edge.cancel(edge.open(HOW), Status(1))
    assert edge.take(0.0) is None
    stream = edge.open(HOW)
    assert pump(edge, server) == [Opened(stream, HOW)]


def test_a_status_comes_behind_the_messages_of_its_own_stream() -> None:
    edge, server = pair()
    stream = edge.open(HOW)
    pump(edge, server)
    for number in range(4):
        server.send(stream, bytes([number]) * 200_000)
    server.end(stream, Status(0))

    events = pump(server, edge)

    assert [type(event) for event in events] == [Arrived] * 4 + [Ended]


# ------------------------------------------------------------------------------------------------ fairness and bounds


def test_a_stream_may_send_while_any_of_its_window_is_left_and_no_longer() -> None:
    edge, server = pair()
    stream = edge.open(HOW)
    edge.send(stream, b"x" * (WINDOW - MESSAGE_COST - 1))
    assert edge.may_send(stream)
    edge.send(stream, b"x" * MESSAGE_BYTES)  # larger than the window: it passes, and is the last for a while
    assert not edge.may_send(stream)
    with pytest.raises(ValueError, match="no credit"):
        edge.send(stream, b"x")

    _, first, second = pump(edge, server)
    server.consumed(stream, first.data)
    assert pump(server, edge) == []  # the large one still takes all the room there is
    assert not edge.may_send(stream)
    server.consumed(stream, second.data)
    assert pump(server, edge) == [Granted(stream)]
    assert edge.may_send(stream)


def test_a_message_larger_than_any_link_takes_is_refused_where_it_is_made() -> None:
    edge, server = pair()
    stream = edge.open(HOW)
    with pytest.raises(PayloadTooLarge, match="pass an edge"):
        edge.send(stream, b"x" * (MESSAGE_BYTES + 1))
    with pytest.raises(LinkViolation):
        server.receive(message(opening(1), saying(1, b"x" * (MESSAGE_BYTES + 1))), 0.0)


def test_streams_take_turns_message_by_message() -> None:
    edge, server = pair()
    noisy, quiet = edge.open(HOW), edge.open(HOW)
    pump(edge, server)
    for _ in range(8):
        edge.send(noisy, b"n" * 100_000)
    edge.send(quiet, b"q")

    arrived = [event.stream for event in pump(edge, server)]

    assert arrived.index(quiet) == 1


def test_a_batch_is_bounded_unless_one_message_is_larger() -> None:
    edge, _ = pair()
    stream = edge.open(HOW)
    for size in (100_000, 100_000, 100_000, 500_000):
        edge.send(stream, b"x" * size)
    sizes = []
    while (batch := edge.take(0.0)) is not None:
        sizes.append(len(batch))
    assert sizes[0] <= BATCH_BYTES
    assert len(sizes) == 3
    assert 500_000 < sizes[2] < 500_100


def test_empty_messages_are_not_free() -> None:
    edge, _ = pair()
    stream = edge.open(HOW)
    sent = 0
    while edge.may_send(stream):
        edge.send(stream, b"")
        sent += 1
    assert sent == WINDOW // MESSAGE_COST


def test_more_streams_than_a_link_takes_are_refused_at_either_end() -> None:
    edge, _ = pair(most=2)
    edge.open(HOW), edge.open(HOW)
    with pytest.raises(RateLimited):
        edge.open(HOW)

    careless, server = Mux(Role.EDGE, 0.0), Mux(Role.SERVER, 0.0, most=2)
    for _ in range(3):
        careless.open(HOW)
    assert [type(event) for event in pump(careless, server)] == [Opened, Opened]
    (refused,) = pump(server, careless)
    assert refused.stream == 5
    assert refused.status.code == 8


def test_an_end_with_nothing_to_say_says_that_it_is_there_and_a_silent_one_is_noticed() -> None:
    edge, server = pair()
    assert edge.tick(HEARTBEAT - 0.1)
    assert edge.take(HEARTBEAT - 0.1) is None
    assert edge.tick(HEARTBEAT)
    beat = edge.take(HEARTBEAT)
    assert beat is not None
    assert edge.take(HEARTBEAT) is None
    assert server.receive(beat, HEARTBEAT) == []
    assert server.tick(SILENCE + HEARTBEAT - 0.1)
    assert not server.tick(SILENCE + HEARTBEAT)


# ------------------------------------------------------------------------------------------------ a lost link


def test_a_lost_link_tells_which_calls_were_certainly_not_sent() -> None:
    edge, server = pair()
    sent = edge.open(HOW)
    pump(edge, server)
    edge.send(sent, b"x")
    unsent = edge.open(HOW)

    assert sorted(edge.lose()) == [(sent, True), (unsent, False)]
    assert server.lose() == [(sent, True)]
    assert len(edge) == len(server) == 0
    assert edge.take(0.0) is None


# ------------------------------------------------------------------------------------------------ broken rules

OPENED = [opening(1)]


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(b"\xff\xff\xff", id="rubbish"),
        pytest.param(message(saying(1)), id="a message for a stream that was never opened"),
        pytest.param(message(saying(2)), id="a message for a stream of ours that was never opened"),
        pytest.param(message(saying(0)), id="stream 0"),
        pytest.param(message(opening(2)), id="an id that belongs to this end"),
        pytest.param(message(*OPENED, opening(1)), id="an id that is in use"),
        pytest.param(message(opening(5), opening(3)), id="an id lower than the one before"),
        pytest.param(
            message(*OPENED, wire.Frame(stream=1, kind=wire.KIND_STATUS, status=wire.Status(code=1)), opening(1)),
            id="an id used again after its end",
        ),
        pytest.param(message(*OPENED, *[wire.Frame(stream=1, kind=wire.KIND_HALF_CLOSE)] * 2), id="half-closed twice"),
        pytest.param(
            message(*OPENED, wire.Frame(stream=1, kind=wire.KIND_HALF_CLOSE), saying(1)),
            id="a message after half-close",
        ),
        pytest.param(message(*OPENED, *[saying(1, b"x" * WINDOW)] * 2), id="a message without credit"),
        pytest.param(
            message(*OPENED, wire.Frame(stream=1, kind=wire.KIND_CREDIT, credit=1)), id="credit nobody waits for"
        ),
        pytest.param(message(*OPENED, wire.Frame(stream=1, kind=wire.KIND_CREDIT)), id="no credit at all"),
        pytest.param(message(*OPENED, wire.Frame(stream=1)), id="a frame without a kind"),
        pytest.param(message(*OPENED, wire.Frame(stream=1, kind=99)), id="a kind nobody knows"),  # type: ignore[arg-type]
        pytest.param(
            message(wire.Frame(stream=1, kind=wire.KIND_OPEN, open=wire.Open(method="Invoke"))), id="no method"
        ),
        pytest.param(
            message(wire.Frame(stream=1, kind=wire.KIND_OPEN, open=wire.Open(method="/" + "x" * 300))), id="long method"
        ),
        pytest.param(
            message(
                wire.Frame(
                    stream=1,
                    kind=wire.KIND_OPEN,
                    open=wire.Open(method=METHOD, metadata=[wire.Metadata(name="a", value=b"x" * 40_000)]),
                )
            ),
            id="more metadata than fits",
        ),
        pytest.param(
            message(*OPENED, wire.Frame(stream=1, kind=wire.KIND_STATUS, status=wire.Status(code=77))), id="no code"
        ),
        pytest.param(message(*[wire.Frame(stream=1)] * 10_001), id="more frames than fit"),
        pytest.param(wire.LinkMessage(hello=b"x").SerializeToString(), id="a second hello"),
        pytest.param(wire.LinkMessage(proof=b"x").SerializeToString(), id="a second proof"),
    ],
)
def test_an_edge_that_breaks_the_rules_ends_the_link(data: bytes) -> None:
    with pytest.raises(LinkViolation):
        Mux(Role.SERVER, 0.0).receive(data, 0.0)


def test_a_server_opens_nothing_at_an_edge_and_half_closes_nothing() -> None:
    edge = Mux(Role.EDGE, 0.0)
    with pytest.raises(LinkViolation, match="accepts no streams"):
        edge.receive(message(opening(2)), 0.0)
    stream = edge.open(HOW)
    with pytest.raises(LinkViolation, match="only its opener"):
        edge.receive(message(wire.Frame(stream=stream, kind=wire.KIND_HALF_CLOSE)), 0.0)


@given(st.binary(max_size=200))
def test_whatever_bytes_come_only_a_violation_is_raised(data: bytes) -> None:
    server = Mux(Role.SERVER, 0.0)
    with contextlib.suppress(LinkViolation):
        server.receive(data, 0.0)


FRAMES = st.builds(
    wire.Frame,
    stream=st.integers(0, 6),
    kind=st.sampled_from([0, 1, 2, 3, 4, 5]),
    message=st.binary(max_size=3),
    credit=st.sampled_from([0, 1, 67, WINDOW, 2**63]),
    open=st.just(wire.Open(method=METHOD)),
    status=st.builds(wire.Status, code=st.integers(0, 17)),
)


@given(st.lists(st.lists(FRAMES, max_size=6), max_size=6), st.sampled_from(Role))
def test_whatever_frames_come_only_a_violation_is_raised_and_streams_stay_bounded(
    messages: list[list[wire.Frame]], role: Role
) -> None:
    mux = Mux(role, 0.0, most=2)
    with contextlib.suppress(LinkViolation):
        for frames in messages:
            for event in mux.receive(message(*frames), 0.0):
                if isinstance(event, Arrived):
                    mux.consumed(event.stream, event.data)
            assert len(mux) <= 2
            while mux.take(0.0) is not None:
                pass


# ------------------------------------------------------------------------------------------------ any order of things

SIZES = st.sampled_from([0, 1, 1000, 60_000, 300_000, WINDOW - MESSAGE_COST, WINDOW + 5])
ACTIONS = st.one_of(
    st.tuples(st.just("open")),
    st.tuples(st.just("request"), st.integers(0, 3), SIZES),
    st.tuples(st.just("answer"), st.integers(0, 3), SIZES),
    st.tuples(st.just("half"), st.integers(0, 3)),
    st.tuples(st.just("end"), st.integers(0, 3)),
    st.tuples(st.just("cancel"), st.integers(0, 3)),
    st.tuples(st.just("read"), st.sampled_from(["edge", "server"]), st.integers(0, 3)),
    st.tuples(st.just("carry"), st.sampled_from(["edge", "server"]), st.integers(1, 4)),
)


class World:
    """Two ends, what each has heard and not read, and what was sent on each stream."""

    def __init__(self) -> None:
        self.ends = dict(zip(("edge", "server"), pair(), strict=True))
        self.sent: dict[tuple[str, int], list[bytes]] = defaultdict(list)
        self.heard: dict[tuple[str, int], list[bytes]] = defaultdict(list)
        self.unread: dict[tuple[str, int], list[bytes]] = defaultdict(list)
        self.halved: set[int] = set()
        self.ended: dict[str, set[int]] = {"edge": set(), "server": set()}
        self.opened: list[int] = []
        self.serial = 0

    def send(self, end: str, stream: int, size: int) -> None:
        mux = self.ends[end]
        if mux.may_send(stream) and not (end == "edge" and stream in self.halved):
            self.serial += 1
            data = (b"%d " % self.serial).ljust(size, b".")
            mux.send(stream, data)
            self.sent[end, stream].append(data)

    def carry(self, source: str, most: int) -> None:
        target = "server" if source == "edge" else "edge"
        for _ in range(most):
            batch = self.ends[source].take(0.0)
            if batch is None:
                return
            for event in self.ends[target].receive(batch, 0.0):
                self.hear(target, event)

    def hear(self, end: str, event: Any) -> None:
        match event:
            case Arrived(stream, data):
                key = end, stream
                self.heard[key].append(data)
                self.unread[key].append(data)
                waiting = sum(len(each) + MESSAGE_COST for each in self.unread[key])
                assert waiting - len(data) <= WINDOW, "a window and one message, never more"
            case Ended(stream, _):
                assert stream not in self.ended[end], "an end is told once"
                self.ended[end].add(stream)

    def read(self, end: str, stream: int) -> None:
        if self.unread[end, stream]:
            self.ends[end].consumed(stream, self.unread[end, stream].pop(0))

    def act(self, action: tuple[Any, ...]) -> None:
        if action[0] == "open":
            if len(self.opened) < 4:
                self.opened.append(self.ends["edge"].open(HOW))
            return
        if action[0] == "carry":
            self.carry(action[1], action[2])
            return
        index = action[2] if action[0] == "read" else action[1]
        if index >= len(self.opened):
            return
        stream = self.opened[index]
        match action:
            case ("request", _, size):
                self.send("edge", stream, size)
            case ("answer", _, size):
                self.send("server", stream, size)
            case ("half", _) if stream not in self.halved:
                self.halved.add(stream)
                self.ends["edge"].half_close(stream)
            case ("end", _):
                self.ends["server"].end(stream, Status(0))
            case ("cancel", _):
                self.ends["edge"].cancel(stream, Status(1))
            case ("read", end, _):
                self.read(end, stream)

    def settle(self) -> None:
        for _ in range(50):
            for end in self.ends:
                self.carry(end, 100)
                for stream in self.opened:
                    while self.unread[end, stream]:
                        self.read(end, stream)


@given(st.lists(ACTIONS, max_size=60))
def test_in_any_order_of_things_messages_arrive_once_in_order_and_no_rule_is_broken(
    actions: list[tuple[Any, ...]],
) -> None:
    world = World()
    for action in actions:
        world.act(action)
    world.settle()

    for stream in world.opened:
        alive = world.ends["edge"].is_open(stream)
        assert alive == world.ends["server"].is_open(stream)
        for source, target in (("edge", "server"), ("server", "edge")):
            sent, heard = world.sent[source, stream], world.heard[target, stream]
            assert heard == sent[: len(heard)]
            if alive:
                assert heard == sent
                assert world.ends[source].may_send(stream), "everything was read, so there is credit"


@given(st.lists(ACTIONS, max_size=40))
def test_whenever_the_link_is_lost_every_stream_is_told_and_nothing_is_left(actions: list[tuple[Any, ...]]) -> None:
    world = World()
    for action in actions:
        world.act(action)
    edge, server = world.ends["edge"], world.ends["server"]
    alive = {stream for stream in world.opened if edge.is_open(stream)}
    at_server = {stream for stream in world.opened if server.is_open(stream)}

    lost = dict(edge.lose())

    assert set(lost) == alive
    assert all(lost[stream] for stream in alive & at_server), "the server knows it, so it was sent"
    assert set(dict(server.lose())) == at_server
    assert edge.take(0.0) is None
    assert server.take(0.0) is None
