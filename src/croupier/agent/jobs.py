"""Which job runs on which game server, and how far its story is told. No I/O but the timers of the grace.

    game server ─ event ─► Jobs ─ deliver ─► sink (the uplink, or the jobs of local callers)
    game server ◄─ acknowledge ─ Jobs ◄─ acknowledged ─┘

A job is remembered until its last event is acknowledged. A game server that disappears has `grace` seconds to come back with
its jobs; those of another process under the same service_id, or of none, end as `lost`.

A job is stopped because somebody asks for it or because its deadline passes: its game server is asked, and what it then tells
is what happened. After `cancel_grace` seconds without an end the job ends here, and its end says that nobody waited any longer.
"""

import asyncio
import logging
import time
from collections.abc import Iterable, Sequence
from dataclasses import replace

from croupier.agent.game_server import GameServer
from croupier.agent.job_keeper import JobKeeper, Told, event_of
from croupier.agent.spool import KeptJob, Then
from croupier.agent.tracked_job import JobSink, TrackedJob
from croupier.domain.job import JobEvent
from croupier.domain.limits import JOB_MESSAGE_BYTES, KEY_BYTES, PAYLOAD_BYTES
from croupier.errors import RateLimited

log = logging.getLogger(__name__)

GRACE = 10.0
CANCEL_GRACE = 10.0
RETURN_GRACE = 45.0
"""Seconds after a restart of the agent: game servers that dial look for it every 36 s at least."""
WINDOW = 256
"""Events of a job that a game server may send beyond the last acknowledgement."""
TRACKED = 100_000
"""Jobs remembered at a time."""
TYPES = frozenset({"progress", "log", "done", "error"})
CUT = " … (cut)"
NOTHING_TOLD = Told()


def cut_message(message: str) -> str:
    """At most JOB_MESSAGE_BYTES in UTF-8, with a mark where something is missing."""
    raw = message.encode()
    if len(raw) <= JOB_MESSAGE_BYTES:
        return message
    return raw[: JOB_MESSAGE_BYTES - len(CUT.encode())].decode(errors="ignore") + CUT


