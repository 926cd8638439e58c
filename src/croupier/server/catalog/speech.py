import logging
from collections.abc import Collection, Iterator, Mapping
from typing import Any

import orjson

from croupier.descriptors import Fault, FaultyDescriptor, FunctionDescriptor, Manifest, read_manifest
from croupier.descriptors.reading import describe, rules_of
from croupier.server.catalog.entry import EntityEntry, Entry, Origin, entry_of

log = logging.getLogger(__name__)

AT_ONCE_BYTES = 32_768
"""A manifest up to this size is read when it comes, in some milliseconds."""
LOGGED_FAULTS = 5


class Speech:
    """A game server's manifest, as any number of agents brought it.

    Of a large one each description is read when it is first asked for, until `take` brings the rest: no call goes unchecked
    meanwhile, and none waits for it.
    """

    __slots__ = ("__weakref__", "_entries", "_unread", "entities", "faults", "is_read", "origin", "size")

    def __init__(self, raw: bytes, origin: Origin) -> None:
        self.origin = origin
        self.size = len(raw)
        """Bytes of the manifest."""
        self.is_read = False
        """All of it, by `take`."""
        self.entities: tuple[EntityEntry, ...] = ()
        self.faults: tuple[Fault, ...] = ()
        self._entries: dict[str, Entry] = {}
        self._unread: Mapping[str, Any] = {}
        if len(raw) <= AT_ONCE_BYTES:
            self.take(read(raw, origin))
        else:
            self._unread = _functions_in(raw)

    def __iter__(self) -> Iterator[str]:
        """The ids of its functions."""
        yield from self._entries
        yield from (function_id for function_id in self._unread if function_id not in self._entries)

    def entry(self, function_id: str) -> Entry | None:
        """None where there is no description that could be read."""
        known = self._entries.get(function_id)
        if known is None and function_id in self._unread:
            written = self._unread[function_id]
            descriptor = describe(written, self.origin.name, kind="function")[0] or rules_of(written)
            if isinstance(descriptor, FunctionDescriptor):
                known = self._entries[function_id] = entry_of(descriptor, self.origin)
        return known

    def entries(self) -> Collection[Entry]:
        """Those that have been read."""
        return self._entries.values()

    def take(self, manifest: Manifest | FaultyDescriptor) -> None:
        """All that was said; entries that calls hold already stay."""
        self._unread = {}
        self.is_read = True
        if isinstance(manifest, FaultyDescriptor):
            self.faults = manifest.faults
        else:
            self.faults = manifest.faults
            self.entities = tuple(EntityEntry(entity, self.origin) for entity in manifest.entities)
            for descriptor in (*manifest.functions, *manifest.rules):
                if descriptor.id not in self._entries:
                    self._entries[descriptor.id] = entry_of(descriptor, self.origin)
        for fault in self.faults[:LOGGED_FAULTS]:
            log.warning("what a game server says is left out (1 of %d faults): %s", len(self.faults), fault)


def read(raw: bytes, origin: Origin) -> Manifest | FaultyDescriptor:
    """Takes long for a large one."""
    try:
        return read_manifest(raw, f"manifest of {origin.name}")
    except FaultyDescriptor as error:
        return error


def _functions_in(raw: bytes) -> Mapping[str, Any]:
    """The functions that are listed, by id, unread; nothing where it makes no sense: whoever reads it all tells why."""
    try:
        value = orjson.loads(raw)
    except orjson.JSONDecodeError:
        return {}
    listed = value.get("functions") if isinstance(value, dict) else value
    if isinstance(listed, dict):
        listed = [{"id": name, **each} for name, each in listed.items() if isinstance(each, dict)]
    if not isinstance(listed, list):
        return {}
    found: dict[str, Any] = {}
    for each in listed:
        if isinstance(each, dict) and isinstance(each.get("id"), str):
            found.setdefault(each["id"], each)
    return found
