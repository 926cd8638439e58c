import sqlite3
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Annotated, Literal, TypedDict

from croupier.demo.database import Database
from croupier_sdk import Field, Operation, Provider, Rejected

PLAYER_ID: Mapping[str, str] = {"en": "Player ID", "zh": "玩家 ID"}
FIELDS: Mapping[str, Mapping[str, str]] = {
    "player_id": PLAYER_ID,
    "name": {"en": "Name", "zh": "昵称"},
    "level": {"en": "Level", "zh": "等级"},
    "coins": {"en": "Coins", "zh": "金币"},
    "banned": {"en": "Banned", "zh": "已封禁"},
    "ban_reason": {"en": "Reason of the ban", "zh": "封禁原因"},
    "banned_until": {"en": "Banned until", "zh": "封禁到"},
    "last_login": {"en": "Last login", "zh": "最近登录"},
    "items": {"en": "Items", "zh": "道具"},
}
"""What a player's fields are called."""

PlayerId = Annotated[str, Field(label=PLAYER_ID, placeholder="p0001", min_length=1, max_length=64)]
Item = Literal["coins", "potion", "sword", "shield", "ticket"]


class Player(TypedDict):
    player_id: str
    name: str
    level: int
    coins: int
    banned: bool
    ban_reason: str
    banned_until: str
    last_login: str


class PlayerPage(TypedDict):
    players: list[Player]
    total: int
    page: int


class PlayerDetail(Player):
    items: dict[str, int]


class Wallet(TypedDict):
    player_id: str
    item: str
    quantity: int


def player_of(row: sqlite3.Row) -> Player:
    return Player(
        player_id=row["player_id"],
        name=row["name"],
        level=row["level"],
        coins=row["coins"],
        banned=bool(row["banned"]),
        ban_reason=row["ban_reason"],
        banned_until=row["banned_until"],
        last_login=row["last_login"],
    )


def find_player(connection: sqlite3.Connection, player_id: str) -> Player:
    """Raises Rejected for a player nobody knows."""
    row = connection.execute("SELECT * FROM players WHERE player_id = ?", (player_id,)).fetchone()
    if row is None:
        raise Rejected(f"there is no player {player_id}", details={"player_id": player_id})
    return player_of(row)


def add_player_functions(game: Provider, database: Database) -> None:
    _add_queries(game, database)
    _add_bans(game, database)
    _add_grant(game, database)
    _add_entity(game)


def _add_queries(game: Provider, database: Database) -> None:
    @game.function(
        "player.list",
        category="player",
        mode="query",
        idempotent=True,
        entity="player",
        operation="list",
        display_name={"en": "List players", "zh": "玩家列表"},
        summary={"en": "Players by page, found by name or id.", "zh": "按页列出玩家。可按名字或 ID 搜索。"},
    )
    def list_players(
        page: Annotated[int, Field(label={"en": "Page", "zh": "页码"}, ge=1, le=100_000)] = 1,
        page_size: Annotated[int, Field(label={"en": "Page size", "zh": "每页数量"}, ge=1, le=100)] = 20,
        search: Annotated[str, Field(label={"en": "Search", "zh": "搜索"}, max_length=64)] = "",
        banned: Annotated[bool | None, Field(label={"en": "Banned", "zh": "已封禁"})] = None,
    ) -> PlayerPage:
        """Players by page, found by name or id.

        Args:
            page: Which page, from 1.
            page_size: Players on a page.
            search: A part of the name or id.
            banned: Only banned players, or only others; all where nothing is said.

        """
        pattern = "%" + search.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_") + "%"
        where = "(name LIKE :pattern ESCAPE '\\' OR player_id LIKE :pattern ESCAPE '\\') AND (:banned IS NULL OR banned = :banned)"
        values = {"pattern": pattern, "banned": banned, "limit": page_size, "offset": (page - 1) * page_size}
        with database.reading() as connection:
            (total,) = connection.execute(f"SELECT count(*) FROM players WHERE {where}", values).fetchone()  # noqa: S608 — a constant
            rows = connection.execute(
                f"SELECT * FROM players WHERE {where} ORDER BY player_id LIMIT :limit OFFSET :offset",  # noqa: S608 — a constant
                values,
            ).fetchall()
        return PlayerPage(players=[player_of(row) for row in rows], total=total, page=page)

    @game.function(
        "player.get",
        category="player",
        mode="query",
        idempotent=True,
        entity="player",
        operation="read",
        display_name={"en": "Show a player", "zh": "查看玩家"},
        summary={"en": "All that is known of one player.", "zh": "某个玩家的全部信息。"},
    )
    def get_player(player_id: PlayerId) -> PlayerDetail:
        """All that is known of one player.

        Args:
            player_id: The player.

        """
        with database.reading() as connection:
            player = find_player(connection, player_id)
            rows = connection.execute("SELECT item, quantity FROM items WHERE player_id = ?", (player_id,)).fetchall()
        return PlayerDetail(**player, items={row["item"]: row["quantity"] for row in rows})


