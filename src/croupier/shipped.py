"""The packs that come with Croupier."""

from pathlib import Path

from croupier.errors import NotFound

_INSTALLED = Path(__file__).with_name("shipped_packs")
"""In a wheel they lie beside the code; in a checkout, under `packs/` at its root."""
_CHECKED_OUT = Path(__file__).parents[2] / "packs"


def shipped_packs() -> Path:
    """The folder that holds one folder for each of them. Raises NotFound where they were left out of the installation."""
    folder = _folder()
    if folder is None:
        raise NotFound(
            "this installation has no shipped packs: install Croupier from its wheel, or run it from a checkout"
        )
    return folder


def shipped_pack(name: str) -> Path | None:
    """The folder of the shipped pack of this name; None where there is none."""
    folder = _folder()
    return next((each for each in folder.iterdir() if each.name == name and each.is_dir()), None) if folder else None


def _folder() -> Path | None:
    return next((each for each in (_INSTALLED, _CHECKED_OUT) if (each / "player" / "manifest.json").is_file()), None)
