"""Paths and conditions as they are spelled in the wild, rewritten to what RFC 9535 says.

    $.a === 'x'      $['a'] == 'x'
    $.a !== 'x'      $['a'] != 'x'
    $.0.b-c          $[0]['b-c']
    !!$.a            $['a']

Texts in quotes are left as they are; so is whatever is not known, for the parser to refuse.
"""

import re

_NAME = r"[A-Za-z_\u0080-\ud7ff\ue000-\U0010ffff][-0-9A-Za-z_\u0080-\ud7ff\ue000-\U0010ffff]*"

_TOKEN = re.compile(
    rf"""
    (?P<text>'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*")
    |(?P<descent>\.\.(?!\.)(?:{_NAME})?)
    |(?P<name>\.{_NAME})
    |(?P<index>\.-?[0-9]+(?![0-9A-Za-z_]))
    |(?P<number>-?[0-9]+(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?)
    |(?P<equal>[=!]==)
    |(?P<twice>(?:!!)+)
    |(?P<other>.)
    """,
    re.VERBOSE | re.DOTALL,
)


def canonical(expression: str) -> str:
    """The expression as RFC 9535 spells it. It says nothing of whether it can be read."""
    return "".join(_rewritten(token) for token in _TOKEN.finditer(expression))


def _rewritten(token: re.Match[str]) -> str:
    text = token[0]
    if token.lastgroup == "name":
        return f"['{text[1:]}']"
    if token.lastgroup == "descent":
        return f"..['{text[2:]}']" if len(text) > 2 else text
    if token.lastgroup == "index":
        return f"[{text[1:]}]"
    if token.lastgroup == "equal":
        return text[:2]
    if token.lastgroup == "twice":
        return ""
    return text
