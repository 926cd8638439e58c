"""What there is to see on the page: every page, and the states of it that matter, in a furnished studio.

Pictures are taken of them (tools/screenshots.py), and tests look at each: `async with furnished(root, browser) as house:`,
`person = await house.visitor(sight.person, language="zh", theme="dark")`, `page = await house.show(person, sight)`.
"""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from playwright.async_api import Browser, Page, StorageState, expect
from tests.browser.furnished import Furnisher, Made, variables
from tests.browser.studio import PASSWORD, PEOPLE, Studio, Visitor, visitor
from tests.browser.test_catalog import archive

Act = Callable[[Page], Awaitable[None]]


@dataclass(frozen=True, kw_only=True)
class Sight:
    name: str
    path: str
    """`{call}` and the like stand for what was made."""
    person: str = "ada"
    """Who looks; "" is somebody who is not signed in."""
    env: str = "dev"
    act: Act | None = None
    """What the person does there first."""
    refused: frozenset[int] = frozenset()
    """HTTP statuses that belong to it."""


@dataclass(frozen=True, kw_only=True)
class House:
    """A studio with something of everything in it."""

    studio: Studio
    browser: Browser
    made: Made
    sessions: dict[str, StorageState]

    async def visitor(self, name: str, *, language: str = "en", theme: str = "light") -> Visitor:
        """Somebody at a browser of their own, in the session that they had; "" is in none."""
        person = await visitor(self.browser, self.studio, language, theme)
        if name:
            await person.context.add_cookies(self.sessions[name]["cookies"])  # type: ignore[arg-type]  # what was read is what may be set
        return person

    async def show(self, person: Visitor, sight: Sight) -> Page:
        """Where `person` sees it, with everything there that was on its way."""
        person.allowed |= sight.refused
        path, mark, fragment = sight.path.format(**self.made).partition("#")
        joint = "&" if "?" in path else "?"
        scope = f"game=demo&env={sight.env}&lang={person.language}"
        page = await person.open(f"{path}{joint}{scope}{mark}{fragment}", scope=False)
        await settle(page)
        if sight.act is not None:
            await sight.act(page)
            await settle(page)
        return page


@asynccontextmanager
async def furnished(root: Path, browser: Browser) -> AsyncIterator[House]:
    studio = Studio(root)
    studio.stage.server.variables |= variables()
    try:
        await studio.start()
        people = {name: await (await visitor(browser, studio)).sign_in(name) for name in PEOPLE}
        made = await Furnisher(studio, people).furnish()
        sessions = {name: await person.context.storage_state() for name, person in people.items()}
        yield House(studio=studio, browser=browser, made=made, sessions=sessions)
    finally:
        await studio.end()


async def settle(page: Page) -> None:
    await page.wait_for_load_state("load")
    await page.locator("h1, [role=dialog]").first.wait_for()
    # Skeletons are gone when what was asked for has come; a page with a live stream is never idle.
    await expect(page.locator("[aria-busy=true]")).to_have_count(0)
    await page.wait_for_timeout(300)


# -------------------------------------------------------------------------------------------------- what they do


def pressing(*keys: str) -> Act:
    """Keys one after the other; what is no key is typed."""

    async def press(page: Page) -> None:
        for key in keys:
            if len(key) == 1 or "+" in key or key in {"Enter", "Escape"}:
                await page.keyboard.press(key)
            else:
                await page.keyboard.type(key)

    return press


def clicking(*places: str) -> Act:
    """CSS selectors, one after the other."""

    async def click(page: Page) -> None:
        for place in places:
            await page.locator(place).first.click()

    return click


async def run(page: Page) -> None:
    """The function that is open, until something has come of it."""
    await expect(page.locator(".gate-line")).to_be_visible()
    await page.keyboard.press("Control+Enter")
    await page.locator(".result-panel [role=status]").first.wait_for()
    await page.wait_for_timeout(1_000)


async def give_a_password(page: Page) -> None:
    """As somebody who has a second factor."""
    await page.locator("input[autocomplete=username]").fill("bob")
    await page.locator("input[type=password]").fill(PASSWORD)
    await page.keyboard.press("Enter")
    await page.locator("input[autocomplete=one-time-code]").wait_for()


async def give_a_wrong_password(page: Page) -> None:
    await page.locator("input[autocomplete=username]").fill("ann")
    await page.locator("input[type=password]").fill("not the one")
    await page.keyboard.press("Enter")
    await page.locator("[role=alert]").wait_for()


async def choose_an_archive(page: Page) -> None:
    """One that breaks what is installed."""
    content = archive("2.0.0", ["hours"])
    await page.locator("input[type=file]").set_input_files(
        {"name": "shop-2.0.0.tgz", "mimeType": "application/gzip", "buffer": content}
    )
    await expect(page.locator("main h2").nth(1)).to_be_visible()


