import pytest

from croupier_sdk.tunnel.metadata import LateMetadata
from croupier_wire.tunnel.v1.tunnel_pb2 import InvokeFrame


def test_metadata_reads_like_the_dictionary_it_is():
    late = LateMetadata(InvokeFrame(metadata={"a": "1", "b": "2"}).metadata)
    assert dict(late) == late == {"a": "1", "b": "2"}
    assert (len(late), late["a"], late.get("c"), "c" in late) == (2, "1", None, False)
    assert eval(repr(late)) == late


def test_asking_for_what_is_not_there_changes_nothing():
    late = LateMetadata(InvokeFrame(metadata={"a": "1"}).metadata)
    with pytest.raises(KeyError):
        late["b"]
    assert late == {"a": "1"}
