import pytest

from croupier.agent.registrar import dial_address
from croupier.domain.addresses import is_loopback, peer_host
from croupier.errors import FailedPrecondition, InvalidArgument

FOUR = "ipv4:127.0.0.1:50000"
SIX = "ipv6:%5B::1%5D:50000"


@pytest.mark.parametrize(
    ("rpc_addr", "peer", "dialled"),
    [
        (":20081", FOUR, "127.0.0.1:20081"),
        ("0.0.0.0:20081", FOUR, "127.0.0.1:20081"),
        ("[::]:20081", FOUR, "127.0.0.1:20081"),
        (":20081", SIX, "[::1]:20081"),
        ("[::]:20081", "ipv6:[::1]:50000", "[::1]:20081"),
        (":20081", "unix:", "127.0.0.1:20081"),
        (":20081", "unix:/run/x.sock", "127.0.0.1:20081"),
        ("127.0.0.1:1", SIX, "127.0.0.1:1"),
        ("localhost:65535", SIX, "localhost:65535"),
        ("[::1]:9", FOUR, "[::1]:9"),
        ("127.8.9.1:9", FOUR, "127.8.9.1:9"),
    ],
)
def test_a_listen_string_takes_its_host_from_the_peer_and_an_address_keeps_its_own(rpc_addr, peer, dialled):
    assert dial_address(rpc_addr, peer) == dialled


@pytest.mark.parametrize(
    "rpc_addr",
    [
        "",
        ":",
        ":0",
        ":65536",
        "127.0.0.1",
        "unix:/run/x.sock",
        "dns:///host:1",
        "http://127.0.0.1:1",
        "::1:80",
    ],
)
def test_what_is_no_address_is_refused(rpc_addr):
    with pytest.raises(InvalidArgument, match=r"no address|has port 0"):
        dial_address(rpc_addr, FOUR)


@pytest.mark.parametrize(
    "rpc_addr", ["10.0.0.5:20081", "a b:1", "game.example:20081", "[fe80::1]:20081", "169.254.169.254:80"]
)
def test_an_address_of_another_machine_is_refused_with_the_reason_and_the_remedy(rpc_addr):
    with pytest.raises(FailedPrecondition, match=r"plain text.*127\.0\.0\.1"):
        dial_address(rpc_addr, FOUR)


def test_the_host_of_a_peer_is_read_from_every_spelling():
    assert peer_host("ipv4:127.0.0.1:1234") == "127.0.0.1"
    assert peer_host("ipv6:%5B::1%5D:1234") == "::1"
    assert peer_host("ipv6:[::1]:1234") == "::1"
    assert peer_host("unix:") == "127.0.0.1"


def test_loopback_is_told_from_the_rest():
    assert all(map(is_loopback, ("localhost:1", "127.0.0.1:1", "127.1.2.3:1", "[::1]:1")))
    assert not any(map(is_loopback, ("0.0.0.0:1", "10.0.0.1:1", "example.com:1", ":1", "localhost.example.com:1")))
