from collections.abc import Mapping, Sequence
from typing import Protocol

from croupier.descriptors import FunctionDescriptor
from croupier.domain.assignment import Assignments
from croupier.domain.call import Call
from croupier.domain.function import Function, Service
from croupier.domain.job import Job
from croupier.domain.scope import Scope
from croupier.errors import InvalidArgument, PermissionDenied
from croupier.server.catalog.checking import check_payload, compiled
from croupier.server.catalog.codecs import PackTypes
from croupier.server.catalog.entry import Entry, Kind, Origin
from croupier.server.catalog.snapshot import Snapshot, Source
from croupier.server.catalog.spoken import Spoken
from croupier.transcoding import Codec

MOST_PROVIDERS = 1_000


class Pack(Protocol):
    """What the catalog needs of a pack."""

    @property
    def name(self) -> str: ...

    @property
    def version(self) -> str: ...

    @property
    def functions(self) -> Sequence[FunctionDescriptor]: ...

    @property
    def descriptor_sets(self) -> Mapping[str, bytes]:
        """Its FileDescriptorSets by the names of their files; the largest take seconds to build."""


class Catalog:
    """Every method returns at once and is called on the event loop."""

    def __init__(self) -> None:
        self._spoken = Spoken()
        self._packs: list[Source] = []
        self._providers: dict[str, Source] = {}
        self._snapshot = Snapshot()
        self._assignments: Assignments = {}

    @property
    def assignments(self) -> Assignments:
        return self._assignments

    @property
    def snapshot(self) -> Snapshot:
        """What packs and providers say now; it stays as it is, and is replaced as a whole."""
        return self._snapshot

    # ------------------------------------------------------------------------------------------------ asking

    def check(self, call: Call) -> Entry:
        """What is known of the call's function, for as long as the call lasts.

        Raises PermissionDenied when its scope may not use the function, InvalidArgument when the payload does not fit its
        schema.
        """
        if self._assignments:
            self.admit(call.scope, call.function_id)
        entry = self.entry(call.scope, call.function_id)
        if entry is None:
            return Entry(function=Function(id=call.function_id))
        if entry.validator is not None:
            check_payload(entry.validator, call)
        return entry

    def admit(self, scope: Scope, function_id: str) -> None:
        """Raises PermissionDenied when the function is not among those that are assigned to the scope."""
        assigned = self._assignments.get(scope)
        if assigned is not None and not assigned.admits(function_id):
            raise PermissionDenied(
                f"{function_id} is not assigned to {scope}: ask an administrator to add it to the functions of {scope} "
                "(PUT /api/assignments)"
            )

    def entry(self, scope: Scope, function_id: str) -> Entry | None:
        """A pack's description goes before a provider's, and that before what the scope's own game servers say."""
        return self._snapshot.entry(function_id) or self._spoken.entry(scope, function_id)

    def function(self, scope: Scope, function_id: str) -> Function | None:
        entry = self.entry(scope, function_id)
        return entry.function if entry else None

    def codec_of(self, job: Job) -> Codec | None:
        """What makes JSON of the results of a job's function, as it is described now."""
        entry = self.entry(job.scope, job.function_id)
        return entry.codec if entry is not None else None

    # ------------------------------------------------------------------------------------------------ learning

    def use_packs(self, packs: Sequence[Pack]) -> None:
        """From now on these are the packs, and no others; an earlier one goes before a later one."""
        self._packs = [_source_of(pack) for pack in packs]
        self._renew()

    def use_assignments(self, assignments: Assignments) -> None:
        """From now on a scope that is named here may use these functions only, and any other scope all."""
        self._assignments = dict(assignments)

    def described(self, scope: Scope) -> set[str]:
        """The functions that somebody describes for the scope, whether it may use them or not."""
        return self._snapshot.ids | self._spoken.described(scope)

    def scopes(self) -> set[Scope]:
        """Those that have something of their own: game servers' descriptions, or an assignment."""
        return self._spoken.scopes() | self._assignments.keys()

    def learn(self, agent_id: str, scope: Scope, services: tuple[Service, ...]) -> None:
        """Replace what this agent's game servers said of their functions."""
        self._spoken.learn(agent_id, scope, services)

    def forget(self, agent_id: str) -> None:
        """The agent is gone, and with it what its game servers said."""
        self._spoken.forget(agent_id)

    def learn_provider(self, provider_id: str, functions: list[Function]) -> None:
        """Replace what this provider described; it holds in every scope."""
        if provider_id not in self._providers and len(self._providers) >= MOST_PROVIDERS:
            raise InvalidArgument(f"more than {MOST_PROVIDERS} providers have registered")
        origin = Origin(kind=Kind.PROVIDER, name=provider_id)
        entries = {function.id: compiled(function, origin) for function in functions}
        self._providers[provider_id] = Source(origin=origin, entries=entries)
        self._renew()

    def _renew(self) -> None:
        self._snapshot = Snapshot([*self._packs, *self._providers.values()])


def _source_of(pack: Pack) -> Source:
    origin = Origin(kind=Kind.PACK, name=pack.name, version=pack.version)
    types = PackTypes(pack.name, pack.descriptor_sets)
    entries = {each.id: compiled(each.function(), origin, types.codec(each)) for each in pack.functions}
    return Source(origin=origin, entries=entries)
