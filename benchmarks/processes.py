"""The processes of a run: started, watched, measured and ended by their ids."""

import asyncio
import contextlib
import json
import os
import re
import sys
from collections import deque
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

TICKS = os.sysconf("SC_CLK_TCK")
PAGE = os.sysconf("SC_PAGE_SIZE")
HERE = Path(__file__).parent
PYTHON = sys.executable
CROUPIER = str(Path(PYTHON).with_name("croupier"))

STOP_SECONDS = 10.0
_LAST_LINES = 12


class Broken(Exception):
    """The run says nothing: a process ended, a call failed, something did not come up in time."""


class Process:
    """One child. Its output is read all the time; the last lines are kept for the day it breaks."""

    def __init__(self, name: str, child: asyncio.subprocess.Process) -> None:
        self.name = name
        self._child = child
        self._lines: deque[str] = deque(maxlen=_LAST_LINES)
        self._expected: tuple[re.Pattern[str], asyncio.Future[re.Match[str]]] | None = None
        self._reader = asyncio.ensure_future(self._read())

    @property
    def pid(self) -> int:
        return self._child.pid

    def cpu(self) -> float:
        """Seconds of user and system time of all its threads, to a hundredth."""
        fields = self._proc("stat").rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / TICKS

    def rss(self) -> int:
        """Bytes of memory that are resident."""
        return int(self._proc("statm").split()[1]) * PAGE

    def _proc(self, name: str) -> str:
        try:
            return Path(f"/proc/{self.pid}/{name}").read_text(encoding="ascii")
        except OSError as error:
            raise self._broken("it is gone") from error

    def _broken(self, why: str) -> Broken:
        last = "\n  ".join(self._lines)
        return Broken(f"{self.name}: {why}. Its last lines:\n  {last}")

    async def _read(self) -> None:
        stdout = self._child.stdout
        if stdout is None:
            raise RuntimeError("the child was started without a pipe")
        while line := await stdout.readline():
            text = line.decode(errors="replace").rstrip()
            self._lines.append(text)
            if self._expected is not None and (found := self._expected[0].search(text)):
                self._expected[1].set_result(found)
                self._expected = None
        if self._expected is not None:
            self._expected[1].set_exception(self._broken("it ended"))
            self._expected = None

    async def expect(self, pattern: str, seconds: float) -> re.Match[str]:
        """Wait for a line that `pattern` is found in. Raises Broken when none comes in time."""
        if self._reader.done():
            raise self._broken("it ended")
        coming: asyncio.Future[re.Match[str]] = asyncio.get_running_loop().create_future()
        self._expected = (re.compile(pattern), coming)
        try:
            async with asyncio.timeout(seconds):
                return await coming
        except TimeoutError as error:
            self._expected = None
            raise self._broken(f"no {pattern!r} within {seconds:g} s") from error

    async def ask(self, command: Mapping[str, object], seconds: float) -> Any:
        """Send one line of JSON to a program of ours and return its answer."""
        stdin = self._child.stdin
        if stdin is None:
            raise RuntimeError("the child was started without a pipe")
        answer = asyncio.ensure_future(self.expect("^ANSWER (.*)$", seconds))
        stdin.write(json.dumps(command).encode() + b"\n")
        return json.loads((await answer)[1])

    async def ended(self) -> None:
        """Wait until it ended by itself, as it was meant to. Raises Broken when it failed."""
        if await self._child.wait():
            raise self._broken(f"it ended with {self._child.returncode}")

    async def stop(self) -> None:
        """End it in order, or by force when it takes too long. Safe to repeat."""
        if self._child.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                self._child.terminate()
        try:
            async with asyncio.timeout(STOP_SECONDS):
                await self._child.wait()
        except TimeoutError:
            self._child.kill()
            await self._child.wait()
        self._reader.cancel()
        await asyncio.gather(self._reader, return_exceptions=True)


def cpu_of(processes: Mapping[str, Process]) -> dict[str, float]:
    return {name: process.cpu() for name, process in processes.items()}


def clean_environ(**more: str) -> dict[str, str]:
    """Ours without settings of Croupier, and with bytecode kept: an installed program has it."""
    kept = {key: value for key, value in os.environ.items() if not key.startswith("CROUPIER_")}
    kept.pop("PYTHONDONTWRITEBYTECODE", None)
    return {**kept, **more}


class Stage:
    """Where a scenario plays: `async with Stage(...)` ends whatever it started, the last one first."""

    def __init__(self, *, scratch: Path, quick: bool) -> None:
        self.scratch = scratch
        self.quick = quick
        self._ending = contextlib.AsyncExitStack()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._ending.aclose()

    async def start(
        self, name: str, *command: str, ready: str, environ: Mapping[str, str] | None = None, seconds: float = 60.0
    ) -> tuple[Process, re.Match[str]]:
        """Start a program and wait for the line that says it is ready."""
        child = await asyncio.create_subprocess_exec(
            *command,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            cwd=HERE,
            env=clean_environ(**(environ or {})),
        )
        process = Process(name, child)
        self._ending.push_async_callback(process.stop)
        return process, await process.expect(ready, seconds)

    async def program(
        self, name: str, *arguments: str, environ: Mapping[str, str] | None = None, seconds: float = 60.0
    ) -> tuple[Process, str]:
        """Start one of programs/; what stands behind its READY is returned too."""
        process, found = await self.start(
            name,
            *(PYTHON, "-m", f"programs.{name}", *arguments),
            ready="^READY ?(.*)$",
            environ=environ,
            seconds=seconds,
        )
        return process, found[1]
