"""The players that a new database has: the same for everyone, so that documents and tests can name them."""

import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import TypedDict

_FIRST = (
    "Ash",
    "Blaze",
    "Cinder",
    "Drift",
    "Echo",
    "Frost",
    "Gale",
    "Haze",
    "Iris",
    "Jade",
    "晨",
    "墨",
    "青",
    "星",
    "夜",
    "云",
)
_LAST = (
    "Runner",
    "Warden",
    "Weaver",
    "Walker",
    "Caller",
    "Singer",
    "Hunter",
    "Smith",
    "风",
    "影",
    "歌",
    "刃",
    "海",
    "雪",
)
_SEED = 7
_FIRST_LOGIN = datetime(2026, 1, 1, tzinfo=UTC)
_BANNED_EVERY = 25
_REASONS = ("third-party software", "abusive language", "使用外挂", "selling accounts")


class SeededPlayer(TypedDict):
    player_id: str
    name: str
    level: int
    coins: int
    banned: int
    ban_reason: str
    last_login: str


def seeded_players(count: int) -> Iterator[SeededPlayer]:
    """Players p0001, p0002 and so on; every 25th is banned."""
    dice = random.Random(_SEED)  # noqa: S311 — players of a sample game
    for number in range(1, count + 1):
        banned = number % _BANNED_EVERY == 0
        level = min(60, 1 + int(dice.expovariate(1 / 15)))
        login = _FIRST_LOGIN + timedelta(minutes=dice.randrange(60 * 24 * 300))
        yield SeededPlayer(
            player_id=f"p{number:04}",
            name=f"{dice.choice(_FIRST)}{dice.choice(_LAST)}{dice.randrange(10, 100)}",
            level=level,
            coins=level * dice.randrange(20, 200),
            banned=int(banned),
            ban_reason=dice.choice(_REASONS) if banned else "",
            last_login=login.isoformat(timespec="seconds"),
        )
