import importlib
import re
import subprocess
import sys
from pathlib import Path

import click
import pytest

from croupier.cli.exits import Exit, Problem, fail
from croupier.cli.main import COMMANDS, run
from croupier.errors import BY_REASON

DOCUMENTATION = Path(__file__).parents[2] / "docs" / "reference" / "cli.md"
CALLS = ["invoke", "job", "registry", "config"]


def leaves(name, command):
    """Every command that does something, by the words that are typed."""
    if not isinstance(command, click.Group):
        return [(name, command)]
    return [leaf for child, each in command.commands.items() for leaf in leaves(f"{name} {child}", each)]


def test_the_help_names_every_command_without_importing_one():
    probe = (
        "import sys; from croupier.cli.main import run; code = run(['--help']);"
        "loaded = {'aiohttp', 'pydantic', 'yaml', 'grpc', 'fastapi', 'rich'} & set(sys.modules);"
        "sys.exit(code or (f'imported {loaded}' if loaded else 0))"
    )
    done = subprocess.run([sys.executable, "-c", probe], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert all(f"  {name} " in done.stdout for name in COMMANDS)


@pytest.mark.parametrize("name", list(COMMANDS))
def test_a_command_is_listed_with_its_own_short_help(name):
    command = importlib.import_module(COMMANDS[name].module).command
    assert command.short_help == COMMANDS[name].help


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["invok"], "No such command 'invok'"),
        (["invoke"], "Missing argument 'FUNCTION'"),
        (["invoke", "f", "--route", "all"], "'all' is not one of"),
        (["invoke", "f", "--timeout", "soon"], "write a duration such as 30s"),
        (["invoke", "f", "--timeout", "0s"], "a duration is above 0"),
        (["invoke", "f", "--game", "g"], "which game? Give --game and --env"),
        (["invoke", "f", "--game", "g", "--env", "e", "{"], "the payload is not JSON"),
        (["invoke", "f", "--game", "a b", "--env", "e"], "flag --game-id: client.game_id:"),
        (["registry", "--url", "http://studio.example"], "unencrypted"),
        (["registry", "--config", "missing.yaml"], "missing.yaml: cannot be read"),
        (["job", "follow"], "Missing argument 'ID'"),
        (["job", "cancel"], "which jobs?"),
        (["job", "cancel", "j1", "--function", "f"], "which jobs?"),
        (["job", "cancel", "--function", "f", "--json"], "give --yes"),
        (["call", "show", "../registry"], "letters and digits"),
        (["call", "again"], "Missing argument 'ID'"),
        (["job", "list", "--state", "lazy"], "'lazy' is not one of"),
    ],
)
def test_what_is_written_wrong_is_said_in_words_with_exit_code_2(capsys, monkeypatch, arguments, words):
    for variable in ("CROUPIER_GAME_ID", "CROUPIER_ENV", "CROUPIER_URL", "CROUPIER_CONFIG"):
        monkeypatch.delenv(variable, raising=False)
    assert run(arguments) == 2
    told = capsys.readouterr()
    assert words in told.err
    assert told.out == ""


def test_ctrl_c_ends_a_command_with_130_and_no_traceback(capsys, monkeypatch):
    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("croupier.cli.config.check_file", interrupt)
    assert run(["config", "check", "x.yaml"]) == 130
    assert "Traceback" not in capsys.readouterr().err


def test_what_the_system_refuses_is_said_in_its_words(capsys, monkeypatch):
    def refuse(*_: object) -> None:
        raise OSError(98, "Address already in use")

    monkeypatch.setattr("croupier.cli.config.check_file", refuse)
    assert run(["config", "check", "x.yaml"]) == 1
    assert capsys.readouterr().err == "croupier: [Errno 98] Address already in use\n"


def test_config_check_prints_every_fault_and_exits_with_1(tmp_path, capsys):
    path = tmp_path / "c.yaml"
    path.write_text("server: {htp: x}\nagent: {env: 1}\n")
    assert run(["config", "check", str(path)]) == 1
    lines = capsys.readouterr().out.splitlines()
    assert [line.split(": ")[1] for line in lines] == ["server.htp", "agent.env"]
    path.write_text("server: {http: '127.0.0.1:1'}\n")
    assert run(["config", "check", str(path)]) == 0
    assert "no faults" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("reason", "code"),
    [
        ("function_rejected", Exit.FAILED),
        ("handler_failed", Exit.FAILED),
        ("canceled", Exit.FAILED),
        ("invalid_argument", Exit.FAILED),
        ("unreachable", Exit.UNREACHABLE),
        ("unavailable", Exit.UNREACHABLE),
        ("not_found", Exit.NOT_FOUND),
        ("unauthenticated", Exit.DENIED),
        ("permission_denied", Exit.DENIED),
        ("outcome_unknown", Exit.OUTCOME_UNKNOWN),
        ("lost", Exit.OUTCOME_UNKNOWN),
        ("deadline_exceeded", Exit.DEADLINE),
        ("a reason of tomorrow", Exit.FAILED),
    ],
)
def test_each_reason_has_its_exit_code(reason, code):
    with pytest.raises(click.exceptions.Exit) as caught:
        fail("it failed", Problem(reason=reason, detail="why"), as_json=False)
    assert caught.value.exit_code == code


@pytest.mark.parametrize("reason", list(BY_REASON))
def test_a_failure_says_what_why_and_where_to_look(capsys, reason):
    document = {"call_id": "c1", "trace_id": "t1", "errors": [{"path": "$.x", "message": "too \x1b[2J deep"}]}
    with pytest.raises(click.exceptions.Exit):
        fail("player.ban failed", Problem(reason=reason, detail="why", document=document), as_json=False)
    told = capsys.readouterr()
    assert told.err.startswith(f"player.ban failed: why ({reason})\n  $.x too \\u001b[2J deep\n  call c1, trace t1\n")
    assert told.out == ""


def test_the_documentation_names_every_command_flag_and_exit_code():
    text = DOCUMENTATION.read_text(encoding="utf-8")
    for name, entry in COMMANDS.items():
        for words, command in leaves(name, importlib.import_module(entry.module).command):
            assert re.search(rf"^## `croupier {words}[ `]", text, re.MULTILINE), words
            missing = [
                flag for option in command.params for flag in option.opts if flag[0] == "-" and f"`{flag}" not in text
            ]
            assert missing == []
    assert all(f"| {code.value} |" in text for code in Exit)
