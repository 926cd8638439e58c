"""Somebody at a command line, in this process: starting a program for each command would take a second."""

import asyncio
import io
from typing import Any

from tests.programs import Said

from croupier.cli.main import run


class Terminal:
    """Runs commands that begin with `words` against the server at `url`, with `given` on their standard input."""

    def __init__(self, url: str, token: str, capsys: Any, monkeypatch: Any, *, words: tuple[str, ...] = ()) -> None:
        self._words = words
        self._shared = ("--url", url, *(("--token", token) if token else ()))
        self._capsys = capsys
        self._monkeypatch = monkeypatch

    async def __call__(self, *arguments: str, given: str | bytes = "") -> Said:
        self._capsys.readouterr()
        data = given.encode() if isinstance(given, str) else given
        self._monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(data)))
        code = await asyncio.to_thread(run, [*self._words, *arguments, *self._shared])
        return Said(code, *self._capsys.readouterr())
