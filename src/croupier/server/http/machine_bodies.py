"""What is asked about machines."""

from typing import Annotated

import msgspec
from msgspec import Meta, Struct

from croupier.pki.request import REQUEST_BYTES

_Name = Annotated[str, Meta(max_length=128)]
_Host = Annotated[str, Meta(max_length=253)]
_Request = Annotated[str, Meta(max_length=REQUEST_BYTES)]


class GrantBody(Struct, kw_only=True, forbid_unknown_fields=True):
    role: _Name
    game_id: _Name = ""
    env: _Name = ""
    id: _Name = ""
    hosts: Annotated[list[_Host], Meta(max_length=32)] = []


class IssueBody(GrantBody, kw_only=True, forbid_unknown_fields=True):
    """The body of `POST /api/machines/certificates`."""

    request: _Request
    """PKCS 10 as PEM."""
    lifetime: float | str | None = None


class InviteBody(GrantBody, kw_only=True, forbid_unknown_fields=True):
    """The body of `POST /api/machines/join_tokens`."""

    expires_in: float | str | None = None


class EnrolBody(Struct, kw_only=True, forbid_unknown_fields=True):
    """The body of `POST /api/machines/enrol`."""

    token: Annotated[str, Meta(max_length=256)]
    request: _Request


class RevokeBody(Struct, kw_only=True, forbid_unknown_fields=True):
    """The body of `POST /api/machines/certificates/{serial}/revoke`."""

    reason: Annotated[str, Meta(max_length=500)] = ""


MACHINE_BODIES: tuple[type, ...] = (EnrolBody, InviteBody, IssueBody, RevokeBody)

issue_decoder = msgspec.json.Decoder(IssueBody)
invite_decoder = msgspec.json.Decoder(InviteBody)
enrol_decoder = msgspec.json.Decoder(EnrolBody)
revoke_decoder = msgspec.json.Decoder(RevokeBody)
