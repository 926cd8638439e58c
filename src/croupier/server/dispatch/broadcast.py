"""One call to many game servers: sent to some at a time, answered with what each of them said.

targets ─► at most FAN_OUT workers ─► link.invoke, one for each target ─► one JSON document

A broadcast is a success when one game server says yes. When all fail it fails too, with the failure that leaves the most
open: `Unavailable` then means that nothing ran anywhere.
"""

import asyncio
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import orjson

from croupier.codes import Code
from croupier.domain.call import BroadcastResult, Call, Outcome, Result, Route
from croupier.domain.choices import choice_of
from croupier.domain.limits import PAYLOAD_BYTES
from croupier.domain.routing import Skipped
from croupier.errors import CroupierError, PayloadTooLarge, Unavailable
from croupier.server.dispatch.router import Target
from croupier.server.payload_json import payload_fields
from croupier.server.transcode import understood
from croupier.transcoding import Codec

FAN_OUT = 256
"""How many game servers are asked at the same time, at most: those asked together share messages on the way."""
FLIGHT_BYTES = 8 * 1024 * 1024
"""Payload bytes on their way at once: a quarter of what may wait for one agent before it takes no more calls."""
MESSAGE_CHARACTERS = 500
"""A longer message of a game server is cut."""
NAMED = 100
"""How many game servers an error names."""

_CERTAIN = (
    "unavailable",
    "rate_limited",
    "not_found",
    "unimplemented",
    "unauthenticated",
    "permission_denied",
    "failed_precondition",
    "conflict",
    "invalid_argument",
    "payload_too_large",
    "function_rejected",
    "handler_failed",
    "canceled",
    "internal",
    "deadline_exceeded",
    "outcome_unknown",
)
"""Reasons, from `nothing ran` to `nobody knows`."""


async def broadcast(
    call: Call, targets: Sequence[Target], skipped: Sequence[Skipped], deadline: float, codec: Codec | None = None
) -> BroadcastResult:
    """Run `call` on every target until `deadline` (the loop's clock) and answer with what each of them said.

    With `codec` they are sent and answer protobuf, as `call` has it already.

    Raises the gravest error when every one failed, PayloadTooLarge when the answers together are too large.
    """
    return await _Broadcast(call, targets, skipped, deadline, codec).run()


class _Broadcast:
    def __init__(
        self, call: Call, targets: Sequence[Target], skipped: Sequence[Skipped], deadline: float, codec: Codec | None
    ) -> None:
        metadata = {name: value for name, value in call.metadata.items() if name != "route"}
        self._call = replace(call, route=Route.LB, metadata=metadata)
        self._targets = targets
        self._skipped = skipped
        self._deadline = deadline
        self._codec = codec
        self._clock = asyncio.get_running_loop().time
        self._due = iter(range(len(targets)))
        self._outcomes: dict[int, Outcome] = {}
        self._bytes = 0

    async def run(self) -> BroadcastResult:
        async with asyncio.TaskGroup() as group:
            for _ in range(min(self._width(), len(self._targets))):
                group.create_task(self._work())
        outcomes = [self._outcomes[number] for number in range(len(self._targets))]
        failures = [each for each in outcomes if isinstance(each, CroupierError)]
        if len(failures) == len(outcomes):
            raise self._failure(failures)
        return BroadcastResult(payload=self._document(outcomes, len(failures)), failed=len(failures))

    def _width(self) -> int:
        return max(1, min(FAN_OUT, FLIGHT_BYTES // max(1, len(self._call.payload))))

    async def _work(self) -> None:
        for number in self._due:
            self._outcomes[number] = self._kept(await self._ask(number))

    async def _ask(self, number: int) -> Outcome:
        left = self._deadline - self._clock()
        if left <= 0:
            return Unavailable(
                "the deadline passed before the call could be sent here; nothing ran", code=Code.NOT_SENT_IN_TIME
            )
        target = self._targets[number]
        try:
            call = replace(self._call, id=f"{self._call.id}.{number}")
            result = await target.link.invoke(call, target.service_id, left)
            return result if self._codec is None else await understood(self._codec, result)
        except CroupierError as error:
            return error

    def _kept(self, outcome: Outcome) -> Outcome:
        """Beyond the limit the answers are let go of: a thousand of them could fill the memory."""
        if isinstance(outcome, Result):
            self._bytes += len(outcome.payload)
            if self._bytes > PAYLOAD_BYTES:
                return replace(outcome, payload=b"")
        return outcome

    def _document(self, outcomes: Sequence[Outcome], failed: int) -> bytes:
        """Raises PayloadTooLarge."""
        document = b""
        if self._bytes <= PAYLOAD_BYTES:
            document = orjson.dumps(
                {
                    "results": [_entry(*each) for each in zip(self._targets, outcomes, strict=True)],
                    "succeeded": len(outcomes) - failed,
                    "failed": failed,
                    "skipped": [_left_out(each) for each in self._skipped],
                }
            )
        if not document or len(document) > PAYLOAD_BYTES:
            raise PayloadTooLarge(
                f"the call ran: {len(outcomes) - failed} game servers succeeded and {failed} failed, but their answers "
                f"together are larger than {PAYLOAD_BYTES} bytes; ask fewer at once, each with route=targeted"
            )
        return document

    def _failure(self, failures: Sequence[CroupierError]) -> CroupierError:
        gravest = max(failures, key=lambda error: _gravity(error.reason))
        counts = Counter(error.reason for error in failures)
        told = ", ".join(f"{count} {reason}" for reason, count in counts.most_common())
        return type(gravest)(
            f"all {len(failures)} game servers failed ({told}), among them: {_cut(gravest.message)}",
            self._named(failures),
            code=Code.ALL_FAILED,
        )

    def _named(self, failures: Sequence[CroupierError]) -> Mapping[str, str]:
        asked = [
            (target.service_id or error.service_id, target.link.agent_id, error)
            for target, error in zip(self._targets, failures, strict=True)
        ]
        known = Counter(service_id for service_id, _, _ in asked)
        return {
            _name(service_id, agent_id, alone=known[service_id] == 1): f"{error.reason}: {_cut(error.message)}"
            for service_id, agent_id, error in asked[:NAMED]
        }


def _name(service_id: str, agent_id: str, *, alone: bool) -> str:
    """Of two with one id each has its agent's beside it."""
    if not service_id:
        return agent_id
    return service_id if alone else f"{service_id}@{agent_id}"


def _entry(target: Target, outcome: Outcome) -> dict[str, Any]:
    place = {"service_id": target.service_id or outcome.service_id, "agent_id": target.link.agent_id}
    if isinstance(outcome, CroupierError):
        error: dict[str, Any] = {"reason": outcome.reason, "message": _cut(outcome.message)}
        if outcome.code is not None:
            error |= {"code": outcome.code, "details": dict(outcome.details)}
        return place | {"ok": False, "error": error}
    return place | {"ok": True} | payload_fields(outcome.payload)


def _left_out(skipped: Skipped) -> dict[str, str | None]:
    return skipped._asdict() | {"code": choice_of(skipped.why).code}


def _gravity(reason: str) -> int:
    return _CERTAIN.index(reason) if reason in _CERTAIN else len(_CERTAIN)


def _cut(message: str) -> str:
    """Short, and fit for JSON whatever a game server said."""
    message = message.encode("utf-8", "replace").decode()
    return message if len(message) <= MESSAGE_CHARACTERS else message[:MESSAGE_CHARACTERS] + "…"
