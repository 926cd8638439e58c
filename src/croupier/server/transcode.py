"""Codecs at work, for functions whose game servers speak protobuf: recorded as JSON, sent as messages.

What is small is carried over at once. What is large is done in a thread, and few at a time: a payload of the largest size
takes seconds, and many times its size in memory while it is both.
"""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

from croupier.domain.call import Call, Result
from croupier.domain.job import JobEvent
from croupier.errors import CroupierError
from croupier.transcoding import Codec

LARGE = 20_000
"""Bytes from which a payload is no longer small: there it takes a few milliseconds."""

_THREADS = ThreadPoolExecutor(max_workers=2, thread_name_prefix="croupier-transcode")


async def spoken(codec: Codec, call: Call) -> Call:
    """The call as its game server gets it. Raises InvalidArgument, naming the fields that do not fit."""
    if len(call.payload) < LARGE:
        return replace(call, payload=codec.encode(call.payload))
    encoded = await asyncio.get_running_loop().run_in_executor(_THREADS, codec.encode, call.payload)
    return replace(call, payload=encoded)


async def understood(codec: Codec, result: Result) -> Result:
    """The game server's answer as JSON. Raises what `Codec.decode` raises, with who answered and what it had cost by then."""
    try:
        return replace(result, payload=await _decoded(codec, result.payload))
    except CroupierError as error:
        error.spent, error.service_id = (result.agent_us, result.handler_us), result.service_id
        raise


async def told(codec: Codec, event: JobEvent) -> JobEvent:
    """The last event of a job with its result as JSON; it becomes the job's failure where it is none of what it should be."""
    try:
        return replace(event, payload=await _decoded(codec, event.payload))
    except CroupierError as error:
        return replace(event, type="error", message=error.message, reason=error.reason, payload=b"")


async def _decoded(codec: Codec, payload: bytes) -> bytes:
    if len(payload) < LARGE:
        return codec.decode(payload)
    return await asyncio.get_running_loop().run_in_executor(_THREADS, codec.decode, payload)
