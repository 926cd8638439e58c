"""A second factor from its enrolment to its end, and `croupier login`, against a server of its own."""

import asyncio
import json
import re
import stat
import time
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Any

import pyotp
import pytest
from tests import programs
from tests.programs import completed, environment
from tests.system.stage import PROGRAM, TOKEN, Stage, until

PASSWORD = "correct horse battery staple"


class Person:
    """Somebody at a command line."""

    def __init__(self, stage: Stage, home: Path) -> None:
        self.home = home
        self.options: dict[str, Any] = {
            "env": environment(XDG_CONFIG_HOME=str(home), **stage.variables(token="")),
            "start_new_session": True,  # without a terminal, so that passwords are read from stdin
        }

    def running(self, *arguments: str) -> AbstractAsyncContextManager[asyncio.subprocess.Process]:
        return programs.running(PROGRAM, *arguments, "--json", stdin=asyncio.subprocess.PIPE, **self.options)

    async def croupier(self, *arguments: str, lines: str = "", **variables: str) -> tuple[int, Any, str]:
        options = self.options | {"env": self.options["env"] | variables}
        code, out, err = await completed(PROGRAM, *arguments, "--json", lines=lines, **options)
        return code, json.loads(out) if out.strip() else None, err

    @property
    def kept(self) -> Path:
        return self.home / "croupier" / "sessions.json"


@pytest.fixture
async def stage_with_ann(stage: Stage) -> Stage:
    stage.server.variables = {"CROUPIER_SERVER_TOKEN": TOKEN}
    await stage.server.start()

    async def added() -> bool:
        try:
            status, said = await stage.post("/api/users", {"name": "ann", "password": PASSWORD})
        except OSError:
            return False
        assert status == 200, said
        return True

    await until(added, "ann has an account")
    return stage


async def test_a_person_enrols_signs_in_with_a_code_and_loses_it(stage_with_ann: Stage, tmp_path: Path) -> None:
    stage, ann = stage_with_ann, Person(stage_with_ann, tmp_path / "home")
    code, said, err = await ann.croupier("login", "--name", "ann", "--password-stdin", lines=f"{PASSWORD}\n")
    assert code == 0, err
    assert said["name"] == "ann"
    assert stat.S_IMODE(ann.kept.stat().st_mode) == 0o600
    (session,) = json.loads(ann.kept.read_text()).values()
    assert (await ann.croupier("second-factor", "show"))[1]["enrolled"] is False

    bearer = {"headers": {"Authorization": f"Bearer {session['token']}"}}
    assert (await stage.post("/api/me/second_factor", {"password": "wrong"}, **bearer))[0] == 401
    status, enrolment = await stage.post("/api/me/second_factor", {"password": PASSWORD}, **bearer)
    assert status == 200
    totp = pyotp.TOTP(enrolment["secret"])
    assert enrolment["qr_svg"].startswith("<svg")
    status, confirmed = await stage.post("/api/me/second_factor/confirm", {"code": totp.now()}, **bearer)
    assert status == 200
    codes = confirmed["recovery_codes"]

    status, problem = await stage.post("/api/login", {"name": "ann", "password": PASSWORD})
    assert (status, problem["second_factor"]) == (401, True)
    status, problem = await stage.post("/api/login", {"name": "ann", "password": "wrong", "code": codes[0]})
    assert (status, "second_factor" in problem) == (401, False)

    next_code = totp.at(time.time() + 30)
    code, said, err = await ann.croupier(
        "login", "--name", "ann", "--password-stdin", lines=f"{PASSWORD}\n{next_code}\n"
    )
    assert code == 0, err
    shown = (await ann.croupier("second-factor", "show"))[1]
    assert (shown["enrolled"], shown["recovery_codes"]) == (True, 10)
    status, _ = await stage.post("/api/login", {"name": "ann", "password": PASSWORD, "code": next_code})
    assert status == 401

    (session,) = json.loads(ann.kept.read_text()).values()
    bearer = {"headers": {"Authorization": f"Bearer {session['token']}"}}
    status, proof = await stage.post("/api/me/prove", {"code": codes[1]}, **bearer)
    assert status == 200
    assert abs(proof["proved_ms"] - time.time() * 1000) < 60_000
    assert (await stage.post("/api/me/prove", {"code": codes[1]}, **bearer))[0] == 401

    await stage.server.kill()
    await stage.server.start()

    async def refused() -> bool:
        try:
            status, problem = await stage.post("/api/login", {"name": "ann", "password": PASSWORD})
        except OSError:
            return False
        return status == 401 and problem.get("second_factor") is True

    await until(refused, "the restarted server asks for a code")
    code, _, err = await ann.croupier("second-factor", "reset", "ann", "--yes", CROUPIER_TOKEN=TOKEN)
    assert code == 0, err
    assert (await stage.post("/api/login", {"name": "ann", "password": PASSWORD}))[0] == 200
    everything = stage.server.text()
    assert not any(secret in everything for secret in (enrolment["secret"], *codes, PASSWORD))


