"""Y3's clients: so many streams, each with a connection of its own, that send back what they receive."""

import asyncio
import sys

import grpc.aio
import uvloop

from programs import driven
from programs.stream_server import METHOD, SERVICE

_OWN_CONNECTION = (("grpc.use_local_subchannel_pool", 1),)


async def echo(stream: grpc.aio.StreamStreamCall[bytes, bytes]) -> None:
    while isinstance(message := await stream.read(), bytes):
        await stream.write(message)


async def main() -> None:
    channels = [grpc.aio.insecure_channel(sys.argv[1], options=_OWN_CONNECTION) for _ in range(int(sys.argv[2]))]
    await asyncio.gather(*(channel.channel_ready() for channel in channels))
    streams: list[grpc.aio.StreamStreamCall[bytes, bytes]] = [
        channel.stream_stream(f"/{SERVICE}/{METHOD}")() for channel in channels
    ]
    await asyncio.gather(*(stream.wait_for_connection() for stream in streams))
    echoes = [asyncio.ensure_future(echo(stream)) for stream in streams]
    driven.ready()
    await driven.until_told_to_stop()
    for each in echoes:
        each.cancel()
    for channel in channels:
        await channel.close()


if __name__ == "__main__":
    uvloop.run(main())
