"""An adapter behind the SDK's fake agent, and real Prometheus and Alertmanager on loopback."""

import contextlib
import shutil
import subprocess
import time
import urllib.request
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any, TypeVar

import pytest
from aiohttp import web
from tests.system.stage import PATIENCE, free_port

from croupier.adapters.app import build
from croupier.settings import AdapterSettings, load
from croupier_sdk.testing import FakeAgent

S = TypeVar("S", bound=AdapterSettings)


class PatientAgent(FakeAgent):
    """Its calls wait as long as tests do, unless they say otherwise: the machine may be busy with other work."""

    async def invoke_raw(self, function_id: str, payload: bytes, *, service_id: str = "", **options: Any) -> bytes:
        options = {"timeout": PATIENCE, **options}
        return await super().invoke_raw(function_id, payload, service_id=service_id, **options)


def settings(model: type[S], agent: str = "127.0.0.1:1", **flags: Any) -> S:
    return load(model, flags={"game_id": "demo", "env": "dev", "agent": agent, **flags}, environ={})


@asynccontextmanager
async def adapter(model: type[AdapterSettings], **flags: Any) -> AsyncIterator[FakeAgent]:
    """An agent to which an adapter of these settings is attached."""
    async with PatientAgent() as agent, build(settings(model, agent.address, **flags)) as provider, provider:
        await agent.wait_registered(next(iter(provider.functions)))
        yield agent


@asynccontextmanager
async def serving(routes: Mapping[str, Any]) -> AsyncIterator[str]:
    """A real HTTP server with handlers by path, on loopback: its host:port."""
    application = web.Application()
    for path, handler in routes.items():
        application.router.add_route("*", path, handler)
    runner = web.AppRunner(application, access_log=None, handler_cancellation=True, shutdown_timeout=1.0)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    try:
        yield "127.0.0.1:{1}".format(*runner.addresses[0])
    finally:
        await runner.cleanup()


@contextmanager
def real_prometheus(folder: Path, config: str, rules: str = "") -> Iterator[str]:
    """Debian's Prometheus with this configuration: its URL. Skips where it is not installed."""
    program = _installed("prometheus")
    (folder / "prometheus.yml").write_text(config)
    (folder / "rules.yml").write_text(rules or "groups: []\n")
    address = f"127.0.0.1:{free_port()}"
    command = [
        program,
        f"--config.file={folder / 'prometheus.yml'}",
        f"--storage.tsdb.path={folder / 'tsdb'}",
        f"--web.listen-address={address}",
        "--log.level=warn",
    ]
    with _running(command, folder / "prometheus.log", f"http://{address}/-/ready"):
        yield f"http://{address}"


@contextmanager
def real_alertmanager(folder: Path) -> Iterator[str]:
    """Debian's Alertmanager, alone and with nobody to tell: its URL. Skips where it is not installed."""
    program = _installed("prometheus-alertmanager")
    (folder / "alertmanager.yml").write_text("route: {receiver: nobody}\nreceivers: [{name: nobody}]\n")
    address = f"127.0.0.1:{free_port()}"
    command = [
        program,
        f"--config.file={folder / 'alertmanager.yml'}",
        f"--storage.path={folder / 'alerts'}",
        f"--web.listen-address={address}",
        "--cluster.listen-address=",
        "--log.level=warn",
    ]
    with _running(command, folder / "alertmanager.log", f"http://{address}/-/ready"):
        yield f"http://{address}"


def _installed(program: str) -> str:
    found = shutil.which(program)
    if found is None:
        pytest.skip(f"{program} is not installed: run `make components`")
    return found


@contextmanager
def _running(command: list[str], log: Path, ready: str) -> Iterator[None]:
    with log.open("wb") as output, subprocess.Popen(command, stdout=output, stderr=output) as process:
        try:
            _wait(process, ready, log)
            yield
        finally:
            process.terminate()


def _wait(process: subprocess.Popen[bytes], ready: str, log: Path) -> None:
    end = time.monotonic() + PATIENCE
    while process.poll() is None and time.monotonic() < end:
        with contextlib.suppress(OSError), urllib.request.urlopen(ready, timeout=PATIENCE):
            return
        time.sleep(0.05)
    raise AssertionError(f"{process.args} did not become ready:\n{log.read_text(errors='replace')}")
