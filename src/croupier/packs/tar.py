"""Archives, which strangers make: read whole or refused whole, in bounded memory and time.

    bytes ─► Unzipped (size, ratio, time, checksum, no tail) ─► tarfile (headers) ─► names (no way out, no clashes) ─► files

tarfile is lenient where it meets damage, and follows whatever a header says; what it must not follow is refused before it
looks (`_Entry`), and that it came to the true end is checked after it (`_read_all`). Nothing is written to a disk here.
"""

import gzip
import io
import re
import tarfile
import zlib
from collections.abc import Mapping
from typing import Any, ClassVar, cast

from croupier.errors import PayloadTooLarge
from croupier.packs.bounds import ARCHIVE_BYTES, FILE_BYTES, MOST_ENTRIES, UNPACKED_BYTES
from croupier.packs.names import Names, canonical, is_hidden
from croupier.packs.refusal import ArchiveRefused
from croupier.packs.unzipping import Unzipped

_HEADER_BYTES = 16_384
"""What a header that belongs to another (a long name, PAX) may hold."""
_MOST_HEADERS = 3
"""So many of those before one entry."""
_MOST_GLOBAL = 8
_NUMBER = re.compile(rb"[0-9]{20}")

_FILES = frozenset({tarfile.REGTYPE, tarfile.AREGTYPE})
_EXTENSIONS = frozenset({tarfile.XHDTYPE, tarfile.XGLTYPE, tarfile.GNUTYPE_LONGNAME})
_KINDS: Mapping[bytes, str] = {
    tarfile.LNKTYPE: "a hard link",
    tarfile.SYMTYPE: "a symbolic link",
    tarfile.GNUTYPE_LONGLINK: "a link",
    tarfile.CHRTYPE: "a device",
    tarfile.BLKTYPE: "a device",
    tarfile.FIFOTYPE: "a named pipe",
    tarfile.GNUTYPE_SPARSE: "a sparse file",
}


def read_archive(archive: bytes) -> dict[str, bytes]:
    """The files of a `.tgz` by their canonical names, sorted. What is hidden (`.git`, `._x`) is left out.

    Raises ArchiveRefused, or PayloadTooLarge; takes seconds at worst and belongs on a thread.
    """
    if len(archive) > ARCHIVE_BYTES:
        raise PayloadTooLarge(f"an archive has at most {ARCHIVE_BYTES} bytes")
    if not archive.startswith(b"\x1f\x8b"):
        raise ArchiveRefused("this is no .tgz: send a tar archive compressed by gzip")
    return _read(Unzipped(archive))


def read_own_archive(archive: bytes) -> dict[str, bytes]:
    """As `read_archive`, for what `write_archive` made of files that were read before: it may compress better or worse."""
    return _read(Unzipped(archive, ratio=UNPACKED_BYTES))


def write_archive(files: Mapping[str, bytes]) -> bytes:
    """A `.tgz` of these files: the same bytes for the same files."""
    packed = io.BytesIO()
    # GzipFile writes a header of its own, without a time or a system in it; gzip.compress leaves that to the library.
    with gzip.GzipFile(filename="", fileobj=packed, mode="wb", compresslevel=9, mtime=0) as zipped:
        unpacked = tarfile.TarFile(fileobj=zipped, mode="w", format=tarfile.PAX_FORMAT)
        for name in sorted(files):
            entry = tarfile.TarInfo(name)
            entry.size = len(files[name])
            unpacked.addfile(entry, io.BytesIO(files[name]))
        unpacked.close()
    return packed.getvalue()


def _read(stream: Unzipped) -> dict[str, bytes]:
    try:
        return dict(sorted(_read_all(stream).items()))
    except (tarfile.TarError, zlib.error, ArithmeticError, LookupError, ValueError) as error:
        raise ArchiveRefused(f"the archive is damaged ({error}): pack it anew") from error


