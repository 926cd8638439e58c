"""What runs calls, jobs and bulk runs, put together."""

import contextlib
from dataclasses import dataclass

from croupier.redaction import Redactor
from croupier.server.archive import Archive
from croupier.server.bulk import Bulks
from croupier.server.calls import Calls
from croupier.server.foundation import Foundation
from croupier.server.gates import Gates
from croupier.server.job_cancel import JobCancels
from croupier.server.job_events import JobIntake
from croupier.server.job_watch import JobWatch
from croupier.server.jobs import Jobs
from croupier.settings import ServerSettings
from croupier.store.sql import system_clock


@dataclass(frozen=True, kw_only=True, slots=True)
class Works:
    """`begin` comes first."""

    calls: Calls
    jobs: Jobs
    bulks: Bulks
    intake: JobIntake
    watch: JobWatch
    cancels: JobCancels
    archive: Archive

    async def begin(self) -> None:
        for part in (self.watch, self.cancels, self.bulks):
            await part.begin()


def works_of(
    settings: ServerSettings, base: Foundation, gates: Gates, redactor: Redactor, stack: contextlib.AsyncExitStack
) -> Works:
    """What watches jobs is stopped when `stack` is left; draining the rest is the caller's."""
    intake = JobIntake(base.store, base.bus, system_clock, base.catalog.codec_of, redactor, base.news)
    watch = JobWatch(agents=base.agents, store=base.store, intake=intake, grace=settings.job_lost_after)
    stack.push_async_callback(watch.stop)
    calls = Calls(
        guard=gates.guard,
        catalog=base.catalog,
        admission=gates.admission,
        store=base.store,
        router=base.router,
        redactor=redactor,
        news=base.news,
    )
    cancels = JobCancels(agents=base.agents, store=base.store, intake=intake, grace=settings.cancel_grace)
    stack.push_async_callback(cancels.stop)
    archive = Archive(base.objects)
    jobs = Jobs(
        guard=gates.guard,
        audit=gates.audit,
        admission=gates.admission,
        store=base.store,
        router=base.router,
        agents=base.agents,
        intake=intake,
        cancels=cancels,
        bus=base.bus,
        ears=base.ears,
        archive=archive,
        news=base.news,
    )
    bulks = Bulks(
        guard=gates.guard,
        audit=gates.audit,
        catalog=base.catalog,
        calls=calls,
        approvals=gates.approving.gate,
        current=gates.approving.current,
        store=base.store,
        bus=base.bus,
        clock=system_clock,
        news=base.news,
    )
    return Works(calls=calls, jobs=jobs, bulks=bulks, intake=intake, watch=watch, cancels=cancels, archive=archive)
