"""The use cases of installed packs."""

import asyncio
import builtins
import hashlib
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from contextlib import asynccontextmanager

from croupier.codes import Code
from croupier.domain.pack import InstalledPack, PackState, PackVersion, change_state, earlier_version, install
from croupier.domain.principal import Principal
from croupier.errors import CroupierError, FailedPrecondition, InvalidArgument, NotFound
from croupier.objects import Objects
from croupier.packs.dependencies import Obstacle, dependants
from croupier.packs.pack import FaultyPack, Pack
from croupier.packs.reading import read_packs
from croupier.packs.signing import signature_json
from croupier.packs.tar import read_archive
from croupier.server.access.audit import Audit
from croupier.server.access.guard import Guard
from croupier.server.packs.plan import Action, Outcome, Plan, Step, enabled, make_plan, step, together
from croupier.server.packs.shelf import Held, Shelf
from croupier.server.packs.trust import Trust
from croupier.store.packs import PackStore

log = logging.getLogger(__name__)

MOST_INSTALLED = 500
MOST_BYTES = 512 * 1024 * 1024
"""All installed packs together, unpacked."""
MOST_UNINSTALLED = 100
"""So many packs that were uninstalled are remembered, and can be rolled back to; the oldest are forgotten first."""

READ_AT_ONCE = 2
"""Archives that are unpacked at the same time: each may take 256 MB."""


class StaleTag(FailedPrecondition):
    """The packs are not any more what the caller looked at."""


