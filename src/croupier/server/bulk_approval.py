"""A bulk run as the one call that is approved: its file, the number of its rows, and how it is to run."""

from collections.abc import Mapping
from dataclasses import asdict

import orjson

from croupier.domain.approval import Approval
from croupier.domain.binding import canonical
from croupier.domain.bulk import Bulk, Plan
from croupier.domain.call import Call
from croupier.domain.principal import Principal


def approved_call(bulk: Bulk, plan: Plan, caller: Principal, said: Mapping[str, str]) -> Call:
    """It is never sent: it stands for the run where an approval is asked for, and where it is compared."""
    facts = {
        "bulk_id": bulk.id,
        "name": bulk.name,
        "sha256": bulk.sha256,
        "rows": bulk.rows,
        "invalid": bulk.invalid,
        "dry_run": bulk.dry_run,
        "plan": asdict(plan),
    }
    return Call(
        id=bulk.id,
        function_id=bulk.function_id,
        scope=bulk.scope,
        payload=canonical(facts),
        caller=caller.name,
        metadata={name: words.strip() for name, words in said.items() if words.strip()},
    )


def approved_plan(approval: Approval) -> Plan:
    """The one that the run is to have."""
    return Plan(**orjson.loads(approval.arguments)["plan"])
