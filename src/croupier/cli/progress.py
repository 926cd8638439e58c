"""A job's story on the screen: a bar where there is a terminal, else one line per event, or JSON for programs."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

import click
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, Progress, TaskID, TaskProgressColumn, TextColumn, TimeElapsedColumn

from croupier.cli.following import Happening
from croupier.cli.terminal import print_json, printable


class Story(Protocol):
    def show(self, happening: Happening) -> None: ...

    def note(self, text: str) -> None:
        """Something about the following itself, not an event."""


class JsonStory:
    """Every event as one JSON object on a line of stdout: the server's fields and `seq`."""

    def show(self, happening: Happening) -> None:
        print_json({"seq": happening.seq, **happening.data})

    def note(self, text: str) -> None:
        click.echo(printable(text), err=True)


class PlainStory:
    """One line of stderr per event, so that stdout holds the result and nothing else."""

    def show(self, happening: Happening) -> None:
        if happening.type == "progress":
            click.echo(printable(f"{happening.progress:3d}% {happening.message}".rstrip()), err=True)
        elif happening.type == "log":
            click.echo(printable(happening.message), err=True)

    def note(self, text: str) -> None:
        click.echo(printable(f"-- {text}"), err=True)


class BarStory:
    """Log lines scroll by above a bar that stays."""

    def __init__(self, progress: Progress, task: TaskID) -> None:
        self._progress = progress
        self._task = task

    def show(self, happening: Happening) -> None:
        if happening.type == "progress":
            message = escape(printable(happening.message).replace("\n", " "))
            self._progress.update(self._task, completed=happening.progress, message=message)
        elif happening.type == "log":
            self._progress.console.print(printable(happening.message), markup=False, highlight=False)
        elif happening.type == "done":
            self._progress.update(self._task, completed=100)

    def note(self, text: str) -> None:
        self._progress.console.print(printable(text), style="yellow", markup=False, highlight=False)


@contextmanager
def story(title: str, *, as_json: bool) -> Iterator[Story]:
    """The story fit for where the output goes; leaving it leaves the terminal as it was."""
    if as_json:
        yield JsonStory()
    elif not sys.stderr.isatty():
        yield PlainStory()
    else:
        columns = (
            TextColumn(escape(printable(title))),
            BarColumn(),
            TaskProgressColumn(),
            TimeElapsedColumn(),
            TextColumn("{task.fields[message]}"),
        )
        with Progress(*columns, console=Console(stderr=True)) as progress:
            yield BarStory(progress, progress.add_task("", total=100, message=""))