class Packs:
    """`begin` comes first. Changes come one after the other; whoever reads sees the packs before one or after it."""

    def __init__(
        self,
        *,
        guard: Guard,
        audit: Audit,
        store: PackStore,
        objects: Objects,
        trust: Trust,
        changed: Callable[[Sequence[Pack]], Awaitable[None]],
        clock: Callable[[], int],
        lying: Callable[[], Sequence[Pack]] = tuple,
    ) -> None:
        """`changed` is told the packs that are enabled, by name, whenever they may have changed.

        `lying` tells the packs that lie in folders: they count as long as none of their name is enabled, and are not changed here.
        """
        self._guard = guard
        self._audit = audit
        self._store = store
        self._shelf = Shelf(objects)
        self._trust = trust
        self._changed = changed
        self._clock = clock
        self._lying = lying
        self._held: dict[str, Held] = {}
        self._reading = asyncio.Semaphore(READ_AT_ONCE)
        self._changing = asyncio.Lock()
        self._keeping: asyncio.Task[None] | None = None

    async def begin(self) -> None:
        """Take up what is kept, and clear away what a kill left."""
        records = await self._store.packs()
        await self._shelf.clear(records)
        await self._use({record.name: await self._shelf.held(record) for record in records})

    async def stop(self) -> None:
        """Let a change that has begun end."""
        async with self._turn():
            pass

    # ------------------------------------------------------------------------------------------------ looking

    async def list(self, caller: Principal) -> builtins.list[Held]:
        """Those that are installed or lie in folders, by name."""
        await self._guard.require(caller, "packs.read", None)
        return await asyncio.to_thread(self._all)

    async def get(self, caller: Principal, name: str) -> Held:
        """One that is there, or was installed. Raises NotFound."""
        await self._guard.require(caller, "packs.read", None, name)
        found = await asyncio.to_thread(self._all)
        return next((held for held in found if held.record.name == name), None) or self._known(name)

    def counting(self) -> builtins.list[Pack]:
        """The packs that count: enabled ones, and those in folders whose names no installed one has."""
        return together(self._held.values(), self._lying())

    def dependants(self) -> dict[str, builtins.list[str]]:
        """Which of the packs that count need each pack, by its name; one that nobody needs is left out."""
        return dependants(self.counting())

    def problems(self) -> builtins.list[tuple[str, str]]:
        """The packs that cannot be read, by name, and why."""
        return [(name, held.problem) for name, held in sorted(self._held.items()) if held.problem]

    async def tag(self) -> str:
        """The same for the same packs in the same states."""
        return await asyncio.to_thread(lambda: _tag(self._all()))

    async def exported(self, caller: Principal, names: Sequence[str]) -> builtins.list[Pack]:
        """The packs to be carried elsewhere, by name; without names all that are there. Raises NotFound."""
        await self._guard.require(caller, "packs.export", None, ",".join(names or ()))
        found = {held.record.name: held.pack for held in await asyncio.to_thread(self._all)}
        for name in names:
            if found.get(name) is None:
                self._installed(name)
        packs = [pack for name, pack in found.items() if pack is not None and (not names or name in names)]
        if not packs:
            raise NotFound("no pack is there that could be exported")
        return packs

    def _all(self) -> builtins.list[Held]:
        """May take long for large packs in folders, whose digests nobody knows yet."""
        held = {name: each for name, each in self._held.items() if each.record.installed}
        for pack in self._lying():
            if pack.name not in held:
                held[pack.name] = _lying_held(pack)
        return [each for _, each in sorted(held.items())]

    # ------------------------------------------------------------------------------------------------ changing

    async def take(
        self,
        caller: Principal,
        archive: bytes,
        *,
        name: str = "",
        replaces: Sequence[str] = (),
        expected: str = "",
        dry_run: bool = False,
    ) -> Outcome:
        """Install the packs of an archive, or upgrade to them; all of them or none.

        `name` is what a pack that does not say so itself is called. Packs in `replaces` are uninstalled with it.
        A dry run changes nothing and says what would change, what is in the way and what is wrong.
        Raises ArchiveRefused, FaultyPack, PermissionDenied (nobody trusted stands for it), FailedPrecondition (something is in
        the way), StaleTag when `expected` is given and not `tag`, NotFound for an unknown pack in `replaces`.
        """
        await self._guard.require(caller, "packs.import", None)
        try:
            async with self._reading:
                packs = await asyncio.to_thread(lambda: read_packs(read_archive(archive), name))
        except FaultyPack as error:
            if not dry_run:
                raise
            return Outcome(dry_run=True, accepted=False, tag=await self.tag(), faults=error.faults)
        signers, refused = await asyncio.to_thread(self._admit, packs)
        async with self._turn():
            await self._expect(expected)
            plan = await asyncio.to_thread(self._import_plan, caller, packs, signers, replaces)
            if dry_run:
                found = (*map(_untrusted, refused.items()), *plan.obstacles)
                return Outcome(
                    dry_run=True, accepted=not found, tag=await self.tag(), steps=plan.steps, obstacles=found
                )
            names = ", ".join(pack.name for pack in packs)
            details = {"packs": {pack.name: pack.digest for pack in packs}, "replaces": list(replaces)}
            async with self._audit.act(caller, "packs.import", target=names, details=details):
                for refusal in refused.values():
                    raise refusal
                return await self._carry_out(plan)

    async def enable(self, caller: Principal, name: str) -> Outcome:
        """Offer what the pack describes again. Safe to repeat. Raises NotFound, FailedPrecondition, PermissionDenied."""
        await self._guard.require(caller, "packs.change", None, name)
        async with self._audit.act(caller, "packs.enable", target=name), self._turn():
            held = self._installed(name)
            if held.pack is None:
                raise FailedPrecondition(held.problem)
            signed_by = await asyncio.to_thread(self._trust.admit, held.pack)
            after = self._stated(caller, held, PackState.ENABLED)
            return await self._carry_out(self._plan({name: after}, step("enable", held.pack, held.pack, signed_by)))

    async def disable(self, caller: Principal, name: str) -> Outcome:
        """Offer nothing of the pack. Safe to repeat. Raises NotFound, or FailedPrecondition naming who needs it."""
        await self._guard.require(caller, "packs.change", None, name)
        async with self._audit.act(caller, "packs.disable", target=name), self._turn():
            held = self._installed(name)
            self._require_unneeded(name, "disabled")
            after = self._stated(caller, held, PackState.DISABLED)
            return await self._carry_out(self._plan({name: after}, *_steps("disable", held.pack, held.pack)))

    async def uninstall(self, caller: Principal, name: str) -> Outcome:
        """Take the pack away; a roll-back brings it back. Raises NotFound, or FailedPrecondition naming who needs it."""
        await self._guard.require(caller, "packs.change", None, name)
        async with self._audit.act(caller, "packs.uninstall", target=name), self._turn():
            held = self._installed(name)
            self._require_unneeded(name, "uninstalled")
            after = self._stated(caller, held, PackState.UNINSTALLED)
            return await self._carry_out(self._plan({name: after}, *_steps("uninstall", held.pack, None)))

    async def roll_back(self, caller: Principal, name: str, digest: str = "") -> Outcome:
        """Back to an earlier version: the one whose digest begins so, or the one before.

        Raises NotFound, FailedPrecondition, PermissionDenied.
        """
        await self._guard.require(caller, "packs.change", None, name)
        async with self._audit.act(caller, "packs.rollback", target=name), self._turn():
            held = self._known(name)
            version = earlier_version(held.record, digest)
            pack = await self._shelf.load(name, version)
            signed_by = await asyncio.to_thread(self._trust.admit, pack)
            after = self._with_version(caller, held, pack, signed_by)
            change = await asyncio.to_thread(step, "rollback", held.pack, pack, signed_by)
            return await self._carry_out(self._plan({name: after}, change))

    async def reload(self, caller: Principal) -> builtins.list[Held]:
        """Read every installed pack from the disk again. Returns all of them; what cannot be read has a problem."""
        await self._guard.require(caller, "packs.reload", None)
        async with self._audit.act(caller, "packs.reload"), self._turn():
            await self._use({name: await self._shelf.held(held.record) for name, held in self._held.items()})
            return [held for _, held in sorted(self._held.items()) if held.record.installed]

    # ------------------------------------------------------------------------------------------------ how

    def _admit(self, packs: Sequence[Pack]) -> tuple[dict[str, str], dict[str, CroupierError]]:
        signers: dict[str, str] = {}
        refused: dict[str, CroupierError] = {}
        for pack in packs:
            try:
                signers[pack.name] = self._trust.admit(pack)
            except CroupierError as error:
                refused[pack.name] = error
        return signers, refused

    def _import_plan(
        self, caller: Principal, packs: Sequence[Pack], signers: dict[str, str], replaces: Sequence[str]
    ) -> Plan:
        news: dict[str, Held] = {}
        steps: list[Step] = []
        for name in dict.fromkeys(replaces):
            held = self._installed(name)
            if any(pack.name == name for pack in packs):
                raise InvalidArgument(f"pack {name} cannot replace itself: leave it out of `replaces`")
            news[name] = self._stated(caller, held, PackState.UNINSTALLED)
            steps += _steps("uninstall", held.pack, None)
        for pack in packs:
            known = self._held.get(pack.name)
            old = known.pack if known is not None else None
            signed_by = signers.get(pack.name, "")
            if known is not None and _same(known, pack):
                steps.append(step("unchanged", old, pack, signed_by))
                continue
            news[pack.name] = self._with_version(caller, known, pack, signed_by)
            # Whoever installs over a pack in a folder wants to know what changes for its callers.
            before = old or next((each for each in self._lying() if each.name == pack.name), None)
            steps.append(step("upgrade" if old is not None else "install", before, pack, signed_by))
        return self._plan(news, *steps)

    def _plan(self, news: dict[str, Held], *steps: Step) -> Plan:
        return make_plan(self._held, {**self._held, **news}, steps, self._lying())

    def _with_version(self, caller: Principal, held: Held | None, pack: Pack, signed_by: str) -> Held:
        version = PackVersion(
            digest=pack.digest,
            version=pack.version,
            category=pack.category,
            signature=signature_json(pack.signature).decode() if pack.signature else "",
            signed_by=signed_by,
            installed_by=caller.name,
            installed_ms=self._clock(),
        )
        return Held(record=install(held.record if held else None, pack.name, version), pack=pack)

    def _stated(self, caller: Principal, held: Held, state: PackState) -> Held:
        if held.record.state is state:
            return held
        record = change_state(held.record, state, by=caller.name, now_ms=self._clock())
        return Held(record=record, pack=held.pack if record.installed else None, problem=held.problem)

    async def _carry_out(self, plan: Plan) -> Outcome:
        if plan.obstacles:
            raise FailedPrecondition("; ".join(each.message for each in plan.obstacles))
        _check_bounds(plan)
        # Whoever asked may leave: what has begun ends, or the memory would not know what is on the disk.
        self._keeping = asyncio.create_task(self._keep(plan))
        await asyncio.shield(self._keeping)
        return Outcome(dry_run=False, accepted=True, tag=await self.tag(), steps=plan.steps)

    @asynccontextmanager
    async def _turn(self) -> AsyncIterator[None]:
        """One change at a time, also after one whose caller left before its end."""
        async with self._changing:
            if self._keeping is not None:
                await asyncio.wait({self._keeping})
            yield

    async def _keep(self, plan: Plan) -> None:
        if not plan.changed:
            return
        for name in plan.changed:
            pack = plan.after[name].pack
            known = self._held.get(name)
            if pack is not None and (known is None or known.pack is None or known.pack.digest != pack.digest):
                await self._shelf.put(pack)
        forgotten = _forgotten(plan.after.values())
        records = [plan.after[name].record for name in plan.changed if name not in forgotten]
        await self._store.replace(records, forgotten)
        await self._use({name: held for name, held in plan.after.items() if name not in forgotten})
        for record in records:
            log.info("pack %s %s is %s, by %s", record.name, record.current.version, record.state, record.changed_by)
        await self._shelf.clear(held.record for held in self._held.values())

    async def _use(self, held: dict[str, Held]) -> None:
        self._held = held
        await self._changed(enabled(held for _, held in sorted(held.items())))

    def _known(self, name: str) -> Held:
        held = self._held.get(name)
        if held is None:
            raise NotFound(f"no pack is named {name[:100]!a}: `croupier pack list` shows those that are installed")
        return held

    def _installed(self, name: str) -> Held:
        if name not in self._held and any(pack.name == name for pack in self._lying()):
            raise FailedPrecondition(f"pack {name} lies in a folder of the server: change it there")
        held = self._known(name)
        if not held.record.installed:
            raise NotFound(f"pack {name} is uninstalled: roll it back, or import it again")
        return held

    async def _expect(self, expected: str) -> None:
        if expected and expected != await self.tag():
            raise StaleTag(
                "somebody changed the packs since you looked: look at what would change again", code=Code.STALE
            )

    def _require_unneeded(self, name: str, deed: str) -> None:
        needing = self.dependants().get(name)
        if needing:
            raise FailedPrecondition(
                f"pack {name} cannot be {deed}: {', '.join(needing)} need it; disable them first",
                {"pack": name, "needing": ", ".join(needing)},
                code=Code.PACK_NEEDED,
            )


