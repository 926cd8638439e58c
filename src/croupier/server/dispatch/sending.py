"""The hop from the server to an agent, as a span: one for every game server that is asked."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import TypeVar

from croupier.domain.call import Call, Result
from croupier.errors import CroupierError
from croupier.telemetry import Tracer
from croupier.telemetry.facts import facts_of
from croupier.tunnel.frames import JobStarted

Reply = TypeVar("Reply", Result, JobStarted)


async def sent(
    tracer: Tracer, call: Call, agent_id: str, service_id: str, send: Callable[[Call], Awaitable[Reply]]
) -> Reply:
    """What `send` returns or raises; the agent goes on from the span of this hop."""
    facts = {**facts_of(call), "croupier.agent": agent_id, "croupier.service": service_id}
    span = tracer.send(f"send {call.function_id}", call.traceparent, facts)
    try:
        reply = await send(replace(call, traceparent=span.traceparent))
    except CroupierError as error:
        span.end(error.reason, {})
        raise
    except asyncio.CancelledError:
        span.end("canceled", {})
        raise
    except BaseException:
        span.end("internal", {})
        raise
    span.end("ok", {"croupier.service": reply.service_id})
    return reply
