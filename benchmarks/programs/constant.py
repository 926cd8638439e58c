"""Y2: uvicorn answering a constant on raw ASGI."""

import uvloop
from starlette.types import Receive, Scope, Send

from croupier.asgi import HttpServer
from programs import driven


async def constant(scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG001 — ASGI's signature
    while (await receive()).get("more_body", False):
        pass
    headers = [(b"content-type", b"application/json"), (b"content-length", b"11")]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": b'{"ok":true}'})


async def main() -> None:
    server = HttpServer(constant)
    await server.start("127.0.0.1:0")
    driven.ready(f"http://{server.address}/")
    await driven.until_told_to_stop()
    await server.stop()


if __name__ == "__main__":
    uvloop.run(main())
