"""Pictures of the recipes in docs/guides/views-and-transforms.md, as the page draws them, beside the guide: python tools/recipe_pictures.py [--only WORD].

Each recipe becomes a function of a pack and of a game server that answers what the recipe says; it is called from the workbench.
"""

import argparse
import asyncio
import json
import sys
import tempfile
from pathlib import Path
from typing import Any

from playwright.async_api import Page, async_playwright, expect

from croupier.packs.tar import write_archive
from croupier_sdk import Provider

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from tests.browser.conftest import CHROMIUM, FLAGS  # noqa: E402 — the repository's root is no package
from tests.browser.studio import Studio, visitor  # noqa: E402 — as above
from tests.conformance.packs.test_guides import GUIDE, RECIPES, picture_of  # noqa: E402 — as above
from tools.screenshots import captured  # noqa: E402 — as above


def functions(only: str) -> dict[str, tuple[Path, dict[str, Any]]]:
    """By the function's id: its picture's file, and the recipe."""
    recipes = [(title, json.loads(block)) for title, block in RECIPES]
    return {
        f"recipe.n{number}": (GUIDE.parent / picture_of(title), recipe)
        for number, (title, recipe) in enumerate(recipes)
        if not recipe.get("hidden") and only in title
    }


def pack(wanted: dict[str, tuple[Path, dict[str, Any]]]) -> bytes:
    files: dict[str, Any] = {
        "manifest.json": {"id": "recipes", "version": "1.0.0", "functions": [{"id": each} for each in wanted]}
    }
    for function_id, (_, recipe) in wanted.items():
        outputs = {"views": [{"id": "view", "title": {"en": "View"}, **recipe["view"]}]}
        files[f"descriptors/{function_id}.json"] = {
            "id": function_id,
            "version": "1.0.0",
            "category": "recipes",
            "params": {"type": "object"},
            "outputs": outputs,
        }
    return write_archive({name: json.dumps(content).encode() for name, content in files.items()})


def game(agent: str, wanted: dict[str, tuple[Path, dict[str, Any]]]) -> Provider:
    provider = Provider(agent=agent, service_id="recipes", game_id="demo", env="dev")
    for function_id, (_, recipe) in wanted.items():

        def answer(recipe: dict[str, Any] = recipe) -> Any:
            return recipe["answer"]

        provider.function(function_id)(answer)
    return provider


async def draw(page: Page, file: Path) -> None:
    await expect(page.locator(".gate-line")).to_be_visible()
    await page.keyboard.press("Control+Enter")
    panel = page.locator(".result-panel [role=tabpanel]").first
    await panel.wait_for()
    await page.wait_for_timeout(1_000)  # a chart has drawn itself
    picture = await captured(page, {**(await panel.bounding_box() or {}), "scale": 1})
    await asyncio.to_thread(file.write_bytes, picture)
    print(file.name, flush=True)


async def take(only: str) -> None:
    wanted = functions(only)
    studio = Studio(Path(tempfile.mkdtemp(prefix="croupier-recipes-")))
    studio.stage.server.variables["CROUPIER_SERVER_PACKS"] = json.dumps({"allow_unsigned": True})
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        try:
            await studio.start()
            async with game(studio.stage.local, wanted):
                ada = await (await visitor(browser, studio)).sign_in("ada")
                await ada.ask("/api/packs/import", pack(wanted), "application/gzip")
                for function_id, (file, _) in wanted.items():
                    await studio.stage.reachable(function_id)
                    page = await ada.open(f"/f/{function_id}")
                    await draw(page, file)
                    await page.close()
        finally:
            await studio.end()
            await browser.close()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", default="", metavar="WORD", help="recipes whose title contains this")
    asyncio.run(take(parser.parse_args().only))


if __name__ == "__main__":
    main()
