"""Pumps a session's machine over whatever streams come, one after another.

    stream.read ─► machine.receive ─► events ─► handler          machine.take ─► stream.write   (one writer)

The writer yields to the loop before it takes what has gathered: that is what fills a batch, and no timer is needed.
"""

import asyncio
from collections.abc import Callable
from typing import Protocol, TypeVar

from croupier.domain.job import JobEvent
from croupier.errors import CroupierError, InvalidArgument
from croupier.tunnel.acceptor import (
    Acceptor,
    AcceptorEvent,
    Closed,
    Completed,
    JobEventArrived,
    PeerDraining,
    Registered,
    Silent,
    Token,
)
from croupier.tunnel.codec import encode
from croupier.tunnel.connector import Connector, ConnectorEvent
from croupier.tunnel.frames import Answer, CancelJob, Drain, Hello, JobAck, Register, Request
from croupier.tunnel.stream import Stream, StreamBroken

E = TypeVar("E")

WELCOME_TIMEOUT = 5.0
"""Seconds after which a silent acceptor counts as one that knows no Welcome."""


class Timer:
    """Calls back at the machine's next moment; one timer handle for a session, however many deadlines it has."""

    def __init__(self, next_wake: Callable[[], float | None], due: Callable[[], None]) -> None:
        self._loop = asyncio.get_running_loop()
        self._next_wake = next_wake
        self._due = due
        self._handle: asyncio.Handle | None = None
        self._at = 0.0
        """When the handle is due. Kept here: uvloop's handle for a moment that has passed cannot tell."""

    def arm(self) -> None:
        """Look again when the next moment may have come nearer."""
        when = self._next_wake()
        if when is None:
            return
        if self._handle is not None:
            if self._at <= when:
                return
            self._handle.cancel()
        self._at = when
        self._handle = self._loop.call_at(when, self._fire)

    def arm_for(self, moment: float) -> None:
        """There is a new moment. Looks for the next one only if this may be it, which the deadline of one more call seldom is."""
        if self._handle is None or moment < self._at:
            self.arm()

    def _fire(self) -> None:
        self._handle = None
        try:
            self._due()
        finally:
            self.arm()

    def cancel(self) -> None:
        if self._handle is not None:
            self._handle.cancel()
            self._handle = None


async def _write_all(stream: Stream, take: Callable[[], bytes | None], wake: asyncio.Event) -> None:
    while True:
        await wake.wait()
        wake.clear()
        await asyncio.sleep(0)  # let the tasks that are ready add their frames
        while (message := take()) is not None:
            await stream.write(message)


async def _pump(
    stream: Stream,
    take: Callable[[], bytes | None],
    wake: asyncio.Event,
    heard: Callable[[bytes], None],
    open_gate: asyncio.Event | None = None,
) -> str:
    """Write and read until the stream ends. Returns how it broke, nothing if it ended in order.

    Raises InvalidArgument when the peer broke the protocol.
    """
    wake.set()
    writer = asyncio.ensure_future(_write_all(stream, take, wake))
    reader = asyncio.ensure_future(_read_all(stream, heard, open_gate))
    try:
        done, _ = await asyncio.wait((writer, reader), return_when=asyncio.FIRST_COMPLETED)
        for task in sorted(done, key=lambda ended: ended is not reader):  # what was heard tells more than a broken pipe
            task.result()
    except StreamBroken as broken:
        return str(broken)
    finally:
        writer.cancel()
        reader.cancel()
        await asyncio.gather(writer, reader, return_exceptions=True)
    return ""


async def _read_all(stream: Stream, heard: Callable[[bytes], None], open_gate: asyncio.Event | None) -> None:
    while (data := await stream.read()) is not None:
        heard(data)
        if open_gate is not None and not open_gate.is_set():
            await open_gate.wait()


def _hand_out(events: list[E], hand: Callable[[E], None]) -> None:
    """Hand out every event, whatever becomes of the others: each may be the end of a call that somebody waits for.

    Raises the first failure afterwards.
    """
    failures: list[Exception] = []
    for event in events:
        try:
            hand(event)
        except Exception as error:  # noqa: BLE001 — raised below, once all were told
            failures.append(error)
    if failures:
        raise failures[0]


class AcceptorHandler(Protocol):
    """Told what a connector reports; must return at once. An InvalidArgument from `registered` or `job_event` ends the session."""

    def registered(self, peer: "AcceptorPeer", register: Register) -> None: ...

    def job_event(self, peer: "AcceptorPeer", event: JobEvent, raw: bytes) -> None: ...

    def draining(self, peer: "AcceptorPeer", reason: str) -> None: ...

    def closed(self, peer: "AcceptorPeer") -> None: ...


