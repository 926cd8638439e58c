import time
from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

from croupier.codes import Code
from croupier.descriptors import EntityDescriptor, FunctionDescriptor
from croupier.domain.assignment import Assignments
from croupier.domain.call import Call
from croupier.domain.entity import Subject
from croupier.domain.function import Function, Service
from croupier.domain.job import Job
from croupier.domain.scope import Scope
from croupier.errors import FailedPrecondition, PermissionDenied, Unavailable
from croupier.server.catalog.checking import check_payload, fitted, respelled
from croupier.server.catalog.codecs import PackTypes
from croupier.server.catalog.entry import EntityEntry, Entry, Kind, Look, Origin, undescribed
from croupier.server.catalog.snapshot import Snapshot, Source, source_of
from croupier.server.catalog.spoken import Spoken
from croupier.server.catalog.subject_keys import SubjectKeys, subjects_of
from croupier.server.catalog.versions import Versions
from croupier.transcoding import Codec


class Pack(Protocol):
    """What the catalog needs of a pack."""

    @property
    def name(self) -> str: ...

    @property
    def version(self) -> str: ...

    @property
    def functions(self) -> Sequence[FunctionDescriptor]: ...

    @property
    def entities(self) -> Sequence[EntityDescriptor]: ...

    @property
    def origins(self) -> Mapping[str, str]:
        """In which file each of them is described, by id."""

    @property
    def ui(self) -> Mapping[str, Look]:
        """By function id."""

    @property
    def descriptor_sets(self) -> Mapping[str, bytes]:
        """Its FileDescriptorSets by the names of their files; the largest take seconds to build."""


def source_of_pack(pack: Pack, known: Source | None = None) -> Source:
    """Takes long for a large one; belongs on a thread. `known` is what was made of an earlier version."""
    origin = Origin(kind=Kind.PACK, name=pack.name, version=pack.version)
    types = PackTypes(pack.name, pack.descriptor_sets)
    described: list[FunctionDescriptor | EntityDescriptor] = [*pack.functions, *pack.entities]
    return source_of(origin, described, files=pack.origins, types=types, looks=pack.ui, known=known)


