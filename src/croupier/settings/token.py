import contextlib
import os
import secrets
import stat
from pathlib import Path

from pydantic import SecretStr, TypeAdapter, ValidationError

from croupier.errors import FailedPrecondition
from croupier.settings.fields import Token

_CHECK: TypeAdapter[SecretStr] = TypeAdapter(Token)


def ensure_token(data: Path) -> tuple[SecretStr, Path]:
    """The token kept in the file `data`/token, and that file's path; made with mode 0600 when it is not there yet.

    Safe to repeat, also by two processes at once. Raises FailedPrecondition when others can read the file, when it is
    not a plain file or holds no token, or when the folder cannot be used.
    """
    path = data / "token"
    try:
        data.mkdir(parents=True, exist_ok=True)
        if not os.path.lexists(path):
            _create(path)
        return _read(path), path
    except OSError as error:
        raise FailedPrecondition(f"the token file {path} cannot be used: {error.strerror}") from error


def _create(path: Path) -> None:
    # Written aside and linked, so that nobody ever reads half a token and the first of two processes wins.
    aside = path.with_name(f".token-{secrets.token_hex(8)}")
    descriptor = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            file.write(secrets.token_urlsafe(32) + "\n")
            file.flush()
            os.fsync(file.fileno())
        with contextlib.suppress(FileExistsError):
            path.hardlink_to(aside)
    finally:
        aside.unlink()


def _read(path: Path) -> SecretStr:
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    with os.fdopen(descriptor, "rb") as file:
        status = os.fstat(file.fileno())
        if not stat.S_ISREG(status.st_mode):
            raise FailedPrecondition(f"{path} is not a plain file: remove it and start again")
        if status.st_mode & 0o077:
            raise FailedPrecondition(f"{path} can be read by others: run `chmod 600 {path}`")
        raw = file.read(1025)
    try:
        return _CHECK.validate_python(raw.decode("ascii").strip())
    except (ValidationError, UnicodeDecodeError):
        # The cause would quote the file's content.
        raise FailedPrecondition(f"{path} holds no token: remove it and start again") from None
