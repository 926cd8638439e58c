"""What every call passes before it is recorded and sent, whoever starts it and by whichever entry (product A4).

    assigned? enabled? (catalog) ─► permission (guard) ─► fits its schema? (catalog) ─► what the audit record will say (audit)

`Calls` and `Jobs` ask here first and nothing else sends, so a step that is added here holds for every entry.
"""

from croupier.domain.audit import Note
from croupier.domain.call import Call
from croupier.domain.entity import Subject
from croupier.domain.principal import Principal
from croupier.errors import CroupierError, InvalidArgument
from croupier.server.access.audit import INVOKE, Audit
from croupier.server.access.guard import Guard
from croupier.server.catalog import Catalog, Entry


class Admitted:
    """A call that may go on."""

    __slots__ = ("about", "call", "entry", "note")

    def __init__(self, entry: Entry, call: Call, about: tuple[Subject, ...], note: Note) -> None:
        self.entry = entry
        """What is known of its function, for as long as the call lasts."""
        self.call = call
        """Without what its form hides."""
        self.about = about
        """The entities in whose timelines it appears."""
        self.note = note
        """Its intent, for the audit record: to be written in the commit of the call's own row."""

    def release(self) -> None:
        """The call has ended, however it went."""


class Admission:
    def __init__(self, *, guard: Guard, catalog: Catalog, audit: Audit) -> None:
        self._guard = guard
        self._catalog = catalog
        self._audit = audit

    async def admit(self, caller: Principal, call: Call, action: str = INVOKE) -> Admitted:
        """Raises CroupierError, saying what stopped the call and what to do; nothing was recorded or sent then.

        Whoever is admitted is to be released. `action` is what the audit record calls it; a refusal is on record too.
        """
        catalog = self._catalog
        try:
            entry = catalog.find(call)
            await self._guard.require_call(caller, call, entry.descriptor)
            call = catalog.fit(entry, call)
        except CroupierError as error:
            if not isinstance(error, InvalidArgument):
                await self._audit.denied(caller, action, error, scope=call.scope, target=call.function_id)
            raise
        note = self._audit.intent(caller, call, entry.sensitive, action=action)
        return Admitted(entry, call, catalog.about(call, entry), note)
