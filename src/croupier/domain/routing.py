"""Who receives a call, and why: what the record of a call keeps of it, and what a preview shows."""

from typing import NamedTuple

from croupier.domain.call import Route


class Decision(NamedTuple):
    """Where a call went. A tuple, because every call makes one."""

    route: Route
    agent_id: str
    """Empty for a broadcast."""
    service_id: str
    """The game server that had to run it; empty where the choice was left to the agent, and for a broadcast."""
    candidates: int
    """Among how many it was chosen: agents for lb, game servers for hash and broadcast."""
    why: str


class Skipped(NamedTuple):
    """A game server that offers the function and was left out of a broadcast."""

    agent_id: str
    service_id: str
    why: str