def _add_bans(game: Provider, database: Database) -> None:
    @game.function(
        "player.ban",
        category="player",
        risk="high",
        entity="player",
        operation="ban",
        display_name={"en": "Ban a player", "zh": "封禁玩家"},
        summary={"en": "Keep a player out, for some days or for good.", "zh": "禁止玩家登录若干天或永久。"},
        tags=["support"],
    )
    def ban(
        player_id: PlayerId,
        reason: Annotated[str, Field(label={"en": "Reason", "zh": "原因"}, max_length=200)] = "",
        days: Annotated[int, Field(label={"en": "Days", "zh": "天数"}, ge=0, le=3650)] = 0,
    ) -> Player:
        """Keep a player out, for some days or for good.

        Args:
            player_id: The player.
            reason: Why; the player is shown it.
            days: How long; 0 for good.

        """
        until = (datetime.now(UTC) + timedelta(days=days)).isoformat(timespec="seconds") if days else ""
        with database.writing() as connection:
            if find_player(connection, player_id)["banned"]:
                raise Rejected(f"player {player_id} is already banned", details={"player_id": player_id})
            connection.execute(
                "UPDATE players SET banned = 1, ban_reason = ?, banned_until = ? WHERE player_id = ?",
                (reason, until, player_id),
            )
            return find_player(connection, player_id)

    @game.function(
        "player.unban",
        category="player",
        risk="medium",
        entity="player",
        operation="unban",
        display_name={"en": "Lift a ban", "zh": "解除封禁"},
        summary={"en": "Let a banned player in again.", "zh": "允许被封禁的玩家重新登录。"},
        tags=["support"],
    )
    def unban(player_id: PlayerId) -> Player:
        """Let a banned player in again.

        Args:
            player_id: The player.

        """
        with database.writing() as connection:
            if not find_player(connection, player_id)["banned"]:
                raise Rejected(f"player {player_id} is not banned", details={"player_id": player_id})
            connection.execute(
                "UPDATE players SET banned = 0, ban_reason = '', banned_until = '' WHERE player_id = ?", (player_id,)
            )
            return find_player(connection, player_id)


def _add_grant(game: Provider, database: Database) -> None:
    @game.function(
        "item.grant",
        category="economy",
        risk="high",
        entity="player",
        operation="grant",
        display_name={"en": "Grant an item", "zh": "发放道具"},
        summary={"en": "Put coins or items into a player's wallet.", "zh": "向玩家钱包发放金币或道具。"},
        tags=["economy"],
    )
    def grant(
        player_id: PlayerId,
        item: Annotated[Item, Field(label={"en": "Item", "zh": "道具"})],
        quantity: Annotated[int, Field(label={"en": "Quantity", "zh": "数量"}, ge=1, le=100_000)] = 1,
    ) -> Wallet:
        """Put coins or items into a player's wallet.

        Args:
            player_id: The player.
            item: What is given.
            quantity: How many.

        """
        with database.writing() as connection:
            coins = find_player(connection, player_id)["coins"]
            if item == "coins":
                connection.execute("UPDATE players SET coins = coins + ? WHERE player_id = ?", (quantity, player_id))
                return Wallet(player_id=player_id, item=item, quantity=coins + quantity)
            (held,) = connection.execute(
                "INSERT INTO items VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET quantity = quantity + excluded.quantity RETURNING quantity",
                (player_id, item, quantity),
            ).fetchone()
            return Wallet(player_id=player_id, item=item, quantity=held)


def _add_entity(game: Provider) -> None:
    game.register_virtual_object(
        "player",
        operations={
            "list": "player.list",
            "read": "player.get",
            "ban": Operation(
                function="player.ban", label={"en": "Ban", "zh": "封禁"}, icon="ban", danger=True, field="player_id"
            ),
            "unban": Operation(function="player.unban", label={"en": "Lift the ban", "zh": "解除封禁"}),
            "grant": Operation(function="item.grant", label={"en": "Grant an item", "zh": "发放道具"}, icon="gift"),
        },
        schema=PlayerDetail,
        key="player_id",
        title={"en": "Player", "zh": "玩家"},
        description={"en": "Somebody who plays the game.", "zh": "游戏中的玩家。"},
        color="blue",
        ui={
            "fields": {name: {"label": label} for name, label in FIELDS.items()},
            "columns": ["player_id", "name", "level", "coins", "banned", "last_login"],
            "search": ["search"],
            "pagination": {"page": "page", "size": "page_size", "total": "$.total", "items": "$.players"},
        },
    )
