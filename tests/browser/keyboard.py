"""Walking through a page by the keyboard alone."""

from playwright.async_api import Locator, Page

MOST_STEPS = 150


async def tab_to(page: Page, wanted: Locator) -> None:
    """Press Tab until `wanted` has the focus. Raises AssertionError where it never has."""
    await wanted.wait_for()
    for _ in range(MOST_STEPS):
        if await wanted.evaluate("(element) => element === document.activeElement"):
            return
        await page.keyboard.press("Tab")
    raise AssertionError(f"{wanted} is not reached by Tab")


async def type_into(page: Page, wanted: Locator, text: str) -> None:
    await tab_to(page, wanted)
    await page.keyboard.type(text)


async def press(page: Page, wanted: Locator) -> None:
    """Walk to a button and press it."""
    await tab_to(page, wanted)
    await page.keyboard.press("Enter")
