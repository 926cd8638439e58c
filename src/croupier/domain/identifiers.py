import random
import time


def new_id(prefix: str) -> str:
    """An id that no other process makes, sorting by time of making: prefix, 12 hex digits of milliseconds, 16 random.

    It names a thing and guards nothing, so the digits are not from the system's source of secrets: that saves a system
    call for every call.
    """
    number = (time.time_ns() // 1_000_000 << 64) | random.getrandbits(64)
    return prefix + number.to_bytes(14, "big").hex()  # half the time of formatting the two
