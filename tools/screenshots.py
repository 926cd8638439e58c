"""Pictures of every page of a studio with something in it, in both languages and themes: python tools/screenshots.py [DIR] [--only WORD]."""

import argparse
import asyncio
import json
import sys
import tempfile
from pathlib import Path

from playwright.async_api import Page, async_playwright, expect

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from tests.browser.conftest import CHROMIUM, FLAGS  # noqa: E402 — the repository's root is no package
from tests.browser.studio import Studio, Visitor, faults_of, visitor  # noqa: E402 — as above

LOOKS = [("en", "light"), ("zh", "dark")]


async def furnish(studio: Studio, ann: Visitor) -> dict[str, str]:
    """Something of everything; the ids of what was made."""
    made: dict[str, str] = {}
    for player in ("p0001", "p0002", "p0003"):
        await ann.post("/api/invoke", {"function_id": "player.get", "payload": {"player_id": player}})
    ban = {"function_id": "player.ban", "payload": {"player_id": "p0007", "reason": "sells gold", "days": 30}}
    made |= await ann.post("/api/invoke", {**ban, "reason": "three reports in chat", "ticket": "T-48213"})
    job = {"function_id": "mail.send_all", "payload": {"text": "今晚两点停服维护。"}}
    made |= await ann.post("/api/start_job", job)
    calls = await studio.send("GET", "/api/calls?limit=1&function_id=player.get")
    made["call"] = calls["calls"][0]["call_id"]
    return made


def pages(made: dict[str, str]) -> dict[str, str]:
    return {
        "login": "/login",
        "setup": "/setup#secret",
        "workbench": "/",
        "function": "/f/player.ban",
        "calls": "/calls",
        "call": f"/calls/{made['call']}",
        "jobs": "/jobs",
        "job": f"/jobs/{made['job_id']}",
        "bulk": "/bulk",
        "registry": "/registry",
        "registry-function": "/registry/player.ban",
        "packs": "/packs",
        "pack": "/packs/player",
        "entities": "/entities/player",
        "entity": "/entities/player/p0001",
        "approvals": "/approvals",
        "approval": f"/approvals/{made['approval_id']}",
        "audit": "/audit",
        "users": "/users",
        "roles": "/roles",
        "role": "/roles/operator/try",
        "games": "/games",
        "settings": "/settings",
        "me": "/me",
    }


async def settle(page: Page) -> None:
    await page.wait_for_load_state("load")
    await page.locator("main").first.wait_for()
    # Skeletons are gone when what was asked for has come; a page with a live stream is never idle.
    await expect(page.locator("[aria-busy=true]")).to_have_count(0)
    await page.wait_for_timeout(300)


async def take(folder: Path, only: str) -> int:
    faults = 0
    studio = Studio(Path(tempfile.mkdtemp(prefix="croupier-screenshots-")))
    studio.stage.server.variables["CROUPIER_SERVER_PACKS"] = json.dumps({"directories": [str(ROOT / "packs")]})
    try:
        await studio.start()
        async with async_playwright() as playwright:
            browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
            ann = await (await visitor(browser, studio)).sign_in("ann")
            shown = pages(await furnish(studio, ann))
            for language, theme in LOOKS:
                ada = await (await visitor(browser, studio, language, theme)).sign_in("ada")
                nobody = await visitor(browser, studio, language, theme)
                nobody.allowed.add(401)
                for name, path in shown.items():
                    if only in name:
                        person = nobody if name in {"login", "setup"} else ada
                        faults += await picture(person, path, folder / f"{name}-{language}-{theme}.png")
            await browser.close()
    finally:
        await studio.end()
    return faults


async def picture(person: Visitor, path: str, file: Path) -> int:
    page = await person.open(path)
    await settle(page)
    await page.screenshot(path=file)
    found: list[str] = [*await faults_of(page), *person.said]
    person.said.clear()
    await page.close()
    print(file.name, *found, sep="\n    ")
    return len(found)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", nargs="?", type=Path, default=ROOT / "docs" / "screenshots")
    parser.add_argument("--only", default="", help="pages whose name contains this")
    options = parser.parse_args()
    options.folder.mkdir(parents=True, exist_ok=True)
    sys.exit(1 if asyncio.run(take(options.folder, options.only)) else 0)


if __name__ == "__main__":
    main()
