"""Files of rows: however they are cut on the way, the same rows come out; what is no good is named by its line."""

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from croupier.codes import Code
from croupier.domain.bulk import MOST_ROWS, ROW_BYTES
from croupier.errors import InvalidArgument
from croupier.server.bulk_file import CsvFile, JsonLines, Record
from croupier.server.bulk_rows import Format, RowReader

CELLS = st.text(alphabet=st.sampled_from("ab\"',\r\n ;é語\u2028"), max_size=8)
TABLES = st.lists(st.lists(CELLS, min_size=2, max_size=4), max_size=8)


def cut(content: bytes, places: list[int]) -> list[bytes]:
    ends = sorted({min(place, len(content)) for place in places})
    return [content[start:end] for start, end in zip([0, *ends], [*ends, len(content)], strict=True)]


def read(file: CsvFile | JsonLines, chunks: list[bytes]) -> list[Record]:
    return [record for chunk in chunks for record in file.feed(chunk)] + list(file.finish())


@given(TABLES, st.lists(st.integers(0, 200), max_size=8), st.sampled_from(["\n", "\r\n", "\r"]), st.booleans())
def test_a_csv_is_read_alike_however_it_is_cut(table, places, line_end, has_bom):
    written = io.StringIO()
    csv.writer(written, lineterminator=line_end, quoting=csv.QUOTE_ALL).writerows(table)
    content = (b"\xef\xbb\xbf" if has_bom else b"") + written.getvalue().encode()
    records = read(CsvFile(), cut(content, places))
    assert [list(record.cells) for record in records] == table
    assert records == read(CsvFile(), [content])


@given(
    st.lists(st.sampled_from(['{"a":1}', "", "  ", '{"b":"語"}']), max_size=8), st.lists(st.integers(0, 60), max_size=6)
)
def test_json_lines_are_read_alike_however_they_are_cut(lines, places):
    content = "\r\n".join(lines).encode()
    expected = [Record(number, (line,)) for number, line in enumerate(lines, start=1) if line.strip()]
    assert read(JsonLines(), cut(content, places)) == expected


@given(st.binary(max_size=200), st.lists(st.integers(0, 200), max_size=6))
def test_any_bytes_are_read_or_refused_with_a_line(content, places):
    for file in (CsvFile(), JsonLines()):
        refusal = ""
        try:
            read(file, cut(content, places))
        except InvalidArgument as error:
            refusal = error.message
        assert not refusal or refusal.startswith("line ")


def test_a_record_is_known_by_the_line_it_begins_in():
    content = b'a,b\n\n"1\n2",x\r\n3,4'
    assert read(CsvFile(), [content]) == [Record(1, ["a", "b"]), Record(3, ["1\n2", "x"]), Record(5, ["3", "4"])]


@pytest.mark.parametrize("file", [CsvFile, JsonLines])
def test_a_row_may_have_its_limit_and_not_a_byte_more(file):
    cells = b",".join([b"x" * 65_535] * 4)
    assert len(read(file(), [b"1\n", cells, b"\n"])) == 2
    with pytest.raises(InvalidArgument, match=r"line 2: a row is longer"):
        read(file(), [b"1\n", b"x" * ROW_BYTES, b"x"])


def test_a_quoted_field_over_many_lines_is_bounded_too():
    with pytest.raises(InvalidArgument, match=r"line 2: a row is longer"):
        read(CsvFile(), [b'a\n"', *[b"x" * 1000 + b"\n"] * 300])


def test_a_cell_past_what_csv_reads_is_named_and_not_taken_for_a_wrong_quote():
    with pytest.raises(InvalidArgument, match=r"line 2: a cell is longer than 131072 characters") as refused:
        read(CsvFile(), [b"a\n", b"x" * 140_000 + b"\n"])
    assert refused.value.code is Code.FILE_CELL_TOO_LONG


def test_a_hundred_thousand_rows_are_read_and_one_more_spoils_the_file():
    reader = RowReader(Format.CSV, None, lambda _: ())
    assert sum(1 for _ in reader.feed(b"player_id\n" + b"p\n" * MOST_ROWS)) == MOST_ROWS
    with pytest.raises(InvalidArgument, match=f"line {MOST_ROWS + 2}: more than {MOST_ROWS} rows"):
        list(reader.feed(b"p\n"))
