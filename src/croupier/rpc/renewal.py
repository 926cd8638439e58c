"""Keeping a machine's certificate fresh, and what it knows of revoked ones, while it runs."""

import asyncio
import contextlib
import logging
import random
import time
from collections.abc import AsyncGenerator
from typing import NoReturn, Protocol

from croupier.errors import CroupierError
from croupier.pki.identity import MachineFiles
from croupier.pki.revocations import Revocations
from croupier.pki.revoked_file import RevokedFile

log = logging.getLogger(__name__)

LOOK = 3600.0
"""Seconds between looks at the clock, since clocks jump."""
SPREAD = 0.1
"""The part of what is left of a certificate's life after which machines renew at different times."""
RETRY, RETRY_MOST = 1.0, 60.0


class MachineCalls(Protocol):
    """MachineService, over whatever connection there is; waits for one. Raises CroupierError."""

    async def renew(self, request: bytes) -> tuple[bytes, bytes]:
        """Certificate and authority as PEM."""

    def revocations(self) -> AsyncGenerator[list[str], None]:
        """The serials that count no more, again whenever they change."""


class Renewal:
    def __init__(
        self, files: MachineFiles, revocations: Revocations, calls: MachineCalls, kept: RevokedFile | None = None
    ) -> None:
        """What is revoked goes into `kept` as it is heard of."""
        self._kept = kept
        self._files = files
        self._revocations = revocations
        self._calls = calls
        self._tasks: list[asyncio.Task[NoReturn]] = []

    def begin(self) -> None:
        self._tasks = [asyncio.ensure_future(self._renew()), asyncio.ensure_future(self._follow())]

    async def stop(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _renew(self) -> NoReturn:
        pause = RETRY
        while True:
            left = self._left()
            if left > 0:
                await asyncio.sleep(min(left, LOOK))
            elif await self._renewed(pause):
                pause = RETRY
            else:
                await asyncio.sleep(pause)
                pause = min(RETRY_MOST, 2 * pause)

    async def _renewed(self, pause: float) -> bool:
        try:
            current = self._files.current()
            cert, ca = await self._calls.renew(await asyncio.to_thread(current.request))
            renewed = await asyncio.to_thread(self._files.replace, cert, ca)
        except CroupierError as error:
            log.warning("the certificate could not be renewed, tried again in %.0f s: %s", pause, error.message)
            return False
        except Exception:
            # A fault of ours must not let the certificate run out.
            log.exception("the certificate could not be renewed, tried again in %.0f s", pause)
            return False
        log.info("the certificate was renewed: serial %s", renewed.peer.serial)
        return True

    def _left(self) -> float:
        """Seconds until it is time."""
        current = self._files.current()
        due = current.renewal_at()
        spread = max(0.0, current.peer.expires_ms / 1000 - due) * SPREAD
        return due + random.uniform(0.0, spread) - time.time()  # noqa: S311 — jitter, no secret

    async def _follow(self) -> NoReturn:
        pause = RETRY
        while True:
            try:
                async with contextlib.aclosing(self._calls.revocations()) as lists:
                    async for serials in lists:
                        before = self._revocations.serials
                        self._revocations.replace(serials)
                        pause = RETRY
                        if self._revocations.serials != before:
                            await self._keep()
            except CroupierError as error:
                log.info("what is revoked is not known anew, asked again in %.0f s: %s", pause, error.message)
            except Exception:
                # Nor must one let revoked machines stay.
                log.exception("what is revoked is not known anew, asked again in %.0f s", pause)
            await asyncio.sleep(pause)
            pause = min(RETRY_MOST / 4, 2 * pause)

    async def _keep(self) -> None:
        if self._kept is not None:
            try:
                await asyncio.to_thread(self._kept.save, self._revocations.serials)
            except OSError as error:
                log.warning("what is revoked is known until a restart only: %s", error.strerror)
