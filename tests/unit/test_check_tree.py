from pathlib import Path

import pytest
from tools.check_tree import line_faults, name_faults

HOST = "https://packages.example"


@pytest.mark.parametrize("name", ["uv.lock", "sdks/python/uv.lock", "pylock.toml", "a/pylock.dev.toml"])
def test_a_lock_with_addresses_is_refused(name):
    assert "download addresses" in next(name_faults(name))


@pytest.mark.parametrize(
    "name", ["src/croupier/util.py", "src/croupier/store/helpers.py", "sdks/common/x.py", "a/job_manager.py"]
)
def test_a_module_whose_name_says_nothing_is_refused(name):
    assert "says nothing" in next(name_faults(name))


@pytest.mark.parametrize(
    "name", ["wire/src/croupier_wire/common/v1/common_pb2.py", "src/croupier/uncommon.py", "docs/common.md"]
)
def test_a_name_of_the_contract_or_of_something_else_is_not(name):
    assert list(name_faults(name)) == []


@pytest.mark.parametrize(
    ("name", "line"),
    [
        ("requirements/dev.lock", f"--index-url {HOST}/simple"),
        ("requirements/run.lock", f"x @ {HOST}/x.whl"),
        ("package-lock.json", f'"resolved": "{HOST}/x.tgz"'),
        ("web/package-lock.json", f'  "url": "x", "resolved": "{HOST}/x.tgz"'),
        ("web/.npmrc", f"registry={HOST}"),
        (".ci/run", f"pip install --find-links {HOST}"),
    ],
)
def test_an_address_in_a_build_file_is_refused(name, line):
    assert "address of a registry" in next(line_faults(name, line))


def test_an_npm_lock_names_nobody_by_address_either():
    assert list(line_faults("web/package-lock.json", f'        "url": "{HOST}/sponsors/somebody"')) != []


def test_an_address_in_prose_or_of_this_machine_is_not():
    assert list(line_faults("README.md", HOST)) == []
    assert list(line_faults("Makefile", "curl http://127.0.0.1:8080/healthz")) == []


@pytest.mark.parametrize("folder", ["home", "root", "Users", "work", "tmp", "opt"])
def test_a_path_of_one_machine_is_refused_with_its_line(folder):
    text = f"first\nsee '/{folder}/somebody/x'\n"
    assert next(line_faults("docs/a.md", text)).startswith(f"docs/a.md:2: a path of one machine: /{folder}/somebody")


def test_the_path_of_this_checkout_is_refused():
    assert "path of one machine" in next(line_faults("a.md", str(Path(__file__).parents[2])))


@pytest.mark.parametrize(
    "text", ["https://x.example/home/page", "src/root/x", "./tmp/x", "${HOME}/tmp/x", "a < b </tmp/>"]
)
def test_a_relative_path_or_a_url_is_not(text):
    assert list(line_faults("a.md", text)) == []
