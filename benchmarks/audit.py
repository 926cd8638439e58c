"""What the audit record costs: rows chained, exported and verified in a second.

python benchmarks/audit.py [ROWS]
"""

import sys
import time
from collections.abc import Callable
from typing import TypeVar

from croupier.audit.chain import Chain
from croupier.audit.export import ExportWriter
from croupier.audit.macs import Macs
from croupier.audit.signing import Signer
from croupier.audit.verify import ExportCheck, Verdict
from croupier.domain.audit import GENESIS, Note, Phase, SealedRow
from croupier.domain.principal import Principal
from croupier.domain.scope import Scope
from croupier.server.access.audit import Masker

KEY = b"k" * 32
ARGUMENTS = b'{"player_id":"p-10482","reason":"cheats in ranked games","days":7,"silent":false}'
T = TypeVar("T")


def measured(what: str, rows: int, work: Callable[[], T]) -> T:
    wall, cpu = time.perf_counter(), time.process_time()
    found = work()
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    print(f"{what:32} {rows / wall:10,.0f} rows/s {cpu / rows * 1e6:8.2f} us CPU a row")
    return found


def a_note(details: str) -> Note:
    return Note(
        actor=Principal(name="ann", kind="user", user_id="u0123456789", credential="s0123456789"),
        action="function.invoke",
        phase=Phase.INTENT,
        act_id="c01234567890123456789",
        target="player.ban",
        scope=Scope("demo", "prod"),
        trace_id="0af7651916cd43dd8448eb211c80319c",
        details=details,
    )


def main() -> None:
    rows = int(sys.argv[1]) if len(sys.argv) > 1 else 100_000
    masker, chain, signer = Masker(KEY), Chain(Macs(KEY)), Signer(KEY)
    measured("mask arguments", rows, lambda: [masker.arguments(ARGUMENTS) for _ in range(rows)])
    note = a_note(masker.arguments(ARGUMENTS))
    sealed = measured("chain", rows, lambda: [chain.add(note, 1_700_000_000_000 + at) for at in range(rows)])
    lines = measured("export", rows, lambda: exported(signer, sealed))
    for what, key in (("verify with the key", KEY), ("verify with the public key", None)):
        verdict = measured(what, rows, lambda key=key: verified(lines, key, signer))
        if not verdict.holds:
            sys.exit(f"{what}: {verdict.faults[0]}")


def exported(signer: Signer, rows: list[SealedRow]) -> list[bytes]:
    writer, before = ExportWriter(signer), GENESIS.hash
    lines = [writer.begin(GENESIS, (), made_ms=7, whole=True)]
    for each in rows:
        lines.append(writer.row(before, each))
        before = each.hash
    return [*lines, writer.end()]


def verified(lines: list[bytes], key: bytes | None, signer: Signer) -> Verdict:
    check = ExportCheck(key=key, witness=signer.witness)
    for line in lines:
        check.feed(line)
    return check.finish()


if __name__ == "__main__":
    main()
