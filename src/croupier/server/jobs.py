"""Long work: accepted, followed, stopped. The story of a job is its stored events (`domain/job.py`)."""

import asyncio
import builtins
import logging
import math
from collections.abc import AsyncIterator
from dataclasses import replace

from croupier.bus import Bus
from croupier.domain.audit import Note
from croupier.domain.call import Call, CallState, Result, Route, Trail, may_have_run
from croupier.domain.choices import among
from croupier.domain.job import Job, JobEvent, JobState
from croupier.domain.listing import Cursor, JobFilter, Page
from croupier.domain.principal import Principal
from croupier.domain.trace import named
from croupier.errors import CroupierError, DeadlineExceeded, InternalError, NotFound, OutcomeUnknown
from croupier.server.access.audit import START, Audit, outcome_note
from croupier.server.access.guard import Guard
from croupier.server.admission import Admission, Admitted
from croupier.server.approvals import Grant
from croupier.server.archive import Archive
from croupier.server.audience import Audiences
from croupier.server.dispatch.agents import Agents
from croupier.server.dispatch.hashing import with_hash_key
from croupier.server.dispatch.router import Router, Target
from croupier.server.ears import Ears
from croupier.server.job_cancel import JobCancels
from croupier.server.job_events import JobIntake, topic
from croupier.server.news import CALLS, News
from croupier.server.transcode import spoken
from croupier.server.turns import Turns
from croupier.store import NOTHING_RAN, CallRecord, Store
from croupier.transcoding import Codec
from croupier.tunnel.frames import JobStarted

log = logging.getLogger(__name__)

START_TIMEOUT = 10.0
"""Seconds in which a game server must have accepted a job."""
CANCEL_WAIT = 2.0
"""Seconds that `cancel` waits for the job's end, so that its answer can say so."""
PAGE = 500


