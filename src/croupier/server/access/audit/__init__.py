"""The audit record on the server: what is written into it, and with which values hidden.

    use case ── Audit.act(…) ──► intent, durable ──► the change ──► outcome          `audit.py`
    call ── Admission ──► Audit.intent(…) ──► a note that goes into the call's own commit, as does the outcome's
                              └── `masking.py`: sensitive values become keyed hashes, long ones are cut

The store chains the rows (`croupier.audit`); `Audit` never reads them.
"""

from croupier.server.access.audit.audit import INVOKE, START, Act, Audit, outcome_note
from croupier.server.access.audit.checkpoints import Checkpoints
from croupier.server.access.audit.masking import Masker
from croupier.server.access.audit.purposes import CHAIN_PURPOSE, MASK_PURPOSE, SIGN_PURPOSE
from croupier.server.access.audit.sensitive import NOTHING_SAID, Sensitive, sensitive_fields

__all__ = [
    "CHAIN_PURPOSE",
    "INVOKE",
    "MASK_PURPOSE",
    "NOTHING_SAID",
    "SIGN_PURPOSE",
    "START",
    "Act",
    "Audit",
    "Checkpoints",
    "Masker",
    "Sensitive",
    "outcome_note",
    "sensitive_fields",
]