async def find_ban(page: Page) -> None:
    await page.keyboard.press("Control+k")
    await page.locator(".palette-list").wait_for()
    await page.keyboard.type("ban")


async def ask_why(page: Page) -> None:
    """Whether the role may, by the server's gates."""
    await page.locator("main button[type=submit]").click()
    await page.locator("main tbody tr").first.wait_for()


async def check_the_chain(page: Page) -> None:
    await page.locator("main button:has(.tabler-icon-shield-check)").click()
    await page.locator("main [aria-live=polite] [role=alert]").first.wait_for()


async def begin_a_second_factor(page: Page) -> None:
    """Until the picture for the authenticator app is there."""
    form = page.locator("form:has(input[autocomplete=current-password]):not(:has(input[autocomplete=new-password]))")
    await form.locator("input[type=password]").fill(PASSWORD)
    await form.locator("button[type=submit]").click()
    await page.locator("input[autocomplete=one-time-code]").first.wait_for()


async def open_the_gates(page: Page) -> None:
    await page.locator(".gate-more").click()
    await page.locator("[role=dialog]").wait_for()


async def open_the_receivers(page: Page) -> None:
    await page.locator(".act-bar button[aria-haspopup=dialog]:not(.gate-more)").click()
    await page.locator("[role=dialog] table").wait_for()


# ------------------------------------------------------------------------------------------------- what is seen

