from collections import defaultdict
from collections.abc import Iterable, Iterator

from ahocorasick_rs import BytesAhoCorasick, Implementation, MatchKind

from croupier.redaction.needles import Needle, needles_of

MASK = b"***"
ANCHOR = 64
"""A needle is found by so many bytes of its beginning, then compared: automata of long ones would fill the memory."""

_BASE64 = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/-_")

Span = tuple[int, int]


class Patterns:
    """What is looked for. Made once, on a thread where there are many secrets, and never changed."""

    __slots__ = ("_automaton", "_needles", "margin")

    def __init__(self, secrets: Iterable[bytes]) -> None:
        by_anchor: defaultdict[bytes, list[Needle]] = defaultdict(list)
        for secret in set(secrets):
            for needle in needles_of(secret):
                by_anchor[needle.text[:ANCHOR]].append(needle)
        self._needles = [tuple(set(needles)) for needles in by_anchor.values()]
        self._automaton = (
            BytesAhoCorasick(list(by_anchor), matchkind=MatchKind.Standard, implementation=Implementation.ContiguousNFA)
            if by_anchor
            else None
        )
        self.margin = max(map(len, by_anchor), default=0) + 2
        """So many bytes at the end of a piece may be the beginning of something that goes on in the next."""

    def __bool__(self) -> bool:
        return self._automaton is not None

    def spans(self, text: bytes) -> list[Span]:
        """Where secrets stand, ascending, those that overlap as one."""
        return merged(self._found(text)[0])

    def spans_so_far(self, text: bytes) -> tuple[list[Span], int]:
        """Also from where on nothing can be said until more of the text has come."""
        spans, unfinished = self._found(text)
        return merged(spans), max(0, min([len(text) - self.margin, *unfinished]))

    def _found(self, text: bytes) -> tuple[list[Span], list[int]]:
        """Those that are whole, and where those begin that go on beyond the end."""
        spans: list[Span] = []
        unfinished: list[int] = []
        if self._automaton is None:
            return spans, unfinished
        for index, start, _ in self._automaton.find_matches_as_indexes(text, overlapping=True):
            for needle in self._needles[index]:
                end = start + len(needle.text)
                if text.startswith(needle.text, start):
                    spans.append(_widened(text, start, end, needle))
                    if end + needle.after > len(text):
                        unfinished.append(max(0, start - needle.before))
                elif end > len(text) and needle.text.startswith(text[start:]):
                    unfinished.append(max(0, start - needle.before))
        return spans, unfinished


def _widened(text: bytes, start: int, end: int, needle: Needle) -> Span:
    if needle.before and start and text[start - 1] in _BASE64:
        start -= 1
    if needle.after and end < len(text) and text[end] in _BASE64:
        end += 1
    return start, end


def merged(spans: Iterable[Span]) -> list[Span]:
    found: list[Span] = []
    for start, end in sorted(spans):
        if found and start < found[-1][1]:
            found[-1] = found[-1][0], max(end, found[-1][1])
        else:
            found.append((start, end))
    return found


def masked(text: bytes, spans: Iterable[Span]) -> Iterator[bytes]:
    """The pieces of `text`, with the mask in the place of each span."""
    at = 0
    for start, end in spans:
        yield text[at:start]
        yield MASK
        at = end
    yield text[at:]
