import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from croupier.cli.sse import EventParser, MalformedStream, ServerSentEvent


def parse(*chunks: bytes, limit: int = 10_000) -> list[ServerSentEvent]:
    parser = EventParser(limit)
    return [event for chunk in chunks for event in parser.feed(chunk)]


def test_an_event_has_its_id_its_type_and_its_data():
    assert parse(b"id: 7\nevent: log\ndata: hello\n\n") == [ServerSentEvent(id="7", type="log", data="hello")]


def test_an_event_without_a_type_is_a_message():
    assert parse(b"data: x\n\n") == [ServerSentEvent(id="", type="message", data="x")]


def test_data_on_several_lines_is_joined_by_line_ends():
    assert parse(b"data: a\ndata:b\ndata:  c\ndata\n\n")[0].data == "a\nb\n c\n"


def test_an_id_lasts_until_the_next_one_but_a_type_does_not():
    first, second = parse(b"id: 1\nevent: log\ndata: a\n\ndata: b\n\n")
    assert (second.id, second.type) == ("1", "message")
    assert first.type == "log"


def test_an_id_with_a_zero_byte_is_not_taken():
    assert parse(b"id: 1\nid: 2\0\ndata: a\n\n")[0].id == "1"


def test_comments_retry_and_unknown_fields_are_no_events():
    assert parse(b": ping\n\nretry: 1000\n\nfuture: x\n\nid: 3\n\n") == []


@pytest.mark.parametrize("end", [b"\n", b"\r\n", b"\r"])
def test_every_line_end_of_the_standard_is_understood(end):
    text = b"id: 1\nevent: log\ndata: a\ndata: b\n\ndata: c\n\n".replace(b"\n", end)
    assert [event.data for event in parse(text)] == ["a\nb", "c"]


def test_a_byte_order_mark_at_the_start_is_skipped_even_in_pieces():
    assert parse(b"\xef", b"\xbb", b"\xbfdata: a\n\n")[0].data == "a"
    assert parse(b"\xef\xbb\xbfdata: a\n\n")[0].data == "a"


def test_an_event_that_was_cut_off_is_not_told():
    assert parse(b"data: a\n") == []


def test_text_that_is_not_utf8_does_not_end_the_stream():
    assert parse(b"data: \xff\n\n")[0].data == "\ufffd"


@given(cuts=st.lists(st.integers(0, 80), max_size=12), end=st.sampled_from([b"\n", b"\r\n", b"\r"]))
def test_where_the_chunks_are_cut_makes_no_difference(cuts, end):
    text = "\ufeffid: 1\nevent: log\ndata: ä\n: ping\ndata: b\n\n\nid: 2\ndata: {}\n\n".encode().replace(b"\n", end)
    borders = [0, *sorted(cuts), len(text)]
    chunks = [text[start:stop] for start, stop in itertools.pairwise(borders)]
    assert parse(*chunks) == parse(text)
    assert [event.data for event in parse(*chunks)] == ["ä\nb", "{}"]


@pytest.mark.parametrize(
    "chunk", [b"data: 0123456789\n", b"0123456789", b"data: 0\n\ndata: 1\ndata: 2\ndata: 3\ndata: 4\n"]
)
def test_an_event_beyond_the_limit_ends_the_stream(chunk):
    parser = EventParser(limit=32)
    with pytest.raises(MalformedStream, match="larger than 32 bytes"):
        for _ in range(10):
            parser.feed(chunk)


def test_events_within_the_limit_and_comments_may_go_on_for_ever():
    parser = EventParser(limit=32)
    for _ in range(100):
        assert len(parser.feed(b"id: 1\ndata: 0123456789\n\n: ping\n")) == 1
    for _ in range(100):
        assert parser.feed(b": a comment, no event\n") == []