DOORS = (
    Sight(name="login", path="/login", person="", refused=frozenset({401})),
    Sight(name="login-wrong", path="/login", person="", act=give_a_wrong_password, refused=frozenset({401})),
    Sight(name="login-code", path="/login", person="", act=give_a_password, refused=frozenset({401})),
    Sight(name="setup", path="/setup#secret", person="", refused=frozenset({401})),
    Sight(name="invitation", path="/invitation#secret", person="", refused=frozenset({401})),
)
WORKBENCH = (
    Sight(name="workbench", path="/"),
    Sight(name="function", path='/f/player.ban?args={{"player_id":"p0001"}}', person="ann"),
    Sight(name="function-faults", path="/f/player.ban", person="ann", act=pressing("Control+Enter")),
    Sight(name="function-gates", path='/f/player.ban?args={{"player_id":"p0001"}}', person="ann", act=open_the_gates),
    Sight(
        name="function-receivers",
        path='/f/player.get?args={{"player_id":"p0001"}}',
        person="ann",
        act=open_the_receivers,
    ),
    Sight(name="function-disallowed", path='/f/player.ban?args={{"player_id":"p0001"}}', person="vera"),
    Sight(name="result", path='/f/player.get?args={{"player_id":"p0025"}}', act=run),
    Sight(name="result-table", path='/f/player.list?args={{"page":1,"page_size":50}}', act=run),
    Sight(name="function-again", path="/f/player.ban?call={ban}", person="ann"),
    Sight(
        name="result-error",
        path='/f/player.get?args={{"player_id":"nobody"}}',
        act=run,
        refused=frozenset({400, 404, 409, 422}),
    ),
    Sight(name="result-broadcast", path='/f/player.get?route=broadcast&args={{"player_id":"p0025"}}', act=run),
    Sight(name="result-plugin", path='/f/demo.echo?args={{"hours":[120,95,60,48,52,88,140,210]}}', act=run),
    Sight(name="result-history", path="/f/player.get", act=clicking(".result [role=tab]:nth-child(2)")),
    Sight(name="function-json", path='/f/player.get?args={{"player_id":"p0025"}}', act=pressing("Alt+j")),
    Sight(name="result-job", path='/f/mail.send_all?args={{"text":"停服维护","seconds":600}}', act=run),
    Sight(name="production", path='/f/player.ban?args={{"player_id":"p0001"}}', person="ann", env="prod"),
    Sight(
        name="production-confirm",
        path='/f/player.unban?args={{"player_id":"p0025"}}',
        env="prod",
        act=pressing("Control+Enter"),
    ),
    Sight(name="maintenance", path='/f/player.unban?args={{"player_id":"p0025"}}', person="ann", env="stage"),
    Sight(name="palette", path="/", act=pressing("Control+k")),
    Sight(name="palette-found", path="/", act=find_ban),
    Sight(name="shortcuts", path="/", act=pressing("?")),
)
RECORDS = (
    Sight(name="calls", path="/calls"),
    Sight(name="call", path="/calls/{ban}"),
    Sight(name="call-query", path="/calls/{call}"),
    Sight(name="call-failed", path="/calls/{failed_call}"),
    Sight(name="call-unknown", path="/calls/{unknown_call}"),
    Sight(name="call-broadcast", path="/calls/{broadcast}"),
    Sight(name="call-compare", path="/calls/{call}?with={other_call}"),
    Sight(name="call-missing", path="/calls/c00000000000000000000000000", refused=frozenset({404})),
    Sight(name="jobs", path="/jobs"),
    Sight(name="job", path="/jobs/{job}"),
    Sight(name="job-running", path="/jobs/{running_job}"),
    Sight(name="job-failed", path="/jobs/{failed_job}"),
    Sight(name="job-lost", path="/jobs/{lost_job}"),
    Sight(name="job-canceled", path="/jobs/{canceled_job}"),
    Sight(name="bulk", path="/bulk"),
    Sight(name="bulk-new", path="/bulk/new?fn=player.ban"),
    Sight(name="bulk-faulty", path="/bulk/{faulty_bulk}"),
    Sight(name="bulk-run", path="/bulk/{bulk}"),
    Sight(name="bulk-canary", path="/bulk/{canary_bulk}"),
    Sight(name="bulk-waiting", path="/bulk/{waiting_bulk}"),
    Sight(name="approvals", path="/approvals", person="bob"),
    Sight(name="approvals-mine", path="/approvals?tab=mine", person="ann"),
    Sight(name="approvals-all", path="/approvals?tab=all"),
    Sight(name="approval", path="/approvals/{approval}", person="bob"),
    Sight(name="approval-own", path="/approvals/{approval}", person="ann"),
    Sight(name="approval-bulk", path="/approvals/{bulk_approval}", person="bob"),
    Sight(name="approval-executed", path="/approvals/{executed_approval}"),
    Sight(name="audit", path="/audit"),
    Sight(name="audit-row", path="/audit", act=clicking(".table-row >> nth=2")),
    Sight(name="audit-checked", path="/audit", act=check_the_chain),
)
CATALOG = (
    Sight(name="registry", path="/registry"),
    Sight(name="registry-agents", path="/registry?tab=agents"),
    Sight(name="registry-function", path="/registry/player.ban"),
    Sight(name="packs", path="/packs"),
    Sight(name="packs-faults", path="/packs?tab=faults"),
    Sight(name="packs-conflicts", path="/packs?tab=conflicts"),
    Sight(name="pack", path="/packs/player"),
    Sight(name="pack-installed", path="/packs/shop"),
    Sight(name="pack-change", path="/packs?tab=install", act=choose_an_archive),
    Sight(name="entity-types", path="/entities"),
    Sight(name="entities", path="/entities/player"),
    Sight(name="entity", path="/entities/player/p0008", person="ann"),
    Sight(name="entity-grant", path="/entities/player/p0001?op=item.grant", person="ann"),
)
RULES = (
    Sight(name="users", path="/users"),
    Sight(name="user", path="/users", act=clicking(".table-row >> text=vera")),
    Sight(
        name="user-invite",
        path="/users",
        act=clicking("main button:is(:has-text('Invite somebody'), :has-text('邀请成员'))"),
    ),
    Sight(
        name="user-disable",
        path="/users?user={ann}",
        act=clicking("button:is(:has-text('Disable'), :has-text('停用'))"),
    ),
    Sight(name="roles", path="/roles"),
    Sight(name="roles-matrix", path="/roles?tab=matrix"),
    Sight(name="roles-bindings", path="/roles?tab=bindings"),
    Sight(name="roles-policy", path="/roles?tab=policy"),
    Sight(name="role-allowed", path="/roles/operator/try?fn=player.get", act=ask_why),
    Sight(name="role-denied", path="/roles/viewer/try?fn=player.ban", act=ask_why),
    Sight(name="games", path="/games"),
    Sight(name="game", path="/games/demo/envs"),
    Sight(name="settings", path="/settings"),
    Sight(name="settings-limits", path="/settings?tab=limits"),
    Sight(name="settings-secrets", path="/settings?tab=secrets"),
    Sight(name="settings-machines", path="/settings?tab=machines", refused=frozenset({409})),
    Sight(name="settings-about", path="/settings?tab=about"),
    Sight(name="settings-maintenance", path="/settings?tab=maintenance"),
    Sight(name="settings-limit-delete", path="/settings?tab=limits", act=clicking("main table button")),
    Sight(name="me", path="/me"),
    Sight(name="me-factor", path="/me", person="bob"),
    Sight(name="me-enrol", path="/me", person="ann", act=begin_a_second_factor),
    Sight(name="missing", path="/no/such/page", refused=frozenset({404})),
    Sight(name="empty-workbench", path="/", env="nowhere"),
    Sight(name="empty-calls", path="/calls", env="nowhere"),
    Sight(name="empty-jobs", path="/jobs", env="nowhere"),
    Sight(name="empty-bulk", path="/bulk", env="nowhere"),
    Sight(name="empty-approvals", path="/approvals?tab=mine", env="nowhere"),
)
SIGHTS = DOORS + WORKBENCH + RECORDS + CATALOG + RULES
