"""The link that `croupier dev` prints: it signs the developer's browser in, once."""

import asyncio
import logging

import pytest
from tests.planes.http_testbed import Testbed
from tests.planes.people_testbed import PeopleTestbed
from tests.planes.test_login import Page

from croupier.server.access.tickets import ACCOUNT, TICKET_MS, Tickets


@pytest.fixture
def residence():
    found = PeopleTestbed()
    tickets = Tickets(accounts=found.residents.accounts, clock=found.clock, grant_admin=found._grant, audit=found.audit)
    found.use_tickets(tickets)
    return found


@pytest.fixture
def bed(residence):
    return Testbed(residence=residence)


async def redeem(bed, ticket, **sent):
    page = Page(bed)
    reply = await page.send("POST", "/api/login/ticket", json={"ticket": ticket}, **sent)
    if reply.status == 200:
        page.csrf = reply.json["csrf_token"]
    return page, reply


async def test_a_ticket_signs_in_an_administrator(bed, residence):
    page, reply = await redeem(bed, residence.ways.tickets.issue())
    assert (reply.status, reply.json["user"]["name"]) == (200, ACCOUNT)
    assert (await page.send("GET", "/api/me")).json["name"] == ACCOUNT
    assert (
        await page.send("POST", "/api/users", json={"name": "ann", "password": "correct horse battery"})
    ).status < 300
    assert [note.action for note in residence.audit_store.notes][:3] == ["users.setup", "users.setup", "login"]


async def test_a_ticket_is_good_once(bed, residence):
    ticket = residence.ways.tickets.issue()
    assert (await redeem(bed, ticket))[1].status == 200
    page, again = await redeem(bed, ticket)
    assert again.status == 401
    assert "start the development server again" in again.json["detail"]
    assert not page.cookie


async def test_of_many_who_use_a_ticket_at_once_one_gets_in(bed, residence):
    ticket = residence.ways.tickets.issue()
    replies = await asyncio.gather(*(redeem(bed, ticket) for _ in range(20)))
    assert sorted(reply.status for _, reply in replies) == [200] + [401] * 19


async def test_a_ticket_is_good_for_a_quarter_of_an_hour(bed, residence):
    ticket = residence.ways.tickets.issue()
    residence.clock.go_on(seconds=TICKET_MS / 1000 - 1)
    residence.clock.go_on(seconds=1)
    assert (await redeem(bed, ticket))[1].status == 401


async def test_a_new_ticket_makes_the_one_before_useless(bed, residence):
    before, after = residence.ways.tickets.issue(), residence.ways.tickets.issue()
    assert (await redeem(bed, before))[1].status == 401
    assert (await redeem(bed, after))[1].status == 200


async def test_every_ticket_is_for_the_same_account(bed, residence):
    first = (await redeem(bed, residence.ways.tickets.issue()))[1].json
    second = (await redeem(bed, residence.ways.tickets.issue()))[1].json
    assert first["user"]["user_id"] == second["user"]["user_id"]
    assert len(residence.residents.accounts) == 1


async def test_an_account_that_was_disabled_stays_out(bed, residence):
    _, reply = await redeem(bed, residence.ways.tickets.issue())
    await residence.residents.accounts.change(reply.json["user"]["user_id"], disabled=True)
    assert (await redeem(bed, residence.ways.tickets.issue()))[1].status == 401


async def test_nobody_signs_in_as_the_developer_by_a_password(bed, residence):
    await redeem(bed, residence.ways.tickets.issue())
    for password in ("", "dev", "x" * 12):
        assert (await Page(bed).sign_in(ACCOUNT, password)).status in {400, 401}


@pytest.mark.parametrize(
    "ticket", ["", "x", "é", "\ud800".encode("utf-8", "surrogatepass").decode("latin-1"), "x" * 60_000]
)
async def test_rubbish_is_no_ticket(bed, residence, ticket):
    good = residence.ways.tickets.issue()
    assert (await redeem(bed, ticket))[1].status == 401
    assert (await redeem(bed, good))[1].status == 200


async def test_before_a_ticket_was_issued_nothing_is_one(bed):
    assert (await redeem(bed, ""))[1].status == 401


@pytest.mark.parametrize("body", [{}, {"ticket": 5}, {"ticket": None}, [], "x"])
async def test_a_body_that_is_no_ticket_is_a_wrong_request(bed, body):
    assert (await Page(bed).send("POST", "/api/login/ticket", json=body)).status == 400


async def test_another_sites_page_signs_nobody_in(bed, residence):
    ticket = residence.ways.tickets.issue()
    _, reply = await redeem(bed, ticket, headers={"Origin": "http://evil.example"})
    assert reply.status == 403
    assert (await redeem(bed, ticket))[1].status == 200


async def test_no_log_shows_a_ticket(bed, residence, caplog):
    caplog.set_level(logging.DEBUG)
    ticket = residence.ways.tickets.issue()
    for _ in range(2):
        _, reply = await redeem(bed, ticket)
        assert ticket not in reply.body.decode()
    assert ticket not in caplog.text
    assert ticket not in repr(residence.audit_store.notes)


async def test_a_server_that_is_not_for_development_takes_no_ticket():
    bed = Testbed(residence=PeopleTestbed())
    for ticket in ("", "x" * 43):
        page, reply = await redeem(bed, ticket)
        assert reply.status == 404
        assert "issues no tickets" in reply.json["detail"]
        assert not page.cookie
