import asyncio
from pathlib import Path
from typing import Any

from croupier.demo.database import Database
from croupier.demo.jobs import add_jobs
from croupier.demo.players import add_player_functions
from croupier.demo.trouble import add_trouble
from croupier_sdk import Provider

PLAYERS = 200


def build(data: Path, *, players: int = PLAYERS, **options: Any) -> Provider:
    """The sample game, with its files in `data`; a new one has `players` players.

    `options` are Provider's; game_id is demo, env dev and service_id game-1 where nothing else is said.
    """
    game = Provider(**{"service_id": "game-1", "game_id": "demo", "env": "dev", "version": "1.0.0", **options})
    database = Database(data / "game.db", players)
    add_player_functions(game, database)
    add_jobs(game, database, data / "exports")
    add_trouble(game)
    return game


async def serve(data: Path, *, ready: asyncio.Event | None = None, **options: Any) -> None:
    """Build the game and serve it until cancelled; `ready` is set once it is attached."""
    async with build(data, **options) as game:
        await game.ready()
        if ready is not None:
            ready.set()
        await asyncio.Event().wait()
