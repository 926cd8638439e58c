import shutil
import subprocess

import pytest

from croupier_sdk import Provider, Tls
from croupier_sdk.testing import FakeAgent

OPENSSL = shutil.which("openssl")
pytestmark = pytest.mark.skipif(OPENSSL is None, reason="openssl makes the certificates of this test")


def openssl(*arguments, cwd):
    subprocess.run([OPENSSL, *arguments], cwd=cwd, check=True, capture_output=True)


@pytest.fixture
def certificate(tmp_path):
    """Make a certificate signed by the test's authority."""
    openssl(
        *("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2"),
        *("-keyout", "ca.key", "-out", "ca.crt", "-subj", "/CN=test authority"),
        cwd=tmp_path,
    )

    def make(name):
        openssl(
            *("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"),
            *("-keyout", f"{name}.key", "-out", f"{name}.csr", "-subj", f"/CN={name}"),
            cwd=tmp_path,
        )
        (tmp_path / "san").write_text("subjectAltName=DNS:agent.test,IP:127.0.0.1")
        openssl(
            *("x509", "-req", "-in", f"{name}.csr", "-CA", "ca.crt", "-CAkey", "ca.key", "-CAcreateserial"),
            *("-days", "2", "-extfile", "san", "-out", f"{name}.crt"),
            cwd=tmp_path,
        )
        return Tls(
            ca_file=tmp_path / "ca.crt",
            cert_file=tmp_path / f"{name}.crt",
            key_file=tmp_path / f"{name}.key",
            server_name="agent.test",
        )

    return make


@pytest.mark.parametrize("mode", ["attach", "listen"])
async def test_both_modes_speak_mtls(certificate, mode):
    async with FakeAgent(tls=certificate("agent")) as agent:
        game = Provider(
            agent=agent.address, service_id="g", game_id="demo", env="dev", mode=mode, tls=certificate("game")
        )

        @game.function("f")
        def f() -> int:
            return 1

        async with game:
            await agent.wait_registered("f")
            assert await agent.invoke("f") == 1


async def test_a_game_without_a_certificate_is_not_let_in(certificate, tmp_path, logged):
    async with FakeAgent(tls=certificate("agent")) as agent:
        game = Provider(
            agent=agent.address,
            service_id="g",
            game_id="demo",
            env="dev",
            tls=Tls(ca_file=tmp_path / "ca.crt", server_name="agent.test"),
        )

        @game.function("f")
        def f() -> int:
            return 1

        async with game:
            await logged("not attached to the agent")
        assert agent.registered == {}
