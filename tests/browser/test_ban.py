"""Banning a player: of high risk, so that a second person at a browser of their own agrees; all of it without a mouse."""

from dataclasses import dataclass

import pytest
from playwright.async_api import Page, expect
from tests.browser.conftest import Visit
from tests.browser.keyboard import press, tab_to, type_into
from tests.browser.studio import Phone, Studio, faults_of

pytestmark = pytest.mark.asyncio(loop_scope="session")


@dataclass(frozen=True, kw_only=True)
class Words:
    player_id: str
    ticket_id: str
    approver: str
    search: str
    function: str
    player: str
    asks: str
    reason: str
    ticket: str
    waits: str
    result: str
    code: str
    approve: str
    consequence: str
    executed: str


ENGLISH = Words(
    player_id="p0011",
    ticket_id="T-48211",
    approver="kay",
    search="ban a",
    function="Ban a player",
    player="Player ID",
    asks="needs 1 approval (not yours)",
    reason="Reason",
    ticket="Ticket",
    waits="Waits for approval",
    result="Result",
    code="Code of your authenticator app",
    approve="Approve",
    consequence="player.ban runs in demo / dev at once, in the name of ann",
    executed="executed",
)
CHINESE = Words(
    player_id="p0012",
    ticket_id="T-48212",
    approver="kai",
    search="封禁玩",
    function="封禁玩家",
    player="玩家 ID",
    asks="需要 1 人审批（不能是本人）",
    reason="原因",
    ticket="工单",
    waits="等待审批",
    result="结果",
    code="身份验证器验证码",
    approve="批准",
    consequence="player.ban 会立即以 ann 的名义在 demo / dev 执行",
    executed="已执行",
)


async def ask(page: Page, words: Words) -> None:
    """Find the function, fill its form in, say why, and send."""
    await expect(page.locator(".function-link").first).to_be_visible()
    await page.keyboard.press("/")
    await page.keyboard.type(words.search)
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("heading", level=1, name=words.function)).to_be_visible()
    await type_into(page, page.get_by_role("textbox", name=words.player), words.player_id)
    await expect(page.locator(".gate-line")).to_contain_text(words.asks)
    await expect(page.locator(".gate-line")).to_contain_text(words.player_id)
    await type_into(page, page.locator(".act-bar").get_by_role("textbox", name=words.reason), "sells gold")
    await type_into(page, page.get_by_role("textbox", name=words.ticket), words.ticket_id)
    assert await faults_of(page) == []
    await page.keyboard.press("Control+Enter")
    await expect(page.get_by_text(words.waits)).to_be_visible()


async def agree(page: Page, words: Words, phone: Phone) -> None:
    """Go to what waits, read it, prove who one is, and approve."""
    await expect(page.locator(".function-link").first).to_be_visible()
    await page.keyboard.press("g")
    await page.keyboard.press("a")
    row = page.get_by_role("row").filter(has_text=words.ticket_id)
    await expect(row).to_be_visible()
    await tab_to(page, page.get_by_role("grid"))
    for _ in range(await page.get_by_role("row").count()):
        await page.keyboard.press("j")
        if await row.get_attribute("data-active"):
            break
    await page.keyboard.press("Enter")
    await expect(page.get_by_text(words.player_id).first).to_be_visible()
    await type_into(page, page.get_by_label(words.code), phone.code())
    assert await faults_of(page) == []
    await press(page, page.get_by_role("button", name=words.approve, exact=True))
    dialog = page.get_by_role("dialog")
    await expect(dialog).to_contain_text(words.consequence)
    await press(page, dialog.get_by_role("button", name=words.approve))
    await expect(page.get_by_text(words.executed, exact=True).first).to_be_visible()


@pytest.mark.parametrize(
    ("language", "theme", "words"), [("en", "light", ENGLISH), ("zh", "dark", CHINESE)], ids=["en", "zh"]
)
async def test_a_ban_is_asked_for_and_agreed_to_by_the_keyboard_alone(
    visit: Visit, common_studio: Studio, language: str, theme: str, words: Words
) -> None:
    await common_studio.add(words.approver, "approver")
    ann = await visit("ann", language=language, theme=theme)
    other = await visit(words.approver, language=language, theme=theme)
    phone = await common_studio.second_factor(words.approver)
    page = await ann.open("/")
    await ask(page, words)
    await agree(await other.open("/"), words, phone)
    result = page.get_by_role("region", name=words.result)
    await expect(result.get_by_text("sells gold").or_(result.get_by_text("banned")).first).to_be_visible()
    assert await faults_of(page) == []
