import pytest

from croupier.domain.trace import begin_trace, read_traceparent, trace_id_of, trace_in, trace_of, tracestate_of

ID = "0af7651916cd43dd8448eb211c80319c"
PARENT = f"00-{ID}-b7ad6b7169203331-01"
OTHER = f"00-{'1' * 32}-b7ad6b7169203331-01"


@pytest.mark.parametrize(
    "header",
    [
        None,
        b"",
        b"junk",
        b"\xff" * 55,
        b"00-" + b"0" * 32 + b"-b7ad6b7169203331-01",
        b"00-0af7651916cd43dd8448eb211c80319c-" + b"0" * 16 + b"-01",
        b"ff-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
        b"00-0AF7651916CD43DD8448EB211C80319C-b7ad6b7169203331-01",
        b"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-more",
        b"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01\n",
    ],
)
def test_a_trace_that_is_missing_or_malformed_is_begun_anew(header):
    made = trace_of(header)
    assert made.trace_id != ID
    assert not made.continued
    read = read_traceparent(made.traceparent)
    assert read is not None
    assert read.trace_id == made.trace_id == trace_id_of(made.traceparent)


def test_a_trace_of_a_later_version_is_read_as_far_as_it_is_known():
    trace = trace_of(f"01-{ID}-b7ad6b7169203331-01-what-comes".encode())
    assert trace.traceparent == f"01-{ID}-b7ad6b7169203331-01"
    assert trace.continued


def test_a_calls_trace_is_that_of_its_metadata_then_that_of_the_header():
    assert trace_in({"traceparent": PARENT}, OTHER).traceparent == PARENT
    assert trace_in({"traceparent": "junk"}, OTHER).traceparent == OTHER
    assert trace_in({"trace_id": "2" * 32}, OTHER).traceparent == OTHER


@pytest.mark.parametrize("name", [ID, ID.upper(), "0af76519-16cd-43dd-8448-eb211c80319c"])
def test_a_trace_id_alone_names_the_trace_that_begins(name):
    trace = trace_in({"trace_id": name})
    assert (trace.trace_id, trace.continued) == (ID, False)
    assert read_traceparent(trace.traceparent) is not None


@pytest.mark.parametrize("name", ["t", "0" * 32, "x" * 32, "1" * 33, "ß" * 32])
def test_a_trace_id_of_another_form_names_no_trace(name):
    trace = begin_trace(name)
    assert read_traceparent(trace.traceparent) is not None
    assert trace.trace_id != name


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("congo=t61rcWkgMzE,rojo=00f067aa0ba902b7", "congo=t61rcWkgMzE,rojo=00f067aa0ba902b7"),
        ("x" * 512, "x" * 512),
        ("x" * 513, ""),
        ("a=b\r\nx-evil: 1", ""),
        ("ß=1", ""),
        ("", ""),
    ],
)
def test_a_tracestate_travels_only_if_it_is_short_printable_ascii(text, kept):
    assert tracestate_of(text) == kept
