"""What it costs to say yes or no: remembered, not remembered, with a condition; and to load many roles and people.

python benchmarks/access.py [--roles 1000] [--users 10000]
"""

import argparse
import time
from collections.abc import Callable

from croupier.domain.policy import read_binding, read_role
from croupier.domain.principal import Principal
from croupier.domain.scope import Scope
from croupier.server.access.policy import Policy
from croupier.server.access.policy.conditions import Facts, why_not
from croupier.server.access.policy.snapshot import Snapshot

HERE = Scope("game1", "prod")
CONDITION = "has_role('operator') && (args.amount <= 100 || time_between('09:00', '18:00')) && game_id != 'other'"


def microseconds(work: Callable[[], object], times: int) -> float:
    """Of one, in the best of five rounds."""
    best = float("inf")
    for _ in range(5):
        began = time.perf_counter()
        for _ in range(times):
            work()
        best = min(best, time.perf_counter() - began)
    return best / times * 1e6


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--roles", type=int, default=1_000)
    parser.add_argument("--users", type=int, default=10_000)
    asked = parser.parse_args()
    roles = [
        read_role(f"r{number}", [f"function:f{number}.{each}" for each in range(20)]) for number in range(asked.roles)
    ]
    bindings = [
        read_binding(f"user:u{number}", f"r{number % asked.roles}", f"game{number % 50}")
        for number in range(asked.users)
    ]
    began = time.perf_counter()
    policy = Policy()
    policy.use(Snapshot(roles, [*bindings, read_binding("group:ops", "operator", "game1")]))
    print(f"{asked.roles} roles and {asked.users} people in force after {time.perf_counter() - began:.3f} s")
    ann = Principal(name="ann", kind="user", user_id="u1", groups=frozenset({"ops", "staff"}), credential="s1")

    def decide() -> bool:
        return policy.decide_function(ann, "player.ban", "player:ban", HERE).allowed

    def anew() -> bool:
        policy.forget()
        return decide()

    facts = Facts(
        user="ann",
        user_id="u1",
        roles=["operator"],
        scope=HERE,
        function_id="player.ban",
        risk="high",
        payload=b'{"player_id": "p1", "amount": 5, "items": [1, 2, 3]}',
        now_ms=1_763_985_600_000,
        has_permission=lambda _: True,
    )
    if not decide() or why_not(CONDITION, facts):
        raise SystemExit("what is measured is to be a yes, and is not")
    remembered, fresh = microseconds(decide, 20_000), microseconds(anew, 5_000)
    condition = microseconds(lambda: why_not(CONDITION, facts), 3_000)
    print(
        f"a decision: remembered {remembered:.2f} µs, anew {fresh:.1f} µs, with a condition {fresh + condition:.1f} µs"
    )


if __name__ == "__main__":
    main()
