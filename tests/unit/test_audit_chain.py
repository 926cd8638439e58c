"""The chain of the audit record: whatever is bent in an export is found, and the row is named."""

import hmac
import random
from dataclasses import replace

import orjson
import pytest
import rfc8785
from hypothesis import given
from hypothesis import strategies as st

from croupier.audit.chain import Chain, link
from croupier.audit.export import ExportWriter
from croupier.audit.macs import Macs
from croupier.audit.rows import canonical, harmless
from croupier.audit.signing import Signer, Witness
from croupier.audit.table import COLUMNS, cell, table, table_head
from croupier.audit.verify import ExportCheck, Verdict
from croupier.domain.audit import GENESIS, Checkpoint, Cut, Head, Note, Phase
from croupier.domain.principal import Principal
from croupier.domain.scope import Scope
from croupier.errors import InvalidArgument

KEY = b"k" * 32
SIGNER = Signer(b"s" * 32)
WITNESS = SIGNER.witness
ROWS = 1_000

text = st.text(st.characters(exclude_categories=("Cs",)), max_size=30)
notes = st.builds(
    Note,
    actor=st.builds(Principal, name=text, kind=st.sampled_from(["user", "token"]), user_id=text, credential=text),
    action=st.just("packs.import"),
    phase=st.sampled_from(Phase),
    act_id=text,
    target=text,
    scope=st.none() | st.just(Scope("demo", "prod")),
    details=text,
    result=st.sampled_from(["", "ok"]),
)


def a_note(number: int) -> Note:
    return Note(
        actor=Principal(name="ann", kind="user", user_id="u1"),
        action="function.invoke",
        act_id=f"c{number}",
        target="player.ban",
        scope=Scope("demo", "prod"),
        details=f'{{"player_id":"{number}","reason":"cheats \\"a lot\\""}}',
    )


def exported(rows: int, *, marks: frozenset[int] = frozenset(), head: Head = GENESIS, cuts=()) -> list[bytes]:
    writer, chain = ExportWriter(SIGNER), Chain(Macs(KEY), head)
    lines = [writer.begin(head, cuts, made_ms=7, whole=True)]
    for number in range(rows):
        before = chain.head.hash
        sealed = chain.add(a_note(number), 1_700_000_000_000 + number)
        lines.append(writer.row(before, sealed))
        if sealed.seq in marks:
            lines.append(writer.checkpoint(SIGNER.checkpoint(Checkpoint(seq=sealed.seq, hash=sealed.hash, time_ms=5))))
    return [*lines, writer.end()]


def verdict_of(lines: list[bytes], **options) -> Verdict:
    check = ExportCheck(**{"key": KEY, "witness": WITNESS, **options})
    for line in lines:
        check.feed(line)
    return check.finish()


WHOLE = exported(ROWS, marks=frozenset({100, 1000}))


def named(verdict: Verdict) -> set[int]:
    return {fault.seq for fault in verdict.faults}


def row_lines(lines: list[bytes]) -> list[int]:
    """Where the rows are."""
    return [at for at, line in enumerate(lines) if b'"row":' in line]


@given(notes, st.integers(1, 2**53 - 1), st.integers(0, 2**53 - 1))
def test_a_row_is_canonical_json_as_rfc_8785_has_it(note: Note, seq: int, time_ms: int):
    row = canonical(note, seq, time_ms).encode()
    assert rfc8785.dumps(orjson.loads(row)) == row


@given(text)
def test_what_cannot_be_seen_is_written_out(hostile: str):
    assert all(char.isprintable() or ord(char) < 0x7F for char in harmless(hostile) if char in "\u202e\u2028\u200b\x85")


def test_an_export_that_nobody_touched_holds():
    verdict = verdict_of(WHOLE)
    assert verdict.holds, verdict.faults
    assert (verdict.rows, verdict.first, verdict.last, verdict.checkpoints) == (ROWS, 1, ROWS, 2)


def test_an_export_that_nobody_touched_holds_without_keys():
    assert verdict_of(WHOLE, key=None, witness=None).holds


