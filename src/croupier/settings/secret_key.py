"""The key-encryption key of secrets, from where the settings say it is."""

import base64
import binascii
import os
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from croupier.errors import FailedPrecondition
from croupier.settings.private_file import read_private_file

KEY_BYTES = 32
COMMAND_SECONDS = 30.0


def read_secret_key(
    file: Path | None, variable: str | None, command: Sequence[str] = (), *, environ: Mapping[str, str] = os.environ
) -> bytes | None:
    """The 32 bytes that are there as base64; None where no place is named. Waits for the command, so belongs on a thread.

    Raises FailedPrecondition, naming the place and never what is there.
    """
    if file is not None:
        return _decoded(read_private_file(file), f"the file {file}")
    if variable:
        return _decoded(environ.get(variable, "").encode(errors="replace"), f"the environment variable {variable}")
    if command:
        return _decoded(_output(command), f"what {command[0]} prints")
    return None


def _output(command: Sequence[str]) -> bytes:
    try:
        done = subprocess.run(  # noqa: S603 — the command of whoever configures the server, without a shell
            list(command), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
            timeout=COMMAND_SECONDS, check=True,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        raise FailedPrecondition(f"{command[0]}, which prints the key of secrets, took {COMMAND_SECONDS:g} s") from None
    except subprocess.CalledProcessError as error:
        raise FailedPrecondition(
            f"{command[0]}, which prints the key of secrets, ended with {error.returncode}"
        ) from None
    except OSError as error:
        raise FailedPrecondition(
            f"{command[0]}, which prints the key of secrets, cannot run: {error.strerror}"
        ) from None
    return done.stdout


def _decoded(raw: bytes, where: str) -> bytes:
    try:
        key = base64.b64decode(raw.strip(), validate=True)
    except (ValueError, binascii.Error):
        key = b""
    if len(key) != KEY_BYTES:
        # The cause would quote what is there.
        raise FailedPrecondition(f"{where} is no key: put {KEY_BYTES} random bytes there as base64") from None
    return key
