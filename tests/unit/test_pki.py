import base64
import datetime as dt
import re
import stat
from dataclasses import replace
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID
from hypothesis import given
from hypothesis import strategies as st

from croupier.domain.machine import MachineIdentity, MachineRole, check_hosts, make_identity, parse_identity
from croupier.domain.scope import Scope
from croupier.errors import CroupierError, FailedPrecondition, InvalidArgument, PermissionDenied, Unauthenticated
from croupier.pki.authority import Authority, fingerprint_of, make_authority, open_authority, verify
from croupier.pki.identity import MachineFiles
from croupier.pki.join import digest_of, make_token, read_token
from croupier.pki.names import expected_name, hosts_in, peer_in
from croupier.pki.request import check_asks, make_key, make_request, read_request
from croupier.pki.revocations import Revocations


def an_agent(**changes) -> MachineIdentity:
    values = {"deployment": "studio", "role": "agent", "game_id": "demo", "env": "dev", "id": "agent-1"}
    return make_identity(**values | changes)


@pytest.fixture(scope="module")
def authority() -> Authority:
    return make_authority("studio")


def issued(authority: Authority, identity: MachineIdentity, hosts=(), **options) -> x509.Certificate:
    request = read_request(make_request(make_key(), identity, hosts))
    return authority.issue(identity, tuple(hosts), request, **options)


