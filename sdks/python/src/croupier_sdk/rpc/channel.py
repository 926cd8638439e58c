import ipaddress
import os
from dataclasses import dataclass
from pathlib import Path

import grpc
import grpc.aio

from croupier_sdk.limits import MESSAGE_BYTES

_SIZES: list[tuple[str, int]] = [
    ("grpc.max_send_message_length", MESSAGE_BYTES),
    ("grpc.max_receive_message_length", MESSAGE_BYTES),
]
_CLIENT_OPTIONS: list[tuple[str, int]] = [
    *_SIZES,
    ("grpc.keepalive_time_ms", 30_000),
    ("grpc.keepalive_timeout_ms", 10_000),
    # A ping has a time limit of its own, a minute; an agent that hangs but whose kernel acknowledges is noticed by it alone.
    ("grpc.http2.ping_timeout_ms", 10_000),
    ("grpc.keepalive_permit_without_calls", 0),
    ("grpc.http2.max_pings_without_data", 0),
    ("grpc.initial_reconnect_backoff_ms", 100),
    ("grpc.max_reconnect_backoff_ms", 5_000),
    # Despite its name the time that making a connection may take: several round trips, to a peer that may be busy.
    ("grpc.min_reconnect_backoff_ms", 10_000),
    ("grpc.enable_retries", 0),
    # Channels to one address must not share a connection: a new try is to be a new connection.
    ("grpc.use_local_subchannel_pool", 1),
    ("grpc.enable_http_proxy", 0),
]
_SERVER_OPTIONS: list[tuple[str, int]] = [
    *_SIZES,
    ("grpc.so_reuseport", 0),
    ("grpc.http2.min_ping_interval_without_data_ms", 5_000),
    ("grpc.keepalive_time_ms", 30_000),
    ("grpc.keepalive_timeout_ms", 10_000),
]


@dataclass(frozen=True, kw_only=True, slots=True)
class Tls:
    """PEM files for mTLS. They are read for each connection, so a renewed certificate is used without a restart."""

    ca_file: str | Path
    cert_file: str | Path = ""
    key_file: str | Path = ""
    server_name: str = ""
    """The name in the peer's certificate, where it is not the one that Croupier's own authority gives: for an agent
    `agent.HOST.croupier`, which no game server's or other machine's has; for a server or edge the host dialled.
    """

    def __post_init__(self) -> None:
        if bool(self.cert_file) != bool(self.key_file):
            raise ValueError("Tls: cert_file and key_file go together")

    @classmethod
    def from_environment(cls) -> "Tls | None":
        """Of the files that CROUPIER_CA, CROUPIER_CERT and CROUPIER_KEY name; None where CROUPIER_CERT is not set."""
        ca, cert, key = (os.environ.get(f"CROUPIER_{name}", "") for name in ("CA", "CERT", "KEY"))
        if not cert:
            return None
        if not ca or not key:
            raise ValueError("CROUPIER_CERT needs CROUPIER_CA and CROUPIER_KEY beside it")
        return cls(ca_file=ca, cert_file=cert, key_file=key)

    def channel_credentials(self) -> grpc.ChannelCredentials:
        return grpc.ssl_channel_credentials(
            root_certificates=Path(self.ca_file).read_bytes(),
            private_key=Path(self.key_file).read_bytes() if self.key_file else None,
            certificate_chain=Path(self.cert_file).read_bytes() if self.cert_file else None,
        )

    def server_credentials(self) -> grpc.ServerCredentials:
        """Raises ValueError without a certificate: a listener needs one."""
        if not self.cert_file:
            raise ValueError("Tls: a listener needs cert_file and key_file")
        pair = (Path(self.key_file).read_bytes(), Path(self.cert_file).read_bytes())
        return grpc.ssl_server_credentials(
            [pair], root_certificates=Path(self.ca_file).read_bytes(), require_client_auth=True
        )


def is_loopback(address: str) -> bool:
    """Whether `host:port` names this machine only. A name other than localhost could be anywhere."""
    if address.startswith("unix:"):
        return True
    host = address.rpartition(":")[0].strip("[]")
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def check_secure(address: str, tls: Tls | None, what: str) -> None:
    """Raises ValueError for an address beyond this machine without TLS, or one that is no address."""
    if not address.startswith("unix:") and not address.rpartition(":")[2].isdecimal():
        raise ValueError(f"{what}: {address!r} is not host:port")
    if tls is None and not is_loopback(address):
        raise ValueError(
            f"{what}: {address} is not on this machine and the connection would be neither encrypted nor authenticated;"
            " pass tls=Tls(ca_file=…, cert_file=…, key_file=…), or use 127.0.0.1"
        )


def dial(address: str, tls: Tls | None, role: str = "") -> grpc.aio.Channel:
    """A channel of its own; it connects with the first call. With `role` (`agent`) the peer's certificate must be of one.

    Raises OSError if a file of `tls` cannot be read.
    """
    if tls is None:
        return grpc.aio.insecure_channel(address, _CLIENT_OPTIONS)
    options: list[tuple[str, str | int]] = [*_CLIENT_OPTIONS]
    name = tls.server_name or (_name_of(role, address) if role else "")
    if name:
        options.append(("grpc.ssl_target_name_override", name))
    return grpc.aio.secure_channel(address, tls.channel_credentials(), options)


def _name_of(role: str, address: str) -> str:
    """What Croupier's authority writes into the certificate of a `role` at that address."""
    host = address.rpartition(":")[0].strip("[]").rstrip(".").lower()
    return f"{role}.{host.replace(':', '-')}.croupier"


def bind(handlers: list[grpc.GenericRpcHandler], address: str, tls: Tls | None) -> tuple[grpc.aio.Server, int]:
    """A server that is not started yet, and its port. Raises OSError, naming the address, where it cannot be had."""
    server = grpc.aio.server(handlers=handlers, options=_SERVER_OPTIONS)
    try:
        if tls is None:
            return server, server.add_insecure_port(address)
        return server, server.add_secure_port(address, tls.server_credentials())
    except RuntimeError as error:
        raise OSError(f"cannot listen on {address}: is the port taken?") from error
