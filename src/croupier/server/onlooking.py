"""The live stream put together: which notice and which look fills which topic."""

import asyncio
import contextlib

from croupier import __version__
from croupier.domain.approval import Approval
from croupier.domain.bulk import Bulk
from croupier.domain.job import Job
from croupier.errors import NotFound
from croupier.server import news
from croupier.server.bulk import Progress
from croupier.server.catalog.view import CatalogView
from croupier.server.foundation import Foundation
from croupier.server.gates import Gates
from croupier.server.http.bulk_documents import progress_document
from croupier.server.http.documents import to_json
from croupier.server.http.flights import Flights
from croupier.server.http.metrics import BOUNDS, HttpMetrics
from croupier.server.live import Counted, Live, Pulse
from croupier.server.live.board import Board, Item
from croupier.server.live.board_feed import Undecided
from croupier.server.live.frames import dumped
from croupier.server.live.hub import Hub
from croupier.server.live.sights import CatalogSight, MaintenanceSight, RegistrySight
from croupier.server.live.sources import LookedAt, LookedUp, Source, Told
from croupier.server.live.topics import APPROVALS, BULK, CALLS, CATALOG, JOBS, MAINTENANCE, REGISTRY
from croupier.server.web.page import BuiltPage
from croupier.server.works import Works


def live_of(
    base: Foundation,
    gates: Gates,
    works: Works,
    *,
    catalog: CatalogView,
    page: BuiltPage,
    metrics: HttpMetrics,
    flights: Flights,
    stack: contextlib.AsyncExitStack,
) -> Live:
    """Ends when `stack` is left."""
    board = Board()
    hub = Hub(board, _sources(base, gates, works, catalog, board))
    pulse = Pulse(
        agents=base.agents,
        policy=gates.guard.policy,
        in_flight=lambda: len(flights),
        calls=lambda: _counted(metrics),
        bounds=BOUNDS,
        version=__version__,
        build=page.build,
    )
    beating = asyncio.ensure_future(pulse.run())
    stack.callback(hub.close)
    stack.callback(beating.cancel)
    return Live(
        guard=gates.guard,
        jobs=works.jobs,
        bulks=works.bulks,
        undecided=Undecided(gates.approving.approvals, hub),
        hub=hub,
        ears=base.ears,
        pulse=pulse,
        shown=_shown,
    )


def _sources(base: Foundation, gates: Gates, works: Works, catalog: CatalogView, board: Board) -> dict[str, Source]:
    store, ears = base.store, base.ears

    async def job(job_id: str) -> Item | None:
        found = await store.job(job_id)
        return None if found is None else _job(found)

    async def bulk(bulk_id: str) -> Item | None:
        try:
            progress = await works.bulks.progress(bulk_id)
        except NotFound:
            return None
        return _bulk(progress.bulk, _shown(progress))

    async def approval(approval_id: str) -> Item | None:
        found = await store.approvals.approval(approval_id)
        return None if found is None else _approval(found)

    return {
        JOBS: LookedUp(board, JOBS, ears, news.JOBS, job),
        CALLS: Told(board, CALLS, ears, news.CALLS, _call),
        BULK: LookedUp(board, BULK, ears, news.BULK, bulk),
        APPROVALS: LookedUp(board, APPROVALS, ears, news.APPROVALS, approval),
        REGISTRY: LookedAt(board, REGISTRY, RegistrySight(base.agents).look),
        CATALOG: LookedAt(board, CATALOG, CatalogSight(lambda: catalog.tag).look),
        MAINTENANCE: LookedAt(board, MAINTENANCE, MaintenanceSight(gates.windows).look),
    }


def _counted(metrics: HttpMetrics) -> Counted:
    took, broken = metrics.counted()
    return Counted(buckets=took, failed=broken)


def _shown(progress: Progress) -> bytes:
    return to_json(progress_document(progress))


def _job(job: Job) -> Item:
    told = {
        "id": job.id,
        "function": job.function_id,
        "game_id": job.scope.game_id,
        "env": job.scope.env,
        "caller": job.caller,
        "state": job.state.value,
        "progress": job.progress,
        "reason": job.reason,
        "created_ms": job.created_ms,
        "finished_ms": job.finished_ms,
    }
    return Item(key=job.id, kind="state", data=dumped(told), place=job.scope)


def _call(body: bytes) -> Item:
    """The notice is the message, as it is."""
    call = news.read_call_ended(body)
    return Item(key=call.id, kind="ended", data=body, place=(call.game_id, call.env))


def _bulk(bulk: Bulk, shown: bytes) -> Item:
    return Item(key=bulk.id, kind="progress", data=shown, place=bulk.scope)


def _approval(approval: Approval) -> Item:
    told = {
        "id": approval.id,
        "function": approval.function_id,
        "game_id": approval.scope.game_id,
        "env": approval.scope.env,
        "requester": approval.requester.name,
        "state": approval.state.value,
        "review": approval.review.value,
    }
    return Item(key=approval.id, kind="state", data=dumped(told), place=approval.scope, person=approval.person)
