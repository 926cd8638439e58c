"""A gzip file, read forwards and never further than is allowed: what tarfile takes for a file."""

import time
import zlib

from croupier.packs.bounds import FREE_BYTES, RATIO, UNPACK_SECONDS, UNPACKED_BYTES
from croupier.packs.refusal import ArchiveRefused

_STEP = 65_536
_GZIP = 31
"""zlib's name for: gzip's form, its checksum and length checked."""


class Unzipped:
    """The content of `source`, a gzip file. Every method raises ArchiveRefused, and zlib.error on damaged data."""

    def __init__(self, source: bytes, *, ratio: int = RATIO) -> None:
        self._ratio = ratio
        self._source = memoryview(source)
        self._inflater = zlib.decompressobj(wbits=_GZIP)
        self._fed = 0
        self._made = 0
        self._position = 0
        self._ahead = bytearray()
        self._end = time.monotonic() + UNPACK_SECONDS
        self.last = b""
        """What the last `read` returned."""

    def tell(self) -> int:
        return self._position

    def seek(self, position: int) -> None:
        """Skip forwards."""
        if position < self._position:
            raise ArchiveRefused("the archive's sizes contradict each other: pack it anew")
        while self._position < position:
            self.read(min(position - self._position, _STEP))
            if not self.last:
                raise ArchiveRefused("the archive is cut off: send all of it")

    def read(self, count: int) -> bytes:
        self._fill(count)
        self.last = bytes(self._ahead[:count])
        del self._ahead[:count]
        self._position += len(self.last)
        return self.last

    def peek(self, count: int) -> bytes:
        """What comes next, without going there."""
        self._fill(count)
        return bytes(self._ahead[:count])

    def finish(self) -> None:
        """Nothing but zeros may follow, and then the end of the gzip file."""
        while self._ahead or not self._inflater.eof:
            if self.read(_STEP).strip(b"\0"):
                raise ArchiveRefused("something follows the end of the archive: pack it anew")
            if not self.last:
                break
        if not self._inflater.eof:
            raise ArchiveRefused("the archive is cut off: send all of it")
        if self._inflater.unused_data or self._fed < len(self._source):
            raise ArchiveRefused("something follows the end of the gzip file: pack it anew")

    def _fill(self, count: int) -> None:
        while len(self._ahead) < count and not self._inflater.eof:
            waiting = self._inflater.unconsumed_tail
            if not waiting:
                waiting = bytes(self._source[self._fed : self._fed + _STEP])
                self._fed += len(waiting)
            made = self._inflater.decompress(waiting, _STEP)
            if not made and not waiting:
                return
            self._made += len(made)
            self._check()
            self._ahead += made

    def _check(self) -> None:
        if self._made > UNPACKED_BYTES:
            raise ArchiveRefused(f"the archive unpacks to more than {UNPACKED_BYTES} bytes")
        if self._made > FREE_BYTES and self._made > self._ratio * self._fed:
            raise ArchiveRefused(f"the archive unpacks to more than {self._ratio} times its size: that is no pack")
        if time.monotonic() > self._end:
            raise ArchiveRefused(f"the archive was not unpacked within {UNPACK_SECONDS:.0f} s")
