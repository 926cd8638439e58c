"""A file of rows as it arrives, in pieces of any size: bytes in, records out. No I/O.

What spoils the file as a whole (an encoding, a quote that never closes, a row or a file that is too long) is InvalidArgument
and names the line.
"""

import csv
import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from croupier.codes import Code
from croupier.domain.bulk import ROW_BYTES
from croupier.errors import InvalidArgument

_BOM = b"\xef\xbb\xbf"
_FOREIGN_BOMS = (b"\xff\xfe", b"\xfe\xff")
_ANY_LINE = re.compile(rb"[^\r\n]*(?:\r\n|\n|\r)")
_LF_LINE = re.compile(rb"[^\n]*\n")


class Lines:
    """Splits bytes into lines, their ends kept, and knows their numbers."""

    def __init__(self, line: re.Pattern[bytes]) -> None:
        self._line = line
        self._rest = bytearray()
        self._begun = False
        self.number = 0
        """Of the last line that was given."""

    def feed(self, chunk: bytes) -> Iterator[str]:
        """The lines that `chunk` completes."""
        self._rest += chunk
        if not self._begun:
            if len(self._rest) < len(_BOM):
                return
            self._begin()
            chunk = bytes(self._rest)
        # A sender of single bytes must not have all that waits searched each time.
        if b"\n" in chunk or b"\r" in chunk:
            for found in self._line.finditer(self._take_lines()):
                yield self._text(found[0])
        if len(self._rest) > ROW_BYTES:
            raise too_long(self.number + 1)

    def finish(self) -> Iterator[str]:
        """The last line, if no line end follows it."""
        if not self._begun:
            self._begin()
        if self._rest:
            yield self._text(bytes(self._rest))
            self._rest.clear()

    def _take_lines(self) -> bytes:
        """All up to the last line end. Only lines that end are searched: the pattern would look at others again and again."""
        end = self._rest.rfind(b"\n") + 1
        if self._line is _ANY_LINE:  # a CR at the very end may be the first half of a line end
            end = max(end, self._rest.rfind(b"\r", 0, -1) + 1)
        whole = bytes(self._rest[:end])
        del self._rest[:end]
        return whole

    def _begin(self) -> None:
        self._begun = True
        if self._rest.startswith(_FOREIGN_BOMS):
            raise InvalidArgument(
                "line 1: the file is UTF-16: save it as UTF-8",
                {"line": "1"},
                code=Code.FILE_NOT_UTF8,
            )
        if self._rest.startswith(_BOM):
            del self._rest[: len(_BOM)]

    def _text(self, line: bytes) -> str:
        self.number += 1
        if len(line) > ROW_BYTES:
            raise too_long(self.number)
        if b"\0" in line:
            raise InvalidArgument(
                f"line {self.number}: a NUL byte; text files hold none: save the file as UTF-8 text",
                {"line": str(self.number)},
                code=Code.FILE_NOT_UTF8,
            )
        try:
            return line.decode()
        except UnicodeDecodeError:
            raise InvalidArgument(
                f"line {self.number}: not UTF-8: save the file as UTF-8",
                {"line": str(self.number)},
                code=Code.FILE_NOT_UTF8,
            ) from None


def too_long(line: int) -> InvalidArgument:
    return InvalidArgument(
        f"line {line}: a row is longer than {ROW_BYTES} bytes",
        {"line": str(line), "most": str(ROW_BYTES)},
        code=Code.FILE_ROW_TOO_LONG,
    )


class Record(NamedTuple):
    line: int
    """Where it begins, from 1."""
    cells: Sequence[str]
    """Of CSV; of JSON lines the one text."""


class CsvFile:
    """RFC 4180: quotes, doubled quotes, line ends within quotes; a line ends in LF, CRLF or CR. Blank lines are passed over."""

    def __init__(self) -> None:
        self._lines = Lines(_ANY_LINE)
        self._open: list[str] = []
        """Lines of the record that is not complete: so far its quotes are odd in number."""
        self._open_characters = 0
        self._is_odd = False

    def feed(self, chunk: bytes) -> Iterator[Record]:
        for line in self._lines.feed(chunk):
            yield from self._add(line)

    def finish(self) -> Iterator[Record]:
        for line in self._lines.finish():
            yield from self._add(line)
        if self._open:
            raise InvalidArgument(
                f"line {self._first()}: a quoted field begins in this row and never ends",
                {"line": str(self._first())},
                code=Code.FILE_QUOTE_OPEN,
            )

    def _add(self, line: str) -> Iterator[Record]:
        self._open.append(line)
        self._open_characters += len(line)
        if self._open_characters > ROW_BYTES:
            raise too_long(self._first())
        self._is_odd ^= line.count('"') % 2 == 1
        if not self._is_odd:
            cells = self._cells()
            if cells:
                yield Record(self._first(), cells)
            self._open.clear()
            self._open_characters = 0

    def _cells(self) -> list[str]:
        try:
            found = list(csv.reader(self._open, strict=True))
        except csv.Error as error:
            if "field larger than field limit" in str(error):  # the one error of the module that is about no quote
                raise InvalidArgument(
                    f"line {self._first()}: a cell is longer than {csv.field_size_limit()} characters",
                    {"line": str(self._first()), "most": str(csv.field_size_limit())},
                    code=Code.FILE_CELL_TOO_LONG,
                ) from None
            raise InvalidArgument(
                f"line {self._first()}: not CSV: {error}",
                {"line": str(self._first())},
                code=Code.FILE_QUOTE_WRONG,
            ) from None
        if len(found) != 1:
            raise InvalidArgument(
                f"line {self._first()}: a quote inside of a field that is not quoted: "
                'quote the field and double the quotes in it, as in "a ""b"" c"',
                {"line": str(self._first())},
                code=Code.FILE_QUOTE_WRONG,
            )
        return found[0]

    def _first(self) -> int:
        return self._lines.number - len(self._open) + 1


class JsonLines:
    """One JSON text a line; blank lines are passed over."""

    def __init__(self) -> None:
        self._lines = Lines(_LF_LINE)

    def feed(self, chunk: bytes) -> Iterator[Record]:
        return self._records(self._lines.feed(chunk))

    def finish(self) -> Iterator[Record]:
        return self._records(self._lines.finish())

    def _records(self, lines: Iterator[str]) -> Iterator[Record]:
        for line in lines:
            if text := line.strip():
                yield Record(self._lines.number, (text,))
