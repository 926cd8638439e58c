"""Y2: uvicorn answering a constant on raw ASGI, as uvicorn comes."""

import asyncio
import socket

import uvicorn
import uvloop
from starlette.types import Receive, Scope, Send

from programs import driven


async def constant(scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG001 — ASGI's signature
    while (await receive()).get("more_body", False):
        pass
    headers = [(b"content-type", b"application/json"), (b"content-length", b"11")]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": b'{"ok":true}'})


async def main() -> None:
    listening = socket.create_server(("127.0.0.1", 0), backlog=2048)
    config = uvicorn.Config(constant, http="httptools", ws="none", lifespan="off", access_log=False, log_config=None)
    server = uvicorn.Server(config)
    serving = asyncio.ensure_future(server.serve(sockets=[listening]))
    driven.ready(f"http://127.0.0.1:{listening.getsockname()[1]}/")
    await driven.until_told_to_stop()
    server.should_exit = True
    await serving


if __name__ == "__main__":
    uvloop.run(main())
