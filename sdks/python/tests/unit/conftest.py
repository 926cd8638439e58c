import pytest
from pytest_socket import disable_socket, enable_socket


@pytest.fixture(autouse=True)
def no_sockets():
    """A unit test that opens a socket is not one. The event loop's own pair is made on a Unix socket."""
    disable_socket(allow_unix_socket=True)
    yield
    enable_socket()
