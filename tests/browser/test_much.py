"""Long tables and logs: the page has all of it, and draws what is in sight. How fast that is, benchmarks/scenarios/page.py measures."""

import pytest
from playwright.async_api import Locator, expect
from tests.browser.conftest import Visit
from tests.browser.studio import Studio

pytestmark = pytest.mark.asyncio(loop_scope="session")

DRAWN = 2_000
"""Elements that may be drawn at once, whatever there is."""
LINES = 100_000


async def drawn(box: Locator) -> int:
    found: int = await box.evaluate("(box) => box.querySelectorAll('*').length")
    return found


async def scroll(box: Locator, share: float) -> None:
    await box.evaluate("(box, share) => { box.scrollTop = share * (box.scrollHeight - box.clientHeight); }", share)


async def test_of_ten_thousand_rows_those_in_sight_are_drawn(visit: Visit, asking_studio: Studio) -> None:
    page = await (await visit("ann", studio=asking_studio)).open('/f/much.rows?args={"count":10000}')
    await page.get_by_role("button", name="Ctrl").click()
    await expect(page.get_by_text("10000 rows")).to_be_visible()
    table = page.get_by_role("grid")
    for share, row in ((0.0, "row 0"), (0.5, "row 5000"), (1.0, "row 9999")):
        await scroll(table, share)
        await expect(table.get_by_text(row, exact=True)).to_be_attached()
        assert await drawn(table) < DRAWN


async def test_every_line_of_a_job_that_logs_at_full_speed_is_there_in_the_end(
    visit: Visit, asking_studio: Studio
) -> None:
    body = {"function_id": "much.log", "payload": {"lines": LINES}}
    job = (await asking_studio.send("POST", "/api/start_job", body))["job_id"]
    page = await (await visit("ann", studio=asking_studio)).open(f"/jobs/{job}")
    await expect(page.get_by_text(f"{LINES} lines")).to_be_visible(timeout=180_000)
    log = page.locator(".log-frame")
    for share, line in ((0.0, "line 0."), (1.0, f"line {LINES - 1}.")):
        await scroll(log, share)
        await expect(log.get_by_text(line, exact=True)).to_be_visible()
        assert await drawn(log) < DRAWN
    async with page.expect_download() as coming:
        await page.get_by_role("button", name="Download").first.click()
    content = (await (await coming.value).path()).read_text()
    assert [line.rpartition("line ")[2] for line in content.splitlines()] == [f"{number}." for number in range(LINES)]
