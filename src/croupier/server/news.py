"""What happened on the platform, as notices on the bus for those who look on (`server/live/`).

live.jobs, live.bulk, live.approvals    the id of what changed: whoever listens looks it up
live.calls                              a call that ended, as JSON: thousands in a second are not looked up
"""

from collections.abc import Callable

import msgspec

from croupier.bus import Bus
from croupier.domain.call import Call, Outcome, Result

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
        if self._bus is None:
            return
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
        await self._bus.publish(CALLS, _encode(ended))

    async def _tell(self, topic: str, what: str) -> None:
        if self._bus is not None and self.heard(topic):
            await self._bus.publish(topic, what.encode())


def _nobody_listens(_topic: str) -> bool:
    return False
