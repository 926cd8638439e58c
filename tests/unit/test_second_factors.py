import asyncio
import base64
import re
from dataclasses import replace

import pyotp
import pytest
from hypothesis import given
from hypothesis import strategies as st

from croupier.domain.audit import Note
from croupier.domain.principal import Principal
from croupier.domain.second_factor import SecondFactor
from croupier.errors import (
    Conflict,
    FailedPrecondition,
    InvalidArgument,
    NotFound,
    PermissionDenied,
    RateLimited,
    Unauthenticated,
    Unavailable,
)
from croupier.server.access import totp
from croupier.server.access.audit import Audit, Masker
from croupier.server.access.guard import Guard
from croupier.server.access.keys import DeploymentKey
from croupier.server.access.second_factors import ENROLMENT_MS, SecondFactorNeeded, SecondFactors

ANN = Principal(name="ann", kind="user", user_id="u1", credential="s1")
BOB = Principal(name="bob", kind="user", user_id="u2", credential="s2")
ADMIN = replace(BOB, root=True)
KEY = DeploymentKey(bytes(range(32)))


class Memory:
    """A store in memory; `refuses` stands for a full disk."""

    def __init__(self) -> None:
        self.kept: dict[str, SecondFactor] = {}
        self.refuses = False

    async def put(self, factor):
        await asyncio.sleep(0)
        if self.refuses:
            raise Unavailable("the disk is full")
        self.kept[factor.user_id] = factor

    async def remove(self, user_id):
        await asyncio.sleep(0)
        if self.refuses:
            raise Unavailable("the disk is full")
        self.kept.pop(user_id, None)

    async def factors(self):
        return list(self.kept.values())


class Record:
    """The audit record, in memory."""

    def __init__(self) -> None:
        self.notes: list[Note] = []

    async def record(self, note, *, durable=True):
        self.notes.append(note)


