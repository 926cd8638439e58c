"""Texts that mean harm and descriptions that are wrong, wherever the page shows one: they are words there, and the page goes on."""

from typing import Any

import pytest
from playwright.async_api import Page, expect
from tests.browser.conftest import Visit
from tests.browser.game import HARM, LONG, SCRIPT, VIEWS
from tests.browser.studio import Studio, Visitor, faults_of

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def unharmed(page: Page) -> None:
    """Nothing ran, and everything stands where it should."""
    assert await page.evaluate("window.hurt") is None
    wide = await page.evaluate(
        "[...document.querySelectorAll('body, #page')].filter((each) => each.scrollWidth > each.clientWidth + 1).map((each) => each.tagName)"
    )
    assert wide == [], "the layout holds"


async def run(page: Page) -> None:
    """Press the button of the form."""
    await page.get_by_role("button", name="Ctrl").click()


@pytest.mark.parametrize("size", ["short", "long"])
async def test_harm_in_an_answer_is_text_in_every_view(visit: Visit, asking_studio: Studio, size: str) -> None:
    ann = await visit("ann", studio=asking_studio)
    page = await ann.open(f'/f/harm.answer?args={{"size":"{size}"}}')
    await run(page)
    result = page.get_by_role("region", name="Result")
    for view in VIEWS:
        await result.get_by_role("tab", name=f"{view} ").first.click()
        await expect(result.get_by_role("tabpanel").last).to_be_visible()
        await unharmed(page)
    assert await faults_of(page) == []


async def test_a_megabyte_is_typed_sent_and_found_again(visit: Visit, asking_studio: Studio) -> None:
    ann = await visit("ann", studio=asking_studio)
    page = await ann.open("/f/harm.answer")
    await page.get_by_role("textbox", name="Text").fill(LONG)
    await page.keyboard.press("Control+Enter")
    call = page.get_by_role("region", name="Result").locator("a.mono")
    await expect(call).to_be_visible()
    await unharmed(page)
    await call.click()
    await expect(page.get_by_role("heading", level=1)).to_be_visible()
    await unharmed(page)


async def call(person: Visitor, function: str, path: str = "/api/invoke", **payload: Any) -> None:
    """Whether it fails or not."""
    me = await (await person.context.request.get(f"{person.studio.url}/api/me")).json()
    headers = {"X-CSRF-Token": me["csrf_token"], "X-Game-ID": "demo", "X-Env": "dev"}
    body = {"function_id": function, "payload": payload, "reason": HARM, "ticket": HARM[:180]}
    await person.context.request.post(f"{person.studio.url}{path}", data=body, headers=headers)


@pytest.mark.parametrize("path", ["/", "/calls", "/jobs", "/audit", "/registry", "/registry/harm.answer", "/approvals"])
async def test_harm_that_was_called_with_is_text_in_every_list(visit: Visit, asking_studio: Studio, path: str) -> None:
    ann = await visit("ann", studio=asking_studio)
    await call(ann, "harm.answer", size="short", text=HARM)
    await call(ann, "harm.fail")
    await call(ann, "player.ban", player_id=HARM[:60], reason=HARM[:150])
    ada = await visit("ada", studio=asking_studio)
    page = await ada.open(path)
    await expect(page.get_by_role("heading").first).to_be_visible()
    await expect(page.locator("[aria-busy=true]")).to_have_count(0)
    await unharmed(page)
    assert await faults_of(page) == []


async def test_harm_in_a_refusal_and_in_a_call_is_text(visit: Visit, asking_studio: Studio) -> None:
    ann = await visit("ann", studio=asking_studio)
    ann.allowed |= {422, 400, 409}
    page = await ann.open("/f/harm.fail")
    await run(page)
    alert = page.get_by_role("region", name="Result").get_by_role("alert")
    await expect(alert).to_contain_text(SCRIPT)
    await unharmed(page)
    await page.get_by_role("region", name="Result").locator("a.mono").click()
    await expect(page.get_by_text(SCRIPT).first).to_be_visible()
    await unharmed(page)


