"""What can be reached now, as operators see it."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from croupier.domain.policy import Within
from croupier.domain.scope import Scope


@dataclass(frozen=True, kw_only=True, slots=True)
class InstanceView:
    """One game server that offers one function."""

    agent_id: str
    game_id: str
    env: str
    service_id: str
    version: str = ""
    """The game server's own version."""
    addr: str = ""
    function_version: str = ""
    healthy: bool = True
    outstanding: int = 0
    """Calls this server sent to it that have not ended."""


@dataclass(frozen=True, kw_only=True, slots=True)
class AgentView:
    agent_id: str
    game_id: str
    env: str
    rpc_addr: str = ""
    ip: str = ""
    """As the edge says, if there is one."""
    edge: str = ""
    """The edge it is connected through; empty when it is connected directly."""
    type: str = "agent"
    version: str = ""
    functions: int = 0
    """How many different functions its game servers offer."""
    healthy: bool = True
    expires_in_sec: int = 0
    """Seconds until it counts as gone unless it is heard of again; 0 when it is gone."""
    region: str = ""
    zone: str = ""
    labels: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True, slots=True)
class FunctionView:
    game_id: str
    env: str
    id: str
    agents: int = 0
    """How many agents reach it."""


@dataclass(frozen=True, kw_only=True, slots=True)
class FunctionHealth:
    """Game servers that offer a function: how many answer, of how many."""

    healthy: int
    total: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Coverage:
    """How well the functions of one game and environment are served."""

    game_env: str
    """`game|env`"""
    functions: Mapping[str, FunctionHealth] = field(default_factory=dict)
    uncovered: tuple[str, ...] = ()
    """Functions that are described or assigned there, or offered, and that no healthy game server offers; the first by name."""
    uncovered_count: int = 0
    """How many those are in all."""
    partial: tuple[str, ...] = ()
    """Functions that some of the game servers that offer them cannot take calls for."""


@dataclass(frozen=True, kw_only=True, slots=True)
class RegistryView:
    """Everything at one moment. Its field names are those of `GET /api/registry`."""

    agents: tuple[AgentView, ...] = ()
    functions: tuple[FunctionView, ...] = ()
    assignments: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """`game|env` to the ids of the functions that game and environment may use."""
    coverage: tuple[Coverage, ...] = ()


def seen_within(view: RegistryView, within: Within) -> RegistryView:
    """What of it is in these scopes."""
    return RegistryView(
        agents=tuple(each for each in view.agents if Scope(each.game_id, each.env) in within),
        functions=tuple(each for each in view.functions if Scope(each.game_id, each.env) in within),
        assignments={name: ids for name, ids in view.assignments.items() if _scope(name) in within},
        coverage=tuple(each for each in view.coverage if _scope(each.game_env) in within),
    )


def _scope(name: str) -> Scope:
    game_id, _, env = name.partition("|")
    return Scope(game_id, env)
