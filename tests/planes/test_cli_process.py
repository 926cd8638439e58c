"""Signals, sent to real processes."""

import asyncio
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from tests.programs import running

SERVES = """
import asyncio, sys
from croupier.cli.main import run
from croupier.cli import config
from croupier.cli.process import serve

async def work():
    print("ready", flush=True)
    try:
        await asyncio.Event().wait()
    finally:
        print("cleaning", flush=True)
        await {cleaning}
        print("clean", flush=True)

config.check_file = lambda file: serve(work) or []
sys.exit(run(["config", "check", "x"]))
"""


@asynccontextmanager
async def serving(cleaning: str) -> AsyncIterator[asyncio.subprocess.Process]:
    async with running(sys.executable, "-c", SERVES.format(cleaning=cleaning)) as process:
        assert process.stdout is not None
        assert await process.stdout.readline() == b"ready\n"
        yield process


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_a_signal_lets_a_server_clean_up_and_end_with_0(number):
    async with serving("asyncio.sleep(0)") as process:
        process.send_signal(number)
        out, err = await process.communicate()
    assert (process.returncode, out) == (0, b"cleaning\nclean\n")
    assert b"Traceback" not in err


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, -signal.SIGTERM), (signal.SIGINT, 130)])
async def test_a_second_signal_does_not_wait_for_the_cleaning(number, code):
    async with serving("asyncio.Event().wait()") as process:
        assert process.stdout is not None
        process.send_signal(number)
        assert await process.stdout.readline() == b"cleaning\n"
        process.send_signal(number)
        _, err = await process.communicate()
    assert process.returncode == code
    assert b"Traceback" not in err


async def test_ctrl_c_while_a_server_does_not_answer_ends_a_call_with_130():
    arrived = asyncio.Event()
    gone = asyncio.Event()

    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        arrived.set()
        await reader.read()
        writer.close()
        await writer.wait_closed()
        gone.set()

    async with await asyncio.start_server(silent, "127.0.0.1", 0) as server:
        host, port = server.sockets[0].getsockname()
        arguments = ["invoke", "f", "--url", f"http://{host}:{port}", "--game", "g", "--env", "e"]
        program = f"import sys; from croupier.cli.main import run; sys.exit(run({arguments}))"
        async with running(sys.executable, "-c", program) as call:
            await arrived.wait()
            call.send_signal(signal.SIGINT)
            out, err = await call.communicate()
        await gone.wait()
    assert (call.returncode, out) == (130, b"")
    assert b"Traceback" not in err
