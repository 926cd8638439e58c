"""What happened on the platform, as notices on the bus for those who look on (`server/live/`).

live.jobs, live.bulk, live.approvals    the id of what changed: whoever listens looks it up
live.calls                              a call that ended, as JSON: thousands in a second are not looked up
"""

from collections.abc import Callable

import msgspec

from croupier.bus import Bus
from croupier.domain.approval import Approval
from croupier.domain.call import Call, Outcome, Result
from croupier.errors import CroupierError

JOBS = "live.jobs"
CALLS = "live.calls"
BULK = "live.bulk"
APPROVALS = "live.approvals"


class CallEnded(msgspec.Struct, frozen=True, gc=False):
    """The body of a notice on `CALLS`."""

    id: str
    kind: str
    """invoke | job: of a job it is the start that has ended"""
    function: str
    game_id: str
    env: str
    caller: str
    outcome: str
    """`ok`, or the reason of the error."""
    ms: float


_encode = msgspec.json.Encoder().encode
read_call_ended = msgspec.json.Decoder(CallEnded).decode


class News:
    """Where nobody listens, this costs a look into a table. Without a bus nobody ever does."""

    def __init__(self, bus: Bus | None = None) -> None:
        self._bus = bus
        self.heard: Callable[[str], bool] = bus.heard if bus is not None else _nobody_listens
        """Whether somebody may listen to what is told under that name."""

    async def job(self, job_id: str) -> None:
        """It was accepted, or its state changed."""
        await self._tell(JOBS, job_id)

    async def bulk(self, bulk_id: str) -> None:
        await self._tell(BULK, bulk_id)

    async def approval(self, approval_id: str) -> None:
        await self._tell(APPROVALS, approval_id)

    async def call_ended(self, call: Call, outcome: Outcome, microseconds: int = 0, *, kind: str = "invoke") -> None:
        """Only of calls that are on record. Every call comes by, so whoever calls this asks first whether `CALLS` is heard."""
        ended = CallEnded(
            id=call.id,
            kind=kind,
            function=call.function_id,
            game_id=call.scope.game_id,
            env=call.scope.env,
            caller=call.caller,
            outcome="ok" if isinstance(outcome, Result) else outcome.reason,
            ms=microseconds / 1000,
        )
        await self._publish(CALLS, _encode(ended))

    async def call_did_not_run(self, approval: Approval, why: CroupierError) -> None:
        """It waited for an approval that it did not get."""
        if not self.heard(CALLS):
            return
        ended = CallEnded(
            id=approval.call_id,
            kind=approval.kind.value,
            function=approval.function_id,
            game_id=approval.scope.game_id,
            env=approval.scope.env,
            caller=approval.requester.name,
            outcome=why.reason,
            ms=0.0,
        )
        await self._publish(CALLS, _encode(ended))

    async def _tell(self, topic: str, what: str) -> None:
        if self.heard(topic):
            await self._publish(topic, what.encode())

    async def _publish(self, topic: str, body: bytes) -> None:
        if self._bus is not None:
            await self._bus.publish(topic, body)


def _nobody_listens(_topic: str) -> bool:
    return False
