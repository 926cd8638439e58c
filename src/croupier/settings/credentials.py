"""Secrets that settings name and do not hold: a token in an environment variable or in a file."""

import os
from collections.abc import Mapping
from pathlib import Path

from pydantic import SecretStr

from croupier.errors import FailedPrecondition

TOKEN_BYTES = 8_192
SHORTEST = 8


def read_credential(
    variable: str | None, file: Path | None, *, environ: Mapping[str, str] = os.environ
) -> SecretStr | None:
    """The token that the environment variable or the file holds, without white space around it; None where neither is named.

    Raises FailedPrecondition, naming variable or file and never its content, where there is no token of visible ASCII characters.
    """
    if variable:
        return _checked(environ.get(variable, ""), f"the environment variable {variable}")
    if file is None:
        return None
    try:
        with file.open("rb") as opened:
            raw = opened.read(TOKEN_BYTES + 1)
    except OSError as error:
        raise FailedPrecondition(f"the token file {file} cannot be read: {error.strerror}") from error
    return _checked(raw.decode("ascii", "replace"), f"the file {file}")


def _checked(text: str, where: str) -> SecretStr:
    token = text.strip()
    if not token:
        raise FailedPrecondition(f"{where} holds no token: put the token there and start again")
    if not SHORTEST <= len(token) <= TOKEN_BYTES or not all("!" <= character <= "~" for character in token):
        raise FailedPrecondition(
            f"{where} holds something else than one token of {SHORTEST} to {TOKEN_BYTES} visible ASCII characters"
        )
    return SecretStr(token)
