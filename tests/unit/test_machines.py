"""Who may make machines, and what is put on record of it."""

from typing import Any

import pytest
from tests.planes.audit_testbed import AuditInMemory, audit_in_memory
from tests.planes.machines_testbed import machines_in_memory

from croupier.domain.machine import make_identity
from croupier.domain.policy import read_binding, read_role
from croupier.domain.principal import Principal
from croupier.errors import Conflict, FailedPrecondition, InvalidArgument, NotFound, PermissionDenied
from croupier.pki.authority import read_certificate
from croupier.pki.join import read_token
from croupier.pki.names import hosts_in, peer_in
from croupier.pki.request import make_key, make_request
from croupier.server.access.guard import Guard
from croupier.server.access.machines import Grant, Machines
from croupier.server.access.policy import Policy
from croupier.server.access.policy.snapshot import Snapshot

ANN = Principal(name="ann", kind="user", user_id="u1")
ROOT = Principal(name="developer", root=True)
AGENT = Grant(role="agent", game_id="demo", env="dev", machine_id="agent-1")


class Bed:
    def __init__(self) -> None:
        self.now = 1_000_000
        self.record = AuditInMemory()
        policy = Policy()
        role = read_role("machinist", ["machines:*"])
        policy.use(Snapshot([role], [read_binding("user:ann", "machinist", "demo", "dev")]))
        guard = Guard("token-of-a-test", policy=policy)
        self.machines: Machines = machines_in_memory(guard, lambda: self.now, audit_in_memory(self.record))

    def acts(self) -> list[tuple[str, str]]:
        return [(note.action, note.phase.value) for note in self.record.notes]


@pytest.fixture
def bed() -> Bed:
    return Bed()


def a_request(hosts: tuple[str, ...] = (), **changes: Any) -> bytes:
    said = {"deployment": "studio", "role": "agent", "game_id": "demo", "env": "dev", "id": "agent-1", **changes}
    return make_request(make_key(), make_identity(**said), hosts)


async def test_whoever_may_in_one_scope_makes_machines_there(bed: Bed) -> None:
    issued = await bed.machines.issue(ANN, AGENT, a_request())
    assert peer_in(issued.pem).identity.id == "agent-1"
    invited = await bed.machines.invite(ANN, AGENT)
    assert (await bed.machines.enrol(read_token(invited.text).secret, a_request())).pem


@pytest.mark.parametrize(
    "grant",
    [
        Grant(role="agent", game_id="demo", env="prod", machine_id="a"),
        Grant(role="agent", game_id="demo", env="dev", machine_id="a", hosts=("server.example",)),
        Grant(role="edge", game_id="demo", env="dev", machine_id="e"),
        Grant(role="server", game_id="demo", env="dev", machine_id="s"),
        Grant(role="client", machine_id="c"),
    ],
    ids=["another scope", "a host", "an edge", "a server", "a client of every game"],
)
async def test_what_others_would_believe_needs_the_permission_everywhere(grant: Grant, bed: Bed) -> None:
    with pytest.raises(PermissionDenied):
        await bed.machines.invite(ANN, grant)
    with pytest.raises(PermissionDenied):
        await bed.machines.issue(ANN, grant, a_request())
    assert (await bed.machines.invite(ROOT, grant)).text


async def test_revoking_and_listing_need_the_permission_everywhere(bed: Bed) -> None:
    issued = await bed.machines.issue(ROOT, AGENT, a_request())
    for forbidden in (
        bed.machines.revoke(ANN, issued.certificate.serial),
        bed.machines.certificates(ANN),
        bed.machines.tokens(ANN),
    ):
        with pytest.raises(PermissionDenied):
            await forbidden


async def test_every_change_is_on_record_before_it_is_made_and_no_secret_is(bed: Bed) -> None:
    invited = await bed.machines.invite(ROOT, AGENT)
    secret = read_token(invited.text).secret
    issued = await bed.machines.enrol(secret, a_request())
    await bed.machines.revoke(ROOT, issued.certificate.serial, "stolen")
    other = await bed.machines.invite(ROOT, AGENT)
    await bed.machines.withdraw(ROOT, other.token.id)
    verbs = ["invite", "join", "revoke", "invite", "withdraw"]
    assert bed.acts() == [(f"machines.{verb}", phase) for verb in verbs for phase in ("intent", "outcome")]
    assert not [note for note in bed.record.notes if secret in repr(note) or invited.text in repr(note)]
    assert secret not in repr(invited)


async def test_a_lost_join_is_a_failure_on_record(bed: Bed) -> None:
    invited = await bed.machines.invite(ROOT, AGENT)
    bed.machines._store._tokens.clear()  # somebody else used it in the meantime
    with pytest.raises(PermissionDenied, match="used"):
        await bed.machines.enrol(read_token(invited.text).secret, a_request())
    assert bed.record.notes[-1].reason == "permission_denied"


async def test_a_token_that_leaves_the_name_open_takes_any_and_grants_its_hosts(bed: Bed) -> None:
    open_grant = Grant(role="agent", game_id="demo", env="dev", hosts=("a.example", "b.example"))
    invited = await bed.machines.invite(ROOT, open_grant)
    issued = await bed.machines.enrol(read_token(invited.text).secret, a_request(("a.example",), id="agent-9"))
    assert hosts_in(read_certificate(issued.pem))[0] == "a.example"
    assert "b.example" not in hosts_in(read_certificate(issued.pem))


async def test_a_renewal_follows_what_it_renews_into_revocation(bed: Bed) -> None:
    first = await bed.machines.issue(ROOT, AGENT, a_request())
    second = await bed.machines.renew(peer_in(first.pem), (), a_request())
    third = await bed.machines.renew(peer_in(second.pem), (), a_request())
    assert bed.machines.renewed_until(peer_in(first.pem)) == third.certificate.not_after_ms
    again = await bed.machines.renew(peer_in(first.pem), (), a_request())  # by a connection that began with the first
    await bed.machines.revoke(ROOT, second.certificate.serial)
    assert bed.machines.revocations.serials == {each.certificate.serial for each in (first, second, third, again)}
    assert bed.machines.renewed_until(peer_in(first.pem)) == 0
    with pytest.raises(PermissionDenied):
        await bed.machines.renew(peer_in(third.pem), (), a_request())


async def test_what_is_wrong_is_said(bed: Bed) -> None:
    for serial in ("", "XY", "0ab", "a" * 41):
        with pytest.raises(InvalidArgument, match="hexadecimal"):
            await bed.machines.revoke(ROOT, serial)
    with pytest.raises(NotFound):
        await bed.machines.withdraw(ROOT, "none")
    with pytest.raises(InvalidArgument):
        await bed.machines.invite(ROOT, AGENT, life=0.5)
    with pytest.raises(InvalidArgument):
        await bed.machines.issue(ROOT, AGENT, a_request(), lifetime=1.0)
    with pytest.raises(InvalidArgument, match="dials"):
        await bed.machines.invite(ROOT, Grant(role="client", machine_id="c", hosts=("a",)))
    invited = await bed.machines.invite(ROOT, AGENT)
    await bed.machines.enrol(read_token(invited.text).secret, a_request())
    with pytest.raises(Conflict, match="revoke certificate"):
        await bed.machines.withdraw(ROOT, invited.token.id)


async def test_a_server_without_an_authority_issues_nothing(bed: Bed) -> None:
    bed.machines._authority = None
    with pytest.raises(FailedPrecondition, match="croupier ca init"):
        await bed.machines.invite(ROOT, AGENT)
