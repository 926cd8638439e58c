"""The workbench: from finding a function to what came of it."""

import asyncio
import re
from dataclasses import dataclass

import pytest
from playwright.async_api import Page, expect
from tests.browser.conftest import Visit
from tests.browser.studio import Studio, faults_of
from tests.system.stage import until

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def streams(studio: Studio) -> int:
    """How many live streams the server has open."""
    assert studio.stage.session is not None
    async with studio.stage.session.get(f"{studio.url}/metrics") as answer:
        found = re.search(r"^croupier_event_streams(?:{[^}]*})? (\d+)", await answer.text(), re.MULTILINE)
    assert found is not None
    return int(found[1])


async def find(page: Page, search: str) -> None:
    """By the keyboard alone: `/`, some letters, Enter."""
    await expect(page.locator(".function-link").first).to_be_visible()
    await page.keyboard.press("/")
    await page.keyboard.type(search)
    await page.keyboard.press("Enter")


@pytest.mark.parametrize(
    ("language", "search", "name"), [("en", "show a pl", "Show a player"), ("zh", "查看", "查看玩家")]
)
async def test_a_function_is_found_filled_in_and_run_by_the_keyboard(
    visit: Visit, language: str, search: str, name: str
) -> None:
    ann = await visit("ann", language=language, theme="dark" if language == "zh" else "light")
    page = await ann.open("/")
    await find(page, search)
    await expect(page.get_by_role("heading", level=1, name=name)).to_be_visible()
    await page.locator(".desk-form input[type=text]").first.focus()
    await page.keyboard.type("p0001")
    await page.keyboard.press("Control+Enter")
    result = page.get_by_role("region", name={"en": "Result", "zh": "结果"}[language])
    await expect(result.get_by_text("p0001").first).to_be_visible()
    await expect(result.get_by_text("game-1").first).to_be_visible()
    await expect(page).to_have_url(re.compile("p0001"))
    assert await faults_of(page) == []


async def test_what_would_happen_is_told_anew_when_it_changes_while_nobody_types(
    visit: Visit, common_studio: Studio
) -> None:
    ann = await visit("ann")
    page = await ann.open('/f/player.unban?args={"player_id":"p0002"}')
    line = page.locator(".gate-line")
    await expect(line).to_contain_text("→ game-1")
    note = {"reason": "new hardware", "game_id": "demo", "env": "dev"}
    window = await common_studio.send("POST", "/api/maintenance", note)
    try:
        await expect(line).to_contain_text("new hardware")
    finally:
        await common_studio.send("POST", f"/api/maintenance/{window['id']}/end")
    await expect(line).to_contain_text("→ game-1")


async def test_the_history_of_long_work_says_that_it_began_and_not_how_it_went(
    visit: Visit, common_studio: Studio
) -> None:
    mail = {"function_id": "mail.send_all", "game_id": "demo", "env": "dev", "payload": {"text": "Hello", "seconds": 1}}
    await common_studio.send("POST", "/api/start_job", mail)
    ann = await visit("ann")
    page = await ann.open("/f/mail.send_all")
    await page.get_by_role("tab", name="History").click()
    await page.get_by_text("Everybody's").click()
    await expect(page.locator(".history li").first).to_contain_text("job started")


async def test_where_what_would_happen_cannot_be_told_the_page_says_so(visit: Visit) -> None:
    ann = await visit("ann")
    ann.allowed = {429}
    refusal = {"title": "", "status": 429, "detail": "too many requests", "reason": "rate_limited"}
    await ann.context.route("**/api/access/explain", lambda route: route.fulfill(status=429, json=refusal))
    page = await ann.open('/f/player.get?args={"player_id":"p0002"}')
    await expect(page.locator(".gate-line")).to_contain_text("cannot be told now (too many requests)")
    await page.keyboard.press("Control+Enter")
    result = page.get_by_role("region", name="Result")
    await expect(result.get_by_text("p0002").first).to_be_visible()


