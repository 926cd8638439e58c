from collections.abc import Iterator, KeysView, Mapping, Sequence
from dataclasses import dataclass

from croupier.server.catalog.entry import Entry, Origin


@dataclass(frozen=True, kw_only=True, slots=True)
class Source:
    """All that one pack or one provider describes."""

    origin: Origin
    entries: Mapping[str, Entry]
    """By function id."""


class Snapshot:
    """What packs and providers say, at one moment. It is never changed: whoever looks something up in it sees one state."""

    __slots__ = ("_entries", "sources")

    def __init__(self, sources: Sequence[Source] = ()) -> None:
        """Of `sources` an earlier one goes before a later one."""
        self.sources = tuple(sources)
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
