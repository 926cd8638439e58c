"""Approvals: a call that somebody else has to agree to waits, is decided about, and then runs exactly once.

    admission ──► gate ── asked? (rules) ──► store: call waits, approval pending, notices ──► 202
                   ▲                                        │
                   │ grant: nothing drifted?                ▼
    spine ◄── executor ◄── approved ◄── deciding ◄── HTTP: approve, reject, withdraw, comment, review
                   └── expiry, what a dead process left behind          notices/ ──► webhooks

Its life is `domain/approval.py`. Only the executor makes grants, and a grant opens the gate for the call of its approval only.
"""

from croupier.server.approvals.approving import Approving
from croupier.server.approvals.executor import Current, Runners
from croupier.server.approvals.gate import ApprovalGate, Passed
from croupier.server.approvals.grant import Grant
from croupier.server.approvals.rules import Rules

__all__ = ["ApprovalGate", "Approving", "Current", "Grant", "Passed", "Rules", "Runners"]
