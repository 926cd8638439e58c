"""Calls, jobs and bulk runs on the page, with answers drawn by their views."""

import pytest
from playwright.async_api import expect
from tests.browser.conftest import Visit
from tests.browser.studio import Studio, faults_of

pytestmark = pytest.mark.asyncio(loop_scope="session")

TEXTS = {
    "en": ("or paste rows", "Check the rows", "2 rows fit, 3 do not", "Leave out the 3 rows", "Run 2 rows", "done"),
    "zh": ("或粘贴内容", "检查各行", "2 行有效，3 行无效", "跳过 3 行无效数据", "执行 2 行", "完成"),
}


@pytest.mark.parametrize("language", ["en", "zh"])
async def test_a_file_with_three_bad_rows_runs_without_them(visit: Visit, language: str) -> None:
    paste, check, told, leave, run, done = TEXTS[language]
    person = await visit("ada", language=language)
    page = await person.open("/bulk/new?fn=player.get")
    await page.get_by_label(paste).fill("player_id\np0001\np0002\n" + '""\n' * 3)
    await page.get_by_role("button", name=check).click()
    await expect(page.get_by_text(told)).to_be_visible()
    assert await faults_of(page) == []
    await page.get_by_label(leave).check()
    await page.get_by_role("button", name=run).click()
    await page.get_by_role("dialog").get_by_role("button", name=run).click()
    await expect(page.get_by_text(done, exact=True).first).to_be_visible()
    await expect(page.get_by_role("link", name="c0")).to_have_count(2)
    assert await faults_of(page) == []


@pytest.mark.parametrize(
    ("language", "theme", "log_of", "succeeded", "lines"),
    [("en", "light", "Log", "succeeded", "21 lines"), ("zh", "dark", "日志", "成功", "21 行")],
    ids=["en", "zh"],
)
async def test_a_job_is_followed_over_a_kill_of_the_server(
    visit: Visit, own_studio: Studio, language: str, theme: str, log_of: str, succeeded: str, lines: str
) -> None:
    person = await visit("ann", studio=own_studio, language=language, theme=theme)
    person.allowed.add(502)
    started = await own_studio.send(
        "POST", "/api/start_job", {"function_id": "mail.send_all", "payload": {"text": "hello", "seconds": 8}}
    )
    page = await person.open(f"/jobs/{started['job_id']}")
    log = page.get_by_role("region", name=f"{started['job_id']} {log_of}")
    await expect(log.get_by_text("sent to").first).to_be_visible()
    await own_studio.restart_server()
    await expect(page.get_by_text(succeeded, exact=True).first).to_be_visible(timeout=60_000)
    await expect(page.get_by_text(lines)).to_be_visible()
    assert await faults_of(page) == []
    person.said = [
        said for said in person.said if "ERR_CONNECTION_REFUSED" not in said and "ERR_INCOMPLETE" not in said
    ]
