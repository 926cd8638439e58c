from dataclasses import dataclass

from croupier.domain.approval import Approval, ApprovalKind, ApprovalState
from croupier.domain.call import Call


@dataclass(frozen=True, kw_only=True, slots=True)
class Grant:
    """What a call carries past the gate. No entry makes one: the executor does, and bulk runs do for their rows."""

    approval: Approval | None = None
    """None: for the rows of a bulk run that needed no approval when it began; nobody is asked about one row."""

    @property
    def is_for_rows(self) -> bool:
        return self.approval is None or self.approval.kind is ApprovalKind.BULK

    def covers(self, call: Call) -> bool:
        """Whether it is this call, or a row of this bulk run, that was approved."""
        approval = self.approval
        if approval is None or (approval.function_id, approval.scope) != (call.function_id, call.scope):
            return False
        if approval.kind is ApprovalKind.BULK:
            begun = approval.state in {ApprovalState.EXECUTING, ApprovalState.EXECUTED}
            return begun and call.idempotency_key.startswith(f"bulk:{approval.call_id}:")
        return approval.call_id == call.id
