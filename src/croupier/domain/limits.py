"""Bounds that every hop holds, in bytes, items or seconds."""

PAYLOAD_BYTES = 10_000_000
"""The largest payload of a call, an answer or a job event (contract: 10 MB)."""

MESSAGE_BYTES = PAYLOAD_BYTES + 1_000_000
"""The largest gRPC message: one payload and what goes round it."""

JSON_DEPTH = 64
"""How deep a JSON payload may be nested."""

METADATA_ENTRIES = 64
METADATA_BYTES = 16_384
"""Keys and values of a call's metadata together."""

KEY_BYTES = 256
"""The longest idempotency key, hash key, function id or service id."""

CALL_TIMEOUT = 5.0
"""Seconds a call may take unless it or its function says otherwise."""

CALL_TIMEOUT_MAX = 3600.0

JOB_TIMEOUT_MAX = 604_800.0
"""A job may be given a week; without a timeout it may run for ever."""

JOB_MESSAGE_BYTES = 65_536
"""A longer line of a job's log is cut, with a mark."""
