from __future__ import annotations

import asyncio
import contextlib
import logging
import re
import secrets
import signal
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Literal, Protocol, Self, TypeVar, Unpack

from croupier_sdk.errors import Failure
from croupier_sdk.functions.field import Text
from croupier_sdk.functions.function import Function, make_function
from croupier_sdk.functions.options import FunctionOptions
from croupier_sdk.keys import KeyStore
from croupier_sdk.limits import CALLS_IN_FLIGHT, JOBS_IN_FLIGHT, STOP_GRACE
from croupier_sdk.objects.component import load_manifest, read_component
from croupier_sdk.objects.offering import Offering
from croupier_sdk.objects.virtual_object import Operations, Relationship, VirtualObject
from croupier_sdk.rpc.channel import Tls, check_secure
from croupier_sdk.rpc.listener import Listener, ListenerSettings
from croupier_sdk.running.calls import Calls
from croupier_sdk.running.jobs import Jobs
from croupier_sdk.running.workers import Workers
from croupier_sdk.tunnel.attachment import Attachment, Peer
from croupier_sdk.tunnel.session import Identity, Session
from croupier_wire.tunnel.v1 import tunnel_pb2

log = logging.getLogger("croupier_sdk")

H = TypeVar("H", bound=Callable[..., Any])

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_SERVICE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:@-]{0,127}")
_FLUSH_SECONDS = 2.0
"""How long a stopping provider waits for the agent to acknowledge its last words."""


class _Link(Protocol):
    """A way to be reached: an Attachment or a Listener."""

    attached: asyncio.Event

    async def run(self) -> None: ...
    def register(self, service: tunnel_pb2.Service) -> None: ...
    def drain(self, reason: str) -> None: ...
    async def leave(self) -> None: ...


@dataclass(frozen=True, kw_only=True, slots=True)
class _Running:
    """What exists only while the provider serves."""

    calls: Calls
    jobs: Jobs
    workers: tuple[Workers, Workers]
    link: _Link
    task: asyncio.Task[None]


