from dataclasses import replace

from croupier.domain.principal import Principal

REMEMBERED = 10_000


class Arrivals:
    """Callers, each with where this request of theirs came from, for the record.

    The same caller from the same address is the same value: what is decided about callers is remembered by them, and a value
    that is not the same takes longer to find than to make.
    """

    def __init__(self) -> None:
        self._known: dict[tuple[int, str], tuple[Principal, Principal]] = {}

    def at(self, caller: Principal, address: str) -> Principal:
        """`caller`, who came from `address`; empty where nobody knows."""
        key = (id(caller), address)
        found = self._known.get(key)
        if found is not None and found[0] is caller:
            return found[1]
        if len(self._known) >= REMEMBERED:
            self._known.clear()
        placed = replace(caller, address=address)
        self._known[key] = (caller, placed)
        return placed
