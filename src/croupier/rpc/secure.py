"""Channels and ports with mTLS, from the files of a machine; both take a renewed certificate for the next connection."""

import logging
from collections.abc import Sequence

import grpc
import grpc.aio

from croupier.domain.addresses import is_loopback, split
from croupier.domain.machine import MachineIdentity
from croupier.errors import FailedPrecondition
from croupier.pki.identity import Identity, MachineFiles
from croupier.pki.names import expected_name, own_name

log = logging.getLogger(__name__)

Options = Sequence[tuple[str, int]]


def check_plain(address: str, what: str) -> None:
    """Raises FailedPrecondition for an address beyond this machine: there, nothing may be plain text."""
    if not is_loopback(address):
        raise FailedPrecondition(
            f"{what} {address} is not on this machine, and without a certificate everything would travel as plain text: "
            "make an authority (`croupier ca init`) and join with a token, or use 127.0.0.1 or ::1"
        )


def warn_plain(address: str, who: str) -> None:
    log.warning("PLAIN TEXT on %s: %s are not asked who they are; for development on one machine only", address, who)


def open_channel(
    address: str, options: Options, files: MachineFiles | None, role: str, machine: MachineIdentity | None = None
) -> grpc.aio.Channel:
    """A channel to a `role` (or `names.HUB`) at `address`, or to that very `machine`, an agent; plain text without `files`, on
    this machine only.

    Raises FailedPrecondition for plain text elsewhere, or files that cannot be used.
    """
    if files is None:
        check_plain(address, "the address")
        return grpc.aio.insecure_channel(address, options=options)
    identity = files.current()
    credentials = grpc.ssl_channel_credentials(identity.ca_pem, identity.key_pem, identity.cert_pem)
    name = expected_name(role, split(address)[0]) if machine is None else own_name(machine)
    return grpc.aio.secure_channel(address, credentials, options=(*options, ("grpc.ssl_target_name_override", name)))


def server_credentials(files: MachineFiles) -> grpc.ServerCredentials:
    """Clients must show a certificate of the same authority. Raises FailedPrecondition for files that cannot be used."""
    return grpc.dynamic_ssl_server_credentials(
        _configuration(files.current()),
        # Asked at each handshake, by a thread of grpc's.
        lambda: _configuration(files.current()),
        require_client_authentication=True,
    )


def _configuration(identity: Identity) -> grpc.ServerCertificateConfiguration:
    return grpc.ssl_server_certificate_configuration(
        [(identity.key_pem, identity.cert_pem)], root_certificates=identity.ca_pem
    )
