import ipaddress
import socket

import pytest
from hypothesis import given
from hypothesis import strategies as st

from croupier.outbound import AddressPolicy, AddressRefused

PUBLIC = ["93.184.216.34", "1.1.1.1", "2606:4700:4700::1111", "::ffff:1.1.1.1", "64:ff9b::101:101"]
LOOPBACK = ["127.0.0.1", "127.8.8.8", "::1", "::ffff:127.0.0.1", "64:ff9b::7f00:1", "::127.0.0.1", "2002:7f00:1::"]
PRIVATE = [
    "10.0.0.1",
    "172.16.5.5",
    "192.168.1.1",
    "100.64.0.1",
    "fd12::1",
    "::ffff:10.0.0.1",
    "2002:a00:1::1",
    "fec0::1",
]
NEVER = [
    "169.254.169.254",
    "169.254.1.1",
    "fe80::1",
    "fd00:ec2::254",
    "100.100.100.200",
    "168.63.129.16",
    "192.0.0.192",
    "::ffff:169.254.169.254",
    "64:ff9b::a9fe:a9fe",
    "2002:a9fe:a9fe::",
    "::169.254.169.254",
    "0.0.0.0",
    "::",
    "::ffff:0.0.0.0",
    "224.0.0.1",
    "ff02::1",
    "255.255.255.255",
    "240.0.0.1",
]
STRICT = AddressPolicy()
PRIVATE_TOO = AddressPolicy(private=True)
LOOPBACK_TOO = AddressPolicy(loopback=True)
LOOSE = AddressPolicy(private=True, loopback=True)


def may(policy: AddressPolicy, text: str) -> bool:
    return not policy.refusal(ipaddress.ip_address(text))


@pytest.mark.parametrize("address", PUBLIC)
def test_a_public_address_may_be_called(address):
    assert all(may(policy, address) for policy in (STRICT, PRIVATE_TOO, LOOPBACK_TOO, LOOSE))


@pytest.mark.parametrize("address", LOOPBACK)
def test_this_machine_may_be_called_only_where_it_is_said_however_it_is_wrapped(address):
    assert [may(policy, address) for policy in (STRICT, PRIVATE_TOO, LOOSE)] == [False, False, True]


@pytest.mark.parametrize("address", PRIVATE)
def test_a_private_network_may_be_called_only_where_it_is_said_however_it_is_wrapped(address):
    assert [may(policy, address) for policy in (STRICT, LOOPBACK_TOO, LOOSE)] == [False, False, True]


@pytest.mark.parametrize("address", NEVER)
def test_link_local_metadata_and_nobodys_addresses_are_never_called(address):
    assert not any(may(policy, address) for policy in (STRICT, PRIVATE_TOO, LOOPBACK_TOO, LOOSE))


@pytest.mark.parametrize(
    ("family", "place"),
    [
        (socket.AF_INET, ("10.0.0.1", 80)),
        (socket.AF_INET6, ("fe80::1%2", 80, 0, 2)),
        (socket.AF_INET6, ("::1", 80, 0, 0)),
    ],
)
def test_no_socket_is_made_for_an_address_that_may_not_be_called(family, place):
    with pytest.raises(AddressRefused, match="may not be called"):
        STRICT.make_socket((family, socket.SOCK_STREAM, socket.IPPROTO_TCP, "", place))


@given(st.ip_addresses(v=4))
def test_an_ipv4_address_is_what_it_is_however_it_is_wrapped(address):
    number = int(address)
    wrappings = ["::ffff:0:0", "64:ff9b::"]
    for policy in (STRICT, PRIVATE_TOO, LOOPBACK_TOO, LOOSE):
        plain = policy.refusal(address)
        for prefix in wrappings:
            assert policy.refusal(ipaddress.IPv6Address(int(ipaddress.IPv6Address(prefix)) | number)) == plain
        if plain:
            assert policy.refusal(ipaddress.IPv6Address((0x2002 << 112) | (number << 80)))


@given(st.ip_addresses())
def test_no_policy_lets_more_through_than_the_sum_of_what_it_allows(address):
    if not STRICT.refusal(address):
        assert address.is_global or address.version == 6
        kinds = (address.is_loopback, address.is_link_local, address.is_multicast, address.is_unspecified)
        assert not any(kinds)
        assert not any(policy.refusal(address) for policy in (PRIVATE_TOO, LOOPBACK_TOO, LOOSE))
