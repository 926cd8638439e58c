"""A test leaves nothing behind: what goes on after it would fail a later one, which has nothing to do with it."""

import asyncio
import contextlib
import os
from collections.abc import Generator, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest

SETTLING = 5.0
"""Seconds in which a task that is about to end may do so; nearly always there is none to wait for."""


class Leftovers:
    """Fails the test that leaves a task, a child process or an open pipe to one; for a shared fixture, its last test."""

    def __init__(self) -> None:
        self._loops: list[_Loop] = []
        self._shared: set[int] = set()

    @pytest.hookimpl(wrapper=True)
    def pytest_fixture_setup(
        self, fixturedef: pytest.FixtureDef[Any], request: pytest.FixtureRequest
    ) -> Generator[None, Any, Any]:
        made = yield
        if isinstance(made, asyncio.Runner):
            # Finalizers run in reverse: after everything that used the loop, before the loop is closed.
            loop = _Loop(made)
            self._loops.append(loop)
            fixturedef.addfinalizer(partial(self._close, loop))
        elif fixturedef.scope != "function":
            self._shared |= set(_children())
        return made

    def _close(self, loop: "_Loop") -> None:
        self._loops.remove(loop)
        _complain(loop.left())

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_teardown(self) -> Generator[None, Any, Any]:
        done = yield
        known = self._shared.union(*(loop.processes() for loop in self._loops))
        _complain([f"the process {pid}: {_command(pid)}" for pid in _children() if pid not in known])
        return done


class _Loop:
    """The event loop of one scope, and the processes that were started on it."""

    def __init__(self, runner: asyncio.Runner) -> None:
        self._runner = runner
        self._transports: list[asyncio.SubprocessTransport] = []
        loop = runner.get_loop()
        start = loop.subprocess_exec

        async def subprocess_exec(*arguments: Any, **options: Any) -> Any:
            transport, protocol = await start(*arguments, **options)
            self._transports.append(transport)
            return transport, protocol

        loop.subprocess_exec = subprocess_exec

    def processes(self) -> Iterator[int]:
        return (transport.get_pid() for transport in self._transports)

    def left(self) -> list[str]:
        """What is still there, in words. What can be ended here is ended, for the tests that come."""
        open_ = [each for each in self._transports if not each.is_closing() or each.get_returncode() is None]
        found = [f"{each!r}: {_command(each.get_pid())}" for each in open_]
        for each in open_:
            each.close()
        if open_:
            self._runner.run(_waited(open_))
        if asyncio.all_tasks(self._runner.get_loop()):
            found += [repr(task) for task in self._runner.run(_unsettled())]
        return found


async def _waited(transports: list[asyncio.SubprocessTransport]) -> None:
    for transport in transports:
        await transport._wait()


async def _unsettled() -> set[asyncio.Task[Any]]:
    others = asyncio.all_tasks() - {asyncio.current_task()}
    return (await asyncio.wait(others, timeout=SETTLING))[1] if others else set()


def _children() -> Iterator[int]:
    """The ids of our child processes."""
    try:
        os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
    except ChildProcessError:
        return
    for listed in Path("/proc/self/task").glob("*/children"):
        with contextlib.suppress(OSError):  # a thread that has ended meanwhile
            yield from map(int, listed.read_text().split())


def _command(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_text().replace("\0", " ")[:200]
    except OSError:
        return "ended"


def _complain(left: list[str]) -> None:
    if left:
        pytest.fail("left behind:\n  " + "\n  ".join(left), pytrace=False)