class Catalog:
    """Every method returns at once and is called on the event loop. `clock` gives seconds, from anywhere."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self.spoken = Spoken(clock)
        """What game servers say of their own functions."""
        self._packs: Sequence[Source] = ()
        self._providers: Sequence[Source] = ()
        self._snapshot = Snapshot()
        self.versions = Versions()
        """What packs and providers said before."""
        self._assignments: Assignments = {}
        self._subject_keys = SubjectKeys(self.entities)
        self._changes = 0

    @property
    def revision(self) -> int:
        """Another number after every change."""
        return self._changes + self.spoken.changes

    @property
    def assignments(self) -> Assignments:
        return self._assignments

    @property
    def snapshot(self) -> Snapshot:
        """What packs and providers say now; it stays as it is, and is replaced as a whole."""
        return self._snapshot

    # ------------------------------------------------------------------------------------------------ asking

    def check(self, call: Call) -> Entry:
        """What is known of the call's function; raises what `accept` raises."""
        return self.accept(call)[0]

    def accept(self, call: Call) -> tuple[Entry, Call]:
        """What is known of the call's function, and the call as it fits; raises what `find` and `fit` raise."""
        entry = self.find(call)
        return entry, self.fit(entry, call)

    def find(self, call: Call) -> Entry:
        """What is known of the call's function, for as long as the call lasts.

        Raises PermissionDenied when its scope may not use the function, FailedPrecondition when its description disables it.
        """
        if self._assignments:
            self.admit(call.scope, call.function_id)
        entry = self.entry(call.scope, call.function_id)
        if entry is None:
            return undescribed(call.function_id)
        if not entry.enabled:
            raise FailedPrecondition(
                f"{call.function_id} is disabled by {entry.origin.kind.value.replace('_', ' ')} {entry.origin.name}: "
                "enable it in its description there, or mend what is wrong with that",
                {
                    "function": call.function_id,
                    "kind": entry.origin.kind.value,
                    "name": entry.origin.name,
                },
                code=Code.DISABLED,
            )
        return entry

    def require_same(self, entry: Entry | None, call: Call) -> None:
        """Before the call is sent: it was admitted by `entry`. Where nobody described its function then, or it has waited for a
        game server, rules may have come with that which nobody has asked about it. Raises Unavailable.
        """
        known = None if entry is None else entry.descriptor
        if known is not None and not call.wait_for:
            return
        now = self.entry(call.scope, call.function_id)
        if now is not None and now.descriptor != known:
            raise Unavailable(
                f"{call.function_id} has been described otherwise while the call was on its way; nothing ran, send it again, "
                "so that it is judged by what its description says now"
            )

    def fit(self, entry: Entry, call: Call) -> Call:
        """The call without what its form hides; where the game server speaks protobuf, with its fields under their names in
        the .proto.

        Raises FailedPrecondition when the description has conditions that cannot be read, Unfit when the payload does not fit
        its schema or lacks what its form demands, InvalidArgument when the payload cannot be checked.
        """
        if entry.codec is not None:
            call = respelled(entry.codec, call)
        if entry.conditional and (form := entry.form) is not None:
            return fitted(form, call)
        schema = entry.schema
        if schema is not None:
            check_payload(schema, call)
        return call

    def about(self, call: Call, entry: Entry) -> tuple[Subject, ...]:
        """The entities that the call's arguments name, as its `entry` and what is known of entities say."""
        changes = self._changes + self.spoken.changes
        if changes != self._subject_keys.as_of:
            self._subject_keys.forget(changes)
        keys = self._subject_keys.known.get((call.scope, call.function_id))
        if keys is None:
            keys = self._subject_keys.work_out(call, entry)
        return subjects_of(keys, call) if keys else ()

    def admit(self, scope: Scope, function_id: str) -> None:
        """Raises PermissionDenied when the function is not among those that are assigned to the scope."""
        assigned = self._assignments.get(scope)
        if assigned is not None and not assigned.admits(function_id):
            raise PermissionDenied(
                f"{function_id} is not assigned to {scope}: ask an administrator to add it to the functions of {scope} "
                "(PUT /api/assignments)",
                {"function": function_id, "scope": str(scope)},
                code=Code.NOT_ASSIGNED,
            )

    def entry(self, scope: Scope, function_id: str) -> Entry | None:
        """A pack's description goes before a provider's, and that before what the scope's own game servers say."""
        return self._snapshot.entry(function_id) or self.spoken.entry(scope, function_id)

    def function(self, scope: Scope, function_id: str) -> Function | None:
        entry = self.entry(scope, function_id)
        return entry.function if entry else None

    def codec_of(self, job: Job) -> Codec | None:
        """What makes JSON of the results of a job's function, as it is described now."""
        entry = self.entry(job.scope, job.function_id)
        return entry.codec if entry is not None else None

    def entries(self, scope: Scope, function_id: str) -> list[Entry]:
        """Everyone's description of a function of the scope, the one that counts first."""
        return [*self._snapshot.entries(function_id), *self.spoken.entries(scope, function_id)]

    def entities(self, scope: Scope) -> list[EntityEntry]:
        """Everyone's descriptions of kinds of objects that there are in the scope; of two of one id the first counts."""
        return [*self._snapshot.entities(), *self.spoken.entities(scope)]

    def described(self, scope: Scope) -> set[str]:
        """The functions that somebody describes for the scope, whether it may use them or not."""
        return self._snapshot.ids | self.spoken.described(scope)

    def scopes(self) -> set[Scope]:
        """Those that have something of their own: game servers' descriptions, or an assignment."""
        return self.spoken.scopes() | self._assignments.keys()

    # ------------------------------------------------------------------------------------------------ learning

    def use_packs(self, packs: Sequence[Pack]) -> None:
        """From now on these are the packs, and no others; an earlier one goes before a later one."""
        self.use_sources(packs=[source_of_pack(pack) for pack in packs])

    def use_sources(self, *, packs: Sequence[Source] | None = None, providers: Sequence[Source] | None = None) -> None:
        """From now on these are the packs, or the providers, and no others; an earlier one goes before a later one."""
        self._packs = self._packs if packs is None else packs
        self._providers = self._providers if providers is None else providers
        snapshot = Snapshot([*self._packs, *self._providers])
        self.versions.note(self._snapshot, snapshot)
        self._snapshot = snapshot
        self._changes += 1

    def use_assignments(self, assignments: Assignments) -> None:
        """From now on a scope that is named here may use these functions only, and any other scope all."""
        self._assignments = dict(assignments)
        self._changes += 1

    def learn(self, agent_id: str, scope: Scope, services: tuple[Service, ...]) -> None:
        """Replace what this agent's game servers said of their functions."""
        self.spoken.learn(agent_id, scope, services)

    def forget(self, agent_id: str) -> None:
        """The agent is gone, and with it what its game servers said: nothing of that is shown any more, and after a while
        nothing counts.
        """
        self.spoken.forget(agent_id)