def pem_of(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(serialization.Encoding.PEM)


# ------------------------------------------------------------------------------------------------ identities


@pytest.mark.parametrize(
    "uri",
    [
        "croupier://studio/agent/demo/dev/agent-1",
        "croupier://studio/edge/*/*/eu-1",
        "croupier://studio/client/*/prod/ci@build:7",
    ],
)
def test_an_identity_is_read_as_it_was_written(uri: str):
    assert str(parse_identity(uri)) == uri


@pytest.mark.parametrize(
    "uri",
    [
        "",
        "http://studio/agent/demo/dev/a",
        "croupier://studio/agent/demo/dev",
        "croupier://studio/agent/demo/dev/a/b",
        "croupier://studio/admin/demo/dev/a",
        "croupier://studio/agent/*/dev/a",
        "croupier://studio/game/demo/*/a",
        "croupier://studio/agent/demo/dev/",
        "croupier://studio/agent/demo/dev/%61",
        "croupier://studio/agent/de%2Fmo/dev/a",
        "croupier://studio/agent/demo/dev/a\n",
        "croupier:///agent/demo/dev/a",
    ],
)
def test_what_is_no_identity_is_refused(uri: str):
    with pytest.raises(InvalidArgument):
        parse_identity(uri)


@given(st.text(max_size=80))
def test_no_text_makes_the_reading_of_identities_fail_otherwise(text: str):
    for uri in (text, f"croupier://{text}", f"croupier://studio/agent/demo/dev/{text}"):
        try:
            assert str(parse_identity(uri)) == uri
        except InvalidArgument:
            continue


def test_an_identity_covers_its_own_scope_or_every_one():
    assert an_agent().covers(Scope("demo", "dev"))
    assert not an_agent().covers(Scope("demo", "prod"))
    assert not an_agent().covers(None)
    edge = an_agent(role="edge", game_id="*", env="prod")
    assert edge.covers(Scope("other", "prod"))
    assert not edge.covers(Scope("other", "dev"))
    assert an_agent(role="edge", game_id="*", env="*").covers(None)


@pytest.mark.parametrize("host", ["*.example.com", "a b", "-a", "a/b", "ex\nample", "a" * 254, ""])
def test_hosts_that_are_none_are_refused(host: str):
    with pytest.raises(InvalidArgument):
        check_hosts((host,))


# ------------------------------------------------------------------------------------------------ the authority


def test_a_certificate_says_who_its_holder_is_and_where_it_may_be_dialled(authority: Authority):
    certificate = issued(authority, an_agent(), ("game-1.example.com", "10.1.2.3", "fe80::1"))
    peer = peer_in(pem_of(certificate))
    assert peer.identity == an_agent()
    assert hosts_in(certificate)[:3] == ("game-1.example.com", "10.1.2.3", "fe80::1")
    names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    dns = names.get_values_for_type(x509.DNSName)
    assert expected_name("agent", "game-1.example.com") in dns
    assert "game-1.example.com" not in dns
    assert not names.get_values_for_type(x509.IPAddress)


def test_only_servers_and_edges_are_named_as_tools_expect_it(authority: Authority):
    certificate = issued(authority, an_agent(role="server", game_id="*", env="*"), ("ops.example.com",))
    names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert {"ops.example.com", "hub.ops.example.com.croupier"} <= set(names.get_values_for_type(x509.DNSName))
    assert "127.0.0.1" in {str(each) for each in names.get_values_for_type(x509.IPAddress)}


def test_a_clients_certificate_serves_nobody(authority: Authority):
    certificate = issued(authority, an_agent(role="client"))
    usages = certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    assert list(usages) == [ExtendedKeyUsageOID.CLIENT_AUTH]


def test_the_key_of_the_authority_opens_with_its_passphrase_only(authority: Authority):
    kept = authority.key_file(b"right")
    assert b"ENCRYPTED" in kept
    opened = open_authority(authority.certificate_pem, kept, b"right")
    assert (opened.deployment, opened.fingerprint) == ("studio", fingerprint_of(authority.certificate_pem))
    for wrong in (b"wrong", None):
        with pytest.raises(FailedPrecondition, match="does not open") as refused:
            open_authority(authority.certificate_pem, kept, wrong)
        assert "wrong" not in refused.value.message


def test_a_key_of_another_authority_is_refused(authority: Authority):
    with pytest.raises(InvalidArgument, match="do not belong together"):
        open_authority(authority.certificate_pem, make_authority("studio").key_file(b"p"), b"p")


def test_a_machines_certificate_is_no_authority(authority: Authority):
    key = make_key()
    request = read_request(make_request(key, an_agent(), ()))
    with pytest.raises(InvalidArgument, match="none"):
        Authority(authority.issue(an_agent(), (), request), key, "studio")


def test_a_machine_of_another_deployment_gets_nothing(authority: Authority):
    with pytest.raises(InvalidArgument, match="is not"):
        issued(authority, an_agent(deployment="other"))


def test_a_certificate_is_verified_by_authority_and_time(authority: Authority):
    now = dt.datetime.now(dt.UTC)
    ca = x509.load_pem_x509_certificate(authority.certificate_pem)
    good = issued(authority, an_agent())
    assert verify(ca, good, now) == an_agent()
    for certificate, reason in (
        (issued(make_authority("studio"), an_agent()), "another authority"),
        (issued(authority, an_agent(), lifetime=60.0, now=now - dt.timedelta(days=2)), "expired"),
        (issued(authority, an_agent(), now=now + dt.timedelta(days=2)), "not valid yet"),
        (ca, "an authority's"),
    ):
        with pytest.raises(InvalidArgument, match=reason):
            verify(ca, certificate, now)


@given(st.binary(max_size=200))
def test_rubbish_is_no_certificate_and_no_request(data: bytes):
    with pytest.raises(Unauthenticated):
        peer_in(data)
    with pytest.raises(InvalidArgument):
        read_request(data)


@given(st.integers(min_value=0), st.integers(min_value=1, max_value=255))
def test_a_request_with_a_changed_byte_is_refused_or_asks_for_the_same(place: int, change: int):
    made = bytearray(x509.load_pem_x509_csr(_REQUEST).public_bytes(serialization.Encoding.DER))
    made[place % len(made)] ^= change
    body = base64.encodebytes(bytes(made)).decode()
    request = f"-----BEGIN CERTIFICATE REQUEST-----\n{body}-----END CERTIFICATE REQUEST-----\n".encode()
    try:
        read = read_request(request)
        check_asks(read, an_agent(), ())
    except CroupierError:
        return
    # Not every byte means something, and a signature can be written in several ways.
    assert read.public_key() == x509.load_pem_x509_csr(_REQUEST).public_key()


_REQUEST = make_request(make_key(), an_agent(), ())


# ------------------------------------------------------------------------------------------------ requests


def test_a_request_for_more_than_is_granted_is_refused():
    asked = an_agent(id="agent-2")
    with pytest.raises(InvalidArgument, match=r"more than is granted.*agent-2"):
        check_asks(read_request(make_request(make_key(), asked, ())), an_agent(), ())
    with pytest.raises(InvalidArgument, match=r"server\.example\.com"):
        check_asks(read_request(make_request(make_key(), an_agent(), ("server.example.com",))), an_agent(), ("a",))
    check_asks(read_request(make_request(make_key(), an_agent(), ("a",))), an_agent(), ("a", "b"))


def test_a_request_to_be_an_authority_is_refused():
    builder = x509.CertificateSigningRequestBuilder(x509.Name([]))
    builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
    request = builder.sign(make_key(), hashes.SHA256()).public_bytes(serialization.Encoding.PEM)
    with pytest.raises(InvalidArgument, match="nothing else"):
        read_request(request)


def test_a_request_with_a_weak_key_is_refused():
    weak = ec.generate_private_key(ec.SECP192R1())
    request = x509.CertificateSigningRequestBuilder(x509.Name([])).sign(weak, hashes.SHA256())
    with pytest.raises(InvalidArgument, match="P-256"):
        read_request(request.public_bytes(serialization.Encoding.PEM))


# ------------------------------------------------------------------------------------------------ join tokens


def test_a_join_token_carries_whom_to_trust(authority: Authority):
    text, digest = make_token(authority.fingerprint)
    bearer = read_token(f" {text}\n")
    assert bearer.fingerprint == authority.fingerprint
    assert digest_of(bearer.secret) == digest
    assert bearer.secret not in repr(bearer)


@given(st.text(max_size=150))
def test_no_other_text_is_a_join_token(text: str):
    with pytest.raises(InvalidArgument) as refused:
        read_token(text)
    assert len(text) < 12 or text not in refused.value.message


# ------------------------------------------------------------------------------------------------ files


def kept(folder: Path, authority: Authority, identity: MachineIdentity) -> MachineFiles:
    files = MachineFiles.of_folder(folder)
    request = read_request(make_request(files.begin(), identity, ()))
    files.replace(pem_of(authority.issue(identity, (), request)), authority.certificate_pem)
    return files


def test_the_key_is_for_its_owner_only_and_stays_when_the_certificate_is_renewed(tmp_path: Path, authority: Authority):
    files = kept(tmp_path, authority, an_agent())
    key = files.key_path.read_bytes()
    assert stat.S_IMODE(files.key_path.stat().st_mode) == 0o600
    before = files.current()
    renewed = files.replace(pem_of(authority.issue(an_agent(), before.hosts, read_request(before.request()))))
    assert renewed.peer.serial != before.peer.serial
    assert renewed.peer.identity == before.peer.identity
    assert renewed.hosts == before.hosts
    assert files.key_path.read_bytes() == key
    assert re.search(r"PRIVATE", repr(renewed)) is None


def test_a_key_that_others_can_read_is_refused(tmp_path: Path, authority: Authority):
    files = kept(tmp_path, authority, an_agent())
    files.key_path.chmod(0o644)
    with pytest.raises(FailedPrecondition, match="chmod 600"):
        MachineFiles.of_folder(tmp_path).current()


def test_files_that_do_not_belong_together_are_refused(tmp_path: Path, authority: Authority):
    kept(tmp_path / "a", authority, an_agent())
    kept(tmp_path / "b", authority, an_agent(id="agent-2"))
    mixed = MachineFiles(ca=tmp_path / "a/ca.pem", cert=tmp_path / "a/cert.pem", key=tmp_path / "b/key.pem")
    with pytest.raises(FailedPrecondition, match="is not the certificate of"):
        mixed.current()
    with pytest.raises(InvalidArgument, match="another key"):
        MachineFiles.of_folder(tmp_path / "a").replace((tmp_path / "b/cert.pem").read_bytes())


def test_files_that_break_later_leave_what_was_read(tmp_path: Path, authority: Authority):
    files = kept(tmp_path, authority, an_agent())
    before = files.current()
    files.cert_path.write_text("half")
    assert files.current() == before


# ------------------------------------------------------------------------------------------------ claims, revocations


def test_a_certificate_speaks_for_itself_only(authority: Authority):
    peer = peer_in(pem_of(issued(authority, an_agent())))
    peer.require(MachineRole.AGENT, MachineRole.EDGE)
    peer.require_scope(Scope("demo", "dev"))
    peer.require_id("agent-1", "agent")
    for claim in (
        lambda: peer.require(MachineRole.EDGE),
        lambda: peer.require_scope(Scope("demo", "prod")),
        lambda: peer.require_scope(None),
        lambda: peer.require_id("agent-2", "agent"),
    ):
        with pytest.raises(PermissionDenied):
            claim()
    with pytest.raises(PermissionDenied):
        replace(peer, identity=an_agent(env="prod")).require_scope(Scope("demo", "dev"))


def test_whoever_listens_is_told_what_was_revoked_just_now():
    told: list[frozenset[str]] = []
    revocations = Revocations(["a"])
    end = revocations.listen(told.append)
    revocations.replace(["a", "b"])
    revocations.replace(["a", "b"])
    end()
    revocations.replace(["a", "b", "c"])
    assert told == [frozenset({"b"})]
    assert "c" in revocations
