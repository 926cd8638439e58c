"""Pictures of every page of a studio with something in it, in both languages and themes: python tools/screenshots.py [DIR] [--only WORD]."""

import argparse
import asyncio
import base64
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from playwright.async_api import Error, Page, async_playwright

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from tests.browser.conftest import CHROMIUM, FLAGS  # noqa: E402 — the repository's root is no package
from tests.browser.sights import SIGHTS, House, Sight, furnished  # noqa: E402 — as above
from tests.browser.studio import Visitor, faults_of  # noqa: E402 — as above

LOOKS = [(language, theme) for language in ("en", "zh") for theme in ("light", "dark")]
QUALITY = 60
"""WebP's: letters stay sharp, and all pictures together have some megabytes."""


@dataclass(frozen=True, kw_only=True)
class Wanted:
    folder: Path
    only: list[str]
    looks: list[tuple[str, str]]
    size: tuple[int, int] | None
    png: bool
    axe: bool

    def shows(self, sight: Sight) -> bool:
        return not self.only or any(word in sight.name for word in self.only)


async def take(wanted: Wanted) -> int:
    """How many faults axe and the console told of."""
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        root = Path(tempfile.mkdtemp(prefix="croupier-screenshots-"))
        async with furnished(root, browser) as house:
            faults = 0
            for look in wanted.looks:
                faults += await gallery(house, look, wanted)
        await browser.close()
    return faults


async def gallery(house: House, look: tuple[str, str], wanted: Wanted) -> int:
    language, theme = look
    people: dict[str, Visitor] = {}
    faults = 0
    for sight in filter(wanted.shows, SIGHTS):
        if sight.person not in people:
            people[sight.person] = await house.visitor(sight.person, language=language, theme=theme)
            # A tab that stays keeps what every page needs loaded.
            await people[sight.person].open("/login")
        person = people[sight.person]
        file = wanted.folder / f"{sight.name}-{language}-{theme}"
        try:
            found = [*await visited(house, person, sight, wanted, file), *person.said]
        except (Error, AssertionError) as error:
            found = [f"not seen: {error}"]
        person.said.clear()
        print(file.name, *found, sep="\n    ", flush=True)
        faults += len(found)
    for person in people.values():
        await person.context.close()
    return faults


async def visited(house: House, person: Visitor, sight: Sight, wanted: Wanted, file: Path) -> list[str]:
    page = await house.show(person, sight)
    if wanted.size:
        await page.set_viewport_size({"width": wanted.size[0], "height": wanted.size[1]})
        await page.wait_for_timeout(200)
    await picture(page, file, png=wanted.png)
    faults = await faults_of(page) if wanted.axe else []
    await page.close()
    return faults


async def picture(page: Page, file: Path, *, png: bool) -> None:
    if png:
        await page.screenshot(path=file.with_suffix(".png"))
        return
    file.with_suffix(".webp").write_bytes(await captured(page))


async def captured(page: Page, clip: Mapping[str, float] | None = None) -> bytes:
    """WebP of what is in the window, or of `clip` of it."""
    chromium = await page.context.new_cdp_session(page)
    options = {"format": "webp", "quality": QUALITY} | ({"clip": clip} if clip else {})
    taken = await chromium.send("Page.captureScreenshot", options)
    return base64.b64decode(taken["data"])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", nargs="?", type=Path, default=ROOT / "docs" / "screenshots")
    parser.add_argument("--only", action="append", default=[], metavar="WORD", help="sights whose name contains this")
    parser.add_argument("--look", action="append", default=[], metavar="LANGUAGE-THEME", help="such as zh-dark")
    parser.add_argument("--size", default="", metavar="WIDTHxHEIGHT", help="of the window, such as 1280x720")
    parser.add_argument("--png", action="store_true", help="without loss, and three times as large")
    parser.add_argument("--axe", action="store_true", help="have each page checked for what keeps people out")
    options = parser.parse_args()
    options.folder.mkdir(parents=True, exist_ok=True)
    width, _, height = options.size.partition("x")
    looks = [look for look in LOOKS if not options.look or "-".join(look) in options.look]
    size = (int(width), int(height)) if height else None
    wanted = Wanted(folder=options.folder, only=options.only, looks=looks, size=size, png=options.png, axe=options.axe)
    sys.exit(1 if asyncio.run(take(wanted)) else 0)


if __name__ == "__main__":
    main()
