from collections.abc import Iterable, Iterator, KeysView, Mapping, Sequence
from dataclasses import dataclass, field, replace

from croupier.descriptors import EntityDescriptor, FunctionDescriptor
from croupier.server.catalog.codecs import PackTypes, lent, messages_of
from croupier.server.catalog.entry import EntityEntry, Entry, Look, Origin, entry_of


@dataclass(frozen=True, kw_only=True, slots=True)
class Source:
    """All that one pack or one provider describes."""

    origin: Origin
    entries: Mapping[str, Entry] = field(default_factory=dict)
    """By function id."""
    entities: Mapping[str, EntityEntry] = field(default_factory=dict)
    """By the kind's id."""
    types: PackTypes | None = None
    """Of a pack."""


def source_of(
    origin: Origin,
    descriptors: Iterable[FunctionDescriptor | EntityDescriptor],
    *,
    files: Mapping[str, str] | None = None,
    types: PackTypes | None = None,
    looks: Mapping[str, Look] | None = None,
    known: Source | None = None,
) -> Source:
    """Of two descriptions of one id the first counts. `files` says in which file each id is described.

    What `known`, the same origin's earlier source, says alike is taken from there, with all that was made of it.
    """
    looks, files = looks or {}, files or {}
    before = known.entries if known is not None and known.origin == origin else {}
    entries: dict[str, Entry] = {}
    entities: dict[str, EntityEntry] = {}
    for descriptor in descriptors:
        name, file = descriptor.id, files.get(descriptor.id, "")
        if not isinstance(descriptor, FunctionDescriptor):
            entities.setdefault(name, EntityEntry(descriptor, replace(origin, file=file)))
        elif name not in entries:
            look, made = looks.get(name), types.codec(descriptor) if types is not None else None
            earlier = before.get(name)
            if earlier is None or not earlier.is_of(descriptor, file, made, look):
                where = replace(origin, file=file) if file else origin
                earlier = entry_of(_kept(descriptor, known), where, made, look)
            entries[name] = earlier
    return Source(origin=origin, entries=entries, entities=entities, types=types)


def _kept(descriptor: FunctionDescriptor, known: Source | None) -> FunctionDescriptor:
    """The description that was there, where it says the same: what is another object is another version."""
    earlier = known.entries.get(descriptor.id) if known is not None else None
    same = earlier is not None and earlier.descriptor == descriptor
    return earlier.descriptor if earlier is not None and earlier.descriptor is not None and same else descriptor


def _with_types(source: Source, packs: Sequence[PackTypes]) -> Source:
    """A provider's functions that take protobuf do so by the types of packs."""
    if source.types is not None:
        return source
    found: dict[str, Entry] = {}
    for name, entry in source.entries.items():
        descriptor = entry.descriptor
        if descriptor is not None and (proto := messages_of(descriptor)) is not None:
            found[name] = entry_of(descriptor, entry.origin, lent(descriptor, proto, packs), entry.look)
    return replace(source, entries={**source.entries, **found}) if found else source


class Snapshot:
    """What packs and providers say, at one moment. It is never changed: whoever looks something up in it sees one state."""

    __slots__ = ("_entries", "sources")

    def __init__(self, sources: Sequence[Source] = ()) -> None:
        """Of `sources` an earlier one goes before a later one."""
        packs = [each.types for each in sources if each.types is not None and not each.types.empty]
        self.sources = tuple(_with_types(each, packs) for each in sources)
        entries: dict[str, Entry] = {}
        for source in reversed(self.sources):
            entries.update(source.entries)
        self._entries: Mapping[str, Entry] = entries

    def __len__(self) -> int:
        return len(self._entries)

    def __iter__(self) -> Iterator[Entry]:
        return iter(self._entries.values())

    @property
    def ids(self) -> KeysView[str]:
        return self._entries.keys()

    def entry(self, function_id: str) -> Entry | None:
        return self._entries.get(function_id)

    def entries(self, function_id: str) -> list[Entry]:
        """Everyone's, the one that counts first."""
        return [source.entries[function_id] for source in self.sources if function_id in source.entries]

    def entities(self) -> list[EntityEntry]:
        """Everyone's; of two of one id the first counts."""
        return [entity for source in self.sources for entity in source.entities.values()]