class Provider:
    """A game server's functions, offered through the agent beside it.

    `run()` serves until SIGTERM or SIGINT; `await serve()` until `await stop()`; `async with provider:` while the block runs. It
    connects, and connects again, for ever: an agent that is not there yet is no error. Without `tls`, the files that CROUPIER_CA,
    CROUPIER_CERT and CROUPIER_KEY name are its certificate, if they are set. Raises ValueError for a wrong option.
    """

    def __init__(
        self,
        *,
        service_id: str,
        game_id: str,
        env: str,
        agent: str = "127.0.0.1:19090",
        version: str = "",
        mode: Literal["attach", "listen"] = "attach",
        listen: str = "127.0.0.1:0",
        advertise: str = "",
        tls: Tls | None = None,
        workers: int = 32,
        max_calls: int = CALLS_IN_FLIGHT,
        max_jobs: int = JOBS_IN_FLIGHT,
        grace: float = STOP_GRACE,
        heartbeat_interval: float = 30.0,
        key_store: KeyStore | None = None,
    ) -> None:
        for label, value, pattern in (
            ("service_id", service_id, _SERVICE),
            ("game_id", game_id, _NAME),
            ("env", env, _NAME),
        ):
            if not pattern.fullmatch(value):
                raise ValueError(
                    f"{label} {value!r}: letters, digits, '.', '_' or '-', starting with a letter or digit"
                )
        if mode not in {"attach", "listen"}:
            raise ValueError(f"mode must be attach or listen, not {mode!r}")
        tls = tls or Tls.from_environment()
        check_secure(agent, tls, "agent")
        if mode == "listen":
            check_secure(listen, tls, "listen")
        self.service_id, self.game_id, self.env, self.version, self.mode = service_id, game_id, env, version, mode
        self._agent, self._tls, self._workers, self._grace = agent, tls, workers, grace
        self._limits = (max_calls, max_jobs)
        self._key_store = key_store
        self._listening = ListenerSettings(listen=listen, advertise=advertise, heartbeat=heartbeat_interval)
        self._offering = Offering(service_id, game_id, version)
        self._incarnation = secrets.token_hex(16)
        self._running: _Running | None = None

    @property
    def functions(self) -> Mapping[str, Function]:
        return self._offering.functions

    @property
    def objects(self) -> Mapping[str, VirtualObject]:
        return self._offering.objects

    def function(self, id: str = "", **options: Unpack[FunctionOptions]) -> Callable[[H], H]:  # noqa: A002 — the contract's word
        """Offer the decorated function, sync or async, under `id` (its own name where none is given). See Options for the rest.

        Raises TypeError, naming function and parameter, for a signature that cannot be offered; ValueError for a wrong option.
        """
        return self._decorator(id, options, is_job=False)

    def job(self, id: str = "", **options: Unpack[FunctionOptions]) -> Callable[[H], H]:  # noqa: A002 — the contract's word
        """The same for long work: it is started, followed and cancelled. A JobContext parameter tells of its progress."""
        return self._decorator(id, options, is_job=True)

    def _decorator(self, function_id: str, options: FunctionOptions, *, is_job: bool) -> Callable[[H], H]:
        if not isinstance(function_id, str):
            raise TypeError('write @provider.function() or @provider.function("an.id"): the decorator is called first')

        def decorate(handler: H) -> H:
            self._add(make_function(handler, function_id, options, is_job=is_job))
            return handler

        return decorate

    def register_virtual_object(
        self,
        id: str,  # noqa: A002 — the contract's word
        version: str = "1.0.0",
        *,
        operations: Operations,
        schema: Any = None,
        relationships: Mapping[str, Relationship | Mapping[str, str]] | None = None,
        key: str = "",
        title: Text = "",
        description: Text = "",
        color: str = "",
        ui: Mapping[str, Any] | None = None,
    ) -> None:
        """Say what type of thing functions are about, and what each does to one: {"read": "wallet.get", "add": a_handler}.

        A handler becomes the function `<id>.<verb>`; a function is named by its id once it is registered. See VirtualObject
        and Operation for the rest. Raises ValueError for an id that is taken, a function that nobody registered, or a
        malformed name; TypeError for a handler that cannot be offered. Nothing is registered then.
        """
        thing = VirtualObject(
            id=id,
            version=version,
            operations=operations,
            schema=schema,
            relationships=relationships or {},
            key=key,
            title=title,
            description=description,
            color=color,
            ui=ui or {},
        )
        with self._changing() as offering:
            offering.add_object(thing)

    def register_component(
        self, manifest: Mapping[str, Any], handlers: Mapping[str, Callable[..., Any]] | None = None
    ) -> None:
        """Offer all functions and virtual objects of a component manifest at once, each function by its handler.

        A function without a handler must be registered already. Raises as `register_virtual_object` does.
        """
        component = read_component(manifest)
        with self._changing() as offering:
            offering.add_component(component, handlers or {})

    def load_component(self, path: str | Path, handlers: Mapping[str, Callable[..., Any]] | None = None) -> None:
        """The same with a manifest from a JSON file, or from a directory with a component.json or manifest.json."""
        self.register_component(load_manifest(path), handlers)

    def _add(self, function: Function) -> None:
        with self._changing() as offering:
            offering.add_function(function)

    @contextlib.contextmanager
    def _changing(self) -> Iterator[Offering]:
        """What is added in the block is offered at once, unless it raises."""
        with self._offering.together():
            yield self._offering
        if self._running is not None:
            self._running.link.register(self._offering.service())

    # serving

    async def serve(self) -> None:
        """Serve until `stop()` or cancellation; both end cleanly, after calls in flight had `grace` seconds to end."""
        running = self._start()
        try:
            await asyncio.wait({running.task})  # which, unlike awaiting it, leaves it running if we are cancelled
        finally:
            await self.stop()

    async def ready(self) -> None:
        """Wait until the provider is attached (or registered) and so the functions are told.

        Raises RuntimeError if the provider does not serve, and what went wrong if it cannot go on (a port that is taken).
        """
        if (running := self._running) is None:
            raise RuntimeError("the provider does not serve: call run() or serve(), or enter it")
        attached = asyncio.ensure_future(running.link.attached.wait())
        try:
            await asyncio.wait({attached, running.task}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            attached.cancel()
        if running.task.done():
            running.task.result()

    async def stop(self, grace: float | None = None) -> None:
        """Take no new calls, wait up to `grace` seconds for those in flight, cancel the rest, say goodbye. Safe to repeat.

        Raises what ended the provider, if something had before.
        """
        running, self._running = self._running, None
        if running is None:
            return
        grace = self._grace if grace is None else grace
        running.calls.draining = running.jobs.draining = True
        running.link.drain("the game server is stopping")
        try:
            await self._finish(running, grace)
        finally:
            running.task.cancel()
            (ended,) = await asyncio.gather(running.task, return_exceptions=True)
            for workers in running.workers:
                workers.close()
        if isinstance(ended, Exception):
            raise ended

    async def _finish(self, running: _Running, grace: float) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(grace):
                await running.calls.idle()
                await running.jobs.idle()
        why = "the game server stopped before the function ended"
        running.calls.cancel_all(Failure(reason="outcome_unknown", message=f"{why}; it may have acted"))
        running.jobs.cancel_all(why, grace=_FLUSH_SECONDS / 2)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_FLUSH_SECONDS):
                await running.jobs.idle()
                await running.calls.left()
                await running.jobs.left()
                await running.link.leave()

    def run(self, *, loop_factory: Callable[[], asyncio.AbstractEventLoop] | None = None) -> None:
        """Serve until SIGTERM or SIGINT. A second signal does not wait for the calls in flight."""
        with asyncio.Runner(loop_factory=loop_factory) as runner:
            runner.run(self._run())

    async def _run(self) -> None:
        loop = asyncio.get_running_loop()
        signalled = asyncio.Event()
        stops: list[asyncio.Task[None]] = []

        def on_signal() -> None:
            if signalled.is_set():
                stops[0].cancel()
            else:
                stops.append(loop.create_task(self.stop()))
                signalled.set()

        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, on_signal)
        try:
            await self.serve()
        finally:
            await asyncio.gather(*stops, return_exceptions=True)
            for number in (signal.SIGTERM, signal.SIGINT):
                loop.remove_signal_handler(number)

    async def __aenter__(self) -> Self:
        self._start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()

    def _start(self) -> _Running:
        if self._running is not None:
            raise RuntimeError("the provider serves already")
        service = self._offering.service()
        workers = (Workers(self._workers, "croupier-call"), Workers(self._workers, "croupier-job"))
        calls = Calls(self._offering.functions, workers[0], self._limits[0], self._key_store)
        jobs = Jobs(self._offering.functions, workers[1], self._limits[1])
        link = self._link(calls, jobs)
        link.register(service)
        task = asyncio.get_running_loop().create_task(link.run())
        self._running = _Running(calls=calls, jobs=jobs, workers=workers, link=link, task=task)
        return self._running

    def _link(self, calls: Calls, jobs: Jobs) -> _Link:
        peer = Peer(agent=self._agent, game_id=self.game_id, env=self.env, tls=self._tls)
        if self.mode == "listen":
            return Listener(peer, self._listening, calls, jobs)
        identity = Identity(
            service_id=self.service_id,
            game_id=self.game_id,
            env=self.env,
            version=self.version,
            incarnation=self._incarnation,
            capabilities=("session", "keys") if self._key_store is None else ("session", "keys", "durable_keys"),
        )
        return Attachment(peer, Session(identity), calls, jobs)
