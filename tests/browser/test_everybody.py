"""Every page and state of it, in both themes, keeps nobody out: axe finds nothing there, and no console complains."""

from collections.abc import AsyncIterator, Sequence

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Error, Page
from tests.browser.sights import CATALOG, DOORS, RECORDS, RULES, WORKBENCH, House, Sight, furnished, settle
from tests.browser.studio import Visitor, faults_of

pytestmark = pytest.mark.asyncio(loop_scope="session")

PARTS = {"doors": DOORS, "workbench": WORKBENCH, "records": RECORDS, "catalog": CATALOG, "rules": RULES}


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def house(chromium: Browser, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[House]:
    async with furnished(tmp_path_factory.mktemp("house"), chromium) as house:
        yield house


async def in_both_themes(page: Page) -> list[str]:
    """A page that follows the system changes under its reader."""
    found = [f"light: {fault}" for fault in await faults_of(page)]
    await page.emulate_media(color_scheme="dark")
    await settle(page)
    return found + [f"dark: {fault}" for fault in await faults_of(page, colors=True)]


async def faults_of_sight(house: House, person: Visitor, sight: Sight) -> list[str]:
    """Also that it cannot be seen at all, so that one run tells of every sight."""
    try:
        page = await house.show(person, sight)
    except Error as error:
        return [f"not seen: {error.message}"]
    found = await in_both_themes(page)
    await page.close()
    return found


async def faults_in(house: House, sights: Sequence[Sight], language: str) -> list[str]:
    people: dict[str, Visitor] = {}
    found: list[str] = []
    for sight in sights:
        person = people.get(sight.person) or await house.visitor(sight.person, language=language)
        people[sight.person] = person
        faults = [*await faults_of_sight(house, person, sight), *person.said]
        found += [f"{sight.name} ({language}): {fault}" for fault in faults]
        person.said.clear()
    for person in people.values():
        await person.context.close()
    return found


@pytest.mark.timeout(900)  # it looks at twenty pages and more, twice each, with a studio furnished before
@pytest.mark.parametrize("part", PARTS)
async def test_nothing_keeps_anybody_out(house: House, part: str) -> None:
    sights = PARTS[part]
    # Every second one in the other language: what differs by language alone are the words.
    found = await faults_in(house, sights[::2], "en") + await faults_in(house, sights[1::2], "zh")
    assert found == [], "\n".join(found)
