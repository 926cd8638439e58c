from collections.abc import Iterator, Mapping
from functools import cached_property


class LateMetadata(Mapping[str, str]):
    """A frame's metadata, read when somebody first asks for it: few handlers do, and reading it is a tenth of what a call costs."""

    def __init__(self, entries: Mapping[str, str]) -> None:
        self._entries = entries

    @cached_property
    def _read(self) -> dict[str, str]:
        # Not the entries themselves, which protobuf adds to when an absent key is asked for.
        return dict(self._entries)

    def __getitem__(self, key: str) -> str:
        return self._read[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self._read)

    def __len__(self) -> int:
        return len(self._read)

    def __repr__(self) -> str:
        return repr(self._read)
