"""Where the built page lies."""

from pathlib import Path

INDEX_FILE = "index.html"

_INSTALLED = Path(__file__).parents[2] / "web_page"
"""In a wheel it lies beside the code; in a checkout, in `web/dist` at its root."""
_CHECKED_OUT = Path(__file__).parents[4] / "web" / "dist"


def page_folder(named: Path | None) -> Path | None:
    """The folder that the settings name, else that of this installation; None where the page was not built."""
    places = (_INSTALLED, _CHECKED_OUT) if named is None else (named,)
    return next((each for each in places if (each / INDEX_FILE).is_file()), None)
