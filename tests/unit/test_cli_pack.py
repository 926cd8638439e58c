"""`croupier pack` on files: no server is asked."""

import json
from pathlib import Path

import pytest

from croupier.cli.main import run
from croupier.cli.pack_files import name_of_file
from croupier.packs.tar import read_archive


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def told(capsys: pytest.CaptureFixture[str]) -> dict:
    return json.loads(capsys.readouterr().out)


def test_a_new_pack_is_valid_as_it_is(capsys):
    assert run(["pack", "new", "shop"]) == 0
    assert run(["pack", "validate", "shop"]) == 0
    out = capsys.readouterr()
    assert "shop 0.1.0: 1 functions, 0 entities, 4 files" in out.out
    assert out.err == ""


def test_a_new_pack_is_not_made_over_something(here: Path):
    (here / "shop").mkdir()
    (here / "shop" / "x").touch()
    assert run(["pack", "new", "shop"]) == 1
    assert run(["pack", "new", "shop", "--folder", "other"]) == 0
    assert run(["pack", "new", "a/b"]) == 1


def test_every_fault_is_printed_with_file_and_path(capsys, here: Path):
    run(["pack", "new", "shop"])
    (here / "shop" / "descriptors" / "x.json").write_text("{}")
    (here / "shop" / "manifest.json").write_text('{"id":"shop","functions":[{}]}')
    capsys.readouterr()
    assert run(["pack", "validate", "shop"]) == 1
    error = capsys.readouterr().err
    assert "descriptors/x.json:$.id: every description needs an id" in error
    assert "manifest.json:$.functions[0].id: is missing" in error
    assert run(["pack", "validate", "shop", "--json"]) == 1
    assert {fault["file"] for fault in told(capsys)["errors"]} == {"descriptors/x.json", "manifest.json"}


def test_a_build_is_the_same_bytes_each_time(capsys, here: Path):
    run(["pack", "new", "shop"])
    assert run(["pack", "build", "shop"]) == 0
    first = (here / "shop-0.1.0.tgz").read_bytes()
    assert run(["pack", "build", "shop-0.1.0.tgz", "-o", "again.tgz"]) == 0
    assert (here / "again.tgz").read_bytes() == first
    assert "manifest.json" in read_archive(first)


@pytest.mark.parametrize("command", ["validate", "build"])
def test_what_is_no_pack_is_told(capsys, here: Path, command: str):
    (here / "empty").mkdir()
    (here / "bad.tgz").write_bytes(b"no archive")
    assert run(["pack", command, "empty"]) == 1
    assert "manifest.json:$: is missing" in capsys.readouterr().err
    assert run(["pack", command, "bad.tgz"]) == 1
    assert "no .tgz" in capsys.readouterr().err
    assert run(["pack", command, "nowhere"]) == 2


def test_a_pack_is_signed_and_verified(capsys, here: Path):
    run(["pack", "new", "shop"])
    assert run(["pack", "keygen", "key", "--comment", "ann@studio"]) == 0
    assert (here / "key").stat().st_mode & 0o777 == 0o600
    assert run(["pack", "verify", "shop", "--trusted", "key.pub"]) == 5
    assert "not signed" in capsys.readouterr().err
    assert run(["pack", "sign", "shop", "--key", "key"]) == 0
    assert run(["pack", "build", "shop", "-o", "shop.tgz"]) == 0
    capsys.readouterr()
    for pack in ("shop", "shop.tgz"):
        assert run(["pack", "verify", pack, "--trusted", "key.pub"]) == 0
        assert "shop is signed by ann@studio" in capsys.readouterr().out


def test_an_archive_is_signed_in_place(here: Path):
    run(["pack", "new", "shop"])
    run(["pack", "build", "shop", "-o", "shop.tgz"])
    run(["pack", "keygen", "key"])
    assert run(["pack", "sign", "shop.tgz", "--key", "key"]) == 0
    assert run(["pack", "verify", "shop.tgz", "--trusted", "key.pub"]) == 0


def test_a_pack_that_was_changed_since_it_was_signed_is_neither_verified_nor_built(capsys, here: Path):
    run(["pack", "new", "shop"])
    run(["pack", "keygen", "key"])
    run(["pack", "sign", "shop", "--key", "key"])
    (here / "shop" / "README.md").write_text("changed")
    assert run(["pack", "verify", "shop", "--trusted", "key.pub"]) == 5
    assert run(["pack", "build", "shop"]) == 1
    assert "sign it anew" in capsys.readouterr().err


def test_a_key_that_others_can_read_is_not_used(capsys, here: Path):
    run(["pack", "new", "shop"])
    run(["pack", "keygen", "key"])
    (here / "key").chmod(0o644)
    assert run(["pack", "sign", "shop", "--key", "key"]) == 1
    assert "chmod 600" in capsys.readouterr().err


def test_a_key_is_not_written_over(capsys, here: Path):
    assert run(["pack", "keygen", "key"]) == 0
    assert run(["pack", "keygen", "key"]) == 1
    assert "key.pub is there already" in capsys.readouterr().err
    (here / "key.pub").unlink()
    assert run(["pack", "keygen", "key"]) == 1
    assert "File exists" in capsys.readouterr().err
    assert not (here / "key.pub").exists()


def test_two_packs_are_compared_without_a_server(capsys, here: Path):
    run(["pack", "new", "shop"])
    run(["pack", "build", "shop", "-o", "old.tgz"])
    manifest = here / "shop" / "manifest.json"
    manifest.write_text(manifest.read_text().replace("0.1.0", "0.2.0"))
    (here / "shop" / "descriptors" / "shop.more.json").write_text('{"id":"shop.more"}')
    capsys.readouterr()
    assert run(["pack", "diff", "old.tgz", "shop"]) == 0
    out = capsys.readouterr().out
    assert "shop 0.1.0 → 0.2.0 compare: compatible" in out
    assert "+ shop.more" in out
    assert run(["pack", "diff", "old.tgz", "shop", "--json"]) == 0
    assert told(capsys)["verdict"] == "compatible"


@pytest.mark.parametrize(
    ("file", "name"),
    [("prom.tgz", "prom"), ("prom-1.2.0.tgz", "prom"), ("my-pack-v2.tar.gz", "my-pack"), ("my-pack.tgz", "my-pack")],
)
def test_a_pack_that_does_not_say_its_name_is_called_as_its_archive(file: str, name: str):
    assert name_of_file(file) == name


def test_a_change_is_not_made_without_a_yes_where_nobody_can_answer(capsys, monkeypatch):
    monkeypatch.setattr("croupier.cli.pack_server._about", lambda *_, **__: "pack prom")
    assert run(["pack", "uninstall", "prom"]) == 2
    assert "say --yes" in capsys.readouterr().err