def _same(held: Held, pack: Pack) -> bool:
    return held.pack is not None and (held.pack.digest, held.pack.signature) == (pack.digest, pack.signature)


def _steps(action: Action, old: Pack | None, new: Pack | None) -> list[Step]:
    """None for a pack that cannot be read: nobody knows what it was."""
    return [step(action, old, new)] if old is not None or new is not None else []


def _untrusted(refused: tuple[str, CroupierError]) -> Obstacle:
    name, error = refused
    return Obstacle(
        kind="untrusted", pack=name, message=error.message, message_zh=f"包 {name} 没有可信的签名：请用受信任的密钥签名"
    )


def _check_bounds(plan: Plan) -> None:
    packs = [held.pack for held in plan.after.values() if held.pack is not None]
    if len(packs) > MOST_INSTALLED:
        raise FailedPrecondition(f"more than {MOST_INSTALLED} packs: uninstall some")
    if sum(len(content) for pack in packs for content in pack.files.values()) > MOST_BYTES:
        raise FailedPrecondition(f"the packs together would have more than {MOST_BYTES} bytes: uninstall some")


def _forgotten(held: Iterable[Held]) -> list[str]:
    """The packs that were uninstalled longest ago, beyond those that are remembered."""
    gone = [each.record for each in held if not each.record.installed]
    gone.sort(key=lambda record: record.changed_ms, reverse=True)
    return [record.name for record in gone[MOST_UNINSTALLED:]]


def _lying_held(pack: Pack) -> Held:
    signature = signature_json(pack.signature).decode() if pack.signature else ""
    version = PackVersion(
        digest=pack.digest,
        version=pack.version,
        category=pack.category,
        signature=signature,
        installed_by="",
        installed_ms=0,
    )
    record = InstalledPack(name=pack.name, versions=(version,), changed_by="", changed_ms=0)
    return Held(record=record, pack=pack, lying=True)


def _tag(held: Iterable[Held]) -> str:
    found = hashlib.sha256()
    for each in held:
        current = each.record.current
        said = (each.record.name, current.digest, current.signature, each.record.state, str(each.lying))
        found.update("\n".join((*said, "")).encode())
    return found.hexdigest()[:32]
