"""Put the built page (web/dist) into the wheel and the sdist; a build hook of hatchling.

The sdist carries the page as it was built, so that a wheel is made from it without Node.
"""

import os
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

BUILT = Path("web", "dist")
WITHOUT = "CROUPIER_WITHOUT_PAGE"
"""Set to 1, it builds a wheel that serves the API only."""

PLACES = {"wheel": "croupier/web_page", "sdist": "web/dist"}


class PageHook(BuildHookInterface):  # type: ignore[type-arg]  # hatchling's configuration class is its own
    PLUGIN_NAME = "custom"

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Ends the build where the page was not built."""
        if version == "editable" or os.environ.get(WITHOUT) == "1":
            return
        built = Path(self.root) / BUILT
        if not (built / "index.html").is_file():
            self.app.abort(
                f"the web page is not in {BUILT}: build it first (make web), or set {WITHOUT}=1 for a wheel without it"
            )
        place = PLACES[self.target_name]
        for path in sorted(built.rglob("*")):
            if path.is_file() and not path.name.startswith("."):
                build_data["force_include"][str(path)] = f"{place}/{path.relative_to(built).as_posix()}"
