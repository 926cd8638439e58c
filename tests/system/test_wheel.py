"""What is installed from a wheel serves the page; the wheel is made of an sdist, which carries the page as it was built."""

import asyncio
import os
import shutil
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import aiohttp
import pytest
from tests.planes.page_testbed import PACKED, SCRIPT, build_page
from tests.system.stage import Program, free_port, until

ROOT = Path(__file__).parents[2]
BUILD_SECONDS = 120
MAIN = "from croupier.cli.main import main; main()"


def checkout(folder: Path) -> Path:
    """What is committed here, and nothing that a build left."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, check=True, capture_output=True, text=True)
    for name in filter(None, listed.stdout.split("\0")):
        if (ROOT / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, folder / name)
    return folder


def build(source: Path, target: str, into: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    """With hatchling of this environment; nothing is fetched, and there is no Node."""
    return subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", target, "-d", str(into)],
        cwd=source,
        env={**os.environ, "PATH": "", **variables},
        capture_output=True,
        text=True,
        timeout=BUILD_SECONDS,
        check=False,
    )


def made(source: Path, target: str, into: Path, ending: str) -> Path:
    done = build(source, target, into)
    assert done.returncode == 0, done.stderr
    (found,) = into.glob(f"*{ending}")
    return found


@pytest.fixture(scope="module")
def sources(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return checkout(tmp_path_factory.mktemp("checkout"))


def test_a_checkout_whose_page_is_not_built_makes_no_wheel_and_says_what_to_do(sources: Path, tmp_path: Path) -> None:
    shutil.rmtree(sources / "web" / "dist", ignore_errors=True)
    for target in ("wheel", "sdist"):
        refused = build(sources, target, tmp_path)
        assert refused.returncode != 0
        assert "build it first (make web), or set CROUPIER_WITHOUT_PAGE=1" in refused.stderr
    assert build(sources, "wheel", tmp_path, CROUPIER_WITHOUT_PAGE="1").returncode == 0
    (wheel,) = tmp_path.glob("*.whl")
    assert not [name for name in zipfile.ZipFile(wheel).namelist() if "web_page" in name]


async def test_a_wheel_made_of_the_sdist_serves_the_page(sources: Path, tmp_path: Path) -> None:
    build_page(sources / "web" / "dist")
    sdist = await asyncio.to_thread(made, sources, "sdist", tmp_path / "sdist", ".tar.gz")
    with tarfile.open(sdist) as archive:
        archive.extractall(tmp_path / "unpacked", filter="data")
    (unpacked,) = (tmp_path / "unpacked").iterdir()
    wheel = await asyncio.to_thread(made, unpacked, "wheel", tmp_path / "wheel", ".whl")
    site = tmp_path / "site"
    zipfile.ZipFile(wheel).extractall(site)
    http = f"127.0.0.1:{free_port()}"
    server = Program(
        (sys.executable, "-c", MAIN, "server", "--http", http, "--grpc", f"127.0.0.1:{free_port()}",
         "--data", str(tmp_path / "data")),
        tmp_path / "server.log",
        {"PYTHONPATH": os.pathsep.join(filter(None, (str(site), os.environ.get("PYTHONPATH"))))},
    )  # fmt: skip
    async with server, aiohttp.ClientSession(f"http://{http}", auto_decompress=False) as session:
        await until(lambda: _is_up(session), "the server is up")
        index = await session.get("/f/player.ban", headers={"Accept": "text/html"})
        assert (index.status, b'<div id="root">' in await index.read()) == (200, True)
        script = await session.get("/assets/index-B1cD2eF3.js", headers={"Accept-Encoding": "br"})
        assert (script.headers["Content-Encoding"], await script.read()) == ("br", PACKED)
        plain = await session.get("/assets/index-B1cD2eF3.js", headers={"Accept-Encoding": "identity"})
        assert await plain.read() == SCRIPT
        known = {"Accept-Encoding": "identity", "If-None-Match": plain.headers["ETag"]}
        again = await session.get("/assets/index-B1cD2eF3.js", headers=known)
        assert (again.status, await again.read()) == (304, b"")
        head = await session.head("/assets/index-B1cD2eF3.js", headers={"Accept-Encoding": "identity"})
        assert (head.status, head.headers["Content-Length"]) == (200, str(len(SCRIPT)))
        missing = await session.get("/assets/missing-B1cD2eF3.js")
        assert (missing.status, missing.content_type) == (404, "application/problem+json")
        assert await server.stop() == 0


async def _is_up(session: aiohttp.ClientSession) -> bool:
    try:
        async with session.get("/healthz") as answer:
            return answer.status == 200
    except aiohttp.ClientError:
        return False