class Jobs:
    def __init__(
        self,
        *,
        guard: Guard,
        audit: Audit,
        admission: Admission,
        store: Store,
        router: Router,
        agents: Agents,
        intake: JobIntake,
        cancels: JobCancels,
        bus: Bus,
        ears: Ears,
        archive: Archive,
        news: News | None = None,
    ) -> None:
        self._news = news or News()
        self._guard = guard
        self._audit = audit
        self._admission = admission
        self._store = store
        self._router = router
        self._agents = agents
        self._intake = intake
        self._cancels = cancels
        self._bus = bus
        self._archive = archive
        self.turns = Turns()
        """Of those who follow jobs, together."""
        self._audiences = Audiences(ears, self.turns)
        self._holding: dict[str, Admitted] = {}
        """Jobs that hold something of a limit until they end."""
        intake.ended = self._let_go
        self._starting: dict[str, asyncio.Task[str]] = {}
        """Starts that run here now, by job: their repetitions wait for them."""

    async def start(self, caller: Principal, call: Call, *, grant: Grant | None = None) -> str:
        """Accept the job and return its id; a repeated idempotency key returns the first job's.

        A caller that goes away meanwhile does not stop it. Raises CroupierError when it could not be started, or
        AwaitingApproval; `grant` is of no entry's.
        """
        admitted = await self._admission.admit(caller, call, START, grant=grant)
        try:
            starting = await self._admitted(admitted)
        except BaseException:
            admitted.release(ran=False)
            raise
        return await asyncio.shield(starting)

    async def _admitted(self, admitted: Admitted) -> asyncio.Task[str]:
        entry, call = admitted.entry, admitted.call
        function = entry.function
        if call.route is Route.HASH and not call.hash_key:
            call = with_hash_key(call, function)
        if call.timeout is None and function.timeout is not None:
            call = replace(call, timeout=function.timeout)
        said = call if entry.codec is None else await spoken(entry.codec, call)
        starting = asyncio.ensure_future(self._start(admitted, call, said))
        if admitted.held is not None:
            self._holding[call.id] = admitted
        self._starting[call.id] = starting
        starting.add_done_callback(lambda _: self._starting.pop(call.id))
        return starting

    def _let_go(self, job_id: str, *, ran: bool = True) -> None:
        """The job has ended, or did not begin: what it holds of limits is free."""
        admitted = self._holding.pop(job_id, None)
        if admitted is not None:
            admitted.release(ran=ran)

    async def _start(self, admitted: Admitted, call: Call, said: Call) -> str:
        """`said` is the call as its game server gets it."""
        note = admitted.note
        try:
            earlier = admitted.earlier or await self._store.create(
                call, about=admitted.about, approval=admitted.approval, note=note
            )
        except BaseException:
            self._let_go(call.id, ran=False)
            raise
        if earlier is not None:
            self._let_go(call.id, ran=False)
            return await self._started_earlier(earlier)
        await self._news.job(call.id)
        if admitted.approval is not None:
            await self._news.approval(admitted.approval.id)
        target = None
        try:
            router = self._router
            chosen = router.route(call) if not call.wait_for else await router.wait(call, router.well, math.inf)
            self._admission.require_same(admitted)
            target = chosen
            started = await self._hand_over(said, target, admitted.entry.codec)
        except CroupierError as error:
            error.unsent |= target is None
            self._let_go(call.id, ran=not error.unsent and error.reason not in NOTHING_RAN)
            await self._not_started(call, error, note, target)
            raise
        except Exception as error:
            log.exception("job %s could not be started", call.id, extra=named(call))
            fault = InternalError(f"job {call.id} failed inside the server; its log has the details")
            fault.unsent = target is None
            self._let_go(call.id, ran=not fault.unsent)
            await self._not_started(call, fault, note, target)
            raise fault from error
        await self._record_start(call, target, started.service_id, note)
        return call.id

    async def _hand_over(self, call: Call, target: Target, codec: Codec | None) -> JobStarted:
        self._intake.expect(call.id, target.link.agent_id, codec)
        try:
            return await target.link.start(call, target.service_id, START_TIMEOUT)
        except (DeadlineExceeded, OutcomeUnknown):
            target.link.cancel_job(call.id, "its start was not confirmed")
            raise

    async def _record_start(self, call: Call, target: Target, service_id: str, note: Note) -> None:
        agent_id = target.link.agent_id
        result = Result(payload=call.id.encode(), service_id=service_id, agent_id=agent_id)
        decision = among(target.why, target.candidates)
        trail = Trail(decision=decision, agent_id=agent_id, service_id=service_id)
        try:
            await asyncio.gather(
                self._store.place(call.id, agent_id=agent_id, service_id=service_id),
                self._store.finish(call.id, result, trail=trail, note=outcome_note(note, result, trail)),
            )
        except CroupierError:
            # The job runs, so its caller gets its id; its events will say how it went.
            log.exception("where job %s runs could not be recorded", call.id, extra=named(call))
        await self._news.job(call.id)
        if self._news.heard(CALLS):
            await self._news.call_ended(call, result, kind="job")
        self._cancels.placed(call.id, agent_id)

    async def _not_started(self, call: Call, error: CroupierError, note: Note, target: Target | None) -> None:
        """Record it; what the game server may have begun all the same is stopped when its first event arrives."""
        reason, message = error.reason, f"not started: {error.message}"
        if may_have_run(error):
            reason = "lost"
            message = f"lost: its start was not confirmed: {error.message}; check what it did before starting it again"
        trail = None
        if target is not None:
            error.agent_id, error.service_id = target.link.agent_id, error.service_id or target.service_id
            decision = among(target.why, target.candidates)
            trail = Trail(decision=decision, agent_id=error.agent_id, service_id=error.service_id)
        await asyncio.gather(
            self._store.finish(call.id, error, trail=trail, note=outcome_note(note, error, trail)),
            self._intake.conclude(call.id, reason=reason, message=message),
        )
        if self._news.heard(CALLS):
            await self._news.call_ended(call, error, kind="job")

    async def _started_earlier(self, earlier: CallRecord) -> str:
        """The first start's answer, waited for if it still runs."""
        if earlier.state is CallState.WAITING:
            raise await self._admission.approvals.waiting(earlier.call.id)
        running = self._starting.get(earlier.call.id)
        if running is not None:
            try:
                return await asyncio.shield(running)
            except CroupierError as error:
                raise error.of_call(earlier.call.id) from error
        if isinstance(earlier.outcome, CroupierError) and not isinstance(earlier.outcome, OutcomeUnknown):
            raise earlier.outcome.of_call(earlier.call.id)
        return earlier.call.id

    async def follow(self, caller: Principal, job_id: str, after: int) -> AsyncIterator[builtins.list[JobEvent]]:
        """The job's events with a seq above `after`, in order, in batches; ends after the last event of an ended job.

        A slow follower loses nothing: it reads on where it was. Raises NotFound ("unknown job …").
        """
        async with self._audiences.of(job_id) as audience:
            unsure = audience.unsure
            found = await self.get(caller, job_id)
            to_the_end = True  # what came before one listened is announced no more
            if not found.ended and found.last_seq <= after:
                # Many come before there is anything to read.
                if not await audience.more(after, unsure):
                    return
            else:
                await self.turns.take()
            while True:
                unsure = audience.unsure
                batch = await self.read(job_id, after)
                if batch:
                    after = batch[-1].seq
                    yield batch
                    if batch[-1].type in {"done", "error"}:
                        return
                    if to_the_end or after % PAGE == 0:
                        await self.turns.take()
                        continue
                else:
                    job = await self._store.job(job_id)
                    if job is not None and job.archived:
                        async for batch in self._archive.story(job, after):
                            yield batch
                        return
                    if job is None or (job.ended and job.last_seq <= after):
                        return
                if not await audience.more(after, unsure):
                    return
                to_the_end = audience.unsure != unsure

    async def read(self, job_id: str, after: int) -> builtins.list[JobEvent]:
        """What follows directly, if it is kept; for who may read the job. Up to the end of the page, so that followers who lag
        behind read, and are sent, the very same batches.
        """
        limit = PAGE - after % PAGE
        found = self._intake.recent.after(job_id, after, limit) or await self._store.events(job_id, after, limit)
        return found if found and found[0].seq == after + 1 else []  # else the archive has those before

    async def readable(self, caller: Principal, job_id: str) -> Job:
        """As `get`, but the result of one that was archived is left there."""
        return await self._known_to(caller, "jobs.read", job_id)

    async def standing(self, job_id: str) -> Job:
        """As `readable`, for who was found to be allowed."""
        return await self._known(job_id)

    def archived(self, job: Job, after: int) -> AsyncIterator[builtins.list[JobEvent]]:
        """As `follow`, of a job whose story was archived, for who may read it."""
        return self._archive.story(job, after)

    async def cancel(self, caller: Principal, job_id: str, reason: str) -> Job:
        """Ask its game server to stop it and return the job as it is then; an ended job stays as it is.

        The wish is kept: a job whose agent is away, or that has not reached one, is told when that is possible. A job that
        does not stop is taken for canceled after a while, and says so. Raises NotFound.
        """
        job = await self._known_to(caller, "jobs.cancel", job_id)
        if job.ended:
            return job
        async with self._bus.subscribe(topic(job_id)) as notices:
            details = {"function_id": job.function_id, "reason": reason}
            async with self._audit.act(caller, "jobs.cancel", scope=job.scope, target=job_id, details=details):
                await self._cancels.ask(job, reason)
            if self._agents.way_to(job.agent_id, job.scope) is None:
                return await self._known(job_id)
            return await self._await_end(job_id, notices)

    async def _await_end(self, job_id: str, notices: AsyncIterator[object]) -> Job:
        try:
            async with asyncio.timeout(CANCEL_WAIT):
                while not (job := await self._known(job_id)).ended:
                    if await anext(notices, None) is None:
                        break
                return job
        except TimeoutError:
            return await self._known(job_id)

    async def get(self, caller: Principal, job_id: str) -> Job:
        """Raises NotFound ("unknown job …")."""
        job = await self.readable(caller, job_id)
        return await self._archive.with_result(job) if job.archived and job.state is JobState.SUCCEEDED else job

    async def list(self, caller: Principal, which: JobFilter, limit: int, after: Cursor | None = None) -> Page[Job]:
        """Those that fit, newest first, without their results."""
        which = replace(which, within=await self._guard.where(caller, "jobs.read", which.scope))
        return await self._store.jobs(which, limit, after)

    async def _known_to(self, caller: Principal, action: str, job_id: str) -> Job:
        job = await self._known(job_id)
        await self._guard.require_of(caller, action, job.scope, job_id, unknown=f"unknown job {job_id}")
        return job

    async def _known(self, job_id: str) -> Job:
        job = await self._store.job(job_id)
        if job is None:
            raise NotFound(f"unknown job {job_id}")
        return job

    async def drain(self) -> None:
        """Wait until every start that was begun has been recorded."""
        while self._starting:
            await asyncio.wait(self._starting.values())
