import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import NamedTuple, NoReturn

from croupier.domain.limits import MESSAGE_BYTES
from croupier.errors import CroupierError
from croupier.pki.identity import MachineFiles
from croupier.relay.frames import Role
from croupier.rpc.secure import open_channel
from croupier.tunnel.backoff import Backoff
from croupier.tunnel.grpc import CHANNEL_OPTIONS, SERVER_OPTIONS, ClientStream, open_stream
from croupier.tunnel.stream import Stream

log = logging.getLogger(__name__)

SERVICE = "croupier.relay.v1.RelayService"
LINK = f"/{SERVICE}/Link"
LINK_BYTES = MESSAGE_BYTES + 65_536
"""The largest message of a link: the largest that it relays, and what goes round it."""
REDIAL = Backoff(most=2.0)
"""Links are few, and everyone behind one waits for it."""


def _roomy(options: tuple[tuple[str, int], ...]) -> tuple[tuple[str, int], ...]:
    return tuple((name, LINK_BYTES if value == MESSAGE_BYTES else value) for name, value in options)


LINK_SERVER_OPTIONS = _roomy(SERVER_OPTIONS)
LINK_CHANNEL_OPTIONS = _roomy(CHANNEL_OPTIONS)


class Dialing(NamedTuple):
    """What is dialled, and how."""

    address: str
    role: Role
    """Of whoever listens there."""
    files: MachineFiles | None = None
    """With which certificate; None: plain text, on this machine only."""


async def keep_dialing(
    where: Dialing, carry: Callable[[Stream], Awaitable[None]], backoff: Backoff = REDIAL
) -> NoReturn:
    """Dial for ever, and let `carry` have each stream until it ends."""
    address = where.address
    loop = asyncio.get_running_loop()
    failures = 0
    said = ""
    while True:
        began = loop.time()
        why = await _try(where, carry)
        if loop.time() - began >= backoff.settled:
            failures = 0
            said = ""
        if why != said:
            log.warning("the link to %s is down, it is dialled again and again: %s", address, why)
            said = why
        await asyncio.sleep(backoff.pause(failures))
        failures += 1


async def _try(where: Dialing, carry: Callable[[Stream], Awaitable[None]]) -> str:
    """Why the link ended."""
    try:
        channel = open_channel(where.address, LINK_CHANNEL_OPTIONS, where.files, where.role)
    except CroupierError as error:
        return error.message
    async with channel:
        call = open_stream(channel, LINK)
        try:
            await carry(ClientStream(call))
        except CroupierError as error:
            return error.message
        except Exception:
            # A fault of ours must not cut everyone behind this link off until somebody restarts the process.
            log.exception("the link to %s failed inside Croupier", where.address)
            return "a fault of this process"
        finally:
            call.cancel()
    return "it was closed"
