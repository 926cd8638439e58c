import asyncio
from collections.abc import Awaitable
from typing import Any

import pytest

from croupier.errors import CroupierError, InvalidArgument, Unauthenticated, Unavailable
from croupier.relay.frames import Identity, Role
from croupier.relay.handshake import Handshake, shake_hands
from croupier.tunnel.stream import MemoryStream, memory_streams
from croupier_wire.relay.v1 import relay_pb2 as wire

EDGE = Identity(Role.EDGE, "edge-1", "1")
SERVER = Identity(Role.SERVER, "server-1", "2")
TOKEN = b"the link token"


async def meet(dialing: Awaitable[Any], accepting: Awaitable[Any], *streams: MemoryStream) -> list[Any]:
    """What either end made of it; a stream whose end gave up is ended."""

    async def one(work: Awaitable[Any], stream: MemoryStream) -> Any:
        try:
            return await work
        except CroupierError as error:
            await stream.end()
            return error

    return list(await asyncio.gather(one(dialing, streams[0]), one(accepting, streams[1])))


@pytest.mark.parametrize(("one", "other"), [(EDGE, SERVER), (SERVER, EDGE)])
async def test_either_end_may_dial_and_both_know_each_other(one: Identity, other: Identity) -> None:
    near, far = memory_streams()
    met = await meet(
        shake_hands(near, one, TOKEN, dialing=True), shake_hands(far, other, TOKEN, dialing=False), near, far
    )
    assert met == [(other, None), (one, None)]


async def test_an_end_with_another_token_is_refused_by_both() -> None:
    near, far = memory_streams()
    met = await meet(
        shake_hands(near, EDGE, b"guessed", dialing=True), shake_hands(far, SERVER, TOKEN, dialing=False), near, far
    )
    assert isinstance(met[0], Unauthenticated)
    assert isinstance(met[1], Unavailable)  # the dialing end left first
    assert "guessed" not in str(met)


async def test_an_edge_that_dials_with_a_guess_is_refused() -> None:
    dialing, known, accepting = Handshake(EDGE, b"guessed"), Handshake(EDGE, TOKEN), Handshake(SERVER, TOKEN)
    reply, _ = accepting.accept(known.greeting())
    of_another_link, _ = known.answer(reply)
    near, far = memory_streams()
    running = asyncio.ensure_future(shake_hands(far, SERVER, TOKEN, dialing=False))
    await near.write(dialing.greeting())
    await near.read()
    await near.write(of_another_link)  # its nonce was another one
    with pytest.raises(Unauthenticated, match="link_token"):
        await running


async def test_what_one_end_proves_is_no_proof_of_the_other() -> None:
    near, far = memory_streams()
    running = asyncio.ensure_future(shake_hands(far, SERVER, TOKEN, dialing=False))
    await near.write(Handshake(EDGE, b"").greeting())
    reply = wire.LinkMessage.FromString(await near.read() or b"")
    await near.write(wire.LinkMessage(proof=reply.proof).SerializeToString())
    with pytest.raises(Unauthenticated):
        await running


@pytest.mark.parametrize(
    "greeting",
    [
        b"\xff",
        b"",
        wire.LinkMessage(hello=b"\xff").SerializeToString(),
        wire.LinkMessage(
            hello=wire.Hello(role="server", id="x", nonce=b"n" * 32).SerializeToString()
        ).SerializeToString(),
        wire.LinkMessage(hello=wire.Hello(role="edge", id="", nonce=b"n" * 32).SerializeToString()).SerializeToString(),
        wire.LinkMessage(
            hello=wire.Hello(role="edge", id="a b", nonce=b"n" * 32).SerializeToString()
        ).SerializeToString(),
        wire.LinkMessage(hello=wire.Hello(role="edge", id="x", nonce=b"n").SerializeToString()).SerializeToString(),
    ],
)
async def test_anything_but_the_hello_of_an_edge_is_refused(greeting: bytes) -> None:
    with pytest.raises(InvalidArgument, match="bad"):
        Handshake(SERVER, TOKEN).accept(greeting)


async def test_an_end_that_leaves_or_breaks_off_is_reported_as_unavailable() -> None:
    near, far = memory_streams()
    await near.end()
    with pytest.raises(Unavailable, match="closed the link"):
        await shake_hands(far, SERVER, TOKEN, dialing=False)
    near, far = memory_streams()
    near.cut()
    with pytest.raises(Unavailable, match="handshake"):
        await shake_hands(far, SERVER, TOKEN, dialing=False)
