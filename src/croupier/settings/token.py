import secrets
from pathlib import Path

from pydantic import SecretStr, TypeAdapter, ValidationError

from croupier.errors import FailedPrecondition
from croupier.settings.fields import Token
from croupier.settings.private_file import ensure_private_file

_CHECK: TypeAdapter[SecretStr] = TypeAdapter(Token)


def ensure_token(data: Path) -> tuple[SecretStr, Path]:
    """The token kept in the file `data`/token, and that file's path; made with mode 0600 when it is not there yet.

    Safe to repeat, also by two processes at once. Raises FailedPrecondition when others can read the file, when it is
    not a plain file or holds no token, or when the folder cannot be used.
    """
    path = data / "token"
    raw = ensure_private_file(path, lambda: secrets.token_urlsafe(32))
    try:
        return _CHECK.validate_python(raw.decode("ascii").strip()), path
    except (ValidationError, UnicodeDecodeError):
        # The cause would quote the file's content.
        raise FailedPrecondition(f"{path} holds no token: remove it and start again") from None
