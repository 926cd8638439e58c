"""PORT: large things under names, written once and read rarely.

One promise, several implementations (`disk.py`). `tests/contracts/test_objects.py` runs over every one.

- A name is `folder/…/file`: at most 8 parts of letters, digits, `.`, `_` and `-`, 1 to 200 characters each, none beginning
  with a dot. Anything else is `InvalidArgument`.
- `put` is all or nothing: when it returns the object survives a kill of the machine; killed or cancelled before, the name
  has what it had before. Putting twice leaves the last.
- Contents are streamed: no object has to fit into memory.
- When the disk refuses, `Unavailable` is raised.
"""

from collections.abc import AsyncIterator
from typing import Protocol


class Objects(Protocol):
    async def put(self, name: str, content: AsyncIterator[bytes]) -> None:
        """Keep `content` under `name`, instead of what was there."""

    def get(self, name: str) -> AsyncIterator[bytes]:
        """The content, chunk by chunk. Raises NotFound at the first step."""

    async def names(self, folder: str) -> list[str]:
        """The names of what lies right in `folder` (`packs`), sorted; also of what a kill left of it unfinished."""

    async def delete(self, name: str) -> None:
        """Afterwards there is no such object; it is no fault if there was none."""
