"""What every call passes before it is recorded and sent, whoever starts it and by whichever entry (product A4).

    assigned? enabled? (catalog) ─► permission (guard) ─► fits its schema? (catalog)

`Calls` and `Jobs` ask here first and nothing else sends, so a step that is added here holds for every entry.
"""

from croupier.domain.call import Call
from croupier.domain.entity import Subject
from croupier.domain.principal import Principal
from croupier.server.access.guard import Guard
from croupier.server.catalog import Catalog, Entry


class Admitted:
    """A call that may go on."""

    __slots__ = ("about", "call", "entry")

    def __init__(self, entry: Entry, call: Call, about: tuple[Subject, ...]) -> None:
        self.entry = entry
        """What is known of its function, for as long as the call lasts."""
        self.call = call
        """Without what its form hides."""
        self.about = about
        """The entities in whose timelines it appears."""

    def release(self) -> None:
        """The call has ended, however it went."""


class Admission:
    def __init__(self, *, guard: Guard, catalog: Catalog) -> None:
        self._guard = guard
        self._catalog = catalog

    async def admit(self, caller: Principal, call: Call) -> Admitted:
        """Raises CroupierError, saying what stopped the call and what to do; nothing was recorded or sent then.

        Whoever is admitted is to be released.
        """
        catalog = self._catalog
        entry = catalog.find(call)
        await self._guard.require_call(caller, call, entry.descriptor)
        call = catalog.fit(entry, call)
        return Admitted(entry, call, catalog.about(call, entry))