class Bed:
    def __init__(self, store=None, key=KEY):
        self.now = 1_700_000_010_000
        self.store = store or Memory()
        self.proofs: list[tuple[str, int]] = []
        self.record = Record()
        self.factors = SecondFactors(
            guard=Guard("the-one-token"),
            audit=Audit(self.record, Masker(bytes(32))),
            store=self.store,
            key=key,
            proofs=self,
            clock=lambda: self.now,
        )
        self.secret = ""

    def is_live(self, credential_id):
        return credential_id.startswith("s")

    async def proved(self, caller, now_ms):
        self.proofs.append((caller.credential, now_ms))

    def code(self, steps: int = 0) -> str:
        return pyotp.TOTP(self.secret).at(self.now // 1000 + 30 * steps)

    async def enrolled(self, caller=ANN) -> list[str]:
        self.secret = self.factors.enrol(caller, caller.name).secret
        codes = await self.factors.confirm(caller, self.code())
        self.now += 60_000
        return codes


@pytest.fixture
def bed():
    return Bed()


# RFC 6238, appendix B, cut to six digits
@pytest.mark.parametrize(
    ("seconds", "code"),
    [
        (59, "287082"),
        (1111111109, "081804"),
        (1111111111, "050471"),
        (1234567890, "005924"),
        (2000000000, "279037"),
        (20000000000, "353130"),
    ],
)
def test_the_codes_are_those_of_the_rfc(seconds, code):
    assert totp.matching_step(b"12345678901234567890", code, seconds * 1000) == seconds // 30


@pytest.mark.parametrize(("drift", "taken"), [(-2, False), (-1, True), (0, True), (1, True), (2, False)])
def test_a_code_of_the_step_before_or_after_is_taken_and_no_other(drift, taken):
    secret = b"12345678901234567890"
    code = pyotp.TOTP(base64.b32encode(secret).decode()).at(3000 + 30 * drift)
    assert (totp.matching_step(secret, code, 3_000_000) == 100 + drift) is taken


def test_what_an_app_needs_is_in_the_uri_and_the_picture():
    made = totp.enrolment(b"12345678901234567890", "ann/:@ü")
    assert made.uri.startswith("otpauth://totp/Croupier:ann")
    parsed = pyotp.parse_uri(made.uri)
    assert (parsed.secret, parsed.issuer, parsed.name) == (made.secret, "Croupier", "ann/:@ü")
    assert made.qr_svg.startswith("<svg")
    assert made.secret not in repr(made)


def test_recovery_codes_are_ten_different_ones_that_may_be_typed_loosely():
    codes = totp.new_recovery_codes()
    assert len(set(codes)) == 10
    for code in codes:
        assert re.fullmatch(r"([A-Z2-7]{4}-){3}[A-Z2-7]{4}", code)
        assert totp.recovery_code(code.lower().replace("-", " ")) == code


async def test_nothing_is_asked_until_an_enrolment_is_confirmed(bed):
    bed.factors.enrol(ANN, "ann")
    assert not bed.factors.asked_of("u1")
    assert bed.factors.standing("u1") is None
    await bed.factors.check("u1", "")


async def test_a_confirmed_second_factor_is_asked_for_and_proves_the_session(bed):
    codes = await bed.enrolled()
    assert len(codes) == 10
    assert bed.proofs == [("s1", 1_700_000_010_000)]
    assert bed.factors.asked_of("u1")
    assert not bed.factors.asked_of("u2")
    assert bed.factors.standing("u1").recovery_codes == 10
    with pytest.raises(SecondFactorNeeded) as caught:
        await bed.factors.check("u1", "  ")
    assert caught.value.details == {"second_factor": "true"}
    await bed.factors.check("u1", f" {bed.code()} ")


async def test_a_wrong_code_confirms_nothing(bed):
    bed.secret = bed.factors.enrol(ANN, "ann").secret
    wrong = f"{(int(bed.code()) + 1) % 1_000_000:06}"
    with pytest.raises(Unauthenticated):
        await bed.factors.confirm(ANN, wrong)
    assert not bed.factors.asked_of("u1")
    await bed.factors.confirm(ANN, bed.code())


async def test_an_enrolment_waits_ten_minutes_and_no_longer(bed):
    bed.secret = bed.factors.enrol(ANN, "ann").secret
    bed.now += ENROLMENT_MS + 1
    with pytest.raises(FailedPrecondition, match="begin one"):
        await bed.factors.confirm(ANN, bed.code())
    with pytest.raises(FailedPrecondition):
        await bed.factors.confirm(BOB, bed.code())


async def test_a_second_enrolment_replaces_one_that_waits_and_never_one_that_counts(bed):
    first = bed.factors.enrol(ANN, "ann").secret
    await bed.enrolled()
    assert bed.secret != first
    with pytest.raises(Conflict, match="remove it"):
        bed.factors.enrol(ANN, "ann")


async def test_a_code_is_good_once_and_so_are_those_before_it(bed):
    await bed.enrolled()
    later, now = bed.code(1), bed.code()
    await bed.factors.check("u1", later)
    for code in (later, now, bed.code(-1)):
        with pytest.raises(Unauthenticated, match="wrong or was used"):
            await bed.factors.check("u1", code)


async def test_the_code_that_confirmed_does_not_log_in(bed):
    bed.secret = bed.factors.enrol(ANN, "ann").secret
    await bed.factors.confirm(ANN, bed.code())
    with pytest.raises(Unauthenticated):
        await bed.factors.check("u1", bed.code())


async def test_of_two_with_one_code_in_the_same_moment_one_gets_in(bed):
    await bed.enrolled()
    code = bed.code()
    ends = await asyncio.gather(*(bed.factors.check("u1", code) for _ in range(20)), return_exceptions=True)
    assert ends.count(None) == 1


async def test_a_spent_code_stays_spent_where_the_disk_refuses_or_the_caller_leaves(bed):
    codes = await bed.enrolled()
    bed.store.refuses = True
    with pytest.raises(Unavailable):
        await bed.factors.check("u1", bed.code())
    bed.store.refuses = False
    with pytest.raises(Unauthenticated):
        await bed.factors.check("u1", bed.code())
    leaving = asyncio.ensure_future(bed.factors.check("u1", codes[0]))
    await asyncio.sleep(0)
    leaving.cancel()
    await asyncio.gather(leaving, return_exceptions=True)
    with pytest.raises(Unauthenticated):
        await bed.factors.check("u1", codes[0])


async def test_a_recovery_code_is_good_once(bed):
    codes = await bed.enrolled()
    await bed.factors.check("u1", codes[3].lower())
    assert bed.factors.standing("u1").recovery_codes == 9
    with pytest.raises(Unauthenticated):
        await bed.factors.check("u1", codes[3])
    await bed.factors.check("u1", codes[4])


async def test_a_recovery_code_of_another_is_worth_nothing(bed):
    codes = await bed.enrolled(BOB)
    await bed.enrolled(ANN)
    with pytest.raises(Unauthenticated):
        await bed.factors.check("u1", codes[0])


async def test_new_recovery_codes_end_the_old_ones(bed):
    old = await bed.enrolled()
    new = await bed.factors.renew_recovery_codes(ANN, bed.code())
    with pytest.raises(Unauthenticated):
        await bed.factors.check("u1", old[0])
    await bed.factors.check("u1", new[0])


async def test_proving_again_tells_the_session_when(bed):
    await bed.enrolled()
    assert await bed.factors.prove(ANN, bed.code()) == bed.now
    assert bed.proofs[-1] == ("s1", bed.now)
    with pytest.raises(Unauthenticated):
        await bed.factors.prove(ANN, bed.code())
    assert len(bed.proofs) == 2
    with pytest.raises(FailedPrecondition, match="enrol one"):
        await bed.factors.prove(BOB, "123456")


async def test_an_api_token_neither_proves_nor_spends_a_code(bed):
    codes = await bed.enrolled()
    by_token = replace(ANN, kind="token", credential="t1")
    for attempt in (
        bed.factors.prove(by_token, codes[0]),
        bed.factors.drop(by_token, codes[0]),
        bed.factors.renew_recovery_codes(by_token, codes[0]),
        bed.factors.confirm(by_token, codes[0]),
    ):
        with pytest.raises(FailedPrecondition, match="in a session"):
            await attempt
    assert bed.factors.standing("u1").recovery_codes == 10


async def test_it_is_dropped_with_a_code_only(bed):
    await bed.enrolled()
    with pytest.raises(SecondFactorNeeded):
        await bed.factors.drop(ANN, "")
    await bed.factors.drop(ANN, bed.code())
    assert not bed.factors.asked_of("u1")
    assert bed.store.kept == {}


async def test_an_administrator_resets_anothers_and_not_their_own(bed):
    await bed.enrolled()
    with pytest.raises(PermissionDenied, match="one of its codes"):
        await bed.factors.reset(replace(ANN, root=True), "u1")
    with pytest.raises(PermissionDenied, match="users:manage"):
        await bed.factors.reset(BOB, "u1")
    with pytest.raises(NotFound):
        await bed.factors.reset(ADMIN, "nobody")
    await bed.factors.reset(ADMIN, "u1")
    assert not bed.factors.asked_of("u1")


async def test_who_is_no_person_has_no_second_factor(bed):
    with pytest.raises(FailedPrecondition, match="log in"):
        bed.factors.enrol(Principal(name="ci"), "ci")


async def test_guessing_gets_slower_and_never_keeps_a_recovery_code_out(bed):
    codes = await bed.enrolled()
    wrong = next(
        f"{number:06}" for number in range(10) if f"{number:06}" not in {bed.code(step) for step in (-1, 0, 1)}
    )
    tried, began = 0, bed.now
    while bed.now - began < 86_400_000:
        try:
            await bed.factors.check("u1", wrong)
        except RateLimited as refused:
            bed.now += int(refused.details["retry_after"]) * 1000
        except Unauthenticated:
            tried += 1
    assert tried < 40
    with pytest.raises(Unauthenticated):
        await bed.factors.check("u1", wrong)
    with pytest.raises(RateLimited, match="recovery code"):
        await bed.factors.check("u1", bed.code())
    await bed.factors.check("u1", codes[0])
    await bed.factors.check("u1", bed.code())


async def test_a_clock_that_goes_back_neither_shortens_a_wait_nor_revives_a_code(bed):
    await bed.enrolled()
    used = bed.code()
    await bed.factors.check("u1", used)
    bed.now -= 30_000
    with pytest.raises(Unauthenticated):
        await bed.factors.check("u1", used)


async def test_after_a_restart_what_was_spent_is_spent(bed):
    codes = await bed.enrolled()
    code = bed.code()
    await bed.factors.check("u1", code)
    await bed.factors.check("u1", codes[0])
    again = Bed(bed.store)
    again.now, again.secret = bed.now, bed.secret
    await again.factors.begin()
    for spent in (code, codes[0]):
        with pytest.raises(Unauthenticated):
            await again.factors.check("u1", spent)
    again.now += 30_000
    await again.factors.check("u1", again.code())


async def test_a_start_with_another_key_is_refused(bed):
    await bed.enrolled()
    with pytest.raises(FailedPrecondition, match="key file"):
        await Bed(bed.store, DeploymentKey(bytes(32))).factors.begin()


async def test_nothing_that_is_kept_or_printed_shows_the_secret_or_a_code(bed):
    codes = await bed.enrolled()
    kept = bed.store.kept["u1"]
    everything = f"{kept} {kept.recovery} {kept.sealed!r} {bed.factors!r}"
    assert base64.b32decode(bed.secret) not in kept.sealed
    for secret in (bed.secret, *codes):
        assert secret not in everything


async def test_who_changed_a_second_factor_proved_one_or_failed_to_is_on_record_without_codes(bed):
    codes = await bed.enrolled()
    with pytest.raises(Unauthenticated):
        await bed.factors.prove(ANN, "AAAA-AAAA-AAAA-AAAA")
    await bed.factors.renew_recovery_codes(ANN, bed.code())
    await bed.factors.reset(ADMIN, "u1")
    assert [(each.actor.name, each.action, each.result) for each in bed.record.notes if each.result] == [
        ("ann", "second_factor.enrol", "ok"),
        ("ann", "second_factor.prove", "denied"),
        ("ann", "second_factor.prove", "ok"),
        ("ann", "second_factor.renew_recovery_codes", "ok"),
        ("bob", "second_factor.remove", "ok"),
    ]
    assert all(each.target == "u1" for each in bed.record.notes)
    assert not any(secret in str(bed.record.notes) for secret in (bed.secret, *codes, "AAAA-AAAA"))


@given(st.text(max_size=60))
async def test_whatever_is_typed_is_refused_in_words(text):
    bed = Bed()
    await bed.enrolled()
    with pytest.raises((InvalidArgument, Unauthenticated)) as caught:
        await bed.factors.check("u1", text)
    assert len(text.strip()) < 6 or text.strip() not in caught.value.message