async def test_a_high_risk_call_says_that_it_waits_and_its_result_arrives_under_the_same_id(
    visit: Visit, common_studio: Studio
) -> None:
    await common_studio.add("wen", "approver")
    ann, wen = await visit("ann"), await visit("wen")
    phone = await common_studio.second_factor("wen")
    page = await ann.open("/f/player.ban")
    await page.get_by_role("textbox", name="Player ID").fill("p0009")
    await expect(page.locator(".gate-line")).to_contain_text("needs 1 approval (not yours)")
    await expect(page.locator(".gate-line")).to_contain_text("affects p0009")
    await page.get_by_role("textbox", name="Reason", exact=True).last.fill("sells gold")
    await page.get_by_role("textbox", name="Ticket").fill("T-8")
    await page.keyboard.press("Control+Enter")
    await expect(page.get_by_text("Waits for approval")).to_be_visible()
    assert await faults_of(page) == []
    [waits, *_] = (await common_studio.send("GET", "/api/approvals?state=pending"))["approvals"]
    me = await (await wen.context.request.get(f"{common_studio.url}/api/me")).json()
    headers = {"X-CSRF-Token": me["csrf_token"]}
    proved = await wen.context.request.post(
        f"{common_studio.url}/api/me/prove", data={"code": phone.code()}, headers=headers
    )
    assert proved.ok, await proved.text()
    await wen.post(f"/api/approvals/{waits['approval_id']}/approve", {"comment": ""})
    result = page.get_by_role("region", name="Result")
    await expect(result.get_by_text("sells gold").or_(result.get_by_text("banned")).first).to_be_visible()
    await expect(result.get_by_role("link", name=waits["call_id"])).to_be_visible()


async def test_a_form_can_be_opened_while_its_game_server_restarts(visit: Visit, own_studio: Studio) -> None:
    ann = await visit("ann", studio=own_studio)
    ann.allowed |= {422, 503}  # nobody had banned the player
    await own_studio.game.kill()

    async def is_away() -> bool:
        listed = await own_studio.send("GET", "/api/functions?game_id=demo&env=dev")
        return all(each["id"] != "player.unban" for each in listed["functions"])

    await until(is_away, "the game server is seen to be away")
    page = await ann.open("/f/player.unban")
    await expect(page.get_by_role("textbox", name="Player ID")).to_be_visible()
    await expect(page.locator(".gate-line")).not_to_contain_text("→ game-1")
    await page.get_by_role("textbox", name="Player ID").fill("p0002")
    await own_studio.game.start()
    await expect(page.locator(".gate-line")).to_contain_text("→ game-1")
    await page.keyboard.press("Control+Enter")
    await expect(page.get_by_role("region", name="Result").get_by_text("p0002").first).to_be_visible()


async def test_a_job_is_followed_over_a_restart_of_the_server(visit: Visit, own_studio: Studio) -> None:
    ann = await visit("ann", studio=own_studio)
    ann.allowed |= {404, 502, 503}  # while nobody has registered again
    page = await ann.open("/f/mail.send_all")
    await page.locator(".desk-form textarea").first.fill("the servers rest tonight")
    await page.locator(".desk-form input:not([type=radio])").last.fill("12")
    await page.keyboard.press("Control+Enter")
    await expect(page.get_by_text("players will get the mail")).to_be_visible()
    await own_studio.restart_server()
    await expect(page.get_by_text("succeeded")).to_be_visible(timeout=60_000)
    ann.said = [each for each in ann.said if "net::ERR_" not in each]  # while nobody was there


@pytest.mark.parametrize(("language", "invoke"), [("en", "Invoke"), ("zh", "执行")])
async def test_ten_tabs_share_one_stream(visit: Visit, common_studio: Studio, language: str, invoke: str) -> None:
    ann = await visit("ann", language=language)
    before = await streams(common_studio)
    pages = [await ann.open("/f/demo.echo") for _ in range(10)]
    for page in pages:
        await expect(page.locator(".live-mark")).to_have_attribute("data-state", "live")
        await expect(page.get_by_role("button", name=invoke)).to_be_visible()
    assert await streams(common_studio) <= before + 1


@dataclass(frozen=True, kw_only=True)
class Denied:
    gate: str
    why: str
    more: str
    player: str
    result: str
    title: str