class Jobs:
    def __init__(
        self,
        *,
        grace: float = GRACE,
        cancel_grace: float = CANCEL_GRACE,
        return_grace: float = RETURN_GRACE,
        keeper: JobKeeper | None = None,
    ) -> None:
        """Without a `keeper` jobs end with the process."""
        self._grace = grace
        self._return_grace = return_grace
        self._keeper = keeper
        self._cancel_grace = cancel_grace
        self._jobs: dict[str, TrackedJob] = {}
        self._upward: JobSink | None = None
        self._heard = False
        """A server takes what goes upward."""
        self._paused: dict[GameServer, JobSink] = {}
        self._timers: set[asyncio.TimerHandle] = set()
        self.events = 0
        """Events taken so far."""

    def __len__(self) -> int:
        return len(self._jobs)

    def adopt_into(self, sink: JobSink) -> None:
        """Events of jobs nobody here remembers go to `sink`: an earlier agent process started them for the server."""
        self._upward = sink

    def heard(self) -> None:
        """A server takes what goes upward from now on."""
        self._heard = True

    def unheard(self) -> None:
        """No server takes it, for a moment or for hours."""
        if not self._heard:
            return
        self._heard = False
        for job in self._jobs.values():
            if keeper := self._keeper_of(job):
                keeper.secure(job)

    def get(self, job_id: str) -> TrackedJob | None:
        return self._jobs.get(job_id)

    # ------------------------------------------------------------------------------------------------ beginning

    def place(self, job_id: str, function_id: str, server: GameServer, sink: JobSink) -> TrackedJob:
        """Raises RateLimited when too many jobs are remembered."""
        if len(self._jobs) >= TRACKED:
            raise RateLimited(f"rate limited: {TRACKED} jobs of this agent have not ended; the job was not started")
        job = TrackedJob(
            job_id=job_id,
            function_id=function_id,
            service_id=server.service_id,
            incarnation=server.incarnation,
            server=server,
            sink=sink,
            listens=server.listens,
        )
        self._jobs[job_id] = job
        return job

    def keep(self, job: TrackedJob, then: Then) -> bool:
        """Have it on disk where the job will run; `then` is told, later. False for a job that is not kept."""
        keeper = self._keeper_of(job)
        if keeper is not None:
            keeper.placed(job, then)
        return keeper is not None

    async def named(self, job_id: str, remote_id: str) -> None:
        """A game server that listens has given the job a name. Raises Unavailable where that cannot be kept."""
        job = self._jobs.get(job_id)
        if job is not None and (keeper := self._keeper_of(job)):
            job.remote_id = remote_id
            await keeper.named(job)

    def _keeper_of(self, job: TrackedJob) -> JobKeeper | None:
        return self._keeper if job.sink is self._upward else None

    async def room(self) -> None:
        """Wait until events may be spooled."""
        if self._keeper is not None:
            await self._keeper.spool.room()

    def limit(self, job: TrackedJob, seconds: float) -> None:
        """Stop the job unless it ends within so many seconds."""
        job.deadline_ms = time.time_ns() // 1_000_000 + int(seconds * 1000)
        job.deadline = asyncio.get_running_loop().call_later(seconds, self._expire, job, seconds)

    def _expire(self, job: TrackedJob, seconds: float) -> None:
        self._stop(job, "deadline_exceeded", f"the job did not end within {seconds:g} s")

    def forget(self, job: TrackedJob) -> None:
        _cancel_timers(job)
        if self._jobs.get(job.job_id) is job:
            del self._jobs[job.job_id]
            if keeper := self._keeper_of(job):
                keeper.forget(job)

    # ------------------------------------------------------------------------------------------------ the story

    def arrived(self, server: GameServer, event: JobEvent, raw: bytes = b"", told: Told = NOTHING_TOLD) -> None:
        """An event came from a game server, for the first time or again. `told` is kept with it."""
        job = self._jobs.get(event.job_id) or self._adopt(server, event)
        if job is not None and not job.numbered and event.seq > job.last_seq:
            job.numbered, job.last_seq, job.acknowledged = True, event.seq - 1, event.seq - 1
        if job is None:
            server.acknowledge(event.job_id, event.seq, stop=True)
        elif event.seq <= job.last_seq or job.end is not None:
            server.acknowledge(job.job_id, job.acknowledged, stop=False)  # it may have missed this the first time
        elif event.seq > job.last_seq + 1 or event.seq > job.acknowledged + 2 * WINDOW:
            server.abandon(
                f"event {event.seq} of job {job.job_id} came after {job.last_seq}, with {job.acknowledged} acknowledged"
            )
        else:
            self._take(job, event, raw, told)

    def _adopt(self, server: GameServer, event: JobEvent) -> TrackedJob | None:
        name = event.job_id
        if self._upward is None or not name or len(name.encode()) > KEY_BYTES or event.seq < 1:
            return None
        if len(self._jobs) >= TRACKED:
            return None
        job = self.place(name, "", server, self._upward)
        job.started = True
        job.last_seq = job.acknowledged = event.seq - 1
        if keeper := self._keeper_of(job):
            keeper.placed(job, None)
        return job

    def _take(self, job: TrackedJob, event: JobEvent, raw: bytes, told: Told | None) -> None:
        """`told` is None for an event of the agent's own."""
        checked = _within_limits(event)
        if checked is not event:
            raw = b""
            if checked.type == "error" and event.type != "error" and job.server is not None:
                job.server.cancel_job(job.job_id, checked.message)
        if job.stopped_because == "deadline_exceeded" and checked.reason == "canceled":
            checked, raw = (
                replace(checked, reason="deadline_exceeded", message=_join(job.stop_words, checked.message)),
                b"",
            )
        self.events += 1
        job.last_seq = max(checked.seq, job.last_seq)
        if checked.type in {"done", "error"}:
            job.end = checked
            _cancel_timers(job)
        keeper = self._keeper_of(job)
        if keeper is None or (told is not None and not job.listens):
            job.sink.deliver(checked, raw)
            if keeper is not None and not self._heard:
                keeper.copy(job, checked, raw)
        else:
            keeper.deliver(job, checked, raw, told or NOTHING_TOLD)
        if job.sink.full and job.server is not None and job.server not in self._paused:
            self._paused[job.server] = job.sink
            job.server.pause()

    def acknowledged(self, job_id: str, seq: int, *, stop: bool = False) -> None:
        """The sink holds everything up to `seq`; with `stop` it does not know the job or wants no more of it."""
        job = self._jobs.get(job_id)
        if job is None:
            return
        job.acknowledged = max(job.acknowledged, min(seq, job.last_seq))
        if job.server is not None:
            job.server.acknowledge(job_id, job.acknowledged, stop=stop)
        if stop or (job.end is not None and 0 < job.end.seq <= job.acknowledged):
            self.forget(job)
        elif keeper := self._keeper_of(job):
            keeper.acknowledged(job, job.acknowledged)
        self.relieve()

    def relieve(self) -> None:
        """Let those go on whose sink has room again."""
        for server, sink in list(self._paused.items()):
            if not sink.full:
                del self._paused[server]
                server.proceed()

    def cancel(self, job_id: str, reason: str) -> bool:
        """Ask its game server to stop it, and wait no longer than the grace. False when no such job is known."""
        job = self._jobs.get(job_id)
        if job is None:
            return False
        self._stop(job, "canceled", reason)
        return True

    def _stop(self, job: TrackedJob, because: str, words: str) -> None:
        if job.end is not None:
            return
        if not job.stopped_because:
            job.stopped_because, job.stop_words = because, words
        if job.server is not None:
            self._ask_to_stop(job, job.server)

    def _ask_to_stop(self, job: TrackedJob, server: GameServer) -> None:
        server.cancel_job(job.job_id, job.stop_words)
        if job.force is None:
            job.force = asyncio.get_running_loop().call_later(self._cancel_grace, self._force, job)

    def _force(self, job: TrackedJob) -> None:
        job.force = None
        if job.end is not None or job.server is None:
            return  # it ended, or whether it is lost shows when its game server is back
        message = f"{job.stop_words or 'canceled'}; it did not end within {self._cancel_grace:g} s: stopped waiting; the handler may still run"
        self.end(job, reason=job.stopped_because, message=message, stop=True)

    def end(self, job: TrackedJob, *, reason: str, message: str, stop: bool = False) -> None:
        """Write the last line of a story that its game server will not finish; with `stop` it is told to drop the job."""
        if job.end is not None:
            return
        if keeper := self._keeper_of(job):
            keeper.secure(job)
        if stop and job.server is not None:
            job.server.acknowledge(job.job_id, job.last_seq, stop=True)
        event = JobEvent(
            job_id=job.job_id,
            seq=job.last_seq + 1 if job.numbered else 0,
            type="error",
            message=cut_message(message),
            reason=reason,
            time_ms=time.time_ns() // 1_000_000,
        )
        self._take(job, event, b"", None)

    # ------------------------------------------------------------------------------------------------ game servers

    def away(self, server: GameServer) -> None:
        """Its stream broke. It may be back in a moment, or never."""
        for job in self._jobs.values():
            if job.server is server and (keeper := self._keeper_of(job)):
                keeper.secure(job)

    def gone(self, server: GameServer, why: str) -> None:
        """Its session is over. Its jobs wait for it to come back."""
        self._paused.pop(server, None)
        waiting = [job for job in self._jobs.values() if job.server is server]
        for job in waiting:
            job.server = None
        if waiting:
            self._later(waiting, why, self._grace)

    def _later(self, waiting: list[TrackedJob], why: str, grace: float) -> None:
        loop = asyncio.get_running_loop()

        def overdue() -> None:
            self._timers.discard(handle)
            self._lose((job for job in waiting if job.server is None), why)

        handle = loop.call_later(grace, overdue)
        self._timers.add(handle)

    def back(self, server: GameServer) -> None:
        """It attached anew: the same process goes on with its jobs, another one knows nothing of them."""
        away = [job for job in self._jobs.values() if job.server is None and job.service_id == server.service_id]
        for job in away:
            if job.incarnation != server.incarnation:
                self._lose([job], "it was started anew")
                continue
            job.server = server
            if job.numbered:
                server.acknowledge(job.job_id, job.acknowledged, stop=False)
            if job.stopped_because:
                self._ask_to_stop(job, server)

    def _lose(self, jobs: Iterable[TrackedJob], why: str) -> None:
        for job in jobs:
            message = (
                f"lost: the game server {job.service_id} is gone: {why}; check what the job did before repeating it"
            )
            self.end(job, reason="lost", message=message)

    # ------------------------------------------------------------------------------------------------ after a restart

    def restore(self, kept: Sequence[KeptJob]) -> list[TrackedJob]:
        """The jobs of an earlier process: what they told goes up again, and those of attached game servers wait for them.

        Returns those of game servers that listen and have not ended: they are for the caller to follow, or to end.
        """
        if self._upward is None:
            return []
        jobs = [self._restored(each, self._upward) for each in kept]
        running = [job for job in jobs if job.end is None]
        attached = [job for job in running if not job.listens]
        if attached:
            self._later(attached, "the agent was restarted, and it did not come back", self._return_grace)
        return [job for job in running if job.listens]

    def _restored(self, kept: KeptJob, upward: JobSink) -> TrackedJob:
        events = [(event_of(frame), frame) for _, frame in kept.events]
        last = max([kept.last_seq, *(event.seq for event, _ in events)])
        job = self._jobs[kept.job_id] = TrackedJob(
            job_id=kept.job_id,
            function_id=kept.function_id,
            service_id=kept.service_id,
            incarnation=kept.incarnation,
            server=None,
            sink=upward,
            started=True,
            last_seq=last,
            acknowledged=events[0][0].seq - 1 if events and events[0][0].seq else last,
            listens=kept.listens,
            remote_id=kept.remote_id,
            numbered=kept.listens,
            spooled=bool(events),
            secured=last,
        )
        for event, frame in sorted(events, key=lambda each: each[0].seq or last + 1):
            job.end = event if event.type in {"done", "error"} else None
            upward.deliver(event, frame)
        if kept.deadline_ms and job.end is None:
            self.limit(job, max(0.0, kept.deadline_ms / 1000 - time.time()))
        return job

    def stop(self) -> None:
        for handle in self._timers:
            handle.cancel()
        self._timers.clear()
        for job in self._jobs.values():
            _cancel_timers(job)


def _cancel_timers(job: TrackedJob) -> None:
    for timer in (job.deadline, job.force):
        if timer is not None:
            timer.cancel()
    job.deadline = job.force = None


def _join(why: str, message: str) -> str:
    return why if message in {"", why} else f"{why}: {message}"


def _within_limits(event: JobEvent) -> JobEvent:
    """The event as it may travel on: the same object where nothing had to be changed."""
    if event.type not in TYPES:
        event = replace(event, type="log", message=f"{event.type[:64]}: {event.message}")
    if len(event.payload) > PAYLOAD_BYTES:
        message = f"an event of the job carried {len(event.payload)} bytes; at most {PAYLOAD_BYTES} are allowed"
        return replace(event, type="error", payload=b"", message=message, reason="handler_failed")
    if len(event.message) * 4 > JOB_MESSAGE_BYTES and len(event.message.encode()) > JOB_MESSAGE_BYTES:
        return replace(event, message=cut_message(event.message))
    return event