async def test_the_command_line_enrols_renews_and_removes(stage_with_ann: Stage, tmp_path: Path) -> None:
    ann = Person(stage_with_ann, tmp_path / "home")
    await ann.croupier("login", "--name", "ann", "--password-stdin", lines=f"{PASSWORD}\n")
    async with ann.running("second-factor", "enrol") as enrolling:
        assert enrolling.stdin is not None
        assert enrolling.stderr is not None
        enrolling.stdin.write(f"{PASSWORD}\n".encode())
        told = (await enrolling.stderr.readuntil(b"issuer=Croupier")).decode()
        secret = re.search(r"Secret: ([A-Z2-7]+)", told)
        assert secret is not None, told
        out, err = await enrolling.communicate(f"{pyotp.TOTP(secret[1]).now()}\n".encode())
        assert enrolling.returncode == 0, err
    codes = json.loads(out)["recovery_codes"]
    assert len(codes) == 10

    assert (await ann.croupier("second-factor", "prove", lines=f"{codes[0]}\n"))[0] == 0
    code, _, _ = await ann.croupier("second-factor", "prove", lines=f"{codes[0]}\n")
    assert code == 5
    code, renewed, err = await ann.croupier("second-factor", "recovery-codes", lines=f"{codes[1]}\n")
    assert code == 0, err
    assert (await ann.croupier("second-factor", "remove", lines=f"{codes[2]}\n"))[0] == 5
    assert (await ann.croupier("second-factor", "remove", lines=f"{renewed['recovery_codes'][0]}\n"))[0] == 0
    assert (await ann.croupier("second-factor", "show"))[1]["enrolled"] is False


async def test_a_session_of_the_command_line_is_used_and_ended(stage_with_ann: Stage, tmp_path: Path) -> None:
    ann = Person(stage_with_ann, tmp_path / "home")
    assert (await ann.croupier("second-factor", "show"))[0] == 5
    assert (await ann.croupier("login", "--name", "ann", "--password-stdin", lines="wrong\n"))[0] == 5
    assert not ann.kept.exists()
    assert (await ann.croupier("login", "--name", "ann", "--password-stdin", lines=f"{PASSWORD}\n"))[0] == 0
    assert (await ann.croupier("second-factor", "show"))[0] == 0
    (session,) = json.loads(ann.kept.read_text()).values()
    assert (await ann.croupier("logout"))[1]["signed_out"] is True
    assert (await ann.croupier("logout"))[1]["signed_out"] is False
    assert (await ann.croupier("second-factor", "show"))[0] == 5
    assert (await ann.croupier("second-factor", "show", CROUPIER_TOKEN=session["token"]))[0] == 5


async def test_a_file_of_sessions_that_others_can_read_is_refused(stage_with_ann: Stage, tmp_path: Path) -> None:
    ann = Person(stage_with_ann, tmp_path / "home")
    await ann.croupier("login", "--name", "ann", "--password-stdin", lines=f"{PASSWORD}\n")
    ann.kept.chmod(0o644)
    code, _, err = await ann.croupier("second-factor", "show")
    assert code == 1
    assert "can be read by others" in err
