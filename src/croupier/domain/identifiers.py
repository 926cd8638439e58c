import random
import time


def new_id(prefix: str) -> str:
    """An id that no other process makes, sorting by time of making: prefix, 12 hex digits of milliseconds, 16 random.

    It names a thing and guards nothing, so the digits are not from the system's source of secrets: that saves a system
    call for every call.
    """
    return f"{prefix}{time.time_ns() // 1_000_000:012x}{random.getrandbits(64):016x}"
