"""Every single bit and every single row of an export of 1 000 rows: whatever is bent is found, and the row is named.

Each row is looked at with what stands before it and nothing else, so a bent row is shown to the check as it stands there. All bits
are some four million; a run takes every `SHARDS`th of each row, another first one for each row, and `make audit-tamper` takes all.
"""

import os
from functools import cache

import pytest
from tests.unit.test_audit_chain import KEY, SIGNER, WHOLE, exported, named, row_lines, verdict_of

from croupier.audit.export import ExportWriter
from croupier.audit.verify import ChainCheck, ExportCheck, Verdict
from croupier.domain.audit import GENESIS, Head, SealedRow

SHARDS = 64
WANTED = range(SHARDS) if os.environ.get("AUDIT_TAMPER") == "all" else (7,)
AFTERWARDS = 3
"""So many rows follow what was bent; it must be found by then."""

ROWS = [WHOLE[at] for at in row_lines(WHOLE)]


@cache
def heads() -> list[Head]:
    """What stands before each row."""
    check = ChainCheck(Verdict(), GENESIS, key=KEY)
    found = []
    for line in ROWS:
        found.append(check.last)
        assert check.line(line)
    return found


def looked_at(place: int, lines: list[bytes]) -> set[int]:
    """Which rows are named when `lines` come where the row at `place` should."""
    verdict = Verdict()
    check = ChainCheck(verdict, heads()[place], key=KEY)
    taken = [check.line(line, place) for line in lines]
    return named(verdict) if all(taken) else {place + 1}


def bent(line: bytes, bit: int) -> bytes:
    changed = bytearray(line)
    changed[bit // 8] ^= 1 << bit % 8
    return bytes(changed)


@pytest.mark.parametrize("shard", WANTED)
def test_every_bit_of_every_row_counts_and_names_the_row(shard: int):
    """What is no longer the line of a row is a fault of its own (`test_what_is_no_row_is_not_passed_over`)."""
    for place, (line, head) in enumerate(zip(ROWS, heads(), strict=True)):
        for bit in range((shard + place) % SHARDS, len(line) * 8, SHARDS):
            verdict, changed = Verdict(), bent(line, bit)
            is_row = ChainCheck(verdict, head, key=KEY).line(changed)
            assert not is_row or place + 1 in named(verdict) or is_missed(place, changed), (place + 1, bit)


def is_missed(place: int, changed: bytes) -> bool:
    """A row that says it is another one is named by that number, and its own as soon as the next row or the end comes."""
    rest = ROWS[place + 1 :][:1]
    return bool(looked_at(place, [changed])) and (not rest or place + 1 in looked_at(place, [changed, *rest]))


def test_what_is_no_row_is_not_passed_over():
    """The bits that a line cannot do without: its punctuation, names and quotes."""
    lines = exported(3)
    for bit in range(len(lines[2]) * 8):
        changed = bent(lines[2], bit)
        if not ChainCheck(Verdict(), GENESIS, key=KEY).line(changed):
            assert not verdict_of([*lines[:2], changed, *lines[3:]]).holds, bit


@pytest.mark.parametrize("which", ["header", "checkpoint", "end"])
def test_every_bit_of_what_is_no_row_counts(which: str):
    lines = exported(3, marks=frozenset({2}))
    at = {"header": 0, "checkpoint": 3, "end": len(lines) - 1}[which]
    for bit in range(len(lines[at]) * 8):
        assert not verdict_of([*lines[:at], bent(lines[at], bit), *lines[at + 1 :]]).holds, bit


def test_every_row_that_is_removed_is_named():
    for place in range(len(ROWS) - 1):
        assert place + 1 in looked_at(place, ROWS[place + 1 :][:AFTERWARDS]), place


def test_every_two_neighbours_that_change_places_are_named():
    for place in range(len(ROWS) - 1):
        lines = [ROWS[place + 1], ROWS[place], *ROWS[place + 2 :][:AFTERWARDS]]
        assert place + 1 in looked_at(place, lines), place


def test_every_row_that_comes_twice_is_named():
    for place, row in enumerate(ROWS):
        assert place + 1 in looked_at(place, [row, row, *ROWS[place + 1 :][:AFTERWARDS]]), place


def test_every_row_of_another_place_that_is_put_in_is_found():
    for place in range(len(ROWS)):
        other = ROWS[(place + 500) % len(ROWS)]
        assert looked_at(place, [other, *ROWS[place:][:AFTERWARDS]]), place


def test_every_row_that_somebody_else_wrote_and_put_in_is_named():
    stranger = ExportWriter(SIGNER)
    for place, head in enumerate(heads()):
        row = b'{"action":"users.create","seq":%d,"time_ms":5,"v":1}' % (place + 1)
        made_up = stranger.row(head.hash, SealedRow(place + 1, row, b"h" * 32, b"m" * 32))
        assert place + 1 in looked_at(place, [made_up, *ROWS[place:][:AFTERWARDS]]), place


def test_an_export_that_is_cut_short_anywhere_is_found():
    check = ExportCheck(key=KEY, witness=SIGNER.witness)
    for fed, line in enumerate(WHOLE):
        verdict = check.finish()
        assert len(verdict.faults) + verdict.more_faults == fed + 1
        check.feed(line)
