"""A studio with something of everything in it: two game servers, production and staging, and calls, jobs, bulk runs and requests in every state."""

import json
import sys
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

from tests.browser.studio import Phone, Studio, Visitor
from tests.browser.test_catalog import archive
from tests.system.stage import PROGRAM, free_port, until

from croupier.packs.tar import write_archive

ROOT = Path(__file__).parents[2]
PACKS = ROOT / "packs"
PLUGIN = ROOT / "examples" / "plugin"
"""A pack that draws what demo.echo answers."""
VALID_PLAYERS = "player_id,reason\np0011,sells gold\np0012,sells gold\np0013,使用外挂\n"
FAULTY_PLAYERS = 'player_id,days\np0021,7\n"",7\np0022,many\np0023,4000\n'
ENDS = {"succeeded", "failed", "canceled", "lost"}

Made = dict[str, str]
"""What was made, by the names that addresses of sights use: call ids, job ids and the like."""


def variables() -> dict[str, str]:
    """What the server needs to be told before it starts."""
    return {"CROUPIER_SERVER_PACKS": json.dumps({"directories": [str(PACKS)], "allow_unsigned": True})}


class Furnisher:
    """Fills `studio`, which runs, by what ann asks for, bob approves and ada, who may everything, installs."""

    def __init__(self, studio: Studio, people: Mapping[str, Visitor]) -> None:
        self.studio = studio
        self.ann, self.bob, self.ada = (people[name] for name in ("ann", "bob", "ada"))
        self.made: Made = {}

    async def furnish(self) -> Made:
        await self._game_servers()
        phone = await self.studio.second_factor("bob")
        await self._calls()
        await self._approvals(phone)
        await self._bulk_runs()
        await self._jobs()
        await self._rules()
        await self._packs()
        return self.made

    async def _game_servers(self) -> None:
        """A second one beside the first; one in staging and one in production, each behind an agent of its own."""
        await self._game("game-2", "dev", self.studio.stage.local)
        await self.studio.stage.reachable("player.ban", services=2)
        for env in ("stage", "prod"):
            local = f"127.0.0.1:{free_port()}"
            await self._agent(env, local)
            await self._game(f"game-{env}", env, local)
            await until(partial(self._offered, env), f"player.ban is offered in {env}")

    async def _agent(self, env: str, local: str) -> None:
        stage = self.studio.stage
        await stage.program(
            f"agent-{env}", PROGRAM, "agent", "--agent-id", f"agent-{env}", "--game", "demo", "--env", env,
            "--servers", stage.grpc, "--grpc", local, "--http", f"127.0.0.1:{free_port()}", "--data", str(stage.root / f"agent-{env}"),
        ).start()  # fmt: skip

    async def _game(self, service_id: str, env: str, agent: str) -> None:
        stage = self.studio.stage
        data = stage.root / service_id
        data.mkdir()
        # Where the exports of one should be is a file: its export fails.
        (data / "exports").touch()
        program = stage.program(
            service_id, sys.executable, "-m", "croupier.demo", "--agent", agent, "--data", str(data),
            "--service-id", service_id, "--env", env,
        )  # fmt: skip
        await program.start()

    async def _offered(self, env: str) -> bool:
        address = f"{self.studio.url}/api/functions/player.ban?game_id=demo&env={env}"
        answer = await self.ada.context.request.get(address)
        return answer.ok and (await answer.json())["function"]["healthy"] > 0

    # ------------------------------------------------------------------------------------------------- calls

    async def _call(self, function_id: str, payload: dict[str, Any], **options: Any) -> str:
        """The id of the call, whatever came of it."""
        body = {"function_id": function_id, "payload": payload, **options}
        answer = await self.ann.try_to("/api/invoke", body)
        return answer.headers["x-call-id"]

    async def _calls(self) -> None:
        made = self.made
        for player in ("p0001", "p0002", "p0003"):
            made["call"] = await self._call("player.get", {"player_id": player})
        made["other_call"] = await self._call("player.get", {"player_id": "p0025"})
        made["list_call"] = await self._call("player.list", {"page_size": 50})
        made["failed_call"] = await self._call("demo.fail", {"message": "the cache is cold"})
        made["rejected_call"] = await self._call("player.get", {"player_id": "nobody"})
        made["unknown_call"] = await self._call("demo.hang", {}, timeout=1)
        one = {"route": "targeted", "target_service_id": "game-1"}
        made["unban"] = await self._call("player.unban", {"player_id": "p0050"}, **one)
        made["broadcast"] = await self._call("player.unban", {"player_id": "p0050"}, route="broadcast")

    async def _ask(self, player: str, reason: str) -> dict[str, str]:
        call = {"function_id": "player.ban", "payload": {"player_id": player, "reason": reason, "days": 30}}
        waits: dict[str, str] = await self.ann.post(
            "/api/invoke", {**call, "reason": "three reports in chat", "ticket": "T-48213"}
        )
        return waits

    async def _approvals(self, phone: Phone) -> None:
        carried_out = await self._ask("p0008", "使用外挂")
        self.made["executed_approval"], self.made["ban"] = carried_out["approval_id"], carried_out["call_id"]
        rejected = await self._ask("p0009", "rude")
        self.made["rejected_approval"] = rejected["approval_id"]
        await self.bob.ask("/api/me/prove", {"code": phone.code()})
        path = f"/api/approvals/{carried_out['approval_id']}"
        await self.bob.post(f"{path}/approve", {"comment": "seen in the replay"})
        await self.bob.post(f"/api/approvals/{rejected['approval_id']}/reject", {"comment": "the wrong player"})
        self.made["approval"] = (await self._ask("p0007", "sells gold"))["approval_id"]

    # -------------------------------------------------------------------------------------------------- bulk

    async def _upload(self, function_id: str, name: str, content: str) -> str:
        path = f"/api/bulk?function_id={function_id}&name={name}"
        bulk_id: str = (await (await self.ann.ask(path, content.encode(), "text/csv")).json())["bulk_id"]
        return bulk_id

    async def _bulk_runs(self) -> None:
        made = self.made
        made["faulty_bulk"] = await self._upload("player.ban", "bans-from-support.csv", FAULTY_PLAYERS)
        made["bulk"] = await self._upload(
            "player.unban", "appeals.csv", "player_id\np0025\np0001\np0075\np0002\np0100\n"
        )
        await self.ann.post(f"/api/bulk/{made['bulk']}/start", {})
        many = "player_id\n" + "".join(f"p{number:04}\n" for number in range(1, 41))
        made["canary_bulk"] = await self._upload("player.get", "check-forty.csv", many)
        await self.ann.post(f"/api/bulk/{made['canary_bulk']}/start", {"canary": 10})
        await self._bulk_is(made["bulk"], "done")
        await self._bulk_is(made["canary_bulk"], "canary_done")
        made["waiting_bulk"] = await self._upload("player.ban", "gold-sellers.csv", VALID_PLAYERS)
        started = await self.ann.post(
            f"/api/bulk/{made['waiting_bulk']}/start", {"reason": "gold sellers of November", "ticket": "T-48301"}
        )
        made["bulk_approval"] = started["approval_id"]

    async def _bulk_is(self, bulk_id: str, state: str) -> None:
        async def there() -> bool:
            return bool((await self.studio.send("GET", f"/api/bulk/{bulk_id}"))["state"] == state)

        await until(there, f"{bulk_id} is {state}")

    # -------------------------------------------------------------------------------------------------- jobs

    async def _start(self, function_id: str, payload: dict[str, Any], service_id: str = "game-1") -> str:
        target = {"route": "targeted", "target_service_id": service_id}
        body = {"function_id": function_id, "payload": payload, **target}
        job_id: str = (await self.ann.post("/api/start_job", body))["job_id"]
        return job_id

    async def _jobs(self) -> None:
        made = self.made
        text = "今晚 22:00 停服维护。Servers go down at 22:00."
        made["job"] = await self._start("mail.send_all", {"text": text, "seconds": 2})
        made["canceled_job"] = await self._start("mail.send_all", {"text": text, "seconds": 600})
        made["failed_job"] = await self._start("player.export", {}, "game-2")
        made["lost_job"] = await self._start("mail.send_all", {"text": text, "seconds": 600}, "game-2")
        await self._job_is(made["failed_job"], ENDS)
        await self._job_is(made["lost_job"], {"running"})
        await self.ann.post("/api/cancel_job", {"job_id": made["canceled_job"], "reason": "wrong text"})
        game = next(each for each in self.studio.programs if each.output.stem == "game-2")
        await game.kill()
        for name in ("job", "canceled_job", "lost_job"):
            await self._job_is(made[name], ENDS)
        await game.start()
        await self.studio.stage.reachable("player.ban", services=2)
        made["running_job"] = await self._start("mail.send_all", {"text": text, "seconds": 600})

    async def _job_is(self, job_id: str, states: set[str]) -> None:
        async def there() -> bool:
            return (await self.studio.send("GET", f"/api/job_result?id={job_id}"))["state"] in states

        await until(there, f"{job_id} is one of {states}")

    # ----------------------------------------------------------------------------------- what holds for all

    async def _rules(self) -> None:
        send = self.studio.send
        self.made |= {each["name"]: each["user_id"] for each in (await send("GET", "/api/users"))["users"]}
        note = {"reason": "new hardware", "game_id": "demo", "env": "stage", "lasts": "2h"}
        await send("POST", "/api/maintenance", note)
        await send("PUT", "/api/limits/mails", {"functions": "mail.*", "rate": "10/m", "concurrency": 5})
        budget = {"path": "$.quantity", "most": 10_000, "then": "approval"}
        await send("PUT", "/api/limits/coins", {"functions": "item.grant", "per": "user", "budget": budget})
        await send("POST", "/api/secrets", {"name": "PAYMENT_TOKEN", "value": "not to be shown", "note": "of the shop"})

    async def _packs(self) -> None:
        drawing = {
            file.relative_to(PLUGIN).as_posix(): file.read_bytes() for file in PLUGIN.rglob("*") if file.is_file()
        }
        for packed in (archive("1.0.0", []), archive("1.1.0", []), write_archive(drawing)):
            await self.ada.ask("/api/packs/import", packed, "application/gzip")
