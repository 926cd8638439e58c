"""The way in, by the page."""

import pytest
from playwright.async_api import expect
from tests.browser.conftest import Visit
from tests.browser.studio import PASSWORD, faults_of

pytestmark = pytest.mark.asyncio(loop_scope="session")


@pytest.mark.parametrize(("language", "name", "act"), [("en", "Name", "Sign in"), ("zh", "用户名", "登录")])
async def test_who_signs_in_goes_on_to_the_page_they_asked_for(
    visit: Visit, language: str, name: str, act: str
) -> None:
    person = await visit(language=language)
    person.allowed.add(401)
    page = await person.open("/me")
    await page.get_by_role("textbox", name=name, exact=True).fill("ann")
    await page.locator("input[type=password]").fill("wrong")
    await page.get_by_role("button", name=act, exact=True).click()
    await expect(page.get_by_role("alert")).to_be_visible()
    assert await faults_of(page) == []
    await page.locator("input[type=password]").fill(PASSWORD)
    await page.get_by_role("button", name=act, exact=True).click()
    await expect(page.get_by_role("navigation")).to_be_visible()
    assert "/me?" in page.url
