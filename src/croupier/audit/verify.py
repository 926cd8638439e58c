"""Does a record hold together, and is it what the deployment wrote?

without a key       every hash follows from its row and the hash before: a row that was changed, removed, inserted or moved
with the public key …and the export, its checkpoints and cuts are signed: not made up anew, not cut short
with the key        …and every row's mac is right: each row on its own
"""

import re
from binascii import hexlify, unhexlify
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

import msgspec
import orjson

from croupier.audit.chain import HASH_BYTES, link
from croupier.audit.documents import HASH, checkpoint_of, cut_of
from croupier.audit.export import (
    MAC_AT,
    ROW_AT,
    ROW_LINE,
    STATED_BYTES,
    CheckpointLine,
    Digest,
    EndLine,
    Header,
    statement_of,
)
from croupier.audit.macs import Macs
from croupier.audit.signing import Witness
from croupier.domain.audit import GENESIS, Checkpoint, Head
from croupier.errors import InvalidArgument

T = TypeVar("T")

MOST_FAULTS = 100
"""More are counted only."""

_ROW = re.compile(rb'\{"hash":"(%s)","mac":"(%s)","prev":"(%s)","row":(\{[^\n]*\})\}\n' % ((HASH.encode(),) * 3))
_SEQ = re.compile(rb'"seq":([1-9][0-9]{0,15})[,}]')
"""Within the text of a row quotes are escaped, so this is found as a name only."""


@dataclass(frozen=True, slots=True)
class AuditFault:
    seq: int
    """The row that is wrong or missing; 0 where it is none."""
    line: int
    """In the export; 0 where there is none."""
    problem: str


@dataclass(kw_only=True, slots=True)
class Verdict:
    rows: int = 0
    first: int = 0
    last: int = 0
    whole: bool = True
    checkpoints: int = 0
    keyed: bool = False
    """Every row's mac was looked at."""
    signed: bool = False
    """Signatures were looked at, with a key that did not come with the export."""
    faults: list[AuditFault] = field(default_factory=list)
    more_faults: int = 0

    @property
    def holds(self) -> bool:
        return not self.faults

    def fault(self, problem: str, *, seq: int = 0, line: int = 0) -> None:
        if len(self.faults) < MOST_FAULTS:
            self.faults.append(AuditFault(seq, line, problem))
        else:
            self.more_faults += 1


class ChainCheck:
    """Rows, one after the other, of a record that goes on after `head`."""

    def __init__(
        self, verdict: Verdict, head: Head = GENESIS, *, key: bytes | None = None, kept: Iterable[Checkpoint] = ()
    ) -> None:
        """`kept` are signed checkpoints that must be right for every row that is looked at."""
        self._verdict = verdict
        self._macs = Macs(key) if key is not None else None
        self._expected = head.seq + 1
        self._before = self._worked_out = head.hash
        self._kept = {each.seq: each.hash for each in kept}
        verdict.keyed = key is not None

    @property
    def last(self) -> Head:
        return Head(self._expected - 1, self._before)

    def line(self, line: bytes, number: int = 0) -> bool:
        """Take a line of an export, its `number`th. False, and nothing is taken, where it is not the line of a row."""
        if self._follows(line):
            return True
        found = _ROW.fullmatch(line)
        if found is None:
            return False
        claimed, mac, previous, text = found.groups()
        self.row(text, unhexlify(claimed), unhexlify(mac), unhexlify(previous), number)
        return True

    def _follows(self, line: bytes) -> bool:
        """Whether this is, letter for letter, the line of the next row: then it is taken. Nothing is parsed for it."""
        verdict, seq = self._verdict, self._expected
        text = line[ROW_AT:-2]
        if not verdict.whole or b'"seq":%d,' % seq not in text:
            return False
        row_hash = link(self._before, text)
        mac = hexlify(self._macs.mac(row_hash)) if self._macs is not None else line[MAC_AT : MAC_AT + 64]
        if line != ROW_LINE % (hexlify(row_hash), mac, hexlify(self._before), text):
            return False
        if self._kept and self._kept.get(seq, row_hash) != row_hash:
            return False
        verdict.rows += 1
        verdict.first = verdict.first or seq
        verdict.last = seq
        self._before = self._worked_out = row_hash
        self._expected = seq + 1
        return True

    def row(self, text: bytes, claimed: bytes, mac: bytes, previous: bytes | None = None, line: int = 0) -> None:
        """`previous` is the hash that the row says it follows, where it says so: then nothing is said of its place."""
        verdict = self._verdict
        verdict.rows += 1
        found = _SEQ.search(text)
        seq = int(found[1]) if found else 0
        verdict.first = verdict.first or seq
        verdict.last = seq or verdict.last
        problem = self._misplaced(seq, previous)
        before = self._before if previous is None else previous
        worked_out = link(before, text)
        if worked_out != claimed:
            problem = problem or "was changed, or does not follow the row before it"
        elif self._macs is not None and self._macs.mac(claimed) != mac:
            problem = problem or "was not written by this deployment: its mac is wrong"
        if self._kept and self._kept.get(seq, claimed) != claimed:
            problem = problem or "is not the row that a checkpoint was signed for"
        if problem:
            verdict.fault(problem, seq=seq or self._expected, line=line)
        self._before, self._worked_out = claimed, worked_out
        self._expected = max(self._expected, seq + 1)

    def _misplaced(self, seq: int, previous: bytes | None) -> str:
        expected = self._expected
        if seq == expected:
            if previous is None or previous in (self._before, self._worked_out) or not self._verdict.whole:
                return ""
            return "does not follow the row before it"
        if not self._verdict.whole:
            return "" if seq > expected else "is out of place"
        if seq > expected:
            self._verdict.fault(
                f"is missing, with all up to {seq - 1}" if seq > expected + 1 else "is missing", seq=expected
            )
            return ""
        return "comes a second time, or out of its order" if seq else "does not say which row it is"


