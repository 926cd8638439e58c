from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass

from google.protobuf.message import DecodeError

from croupier_sdk.errors import Failure
from croupier_sdk.limits import BACKLOG_BYTES, BATCH_BYTES, JOB_TEXT_BYTES, JOB_WINDOW, cut
from croupier_sdk.tunnel.flow import Flow, ProtocolError
from croupier_sdk.tunnel.outbox import Outbox
from croupier_wire.tunnel.v1 import tunnel_pb2
from croupier_wire.tunnel.v1.tunnel_pb2 import TunnelMessage

Frame = (
    tunnel_pb2.InvokeFrame
    | tunnel_pb2.StartJobFrame
    | tunnel_pb2.CancelCallFrame
    | tunnel_pb2.CancelJobFrame
    | tunnel_pb2.JobAckFrame
    | tunnel_pb2.ListLocalRequest
    | tunnel_pb2.GetJobResultRequest
    | tunnel_pb2.Drain
)
"""What the agent asks for."""

_FIELDS = ("invoke", "job_ack", "start", "cancel_call", "cancel", "list_req", "job_res_req", "drain")
_HEARTBEAT_MS = (100, 600_000)
_HEARTBEAT_DEFAULT_MS = 15_000
_WINDOW_MAX = 100_000


@dataclass(frozen=True, kw_only=True, slots=True)
class Identity:
    """Who attaches. `incarnation` is random, made once per process."""

    service_id: str
    game_id: str
    env: str
    version: str
    incarnation: str
    capabilities: tuple[str, ...] = ("session", "keys")