def test_every_bit_of_a_row_counts_and_names_the_row():
    at = row_lines(WHOLE)[499]
    line = WHOLE[at]
    for bit in range(len(line) * 8):
        bent = bytearray(line)
        bent[bit // 8] ^= 1 << bit % 8
        verdict = verdict_of([WHOLE[0], *WHOLE[at - 2 : at], bytes(bent), *WHOLE[at + 1 : at + 3]])
        assert 500 in named(verdict), bit


@pytest.mark.parametrize("seed", range(40))
def test_any_bit_of_an_export_counts(seed: int):
    chance = random.Random(seed)
    lines = list(WHOLE)
    at = chance.choice([0, len(lines) - 1, *chance.choices(range(len(lines)), k=6)])
    bent = bytearray(lines[at])
    bent[chance.randrange(len(bent))] ^= 1 << chance.randrange(8)
    lines[at] = bytes(bent)

    verdict = verdict_of(lines)

    assert not verdict.holds
    rows = row_lines(WHOLE)
    assert at not in rows or rows.index(at) + 1 in named(verdict)
    assert not verdict_of(lines, key=None).holds


@pytest.mark.parametrize("place", [0, 1, 98, 99, 100, 500, 998, 999])
def test_a_row_that_is_removed_is_named(place: int):
    lines = list(WHOLE)
    del lines[row_lines(lines)[place]]
    assert place + 1 in named(verdict_of(lines))
    assert not verdict_of(lines, key=None, witness=None).holds


@pytest.mark.parametrize("place", [0, 1, 500, 998])
def test_two_rows_that_change_places_are_named(place: int):
    lines = list(WHOLE)
    one, other = row_lines(lines)[place : place + 2]
    lines[one], lines[other] = lines[other], lines[one]
    assert place + 1 in named(verdict_of(lines))


@pytest.mark.parametrize("place", [0, 500, 999])
def test_a_row_that_comes_twice_is_named(place: int):
    lines = list(WHOLE)
    at = row_lines(lines)[place]
    lines.insert(at, lines[at])
    assert place + 1 in named(verdict_of(lines))


@pytest.mark.parametrize("kept", [0, 1, 2, 500, 1002])
def test_an_export_that_is_cut_short_is_found(kept: int):
    assert not verdict_of(WHOLE[:kept]).holds
    assert not verdict_of(WHOLE[:kept], key=None, witness=None).holds


def test_a_record_that_is_made_up_anew_is_found_by_the_key_and_by_the_public_key():
    stranger = Signer(b"x" * 32)
    writer, chain = ExportWriter(stranger), Chain(Macs(b"x" * 32))
    lines = [writer.begin(GENESIS, (), made_ms=7, whole=True)]
    for number in range(10):
        before = chain.head.hash
        lines.append(writer.row(before, chain.add(a_note(number), 5)))
    lines.append(writer.end())

    assert verdict_of(lines, key=None, witness=None).holds, "it does hold together"
    assert named(verdict_of(lines, witness=None)) == set(range(1, 11))
    assert not verdict_of(lines, key=None).holds


def test_a_record_whose_end_was_cut_off_before_the_export_is_found_by_a_checkpoint_kept_apart():
    kept = SIGNER.checkpoint(Checkpoint(seq=12, hash=b"h" * 32, time_ms=5))
    assert verdict_of(exported(10)).holds
    assert named(verdict_of(exported(10), kept=[kept])) == {12}


def test_a_record_that_was_written_anew_after_a_checkpoint_was_kept_apart_is_found():
    kept = SIGNER.checkpoint(Checkpoint(seq=5, hash=b"h" * 32, time_ms=5))
    assert named(verdict_of(exported(10), kept=[kept])) == {5}


def test_a_signed_cut_leaves_the_rest_verifiable():
    head = Head(500, b"h" * 32)
    cut = SIGNER.cut(Cut(up_to=500, hash=head.hash, time_ms=5, by="ann"))
    verdict = verdict_of(exported(10, head=head, cuts=[cut]))
    assert verdict.holds
    assert (verdict.first, verdict.last) == (501, 510)


@pytest.mark.parametrize("change", [{"signature": b"x" * 64}, {"up_to": 400}, {"hash": b"g" * 32}, {"by": "bob"}])
def test_a_cut_that_nobody_signed_is_found(change):
    head = Head(500, b"h" * 32)
    cut = replace(SIGNER.cut(Cut(up_to=500, hash=head.hash, time_ms=5, by="ann")), **change)
    assert not verdict_of(exported(10, head=head, cuts=[cut])).holds


def test_a_beginning_that_is_missing_without_a_cut_is_found():
    assert named(verdict_of(exported(10, head=Head(500, b"h" * 32)))) == {1}


def test_a_part_of_the_record_can_be_verified_row_by_row():
    chain, writer = Chain(Macs(KEY)), ExportWriter(SIGNER)
    lines = [writer.begin(GENESIS, (), made_ms=7, whole=False)]
    for number in range(20):
        before = chain.head.hash
        sealed = chain.add(a_note(number), 5)
        if number % 3 == 0:
            lines.append(writer.row(before, sealed))
    lines.append(writer.end())
    assert verdict_of(lines).holds

    lines[3] = lines[3].replace(b"cheats", b"shouts")
    assert 7 in named(verdict_of(lines))


@given(st.lists(st.binary(max_size=60), max_size=6))
def test_rubbish_is_no_export(lines: list[bytes]):
    assert not verdict_of(lines).holds
    assert not verdict_of([WHOLE[0], *lines, *WHOLE[1:]]).holds or not lines


def test_faults_beyond_a_hundred_are_counted_only():
    verdict = verdict_of([WHOLE[0], *reversed(WHOLE[1:-1])])
    assert len(verdict.faults) == 100
    assert verdict.more_faults > 800


def test_a_public_key_that_is_none_is_refused():
    with pytest.raises(InvalidArgument, match="64 hex digits"):
        Witness(b"short")


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", " =1", "\r\n=1", "\ufeff=cmd|' /C calc'!A0"])
def test_no_cell_is_a_formula(text: str):
    shown = cell(text)
    assert shown[0] in "'\\"
    assert shown.isprintable()


def test_no_row_breaks_out_of_its_line_in_a_table():
    hostile = 'a\r\n"1","2"\u202e\u2028'
    note = Note(actor=Principal(name=hostile), action="users.create", target=hostile)
    shown = (table_head() + table([Chain(Macs(KEY)).add(note, 5)])).decode()
    assert shown.count("\r\n") == 2
    assert shown.splitlines()[0].split(",") == list(COLUMNS)
    assert "\u202e" not in shown


@given(st.binary(max_size=200), st.binary(min_size=32, max_size=32))
def test_a_mac_is_hmac_sha_256(key: bytes, row_hash: bytes):
    assert Macs(key).mac(row_hash) == hmac.digest(key, row_hash, "sha256")


def test_a_hash_depends_on_everything_before_it():
    assert link(b"a" * 32, b"row") != link(b"b" * 32, b"row")
