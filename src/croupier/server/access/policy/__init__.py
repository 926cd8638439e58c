"""The one place that says yes or no.

    Guard ─► Policy ─► Snapshot   roles and bindings, in memory; replaced whole after the store has the change
                  └──► conditions allow_if, in CEL

Deny by default: whoever no binding allows something may not do it, and what cannot be decided is denied.
"""

from croupier.server.access.policy.policy import Policy, Verdict

__all__ = ["Policy", "Verdict"]
