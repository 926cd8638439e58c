"""A browser at the live stream of a running server: what it is told, message by message."""

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import aiohttp
import orjson
from tests.planes.scripted_agent import Server, within

HERE = {"game_id": "demo", "env": "dev"}


@dataclass(frozen=True)
class Message:
    id: str
    event: str
    data: Any

    @property
    def topic(self) -> str:
        return str(self.data.get("topic", ""))

    @property
    def type(self) -> str:
        return str(self.data.get("type", ""))

    @property
    def told(self) -> Any:
        """What a message of a topic holds."""
        return self.data["data"]


@dataclass
class Stream:
    response: aiohttp.ClientResponse
    seen: list[Message] = field(default_factory=list)
    cursor: str = ""
    """Of the last message: what a browser sends when it comes back."""

    async def next(self) -> Message | None:
        """None when the stream has ended."""
        fields: dict[str, str] = {}
        async for line in self.response.content:
            name, _, value = line.decode().rstrip("\n").partition(": ")
            if name:
                fields[name] = value
            elif "data" in fields:
                message = Message(fields.get("id", ""), fields.get("event", "message"), orjson.loads(fields["data"]))
                self.seen.append(message)
                self.cursor = message.id or self.cursor
                return message
        return None

    async def until(self, wanted: Callable[[Message], bool]) -> Message:
        """The next one that is wanted; the others are in `seen`."""

        async def found() -> Message:
            while (message := await self.next()) is not None:
                if wanted(message):
                    return message
            raise AssertionError(f"the stream ended before it: {self.seen[-5:]}")

        return await within(found())

    async def of(self, topic: str, kind: str = "") -> Any:
        """What the next message of the topic holds."""
        message = await self.until(
            lambda each: each.event == "message" and each.topic == topic and kind in ("", each.type)
        )
        return message.told

    async def named(self, event: str) -> Any:
        """The data of the next message of that event."""
        return (await self.until(lambda each: each.event == event)).data


@asynccontextmanager
async def events(
    server: Server, *topics: str, cursor: str = "", headers: Mapping[str, str] | None = None, **query: str
) -> AsyncIterator[Stream]:
    """A stream, once its first message is there: what happens from then on is told."""
    parameters = {"topics": ",".join(topics), **HERE, **query}
    sent = {**(headers or {}), **({"Last-Event-ID": cursor} if cursor else {})}
    async with server.http.get(
        "/api/events", params={name: value for name, value in parameters.items() if value}, headers=sent
    ) as response:
        assert response.status == 200, await response.text()
        stream = Stream(response)
        await stream.named("ping")
        yield stream


@dataclass(frozen=True)
class Person:
    """An account with a token."""

    server: Server
    user_id: str
    token_id: str
    headers: Mapping[str, str]

    async def ask(self, method: str, path: str, **sent: Any) -> Any:
        """What has to succeed, as this person."""
        return await asked(self.server, method, path, headers=self.headers, **sent)

    def events(self, *topics: str, **query: str) -> AbstractAsyncContextManager[Stream]:
        return events(self.server, *topics, headers=self.headers, **query)


async def asked(server: Server, method: str, path: str, **sent: Any) -> Any:
    """What has to succeed; as root, unless headers say otherwise."""
    reply = await server.request(method, path, **sent)
    assert reply.status < 300, (method, path, reply.status, reply.body)
    return reply.json if reply.body else None


async def person(server: Server, name: str, role: str, game_id: str = "demo", env: str = "dev", **token: Any) -> Person:
    """Somebody who has this role there and nothing else."""
    user = (await asked(server, "POST", "/api/users", json={"name": name, "groups": ["ops"]}))["user"]
    bound = {"subject": f"user:{user['user_id']}", "role": role, "game_id": game_id, "env": env}
    await asked(server, "POST", "/api/bindings", json=bound)
    wanted = {"name": "test", "expires_in": "1h", "user_id": user["user_id"], **token}
    made = await asked(server, "POST", "/api/tokens", json=wanted)
    headers = {"Authorization": f"Bearer {made['token']}"}
    return Person(server, user["user_id"], made["entry"]["token_id"], headers)
