"""How a link begins: both ends prove that they know the link token, without sending it.

    dialing end                                       accepting end
    hello {role, id, nonce}  ───────────────────────►
                             ◄───────────────────────  hello {role, id, nonce}, proof("accept", both hellos)
    proof("dial", both hellos) ─────────────────────►

The nonces are new each time, so a proof is worth nothing on another link. Where links are mTLS, each hello has the sender's
certificate too, and each proof stands beside a signature with its key (`proof.py`).
"""

import asyncio
import hashlib
import hmac
import re
import secrets

from google.protobuf.message import DecodeError

from croupier.domain.machine import Peer
from croupier.errors import InvalidArgument, Unauthenticated, Unavailable
from croupier.relay.codec import CERTIFICATE_LIMIT, parse
from croupier.relay.frames import Identity, Role
from croupier.relay.proof import LinkProof
from croupier.tunnel.stream import Stream, StreamBroken
from croupier_wire.relay.v1 import relay_pb2 as wire

TIMEOUT = 5.0
"""Seconds that the other end has for each of its messages."""
NONCE_BYTES = 32
_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,127}")
_PARTNER = {Role.EDGE: Role.SERVER, Role.SERVER: Role.EDGE}


class Handshake:
    """One end. Raises InvalidArgument "bad hello" or Unauthenticated for what the other end sends."""

    def __init__(self, own: Identity, token: bytes, proof: LinkProof | None = None) -> None:
        self._own = own
        self._token = token
        self._certified = proof
        self._hello = wire.Hello(
            role=own.role,
            id=own.id,
            version=own.version,
            nonce=secrets.token_bytes(NONCE_BYTES),
            certificate=proof.certificate if proof is not None else b"",
        ).SerializeToString()
        self._theirs = b""
        self.peer: Peer | None = None
        """Who the other end is by certificate, once that is proven."""

    def greeting(self) -> bytes:
        """The dialing end's first message."""
        return wire.LinkMessage(hello=self._hello).SerializeToString()

    def accept(self, greeting: bytes) -> tuple[bytes, Identity]:
        """The accepting end's message, and who the other end says it is; `last` is to follow."""
        self._theirs = parse(greeting).hello
        identity = self._read(self._theirs)
        return self._signed(b"accept", self._theirs, self._hello, hello=self._hello), identity

    def last(self, message: bytes, identity: Identity) -> None:
        """For the accepting end: the dialing end's last message."""
        self._check(parse(message), identity, b"dial", self._theirs, self._hello)

    def answer(self, reply: bytes) -> tuple[bytes, Identity]:
        """The dialing end's last message, once the reply to its greeting has proven itself."""
        message = parse(reply)
        self._theirs = message.hello
        identity = self._read(message.hello)
        self._check(message, identity, b"accept", self._hello, message.hello)
        return self._signed(b"dial", self._hello, message.hello), identity

    def _signed(self, end: bytes, dialing: bytes, accepting: bytes, hello: bytes = b"") -> bytes:
        said = _transcript(end, dialing, accepting)
        signature = self._certified.sign(said) if self._certified is not None else b""
        return wire.LinkMessage(hello=hello, proof=self._proof(said), signature=signature).SerializeToString()

    def _check(
        self, message: wire.LinkMessage, identity: Identity, end: bytes, dialing: bytes, accepting: bytes
    ) -> None:
        said = _transcript(end, dialing, accepting)
        check(message.proof, self._proof(said))
        if self._certified is not None:
            shown = wire.Hello.FromString(self._theirs).certificate
            self.peer = self._certified.check(identity, shown, message.signature, said)

    def _proof(self, transcript: bytes) -> bytes:
        return hmac.new(self._token, transcript, hashlib.sha256).digest()

    def _read(self, raw: bytes) -> Identity:
        try:
            hello = wire.Hello.FromString(raw)
        except DecodeError as error:
            raise InvalidArgument("bad hello: it is no Hello") from error
        if hello.role != _PARTNER[self._own.role]:
            raise InvalidArgument(
                f"bad hello: this is the link of a {self._own.role}, the other end must be a {_PARTNER[self._own.role]}"
            )
        if len(hello.certificate) > CERTIFICATE_LIMIT:
            raise InvalidArgument(f"bad hello: a certificate has at most {CERTIFICATE_LIMIT} bytes")
        if not _ID.fullmatch(hello.id) or len(hello.version) > 128 or len(hello.nonce) != NONCE_BYTES:
            raise InvalidArgument(f"bad hello: it needs an id and a nonce of {NONCE_BYTES} bytes")
        return Identity(Role(hello.role), hello.id, hello.version)


def _transcript(end: bytes, dialing: bytes, accepting: bytes) -> bytes:
    return b"croupier-link-1 %s %d %d " % (end, len(dialing), len(accepting)) + dialing + accepting


def check(proof: bytes, expected: bytes) -> None:
    """Raises Unauthenticated."""
    if not hmac.compare_digest(proof, expected):
        raise Unauthenticated("the other end of the link has another link_token; give edge and server the same one")


async def shake_hands(
    stream: Stream, own: Identity, token: bytes, *, dialing: bool, proof: LinkProof | None = None
) -> tuple[Identity, Peer | None]:
    """Who is at the other end, by its word and by its certificate, which it must have where there is a `proof`.

    Raises InvalidArgument, Unauthenticated or, when the stream ends first, Unavailable.
    """
    handshake = Handshake(own, token, proof)
    try:
        if dialing:
            await stream.write(handshake.greeting())
            last, identity = handshake.answer(await _next(stream))
            await stream.write(last)
        else:
            reply, identity = handshake.accept(await _next(stream))
            await stream.write(reply)
            handshake.last(await _next(stream), identity)
    except StreamBroken as error:
        raise Unavailable(f"the link ended during its handshake: {error}") from error
    return identity, handshake.peer


async def _next(stream: Stream) -> bytes:
    try:
        async with asyncio.timeout(TIMEOUT):
            message = await stream.read()
    except TimeoutError as error:
        raise Unavailable(f"the other end of the link said nothing for {TIMEOUT:g} s") from error
    if message is None:
        raise Unavailable("the other end closed the link during its handshake")
    return message
