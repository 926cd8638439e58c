"""How a link begins: both ends prove that they know the link token, without sending it.

    dialing end                                       accepting end
    hello {role, id, nonce}  ───────────────────────►
                             ◄───────────────────────  hello {role, id, nonce}, proof("accept", both hellos)
    proof("dial", both hellos) ─────────────────────►

The nonces are new each time, so a proof is worth nothing on another link.
"""

import asyncio
import hashlib
import hmac
import re
import secrets

from google.protobuf.message import DecodeError

from croupier.errors import InvalidArgument, Unauthenticated, Unavailable
from croupier.relay.codec import parse
from croupier.relay.frames import Identity, Role
from croupier.tunnel.stream import Stream, StreamBroken
from croupier_wire.relay.v1 import relay_pb2 as wire

TIMEOUT = 5.0
"""Seconds that the other end has for each of its messages."""
NONCE_BYTES = 32
_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,127}")
_PARTNER = {Role.EDGE: Role.SERVER, Role.SERVER: Role.EDGE}


class Handshake:
    """One end. Raises InvalidArgument "bad hello" or Unauthenticated for what the other end sends."""

    def __init__(self, own: Identity, token: bytes) -> None:
        self._own = own
        self._token = token
        self._hello = wire.Hello(
            role=own.role, id=own.id, version=own.version, nonce=secrets.token_bytes(NONCE_BYTES)
        ).SerializeToString()

    def greeting(self) -> bytes:
        """The dialing end's first message."""
        return wire.LinkMessage(hello=self._hello).SerializeToString()

    def accept(self, greeting: bytes) -> tuple[bytes, bytes, Identity]:
        """The accepting end's message, the proof it then expects, and who the other end says it is."""
        hello = parse(greeting).hello
        identity = self._read(hello)
        reply = wire.LinkMessage(hello=self._hello, proof=self._proof(b"accept", hello, self._hello))
        return reply.SerializeToString(), self._proof(b"dial", hello, self._hello), identity

    def answer(self, reply: bytes) -> tuple[bytes, Identity]:
        """The dialing end's last message, once the reply to its greeting has proven itself."""
        message = parse(reply)
        identity = self._read(message.hello)
        check(message.proof, self._proof(b"accept", self._hello, message.hello))
        proof = self._proof(b"dial", self._hello, message.hello)
        return wire.LinkMessage(proof=proof).SerializeToString(), identity

    def _proof(self, end: bytes, dialing: bytes, accepting: bytes) -> bytes:
        head = b"croupier-link-1 %s %d %d " % (end, len(dialing), len(accepting))
        return hmac.new(self._token, head + dialing + accepting, hashlib.sha256).digest()

    def _read(self, raw: bytes) -> Identity:
        try:
            hello = wire.Hello.FromString(raw)
        except DecodeError as error:
            raise InvalidArgument("bad hello: it is no Hello") from error
        if hello.role != _PARTNER[self._own.role]:
            raise InvalidArgument(
                f"bad hello: this is the link of a {self._own.role}, the other end must be a {_PARTNER[self._own.role]}"
            )
        if not _ID.fullmatch(hello.id) or len(hello.version) > 128 or len(hello.nonce) != NONCE_BYTES:
            raise InvalidArgument(f"bad hello: it needs an id and a nonce of {NONCE_BYTES} bytes")
        return Identity(Role(hello.role), hello.id, hello.version)


def check(proof: bytes, expected: bytes) -> None:
    """Raises Unauthenticated."""
    if not hmac.compare_digest(proof, expected):
        raise Unauthenticated("the other end of the link has another link_token; give edge and server the same one")


async def shake_hands(stream: Stream, own: Identity, token: bytes, *, dialing: bool) -> Identity:
    """Who is at the other end. Raises InvalidArgument, Unauthenticated or, when the stream ends first, Unavailable."""
    handshake = Handshake(own, token)
    try:
        if dialing:
            await stream.write(handshake.greeting())
            last, identity = handshake.answer(await _next(stream))
            await stream.write(last)
        else:
            reply, expected, identity = handshake.accept(await _next(stream))
            await stream.write(reply)
            check(parse(await _next(stream)).proof, expected)
    except StreamBroken as error:
        raise Unavailable(f"the link ended during its handshake: {error}") from error
    return identity


async def _next(stream: Stream) -> bytes:
    try:
        async with asyncio.timeout(TIMEOUT):
            message = await stream.read()
    except TimeoutError as error:
        raise Unavailable(f"the other end of the link said nothing for {TIMEOUT:g} s") from error
    if message is None:
        raise Unavailable("the other end closed the link during its handshake")
    return message