async def test_harm_in_a_job_is_text_in_its_log_and_its_result(visit: Visit, asking_studio: Studio) -> None:
    ann = await visit("ann", studio=asking_studio)
    page = await ann.open("/f/harm.log")
    await run(page)
    await expect(page.get_by_text("4 lines")).to_be_visible()
    await unharmed(page)
    await page.get_by_role("button", name="Wrap").click()
    await unharmed(page)


async def test_harm_in_what_waits_is_text_for_whoever_decides(visit: Visit, asking_studio: Studio) -> None:
    ann, bob = await visit("ann", studio=asking_studio), await visit("bob", studio=asking_studio)
    await call(ann, "player.ban", player_id=HARM[:60], reason=HARM[:150])
    [waits, *_] = (await asking_studio.send("GET", "/api/approvals?state=pending"))["approvals"]
    page = await bob.open(f"/approvals/{waits['approval_id']}")
    await expect(page.get_by_text(SCRIPT).first).to_be_visible()
    await unharmed(page)
    assert await faults_of(page) == []


async def test_views_that_are_wrong_say_so_and_leave_the_others(visit: Visit, asking_studio: Studio) -> None:
    page = await (await visit("ann", studio=asking_studio)).open("/f/wrong.views")
    await run(page)
    result = page.get_by_role("region", name="Result")
    for view in ("wrong path", "wrong template", "wrong condition"):
        await result.get_by_role("tab", name=view).click()
        await expect(result.get_by_role("alert")).to_be_visible()
        assert await faults_of(page) == []
    await result.get_by_role("tab", name="nobody draws it").click()
    await expect(result.get_by_role("note")).to_contain_text("no.such.view")
    await result.get_by_role("tab", name="right").click()
    await expect(result.get_by_text("this view is right")).to_be_visible()


async def test_a_form_with_wrong_conditions_says_so_in_its_place_and_works(visit: Visit, asking_studio: Studio) -> None:
    ann = await visit("ann", studio=asking_studio)
    ann.allowed.add(409)
    page = await ann.open("/f/wrong.conditions")
    form = page.get_by_role("region", name="Form")
    await expect(form.get_by_role("alert")).to_contain_text("/fields/second/show_if")
    await form.get_by_role("textbox", name="First").fill("typed")
    assert await faults_of(page) == []
    await run(page)
    await expect(page.get_by_role("region", name="Result").get_by_role("alert")).to_contain_text("second")


async def test_a_function_whose_schema_nobody_can_read_is_called_by_its_json(
    visit: Visit, asking_studio: Studio
) -> None:
    page = await (await visit("ann", studio=asking_studio)).open("/f/wrong.form")
    await expect(page.get_by_role("alert", name="What describes this function")).to_contain_text(
        "leads to nothing in this document"
    )
    form = page.get_by_role("region", name="Form")
    await form.get_by_role("textbox", name="Arguments").fill('{"right": "still heard"}')
    await run(page)
    await expect(page.get_by_role("region", name="Result").get_by_text("still heard")).to_be_visible()
    assert await faults_of(page) == []


async def test_ten_thousand_elements_of_a_list_are_typed_into_without_all_being_drawn(
    visit: Visit, asking_studio: Studio
) -> None:
    page = await (await visit("ann", studio=asking_studio)).open("/f/much.items")
    form = page.get_by_role("region", name="Form")
    await form.get_by_text("JSON", exact=True).click()
    names = ",".join(f'{{"name":"n{number}"}}' for number in range(10_000))
    numbers = ",".join(str(number) for number in range(10_000))
    await form.get_by_role("textbox").fill(f'{{"values":[{numbers}],"names":[{names}]}}')
    await form.get_by_text("Form", exact=True).click()
    await expect(form.get_by_text("10000").first).to_be_visible()
    assert await form.evaluate("(form) => form.querySelectorAll('*').length") < 3_000
    await form.locator("textarea").press("End")
    await page.keyboard.type("7")
    await run(page)
    await expect(page.get_by_role("region", name="Result").get_by_text("10000").first).to_be_visible()