class Session:
    """The game server's half of an attachment, as a state machine without I/O.

    In: `hello()` when a stream opens, `welcome(data)`, `receive(data)` with what came, answers and events as they are made.
    Out: the agent's frames to act on, and `next_message()` until it is None whenever `has_output`.
    """

    def __init__(self, identity: Identity) -> None:
        self._identity = identity
        self._flow = Flow()
        self._session_id = ""
        self._open = False
        self._resend: deque[bytes] = deque()
        self._urgent: deque[bytes] = deque()
        self._urgent_bytes = 0
        self._events: deque[bytes] = deque()
        self._outboxes: dict[str, Outbox] = {}
        self._register = b""
        self._drain = b""
        self._beat = False
        self.window = JOB_WINDOW
        self.heartbeat_ms = _HEARTBEAT_DEFAULT_MS

    # the stream

    def hello(self) -> bytes:
        """The first message of a new stream."""
        self._open = False
        who = self._identity
        hello = tunnel_pb2.Hello(
            agent_id=who.service_id,
            game_id=who.game_id,
            env=who.env,
            version=who.version,
            incarnation=who.incarnation,
            capabilities=who.capabilities,
            session_id=self._session_id,
            received=self._flow.received if self._session_id else 0,
        )
        return TunnelMessage(type="hello", hello=hello).SerializeToString()

    def welcome(self, data: bytes) -> bool:
        """Take the agent's first message. False: this is a new session, and the calls of the old one are to be forgotten.

        Raises ProtocolError for anything but a Welcome.
        """
        message = _parse(data)
        if not message.HasField("welcome"):
            raise ProtocolError("the agent did not answer Hello with Welcome: is it older than this SDK?")
        welcome = message.welcome
        if welcome.resumed and welcome.session_id != self._session_id:
            raise ProtocolError("the agent resumed another session than the one asked for")
        self.window = min(welcome.job_window or JOB_WINDOW, _WINDOW_MAX)
        self.heartbeat_ms = min(max(welcome.heartbeat_ms or _HEARTBEAT_DEFAULT_MS, _HEARTBEAT_MS[0]), _HEARTBEAT_MS[1])
        if welcome.resumed:
            self._flow.acknowledge(welcome.received)
            self._resend = deque(self._flow.unacknowledged())
        else:
            self._begin(welcome.session_id)
        self._open = True
        return welcome.resumed

    def closed(self) -> None:
        """The stream is gone; what is made from now on waits for the next."""
        self._open = False

    def abandon(self) -> None:
        """Do not resume this session: the two ends do not agree on what was sent."""
        self._session_id = ""

    def _begin(self, session_id: str) -> None:
        self._session_id = session_id
        self._flow = Flow()
        self._resend.clear()
        self._urgent.clear()
        self._urgent_bytes = 0
        self._events.clear()
        for frame in filter(None, (self._register, self._drain)):
            self._put(frame)
        for outbox in self._outboxes.values():
            outbox.rewind()
            self._events.extend(outbox.take(self.window))

    def receive(self, data: bytes) -> list[Frame]:
        """Take a message and return what it asks for, in order. Raises ProtocolError if the stream must end."""
        message = _parse(data)
        if not self._flow.accept(message, len(data)):
            return []
        frames = (
            [frame for part in message.batch for frame in _frames(_parse(part))]
            if message.batch
            else list(_frames(message))
        )
        for frame in frames:
            if isinstance(frame, tunnel_pb2.JobAckFrame):
                self._acknowledged(frame)
        return frames

    @property
    def has_output(self) -> bool:
        return self._open and bool(
            self._urgent or self._resend or self._beat or self._flow.ack_due or (self._events and not self._behind())
        )

    def next_message(self) -> bytes | None:
        """The next message to write, or None. Answers go before job events."""
        if not self._open:
            return None
        if self._resend:
            return self._resend.popleft()
        if frames := self._take():
            self._beat = False
            return self._flow.pack(frames)
        if self._beat or self._flow.ack_due:
            self._beat = False
            return self._flow.heartbeat()
        return None

    def beat(self) -> None:
        """Nothing was sent for `heartbeat_ms`: let `next_message` make a heartbeat."""
        self._beat = True

    @property
    def busy(self) -> bool:
        """So much waits to be sent or acknowledged that new calls must be refused."""
        return self._flow.kept_bytes + self._urgent_bytes >= BACKLOG_BYTES

    @property
    def settled(self) -> bool:
        """All there was to say has been said, and what a job had to say is stored."""
        return not (self._urgent or self._events or self._resend or self._outboxes)

    def _behind(self) -> bool:
        return self._flow.kept_bytes >= BACKLOG_BYTES

    def _take(self) -> list[bytes]:
        frames: list[bytes] = []
        size = self._fill(self._urgent, frames, 0)
        self._urgent_bytes -= size
        if not self._behind():
            self._fill(self._events, frames, size)
        return frames

    @staticmethod
    def _fill(queue: deque[bytes], frames: list[bytes], size: int) -> int:
        while queue and (not frames or size + len(queue[0]) <= BATCH_BYTES):
            frame = queue.popleft()
            size += len(frame)
            frames.append(frame)
        return size

    def _put(self, frame: bytes) -> None:
        self._urgent.append(frame)
        self._urgent_bytes += len(frame)

    # what the game server says

    def register(self, service: tunnel_pb2.Service) -> None:
        """Offer these functions, now and in each new session."""
        register = tunnel_pb2.Register(services=[service])
        self._register = TunnelMessage(type="register", register=register).SerializeToString()
        if self._open:
            self._put(self._register)

    def drain(self, reason: str) -> None:
        """Say that no new calls are taken, now and in each new session."""
        self._drain = TunnelMessage(type="drain", drain=tunnel_pb2.Drain(reason=reason)).SerializeToString()
        if self._open:
            self._put(self._drain)

    def answer(self, request_id: str, outcome: bytes | Failure, took: float = 0.0) -> None:
        """Answer a call; `took` is how many seconds passed since it arrived."""
        message = TunnelMessage()
        message.type = "result"
        result = message.result  # filled field by field: half the time of constructors with keywords
        result.request_id = request_id
        if isinstance(outcome, Failure):
            result.error = outcome.message
            result.status.CopyFrom(outcome.to_status())
        else:
            result.payload = outcome
        result.handler_us = min(int(took * 1e6), 0xFFFF_FFFF)
        self._put(message.SerializeToString())

    def job_accepted(self, request_id: str, job_id: str) -> bool:
        """Answer a start_job. False if the job runs, or ran and is not acknowledged: it is not to be started again."""
        accepted = tunnel_pb2.StartJobResult(request_id=request_id, job_id=job_id)
        self._put(TunnelMessage(type="start_job_result", start_r=accepted).SerializeToString())
        if job_id in self._outboxes:
            return False
        self._outboxes[job_id] = Outbox()
        return True

    def job_refused(self, request_id: str, failure: Failure) -> None:
        refused = tunnel_pb2.StartJobResult(request_id=request_id, error=failure.message, status=failure.to_status())
        self._put(TunnelMessage(type="start_job_result", start_r=refused).SerializeToString())

    def list_local(self, request: tunnel_pb2.ListLocalRequest, *, offered: bool) -> None:
        ids = [self._identity.service_id] if offered else []
        listed = tunnel_pb2.ListLocalResponse(
            request_id=request.request_id, function_id=request.function_id, service_ids=ids
        )
        self._put(TunnelMessage(type="list_local_res", list_res=listed).SerializeToString())

    def job_result(self, response: tunnel_pb2.GetJobResultResponse) -> None:
        self._put(TunnelMessage(type="get_job_result_res", job_res_res=response).SerializeToString())

    # jobs

    def knows_job(self, job_id: str) -> bool:
        return job_id in self._outboxes

    def job_is_full(self, job_id: str) -> bool:
        """The job may add no event now, but for its last."""
        outbox = self._outboxes.get(job_id)
        return outbox is not None and outbox.waiting >= self.window

    def put_event(self, job_id: str, event: tunnel_pb2.JobEventFrame, *, last: bool) -> None:
        """Number an event and send it as soon as the window allows. Nothing happens for a job that nobody wants any more."""
        outbox = self._outboxes.get(job_id)
        if outbox is None:
            return
        event.seq = outbox.last + 1
        event.message = cut(event.message, JOB_TEXT_BYTES)
        outbox.add(TunnelMessage(type="job_event", job_evt=event).SerializeToString())
        outbox.ended = outbox.ended or last
        self._events.extend(outbox.take(self.window))

    def _acknowledged(self, frame: tunnel_pb2.JobAckFrame) -> None:
        outbox = self._outboxes.get(frame.job_id)
        if outbox is None:
            return
        if frame.stop:
            outbox.clear()
            outbox.ended = True
        outbox.acknowledge(frame.seq)
        self._events.extend(outbox.take(self.window))
        if outbox.ended and not outbox.waiting:
            del self._outboxes[frame.job_id]


def _parse(data: bytes) -> TunnelMessage:
    try:
        return TunnelMessage.FromString(data)
    except DecodeError as error:
        raise ProtocolError("the agent sent bytes that are not a message of the tunnel") from error


def _frames(message: TunnelMessage) -> Iterator[Frame]:
    """The frame of a message, found by its field: `type` has more than one spelling."""
    for field in _FIELDS:
        if message.HasField(field):
            yield getattr(message, field)
            return
