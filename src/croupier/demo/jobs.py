import asyncio
import csv
import secrets
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

from croupier.demo.database import Database
from croupier_sdk import BlockingJobContext, Field, JobContext, Provider

_STEPS = 20


def add_jobs(game: Provider, database: Database, exports: Path) -> None:
    _add_mail(game, database)
    _add_export(game, database, exports)


def _add_mail(game: Provider, database: Database) -> None:
    @game.job(
        "mail.send_all",
        category="mail",
        risk="medium",
        display_name={"en": "Mail to everyone", "zh": "全服邮件"},
        summary={"en": "Send a mail to every player who is not banned.", "zh": "向所有未被封禁的玩家发送邮件。"},
        tags=["mail"],
    )
    async def send_all(
        job: JobContext,
        text: Annotated[str, Field(label={"en": "Text", "zh": "正文"}, min_length=1, max_length=2000)],
        seconds: Annotated[float, Field(label={"en": "Duration (s)", "zh": "持续秒数"}, ge=0, le=600)] = 4.0,
    ) -> dict[str, int]:
        """Send a mail to every player who is not banned.

        Args:
            job: Told of every step.
            text: What it says.
            seconds: How long the sending takes; 60 for a job that can be watched.

        """
        players = await asyncio.to_thread(_recipients, database)
        await job.log(f"{len(players)} players will get the mail")
        sent = 0
        for step in range(_STEPS):
            batch = players[step * len(players) // _STEPS : (step + 1) * len(players) // _STEPS]
            await asyncio.to_thread(_send, database, batch, text)
            await asyncio.sleep(seconds / _STEPS)
            sent += len(batch)
            await job.progress((step + 1) * 100 // _STEPS, f"{sent} of {len(players)} sent")
            if batch:
                await job.log(f"sent to {batch[0]} … {batch[-1]}")
        return {"sent": sent}


def _recipients(database: Database) -> list[str]:
    with database.reading() as connection:
        rows = connection.execute("SELECT player_id FROM players WHERE NOT banned ORDER BY player_id").fetchall()
    return [row["player_id"] for row in rows]


def _send(database: Database, players: list[str], text: str) -> None:
    now = datetime.now(UTC).isoformat(timespec="seconds")
    with database.writing() as connection:
        connection.executemany(
            "INSERT INTO mails (player_id, text, sent_at) VALUES (?, ?, ?)", [(player, text, now) for player in players]
        )


def _add_export(game: Provider, database: Database, exports: Path) -> None:
    @game.job(
        "player.export",
        category="player",
        entity="player",
        operation="export",
        display_name={"en": "Export players", "zh": "导出玩家"},
        summary={
            "en": "Write all players into a CSV file on the game server.",
            "zh": "将全部玩家导出为游戏服务器上的 CSV 文件。",
        },
    )
    def export(
        job: BlockingJobContext, banned: Annotated[bool, Field(label={"en": "Banned only", "zh": "仅已封禁"})] = False
    ) -> dict[str, str | int]:
        """Write all players into a CSV file on the game server.

        Args:
            job: Told of every fifty rows.
            banned: Only those who are banned.

        """
        exports.mkdir(parents=True, exist_ok=True)
        file = exports / f"players-{datetime.now(UTC):%Y%m%dT%H%M%S}-{secrets.token_hex(4)}.csv"
        unfinished = file.with_suffix(".part")
        with database.reading() as connection:
            rows = connection.execute(
                "SELECT * FROM players WHERE banned OR NOT ? ORDER BY player_id", (banned,)
            ).fetchall()
        with unfinished.open("w", newline="", encoding="utf-8") as out:
            writer = csv.writer(out)
            writer.writerow(rows[0].keys() if rows else ["player_id"])
            for number, row in enumerate(rows, 1):
                writer.writerow(row)
                if number % 50 == 0:
                    job.progress(number * 100 / len(rows), f"{number} of {len(rows)} written")
        unfinished.replace(file)
        job.log(f"wrote {file.name}")
        return {"file": file.name, "rows": len(rows)}
