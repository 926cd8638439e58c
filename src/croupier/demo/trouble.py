"""Functions that misbehave on purpose, and one that does nothing: for trying out, tests and measurements."""

import asyncio
from typing import Annotated

from croupier_sdk import Field, Provider, RawPayload


def add_trouble(game: Provider) -> None:
    @game.function(
        "demo.fail",
        category="demo",
        display_name={"en": "Fail", "zh": "失败"},
        summary={"en": "Raises an exception.", "zh": "抛出异常。"},
    )
    def fail(message: Annotated[str, Field(max_length=200)] = "this function always fails") -> None:
        """Raises an exception.

        Args:
            message: Its text.

        """
        raise RuntimeError(message)

    @game.function(
        "demo.hang",
        category="demo",
        display_name={"en": "Hang", "zh": "挂起"},
        summary={"en": "Never ends by itself.", "zh": "永不返回。"},
    )
    async def hang() -> None:
        """Never ends by itself."""
        await asyncio.Event().wait()

    @game.function(
        "demo.echo",
        category="demo",
        mode="query",
        idempotent=True,
        display_name={"en": "Echo", "zh": "回显"},
        summary={"en": "Answers what it was sent.", "zh": "原样返回输入。"},
    )
    async def echo(payload: RawPayload) -> bytes:
        """Answers what it was sent."""
        return payload