class AcceptorPeer:
    """The calling end: `request` waits for an answer, `call` is told of it."""

    def __init__(self, machine: Acceptor, handler: AcceptorHandler) -> None:
        self.machine = machine
        self._handler = handler
        self._loop = asyncio.get_running_loop()
        self._wake = asyncio.Event()
        self._timer = Timer(machine.next_wake, self._tick)
        self._reader: asyncio.Task[None] | None = None
        self._gate = asyncio.Event()
        self._gate.set()

    async def run(self, stream: Stream, hello: Hello) -> None:
        """Carry the session over `stream` until it ends; a stream that carried it before is ended first.

        Raises InvalidArgument when the peer broke the protocol.
        """
        welcome = self.machine.connect(hello, self._loop.time())
        generation = self.machine.generation
        if self._reader is not None:
            self._reader.cancel()
        self._wake = asyncio.Event()
        self._timer.arm()
        pump = asyncio.ensure_future(self._carry(stream, welcome, generation))
        self._reader = pump
        try:
            await pump
        except asyncio.CancelledError:
            # The pump was stopped (a newer stream, silence, close): this one just ends. Unless we are cancelled ourselves.
            current = asyncio.current_task()
            if current is not None and current.cancelling():
                raise
        finally:
            pump.cancel()
            self._dispatch(self.machine.disconnect(generation, self._loop.time()))
            self._timer.arm()

    async def _carry(self, stream: Stream, welcome: bytes | None, generation: int) -> None:
        try:
            if welcome is not None:
                await stream.write(welcome)
        except StreamBroken:
            return

        def take() -> bytes | None:
            return self.machine.take() if generation == self.machine.generation else None

        await _pump(stream, take, self._wake, self._heard, self._gate)

    def pause(self) -> None:
        """Read no more from the connector until `proceed`: its sending side then waits."""
        self._gate.clear()

    def proceed(self) -> None:
        self._gate.set()

    def _heard(self, data: bytes) -> None:
        self._dispatch(self.machine.receive(data, self._loop.time()))
        if self.machine.link.ready:
            self._wake.set()

    def _tick(self) -> None:
        self._dispatch(self.machine.tick(self._loop.time()))
        self._wake.set()

    def _dispatch(self, events: list[AcceptorEvent]) -> None:
        try:
            _hand_out(events, self._hand)
        except InvalidArgument:
            self.machine.refuse_resume()
            raise

    def _hand(self, event: AcceptorEvent) -> None:
        match event:
            case Completed():
                event.token(event.outcome, event.raw)
            case JobEventArrived():
                self._handler.job_event(self, event.event, event.raw)
            case Registered():
                self._handler.registered(self, event.register)
            case PeerDraining():
                self._handler.draining(self, event.reason)
            case Silent():
                if self._reader is not None and self._gate.is_set():  # while we do not listen, silence says nothing
                    self._reader.cancel()
            case Closed():
                self._timer.cancel()
                self._handler.closed(self)

    # ------------------------------------------------------------------------------------------------ calls

    def call(self, request_id: str, raw: bytes, token: Token, timeout: float | None) -> None:
        """Send an encoded request frame. Raises as `Acceptor.call` does."""
        deadline = None if timeout is None else self._loop.time() + timeout
        self.machine.call(request_id, raw, token, deadline)
        self._wake.set()
        if deadline is not None:
            self._timer.arm_for(deadline)

    async def request(self, frame: Request, timeout: float | None) -> Answer:
        """Send `frame` and wait for its answer, `timeout` seconds at most.

        Raises the CroupierError it ended with, or as `Acceptor.call` does. A cancelled waiter cancels the call.
        """
        waiter: asyncio.Future[Answer | CroupierError] = self._loop.create_future()

        def answered(outcome: Answer | CroupierError, _: bytes) -> None:
            if not waiter.done():
                waiter.set_result(outcome)

        self.call(frame.request_id, encode(frame), answered, timeout)
        try:
            outcome = await waiter
        except asyncio.CancelledError:
            self.cancel(frame.request_id, "the caller gave up")
            raise
        if isinstance(outcome, CroupierError):
            raise outcome
        return outcome

    def cancel(self, request_id: str, reason: str) -> None:
        """Stop waiting; the answer, if it still comes, is dropped."""
        self.machine.cancel(request_id, reason)
        self._wake.set()

    def tell(self, frame: CancelJob | JobAck | Drain) -> None:
        self.machine.tell(frame)
        self._wake.set()

    def close(self, why: str) -> None:
        """End the session and all its calls now."""
        self._dispatch(self.machine.close(why))
        if self._reader is not None:
            self._reader.cancel()


class ConnectorHandler(Protocol):
    """Told what the acceptor wants; must return at once."""

    def handle(self, event: ConnectorEvent) -> None: ...


class ConnectorPeer:
    """The answering end."""

    def __init__(self, machine: Connector, handler: ConnectorHandler) -> None:
        self.machine = machine
        self._handler = handler
        self._loop = asyncio.get_running_loop()
        self._wake = asyncio.Event()
        self._timer = Timer(machine.next_wake, self._tick)

    async def run(self, stream: Stream) -> str:
        """Carry the session over `stream` until it ends. Returns how it broke, nothing if it ended in order.

        Raises InvalidArgument when the peer broke the protocol.
        """
        self._wake = asyncio.Event()
        greeting: asyncio.TimerHandle | None = None
        try:
            await stream.write(self.machine.greet())
            greeting = self._loop.call_later(WELCOME_TIMEOUT, self._no_welcome)
            return await _pump(stream, self._take, self._wake, self._heard)
        except StreamBroken as broken:
            return str(broken)
        finally:
            if greeting is not None:
                greeting.cancel()
            self._timer.cancel()
            self._dispatch(self.machine.disconnect())
            self._timer.arm()  # the deadlines of what is running hold without a stream, too

    def _take(self) -> bytes | None:
        message = self.machine.take(self._loop.time())
        if self.machine.link.plain:
            self._dispatch(self.machine.handed())
        return message

    def _no_welcome(self) -> None:
        if not self.machine.open:
            self._dispatch(self.machine.open_plain(self._loop.time()))

    def _heard(self, data: bytes) -> None:
        self._dispatch(self.machine.receive(data, self._loop.time()))

    def _tick(self) -> None:
        self._dispatch(self.machine.tick(self._loop.time()))

    def _dispatch(self, events: list[ConnectorEvent]) -> None:
        _hand_out(events, self._handler.handle)
        if events or self.machine.link.ready:
            self._wake.set()
            self._timer.arm()  # what came may have brought deadlines

    def wake(self) -> None:
        """There is something to send."""
        self._wake.set()
