"""host:port as people and programs write it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from croupier.domain.addresses import dialable, is_loopback, join, peer_host, split
from croupier.errors import InvalidArgument

PEER = "ipv4:127.0.0.1:50000"


@pytest.mark.parametrize(
    ("address", "parts"),
    [
        ("127.0.0.1:80", ("127.0.0.1", 80)),
        (":20081", ("", 20081)),
        ("0.0.0.0:1", ("0.0.0.0", 1)),
        ("[::]:20081", ("::", 20081)),
        ("[::1]:0", ("::1", 0)),
        ("localhost:65535", ("localhost", 65535)),
    ],
)
def test_an_address_is_split_into_host_and_port(address: str, parts: tuple[str, int]) -> None:
    assert split(address) == parts


@pytest.mark.parametrize(
    "address",
    ["", "host", "host:", "host:-1", "host:65536", "::1:80", "[::1:80", "::1]:80", "host:٣", "host:8 0", "h:1:2"],
)
def test_what_is_no_address_is_refused(address: str) -> None:
    with pytest.raises(InvalidArgument, match="no address"):
        split(address)


@given(st.text(max_size=40))
def test_any_text_is_split_or_refused(text: str) -> None:
    try:
        host, port = split(text)
    except InvalidArgument:
        return
    assert 0 <= port <= 65535
    assert split(join(host, port)) == (host, port)


@pytest.mark.parametrize(
    ("peer", "host"),
    [
        ("ipv4:10.0.0.7:50000", "10.0.0.7"),
        ("ipv6:%5B::1%5D:50000", "::1"),
        ("ipv6:[fe80::1%25eth0]:50000", "fe80::1%eth0"),
        ("unix:/run/agent.sock", "127.0.0.1"),
        ("unix:", "127.0.0.1"),
    ],
)
def test_a_peers_host_is_read_from_grpcs_name_for_it(peer: str, host: str) -> None:
    assert peer_host(peer) == host


@pytest.mark.parametrize("listen", [":20081", "0.0.0.0:20081", "[::]:20081"])
def test_a_listen_string_is_dialled_at_its_sender(listen: str) -> None:
    assert dialable(listen, "ipv4:10.0.0.7:50000") == "10.0.0.7:20081"
    assert dialable(listen, "ipv6:%5B::1%5D:50000") == "[::1]:20081"


def test_a_whole_address_is_dialled_as_it_is_and_port_0_never() -> None:
    assert dialable("game.example:7000", PEER) == "game.example:7000"
    with pytest.raises(InvalidArgument, match="port 0"):
        dialable("127.0.0.1:0", PEER)


@pytest.mark.parametrize("address", ["127.0.0.1:1", "127.9.9.9:1", "[::1]:1", "localhost:1"])
def test_loopback_is_known(address: str) -> None:
    assert is_loopback(address)


@pytest.mark.parametrize(
    "address", ["0.0.0.0:1", "[::]:1", "192.0.2.1:1", "example.org:1", ":1", "localhost.example.org:1", "2130706433:1"]
)
def test_what_is_not_certainly_loopback_is_not(address: str) -> None:
    assert not is_loopback(address)
