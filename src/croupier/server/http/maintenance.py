"""Maintenance windows over HTTP."""

from dataclasses import asdict, dataclass
from typing import Any

import msgspec
from fastapi import APIRouter, Request, Response

from croupier.codes import Code
from croupier.domain.durations import seconds_of
from croupier.domain.maintenance import LONGEST_MS, Window, WindowState
from croupier.errors import InvalidArgument
from croupier.server.access.limits import Maintenance
from croupier.server.http.asking import ANSWERS_PROBLEMS, Asking, json_answer
from croupier.server.http.filters import parse_moment
from croupier.server.http.late import LateRoute
from croupier.server.http.openapi import reference
from croupier.server.http.requests import parse_body


class MaintenanceBody(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """The body of `POST /api/maintenance`."""

    reason: str
    """Callers are shown it."""
    game_id: str = "*"
    env: str = "*"
    starts: str = ""
    """A time such as 2026-01-31T18:00:00Z; now where nothing is said."""
    ends: str = ""
    """As `starts`; until somebody ends it where neither this nor `lasts` is said."""
    lasts: str = ""
    """A duration such as 2h, in place of `ends`."""


@dataclass(frozen=True, kw_only=True, slots=True)
class MaintenanceWindow:
    id: str
    game_id: str
    env: str
    reason: str
    state: WindowState
    starts_ms: int
    ends_ms: int
    """0: until somebody ends it."""
    created_by: str
    created_ms: int
    ended_by: str


@dataclass(frozen=True, kw_only=True, slots=True)
class MaintenanceList:
    windows: list[MaintenanceWindow]


_decoder = msgspec.json.Decoder(MaintenanceBody)
_BODY: dict[str, Any] = {
    "requestBody": {"required": True, "content": {"application/json": {"schema": reference("MaintenanceBody")}}}
}


def maintenance_routes(maintenance: Maintenance) -> APIRouter:
    routes = APIRouter(tags=["maintenance"], responses=ANSWERS_PROBLEMS, route_class=LateRoute)

    def document(window: Window) -> MaintenanceWindow:
        return MaintenanceWindow(state=maintenance.state_of(window), **asdict(window))

    @routes.get("/api/maintenance", response_model=MaintenanceList)
    async def list_windows(asking: Asking) -> Response:
        """Windows that are open, planned or lately over, by their start."""
        return json_answer(MaintenanceList(windows=[document(each) for each in await maintenance.list(asking.caller)]))

    @routes.post("/api/maintenance", response_model=MaintenanceWindow, openapi_extra=_BODY)
    async def start_window(asking: Asking, request: Request) -> Response:
        """Open a window now, or plan one. While it is open, commands to its games are refused and queries go on."""
        body = parse_body(_decoder, await request.body())
        return json_answer(document(await maintenance.start(asking.caller, _window(body, maintenance.now_ms()))))

    @routes.post("/api/maintenance/{window_id}/end", response_model=MaintenanceWindow)
    async def end_window(asking: Asking, window_id: str) -> Response:
        """End a window now, or call it off before it starts."""
        return json_answer(document(await maintenance.end(asking.caller, window_id)))

    return routes


def _window(body: MaintenanceBody, now_ms: int) -> Window:
    starts_ms = parse_moment("starts", body.starts) or now_ms
    if body.ends and body.lasts:
        raise InvalidArgument("give ends or lasts, not both")
    ends_ms = parse_moment("ends", body.ends) or 0
    if body.lasts:
        seconds = seconds_of(body.lasts)
        if seconds is None or not 0 < seconds * 1000 <= LONGEST_MS:
            raise InvalidArgument(
                "lasts must be a duration such as 30m or 2h, at most a year",
                code=Code.DURATION_WRONG,
            )
        ends_ms = max(starts_ms, now_ms) + int(seconds * 1000)
    return Window(
        id="",
        game_id=body.game_id,
        env=body.env,
        reason=body.reason,
        starts_ms=starts_ms,
        ends_ms=ends_ms,
        created_by="",
        created_ms=now_ms,
    )