def _read_all(stream: Unzipped) -> dict[str, bytes]:
    # It needs no more of a file than to be read forwards, whatever its types ask for.
    tar = _Tar(fileobj=cast("Any", stream), mode="r", encoding="utf-8", errors="surrogateescape")
    names, files = Names(), {}
    count, room = 0, UNPACKED_BYTES
    while (entry := tar.next()) is not None:
        tar.members.clear()  # it would keep them all
        count += 1
        if count > MOST_ENTRIES:
            raise ArchiveRefused(f"the archive has more than {MOST_ENTRIES} entries")
        name = canonical(entry.name)
        if entry.isdir():
            if name:
                names.add(name, folder=True)
            continue
        _check_file(entry, name)
        names.add_file(name)
        room -= entry.size
        if room < 0:
            raise ArchiveRefused(f"the archive unpacks to more than {UNPACKED_BYTES} bytes")
        content = _content(tar, entry)
        if not is_hidden(name):
            files[name] = content
    if len(stream.last) != tarfile.BLOCKSIZE or stream.last.strip(b"\0"):
        # tarfile takes a damaged header for the end.
        raise ArchiveRefused("the archive is damaged or cut off: pack it anew")
    stream.finish()
    return files


def _check_file(entry: tarfile.TarInfo, name: str) -> None:
    if entry.type not in _FILES or entry.sparse is not None:
        raise _refused_kind(entry)
    if not name:
        raise ArchiveRefused("the archive has a file without a name")
    if not 0 <= entry.size <= FILE_BYTES:
        raise ArchiveRefused(f"{name!a} is larger than {FILE_BYTES} bytes")


def _content(tar: tarfile.TarFile, entry: tarfile.TarInfo) -> bytes:
    file = tar.extractfile(entry)
    content = file.read() if file is not None else b""
    if len(content) != entry.size:
        raise ArchiveRefused("the archive is cut off: send all of it")
    return content


def _refused_kind(entry: tarfile.TarInfo) -> ArchiveRefused:
    kind = _KINDS.get(entry.type, "neither a file nor a folder")
    return ArchiveRefused(f"{entry.name[:100]!a} is {kind}: a pack holds files and folders only")


class _Entry(tarfile.TarInfo):
    """A header; what tarfile must not even look into is refused."""

    def _proc_member(self, tar: "_Tar") -> tarfile.TarInfo:
        """The place that tarfile names for subclasses: called for each header, before anything is read for it."""
        if self.type in _EXTENSIONS:
            tar.count_extension(self)
            if not 0 <= self.size <= _HEADER_BYTES:
                raise ArchiveRefused(f"a header of the archive is larger than {_HEADER_BYTES} bytes")
            # Older versions of tarfile take quadratic time over a long number.
            if _NUMBER.search(tar.stream.peek(self.size)):
                raise ArchiveRefused("a header of the archive holds a number that is too long")
        elif self.type in _FILES or self.type == tarfile.DIRTYPE:
            tar.extensions = 0
        else:
            raise _refused_kind(self)
        entry: tarfile.TarInfo = super()._proc_member(tar)  # type: ignore[misc]  # not in its published types
        return entry

    def _refuse_sparse(self, *_: Any) -> None:
        raise ArchiveRefused(f"{self.name[:100]!a} is a sparse file: pack it anew without --sparse")

    _proc_gnusparse_00 = _proc_gnusparse_01 = _proc_gnusparse_10 = _refuse_sparse


class _Tar(tarfile.TarFile):
    tarinfo: ClassVar[type[tarfile.TarInfo]] = _Entry  # type: ignore[misc]  # one for the class is what is meant
    extensions = 0
    """Headers in a row that belong to the entry after them: tarfile goes one call deeper for each."""
    members: list[tarfile.TarInfo]
    globals = 0

    @property
    def stream(self) -> Unzipped:
        stream: Unzipped = self.fileobj  # type: ignore[assignment]  # it was made of one
        return stream

    def count_extension(self, header: tarfile.TarInfo) -> None:
        self.extensions += 1
        self.globals += header.type == tarfile.XGLTYPE
        if self.extensions > _MOST_HEADERS or self.globals > _MOST_GLOBAL:
            raise ArchiveRefused("the archive has too many headers for one entry: pack it anew")