DENIED = {
    "en": Denied(
        gate="Permission",
        why="needs function:player.get in demo|dev: ask an admin of demo",
        more="why?",
        player="Player ID",
        result="Result",
        title="Not allowed",
    ),
    "zh": Denied(
        gate="权限",
        why="需要在 demo|dev 拥有 function:player.get 权限，请联系 demo 的管理员",
        more="为什么？",
        player="玩家 ID",
        result="结果",
        title="没有权限",
    ),
}


@pytest.mark.parametrize(("language", "theme"), [("en", "light"), ("zh", "dark")])
async def test_who_may_not_reads_why_before_and_after_pressing(visit: Visit, language: str, theme: str) -> None:
    words = DENIED[language]
    vera = await visit("vera", language=language, theme=theme)
    vera.allowed.add(403)
    page = await vera.open("/f/player.get")
    await expect(page.locator(".gate-line")).to_contain_text(words.gate)
    await expect(page.locator(".gate-line")).to_contain_text(words.why)
    await page.get_by_role("button", name=words.more).click()
    await expect(page.locator(".gates")).to_contain_text(words.why)
    assert await faults_of(page) == []
    await page.keyboard.press("Escape")
    await page.get_by_role("textbox", name=words.player).fill("p0001")
    await page.keyboard.press("Control+Enter")
    alert = page.get_by_role("region", name=words.result).get_by_role("alert")
    await expect(alert).to_contain_text(words.title)
    await expect(alert).to_contain_text(words.why)
    assert await faults_of(page) == []


async def test_the_palette_goes_to_functions_players_and_pages(visit: Visit) -> None:
    page = await (await visit("ann")).open("/f/demo.echo")
    await expect(page.get_by_role("heading", level=1)).to_be_visible()
    await page.keyboard.press("Control+K")
    await expect(page.get_by_role("textbox", name="Search and go")).to_be_focused()
    await page.keyboard.type("lift")
    await expect(page.locator(".palette-action").first).to_contain_text("player.unban")
    assert await faults_of(page) == []
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("heading", level=1, name="Lift a ban")).to_be_visible()
    await page.keyboard.press("?")
    await expect(page.get_by_role("dialog")).to_contain_text("Run the function")
    assert await faults_of(page) == []
    await page.keyboard.press("Escape")
    await page.keyboard.press("g")
    await page.keyboard.press("a")
    await expect(page).to_have_url(re.compile("/approvals"))


@pytest.mark.parametrize(
    ("language", "name", "invoke", "ended"),
    [
        ("en", "rex", "Invoke", "Your session has ended"),
        ("zh", "ren", "执行", "会话已结束：请重新登录"),
    ],
    ids=["en", "zh"],
)
async def test_a_session_that_is_revoked_ends_its_stream_and_signs_in_again_over_what_was_typed(
    visit: Visit, common_studio: Studio, language: str, name: str, invoke: str, ended: str
) -> None:
    await common_studio.add(name, "operator")
    rex = await visit(name, language=language)
    rex.allowed.add(401)
    page = await rex.open("/f/demo.echo")
    await page.get_by_role("button", name=invoke).wait_for()
    await expect(page.locator(".live-mark")).to_have_attribute("data-state", "live")
    users = (await common_studio.send("GET", "/api/users"))["users"]
    [user_id] = [each["user_id"] for each in users if each["name"] == name]
    open_ones = await streams(common_studio)
    begun = asyncio.get_running_loop().time()
    await common_studio.send("POST", f"/api/users/{user_id}/revoke", {})
    await expect(page.get_by_role("dialog")).to_contain_text(ended)
    assert asyncio.get_running_loop().time() - begun < 20

    async def closed() -> bool:
        return await streams(common_studio) < open_ones

    await until(closed, "the stream of the session is closed")
    await expect(page.locator(".live-mark")).not_to_have_attribute("data-state", "live")
    assert await faults_of(page) == []


async def test_a_dialog_asks_in_the_language_of_the_page(visit: Visit) -> None:
    page = await (await visit("ann", language="zh")).open("/f/demo.fail?route=broadcast")
    await expect(page.locator(".gate-line")).to_contain_text("game-1")
    await page.keyboard.press("Control+Enter")
    dialog = page.get_by_role("dialog")
    await expect(dialog.get_by_role("button", name="取消")).to_be_visible()
    assert await faults_of(page) == []
