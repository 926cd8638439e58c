"""Machines join, speak mTLS, renew their certificates and are cut off: every process a real one."""

import json
import sys
from typing import Any

import pytest
from tests.system.stage import HERE, PROGRAM, Program, Stage, free_port, until
from tests.system.test_edges import LINK_TOKEN, Load

SHORT = "30s"
RENEWING = ("/agent-1", "/edge-1", "/server-1")
"""Those that renew their certificates by themselves."""


class Studio:
    """A stage with an authority, on which every machine has a certificate and the agent hangs on an edge."""

    def __init__(self, stage: Stage) -> None:
        self.stage = stage
        self.folder = stage.root / "machines"
        self.config = stage.root / "croupier.yaml"
        self.edge_grpc, edge_http = (f"127.0.0.1:{free_port()}" for _ in range(2))
        self.edge = stage.program(
            "edge", PROGRAM, "edge", "--edge-id", "edge-1", "--grpc", self.edge_grpc, "--http", edge_http,
            "--servers", stage.grpc, "--data", str(self.folder / "edge"), "--config", str(self.config),
        )  # fmt: skip
        self.game = stage.program(
            "game-1", sys.executable, str(HERE / "game.py"), "--agent", stage.local, "--service-id", "game-1",
            "--ledger", str(stage.ledger),
        )  # fmt: skip

    async def run(self, *arguments: str, **variables: str) -> str:
        """What a command of ours prints."""
        said = await self.stage.croupier(*arguments, **variables)
        assert said.code == 0, said.err
        return said.out.strip()

    async def token(self, *grant: str) -> dict[str, str]:
        token = await self.run("machine", "join-token", "create", *grant)
        return {"CROUPIER_JOIN_TOKEN": token, "CROUPIER_JOIN_URL": f"http://{self.stage.http}"}

    async def start(self, lifetime: str = "7d") -> None:
        stage = self.stage
        self.config.write_text(
            f"server: {{server_id: server-1, link_token: {LINK_TOKEN}, certificate_lifetime: {lifetime}}}\n"
            f"edge: {{link_token: {LINK_TOKEN}}}\nagent: {{grpc_tls: true}}\n"
        )
        await self.run("ca", "init", "--data", str(stage.root), "--deployment", "studio")
        stage.server.arguments = [*stage.server.arguments, "--config", str(self.config)]
        await stage.server.start()
        await self._listening()
        await self._join(self.edge, "--role", "edge", "--id", "edge-1")
        agent = list(stage.agent.arguments)
        agent[agent.index("--servers") + 1] = self.edge_grpc
        agent[agent.index("--data") + 1] = str(self.folder / "agent")
        stage.agent.arguments = [*agent, "--config", str(self.config)]
        await self._join(stage.agent, "--role", "agent", "--game", "demo", "--env", "dev")
        game = self.folder / "game-1"
        joining = await self.token("--role", "game", "--game", "demo", "--env", "dev", "--id", "game-1")
        await self.run("enrol", str(game), "--id", "game-1", "--game", "demo", "--env", "dev", **joining)
        self.game.variables = {f"CROUPIER_{name.upper()}": str(game / f"{name}.pem") for name in ("ca", "cert", "key")}
        await self.game.start()
        await stage.reachable("act")

    async def _listening(self) -> None:
        async def asked() -> bool:
            try:
                return (await self.stage.get("/readyz"))[0] == 200
            except OSError:
                return False

        await until(asked, "the server is ready")

    async def _join(self, program: Program, *grant: str) -> None:
        program.variables = await self.token(*grant)
        await program.start()

    async def renew_the_games(self) -> None:
        """As a timer would for a game server."""
        await self.run("machine", "renew", str(self.folder / "game-1"), "--server", self.edge_grpc)

    async def issued(self, *machines: str) -> list[int]:
        """How many certificates each has had."""
        listed = (await self.stage.get("/api/machines/certificates"))[1]["certificates"]
        return [sum(each["identity"].endswith(machine) for each in listed) for machine in machines]

    async def certificates(self, machine: str, *which: str) -> list[dict[str, Any]]:
        listed = json.loads(await self.run("ca", "list", "--json", *which))["certificates"]
        return [each for each in listed if each["identity"].endswith(machine)]


@pytest.fixture
def studio(stage: Stage) -> Studio:
    return Studio(stage)


async def test_a_machine_that_is_revoked_is_cut_off(studio: Studio) -> None:
    await studio.start()
    assert await studio.stage.invoke("act", {"key": "1"}) == (200, {"key": "1", "by": "game-1"})
    (certificate,) = await studio.certificates("/agent/demo/dev/agent-1")
    assert (studio.folder / "agent/identity/key.pem").stat().st_mode & 0o077 == 0
    await studio.run("ca", "revoke", certificate["serial"], "--reason", "stolen", "--yes")
    await studio.stage.answers("act", {"key": "2"}, 503)
    assert "begin 2" not in studio.stage.noted()
    (listed,) = await studio.certificates("agent-1", "--all")
    assert (listed["state"], listed["reason"]) == ("revoked", "stolen")

    # A new token makes it a machine again; its key is the old one, unless somebody deletes it.
    for name in ("cert.pem", "key.pem"):
        (studio.folder / "agent/identity" / name).unlink()
    assert await studio.stage.agent.stop() == 0
    await studio._join(studio.stage.agent, "--role", "agent", "--game", "demo", "--env", "dev")
    # Its game server attaches to it anew, which takes a moment in which nobody offers the function.
    await studio.stage.answers("act", {"key": "3"})


async def test_a_revoked_game_server_is_cut_off_at_its_agent(studio: Studio) -> None:
    await studio.start()
    (certificate,) = await studio.certificates("/game/demo/dev/game-1")
    await studio.run("ca", "revoke", certificate["serial"], "--yes")
    await studio.stage.answers("act", {"key": "1"}, 503)

    async def told() -> bool:
        return "was revoked" in studio.game.text()

    await until(told, "the game server is told why")
    assert "begin 1" not in studio.stage.noted()


async def test_no_call_fails_while_certificates_are_renewed(studio: Studio) -> None:
    """Every certificate is outlived twice."""
    await studio.start(SHORT)
    load = Load(studio.stage, callers=3, seconds=0.1)
    async with load.running():
        while min(await studio.issued(*RENEWING)) < 4:
            await studio.renew_the_games()
            await load.more(50)
    load.check()
    assert load.calls > 200