class ExportCheck:
    """An export, line by line."""

    def __init__(
        self, *, key: bytes | None = None, witness: Witness | None = None, kept: Sequence[Checkpoint] = ()
    ) -> None:
        """`witness` is the deployment's public key, from somewhere else than the export. Checkpoints that were `kept` apart
        show whether the end of the record was cut off before it was exported.
        """
        self.verdict = Verdict(signed=witness is not None)
        self._key = key
        self._witness = witness
        self._kept = kept
        self._digest = Digest()
        self._line = 0
        self._chain: ChainCheck | None = None
        self._ended = False

    def feed(self, line: bytes) -> None:
        self._line += 1
        if self._ended:
            self._fault("comes after the end")
            return
        if self._chain is not None and self._chain.line(line, self._line):
            self._digest.add(line[:STATED_BYTES])
            return
        self._other(line)
        self._digest.add(line)

    def finish(self) -> Verdict:
        if self._line == 0:
            self._fault("there is nothing in the file")
        elif not self._ended:
            self.verdict.fault("the end is missing: the export was cut short", line=self._line)
        if self._chain is not None and self.verdict.whole:
            for each in self._kept:
                if each.seq > self._chain.last.seq:
                    self.verdict.fault("is missing: a checkpoint was signed for it", seq=each.seq)
        return self.verdict

    def _other(self, line: bytes) -> None:
        try:
            if self._chain is None:
                self._begin(_read(line, Header))
            elif line.startswith(b'{"checkpoint"'):
                self._checkpoint(checkpoint_of(_read(line, CheckpointLine).checkpoint))
            else:
                self._end(_read(line, EndLine))
        except (msgspec.DecodeError, ValueError, InvalidArgument):
            self._fault("is not as it was exported")
            self._chain = self._chain or ChainCheck(self.verdict, key=self._key)

    def _begin(self, header: Header) -> None:
        verdict = self.verdict
        verdict.whole = header.whole
        own = Witness(bytes.fromhex(header.public_key))
        if self._witness is None:
            self._witness = own
        elif own.public != self._witness.public:
            self._fault("names another public key than the one that was given")
        head = Head(header.first - 1, bytes.fromhex(header.prev))
        cuts = [cut_of(each) for each in header.cuts]
        for cut in cuts:
            if not self._witness.signed_cut(cut):
                self._fault(f"the cut up to row {cut.up_to} was not signed by this deployment")
        begins = Head(cuts[-1].up_to, cuts[-1].hash) if cuts else GENESIS
        if header.whole and head != begins:
            verdict.fault("the beginning is missing, and nobody signed for its being cut off", seq=begins.seq + 1)
        if header.croupier_audit != 1 or len(head.hash) != HASH_BYTES:
            self._fault("is of a form that this program does not know")
        self._chain = ChainCheck(
            verdict, head, key=self._key, kept=[each for each in self._kept if each.seq > head.seq]
        )

    def _checkpoint(self, checkpoint: Checkpoint) -> None:
        self.verdict.checkpoints += 1
        if self._witness is None or not self._witness.signed_checkpoint(checkpoint):
            self._fault(f"the checkpoint of row {checkpoint.seq} was not signed by this deployment")
        elif self._chain is not None and self._chain.last != Head(checkpoint.seq, checkpoint.hash):
            self.verdict.fault("is not the row that a checkpoint was signed for", seq=checkpoint.seq, line=self._line)

    def _end(self, line: EndLine) -> None:
        self._ended = True
        end, verdict = line.end, self.verdict
        if end.last > verdict.last:
            verdict.fault(f"is missing, with all up to {end.last}", seq=verdict.last + 1, line=self._line)
        elif (end.rows, end.last) != (verdict.rows, verdict.last):
            self._fault(f"the export had {end.rows} rows up to {end.last}")
        if bytes.fromhex(end.digest) != self._digest.digest():
            self._fault("something before the end was changed")
        if self._witness is None or not self._witness.signed_export(statement_of(end), bytes.fromhex(end.signature)):
            self._fault("the end was not signed by this deployment")

    def _fault(self, problem: str) -> None:
        self.verdict.fault(problem, line=self._line)


def _read(line: bytes, kind: type[T]) -> T:
    """Raises ValueError unless the line is, byte for byte, as it would be written."""
    said = msgspec.json.decode(line, type=kind)
    if orjson.dumps(msgspec.to_builtins(said), option=orjson.OPT_SORT_KEYS) + b"\n" != line:
        raise ValueError("another spelling")
    return said
