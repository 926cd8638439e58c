"""From a server that nobody has an account at to the first call, by the page alone."""

from dataclasses import dataclass

import pytest
from playwright.async_api import expect
from tests.browser.conftest import Visit
from tests.browser.studio import PASSWORD, Studio, faults_of

pytestmark = pytest.mark.asyncio(loop_scope="session")


@dataclass(frozen=True)
class Words:
    name: str
    password: str
    again: str
    make: str
    function: str
    player: str
    show: str


ENGLISH = Words(
    name="Name",
    password="Password",
    again="Password again",
    make="Make the account",
    function="Show a player",
    player="Player ID",
    show="Result",
)
CHINESE = Words(
    name="用户名",
    password="密码",
    again="再次输入密码",
    make="创建账号",
    function="查看玩家",
    player="玩家 ID",
    show="结果",
)


@pytest.mark.parametrize(("language", "words"), [("en", ENGLISH), ("zh", CHINESE)], ids=["en", "zh"])
async def test_the_first_administrator_sets_up_and_calls(
    new_studio: Studio, visit: Visit, language: str, words: Words
) -> None:
    link = await new_studio.first_start()
    root = await visit(studio=new_studio, language=language)
    # Nobody is signed in at first, which the page asks; the browser notes the answer.
    root.allowed.add(401)
    page = await root.open(link.removeprefix(new_studio.url).replace("/setup", f"/setup?lang={language}"), scope=False)
    await page.get_by_role("textbox", name=words.name, exact=True).fill("root")
    assert "#" not in page.url, "the secret stays in no history"
    await page.get_by_label(words.password).first.fill(PASSWORD)
    await page.get_by_label(words.again).fill(PASSWORD)
    assert await faults_of(page) == []
    await page.get_by_role("button", name=words.make).click()
    await page.get_by_role("navigation").get_by_text(words.function, exact=True).click()
    await page.get_by_role("textbox", name=words.player).fill("p0001")
    await page.keyboard.press("Control+Enter")
    result = page.get_by_role("region", name=words.show)
    await expect(result.locator("a[href*='/calls/c']").first).to_be_visible()
    await expect(result.get_by_text("p0001").first).to_be_visible()
    assert await faults_of(page) == []
