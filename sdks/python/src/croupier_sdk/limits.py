"""Bounds that the SDK holds, in bytes, items or seconds. Those of payloads and messages are the platform's."""

PAYLOAD_BYTES = 10_000_000
"""The largest payload of a call, an answer or a job event (contract: 10 MB)."""

MESSAGE_BYTES = PAYLOAD_BYTES + 1_000_000
"""The largest gRPC message: one payload and what goes round it."""

MANIFEST_BYTES = 4_000_000
"""The descriptors of all functions of one provider, as JSON."""

BATCH_BYTES = 262_144
"""The most that travels in one message of the tunnel, unless a single frame is larger."""

BACKLOG_BYTES = 33_554_432
"""What may wait unacknowledged before new calls are refused and job events wait."""

ACK_AFTER_MESSAGES = 32
"""So many messages received make an acknowledgement due."""

KEPT_KEYS = 100_000
KEPT_ANSWER_BYTES = 67_108_864
KEPT_KEY_SECONDS = 86_400.0
"""How many idempotency keys are remembered with their answers, in bytes of those, and how long."""

CALLS_IN_FLIGHT = 10_000
JOBS_IN_FLIGHT = 1_000

ERROR_TEXT_BYTES = 8_192
"""A longer text of an exception is cut, with a mark."""

JOB_TEXT_BYTES = 65_536
"""A longer line of a job's log is cut, with a mark."""

JOB_WINDOW = 256
"""How many events of a job may be unacknowledged where the agent has not said."""

STOP_GRACE = 10.0
"""Seconds that calls and jobs in flight have to end after a stop or a cancel was asked."""


def cut(text: str, limit: int) -> str:
    """`text` in at most about `limit` bytes of UTF-8, with a mark where something was left out; lone surrogates become `?`."""
    if len(text) * 4 <= limit and text.isascii():
        return text
    data = text.encode("utf-8", "replace")
    if len(data) <= limit:
        return data.decode()
    return f"{data[:limit].decode('utf-8', 'ignore')}… [{len(data) - limit} bytes cut]"
