import secrets
import time


def new_id(prefix: str) -> str:
    """An id that no other process makes, sorting by time of making: prefix, 12 hex digits of milliseconds, 16 random."""
    return f"{prefix}{time.time_ns() // 1_000_000:012x}{secrets.token_hex(8)}"
