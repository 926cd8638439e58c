import os
import textwrap
from pathlib import Path

import pytest
from pydantic import SecretStr, ValidationError

from croupier.errors import FailedPrecondition, InvalidArgument
from croupier.settings import (
    AgentSettings,
    ClientSettings,
    HttpAdapterSettings,
    LogLevel,
    PromAdapterSettings,
    ServerSettings,
    check_file,
    ensure_token,
    load,
)
from croupier.settings.fields import parse_duration
from croupier.settings.models import SECTIONS

DOCUMENTATION = Path(__file__).parents[2] / "docs" / "reference" / "configuration.md"


def write(folder: Path, text: str) -> Path:
    path = folder / "croupier.yaml"
    path.write_text(textwrap.dedent(text), encoding="utf-8")
    return path


def faults(folder: Path, text: str) -> list[str]:
    path = write(folder, text)
    return [str(fault).replace(f"{path}:", "") for fault in check_file(path)]


def test_without_any_source_the_server_has_its_defaults():
    settings = load(ServerSettings, flags={}, environ={})
    assert (settings.http, settings.grpc, settings.token) == ("127.0.0.1:8080", "127.0.0.1:8443", None)
    assert settings.job_lost_after == 60.0


def test_a_flag_wins_over_a_variable_which_wins_over_the_file(tmp_path):
    config = write(
        tmp_path,
        """
        server:
          http: 127.0.0.1:1
          grpc: 127.0.0.1:1
          resume_window: 1
        """,
    )
    settings = load(
        ServerSettings,
        flags={"http": "127.0.0.1:3", "grpc": None},
        environ={"CROUPIER_SERVER_HTTP": "127.0.0.1:2", "CROUPIER_SERVER_GRPC": "127.0.0.1:2"},
        config=config,
    )
    assert (settings.http, settings.grpc, settings.resume_window) == ("127.0.0.1:3", "127.0.0.1:2", 1.0)


def test_the_file_can_be_named_by_a_variable_and_a_flag_wins_over_it(tmp_path):
    named = write(tmp_path, "client: {game_id: from-variable}")
    (tmp_path / "other").mkdir()
    other = write(tmp_path / "other", "client: {game_id: from-flag}")
    environ = {"CROUPIER_CONFIG": str(named)}
    assert load(ClientSettings, flags={}, environ=environ).game_id == "from-variable"
    assert load(ClientSettings, flags={}, environ=environ, config=other).game_id == "from-flag"


def test_variables_carry_lists_labels_durations_and_tokens():
    agent = load(
        AgentSettings,
        flags={"game_id": "demo"},
        environ={
            "CROUPIER_AGENT_ENV": "dev",
            "CROUPIER_AGENT_SERVERS": "127.0.0.1:1, [::1]:2",
            "CROUPIER_AGENT_LABELS": "rack=a1, disk=ssd",
            "CROUPIER_AGENT_LOG_LEVEL": "debug",
        },
    )
    assert agent.servers == ("127.0.0.1:1", "[::1]:2")
    assert agent.labels == {"rack": "a1", "disk": "ssd"}
    assert agent.log_level is LogLevel.DEBUG
    server = load(
        ServerSettings,
        flags={},
        environ={"CROUPIER_SERVER_RESUME_WINDOW": "500ms", "CROUPIER_SERVER_TOKEN": "t0ken-of-mine"},
    )
    assert (server.resume_window, server.token) == (0.5, SecretStr("t0ken-of-mine"))


def test_the_client_reads_the_short_variables():
    client = load(
        ClientSettings,
        flags={},
        environ={"CROUPIER_URL": "http://[::1]:9/", "CROUPIER_GAME_ID": "demo", "CROUPIER_ENV": "dev"},
    )
    assert (client.url, client.game_id, client.env) == ("http://[::1]:9", "demo", "dev")


def test_an_empty_variable_is_not_set_and_an_unknown_one_is_left_alone():
    environ = {"CROUPIER_SERVER_HTTP": "", "CROUPIER_SERVER_SERVICE_HOST": "10.0.0.1"}
    assert load(ServerSettings, flags={}, environ=environ).http == "127.0.0.1:8080"


def test_a_missing_setting_names_the_flag_and_the_variable_that_give_it():
    with pytest.raises(InvalidArgument) as caught:
        load(AgentSettings, flags={"env": "dev"}, environ={})
    assert "agent.game_id: is missing: give --game-id, set CROUPIER_AGENT_GAME_ID" in caught.value.message


def test_every_fault_is_named_with_where_the_value_came_from(tmp_path):
    config = write(tmp_path, "server:\n  grpc: nonsense\n")
    with pytest.raises(InvalidArgument) as caught:
        load(
            ServerSettings,
            flags={"http": "nonsense"},
            environ={"CROUPIER_SERVER_LOG_LEVEL": "loud"},
            config=config,
        )
    assert "flag --http: server.http:" in caught.value.message
    assert "variable CROUPIER_SERVER_LOG_LEVEL: server.log_level:" in caught.value.message
    assert f"{config}:2:3: server.grpc:" in caught.value.message


def test_settings_cannot_be_changed_after_they_were_built():
    settings = load(ServerSettings, flags={}, environ={})
    with pytest.raises(ValidationError):
        settings.http = "127.0.0.1:1"  # type: ignore[misc]


@pytest.mark.parametrize(
    ("text", "seconds"), [("30s", 30), ("500ms", 0.5), ("2m", 120), ("1h", 3600), ("1.5", 1.5), (7, 7), (0.25, 0.25)]
)
def test_durations_are_read_as_seconds(text, seconds):
    assert parse_duration(text) == seconds


@pytest.mark.parametrize("value", ["", "-1s", "10 minutes", "1e9", "s", True, None, float("nan"), float("inf"), [1]])
def test_what_is_no_duration_is_refused(value):
    with pytest.raises(ValueError, match="write a duration"):
        parse_duration(value)


@pytest.mark.parametrize("value", ["0s", "25h"])
def test_a_duration_is_above_nothing_and_at_most_a_day(value):
    with pytest.raises(InvalidArgument, match="resume_window"):
        load(ServerSettings, flags={"resume_window": value}, environ={})


@pytest.mark.parametrize("address", ["0.0.0.0:80", "[::]:80", "192.168.1.1:80", "game.example:80", "[::2]:1"])
def test_health_is_served_on_this_machine_only(address):
    with pytest.raises(InvalidArgument, match=r"use 127\.0\.0\.1 or ::1"):
        load(AgentSettings, flags={"game_id": "g", "env": "e", "http": address}, environ={})


def test_an_address_to_listen_on_names_a_host():
    with pytest.raises(InvalidArgument, match=r"0\.0\.0\.0 for all"):
        load(ServerSettings, flags={"http": ":80"}, environ={})


def test_the_files_of_a_certificate_are_named_together():
    with pytest.raises(InvalidArgument, match="ca, cert and key go together"):
        load(ServerSettings, flags={"ca": "ca.pem", "cert": "cert.pem"}, environ={})
    with pytest.raises(InvalidArgument, match="http_tls_cert and http_tls_key go together"):
        load(ServerSettings, flags={"http_tls_cert": "cert.pem"}, environ={})


@pytest.mark.parametrize("address", ["127.0.0.1:0", "127.8.9.1:65535", "[::1]:8080"])
def test_any_loopback_address_can_be_listened_on(address):
    assert load(ServerSettings, flags={"http": address}, environ={}).http == address


def test_localhost_means_the_first_loopback_address():
    assert load(ServerSettings, flags={"http": "localhost:1"}, environ={}).http == "127.0.0.1:1"


@pytest.mark.parametrize(
    "address", ["", "127.0.0.1", "127.0.0.1:", "127.0.0.1:65536", "::1:80", "[::1]", "a b:1", "{x}"]
)
def test_what_is_no_address_is_refused_with_the_form_to_write(address):
    with pytest.raises(InvalidArgument, match=r"write host:port or \[::1\]:port"):
        load(ServerSettings, flags={"http": address}, environ={})


@pytest.mark.parametrize("address", ["127.0.0.1:0", ":8443"])
def test_what_is_dialled_has_a_host_and_a_port(address):
    with pytest.raises(InvalidArgument, match="name the host and the port"):
        load(AgentSettings, flags={"game_id": "g", "env": "e", "servers": address}, environ={})


@pytest.mark.parametrize(
    "url",
    [
        "ftp://127.0.0.1",
        "127.0.0.1:80",
        "http://u:p@127.0.0.1",
        "http://127.0.0.1:x",
        "http://127.0.0.1/?a=1",
        "http://[",
    ],
)
def test_what_is_no_url_of_a_server_is_refused(url):
    with pytest.raises(InvalidArgument, match="write http://host:port"):
        load(ClientSettings, flags={"url": url}, environ={})


def test_a_token_travels_unencrypted_only_within_this_machine():
    with pytest.raises(InvalidArgument, match="unencrypted"):
        load(ClientSettings, flags={"url": "http://studio.example"}, environ={})
    assert load(ClientSettings, flags={"url": "https://studio.example"}, environ={}).url == "https://studio.example"


def test_a_refused_token_is_not_repeated_in_the_error():
    with pytest.raises(InvalidArgument) as caught:
        load(ServerSettings, flags={}, environ={"CROUPIER_SERVER_TOKEN": "geheim 123"})
    assert "geheim" not in caught.value.message


def test_a_setting_of_the_wrong_kind_or_form_says_what_to_write(tmp_path):
    found = faults(
        tmp_path,
        """\
        server:
          server_id: a b
          edges: {a: b}
          games: [demo]
          hosts: [ü]
          routing: {canary: {a: b}}
          packs: [1]
          oidc: {issuer: https://a.b, client_id: x, client_secret_name: "!", scopes: [a b]}
        agent:
          game_id: -x
          labels: {"!a": x}
        adapter_http:
          token_env: {h: 1x}
        """,
    )
    assert found == [
        "2:3: server.server_id: write 1 to 128 letters, digits, `.`, `_` or `-`, beginning with a letter or digit",
        "3:3: server.edges: must be a list: [first, second]",
        "4:11: server.games.0: write game|env, each of letters, digits, `.`, `_` or `-`, such as demo|dev",
        "5:11: server.hosts.0: write a host name or an address, without scheme, port and brackets",
        "6:13: server.routing.canary: must be a list: [first, second]",
        "7:3: server.packs: must be a mapping: {name: value}",
        "8:45: server.oidc.client_secret_name: write 1 to 128 letters, digits, `.`, `_` or `-`, beginning with a letter or digit",
        "8:79: server.oidc.scopes.0: write a scope's name, without spaces",
        "10:3: agent.game_id: write 1 to 64 letters, digits, `.`, `_` or `-`, beginning with a letter or digit",
        "11:12: agent.labels.!a.[key]: write 1 to 64 letters, digits, `.`, `_`, `/` or `-`, beginning with a letter or digit",
        "13:15: adapter_http.token_env.h: write the name of an environment variable: letters, digits and `_`",
    ]


def test_a_good_file_has_no_faults_and_may_leave_fields_to_flags(tmp_path):
    assert faults(tmp_path, "server:\n  http: '127.0.0.1:1'\nagent:\n  env: dev\nclient:\n") == []
    assert faults(tmp_path, "") == []


def test_every_fault_of_a_file_is_listed_with_line_column_and_key(tmp_path):
    found = faults(
        tmp_path,
        """\
        server:
          htp: 127.0.0.1:1
          http: 127.0.0.1:1
          log_level: loud
          log_level: info
        agent:
          game_id: 12
          servers: [127.0.0.1:1, nonsense]
          labels: {a: x, b: [1]}
        clint: {}
        client: text
        """,
    )
    assert [text.rsplit(": ", 1)[0] for text in found][:2] == ["2:3: server.htp", "4:3: server.log_level"]
    assert found[0].endswith("no such setting; did you mean http?")
    assert found[2] == "5:3: server.log_level: given twice; the first is on line 4"
    assert found[3] == "7:3: agent.game_id: must be text: put it in quotes"
    assert found[4].startswith("8:26: agent.servers.1: write host:port")
    assert found[5].startswith("9:18: agent.labels.b: ")
    assert found[6] == "10:1: clint: no such section; did you mean client?"
    assert found[7] == "11:1: client: must be a mapping of settings"
    assert len(found) == 8


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("server: {http: '", "1:17: not YAML"),
        ("server:\n\thttp: x", "2:1: not YAML"),
        ("server: {}\n---\nagent: {}", "2:1: a second document"),
        ("a: &x [1]\nserver: *x", "2:9: aliases are not accepted"),
        ("server: !!python/name:os.system ''", "1:9: tags are not accepted"),
        ("[" * 10_000, "1:17: nested more than 16 deep"),
        ("- server", "1:1: the file must be a mapping"),
        ("server: {? [a] : b}", "1:12: server: a key must be a plain word"),
        ("server: {http: \x07}", "1:1: a character that YAML does not allow"),
    ],
)
def test_a_file_that_is_hostile_or_no_yaml_is_refused_at_its_place(tmp_path, text, message):
    path = tmp_path / "croupier.yaml"
    path.write_bytes(text.encode())
    assert str(check_file(path)[0]).startswith(f"{path}:{message}")


def test_words_that_old_yaml_reads_as_something_else_stay_text(tmp_path):
    config = write(tmp_path, "agent:\n  game_id: on\n  env: no\n  region: 1:30\n  zone: 2026-01-01\n")
    agent = load(AgentSettings, flags={}, environ={}, config=config)
    assert (agent.game_id, agent.env, agent.region, agent.zone) == ("on", "no", "1:30", "2026-01-01")


def test_a_file_that_is_missing_too_large_or_not_text_is_one_fault(tmp_path):
    assert "cannot be read" in str(check_file(tmp_path / "none.yaml")[0])
    path = tmp_path / "croupier.yaml"
    path.write_bytes(b"#" * 1_000_001)
    assert "larger than 1000000 bytes" in str(check_file(path)[0])
    path.write_bytes(b"server: \xff")
    assert "not UTF-8 at byte 8" in str(check_file(path)[0])


def test_a_process_does_not_start_on_a_file_with_a_fault_of_form(tmp_path):
    config = write(tmp_path, "client: {env: dev}\nclient: {env: prod}\n")
    with pytest.raises(InvalidArgument, match="given twice"):
        load(ClientSettings, flags={}, environ={}, config=config)


def test_a_token_is_made_once_and_only_its_owner_can_read_it(tmp_path):
    token, path = ensure_token(tmp_path / "data")
    again, _ = ensure_token(tmp_path / "data")
    assert token == again
    assert len(token.get_secret_value()) >= 32
    assert path.stat().st_mode & 0o777 == 0o600
    assert [item.name for item in path.parent.iterdir()] == ["token"]


def test_a_token_file_that_others_can_read_is_refused(tmp_path):
    _, path = ensure_token(tmp_path)
    path.chmod(0o640)
    with pytest.raises(FailedPrecondition, match="chmod 600"):
        ensure_token(tmp_path)


def test_a_token_file_that_is_no_token_is_refused_without_quoting_it(tmp_path):
    path = tmp_path / "token"
    for content in (b"", b"two words", b"\xff\xfe"):
        path.write_bytes(content)
        path.chmod(0o600)
        with pytest.raises(FailedPrecondition, match="holds no token") as caught:
            ensure_token(tmp_path)
        assert "words" not in caught.value.message
    path.unlink()
    path.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(FailedPrecondition, match="cannot be used"):
        ensure_token(tmp_path)
    path.unlink()
    os.mkfifo(path, 0o600)
    with pytest.raises(FailedPrecondition, match="not a plain file"):
        ensure_token(tmp_path)


def test_the_documentation_names_every_setting_its_variable_and_its_default():
    text = DOCUMENTATION.read_text(encoding="utf-8")
    for model in SECTIONS:
        for name, field in model.model_fields.items():
            assert f"| `{name}` | `{model.variable_prefix}{name.upper()}` |" in text, f"{model.section}.{name}"
            assert str(field.description) in text, f"{model.section}.{name}"


def test_adapters_are_set_in_the_file_too(tmp_path):
    text = """
        adapter_prom: {game_id: demo, env: dev, url: "https://prometheus.example/prom/", token_env: PROM_TOKEN, timeout: 5s}
        adapter_http:
          game_id: demo
          env: dev
          allow: [api.example, "*.games.example:8443"]
          token_file: {api.example: /run/secrets/crm}
          allow_private: true
        """
    assert faults(tmp_path, text) == []
    prom = load(PromAdapterSettings, flags={}, environ={}, config=tmp_path / "croupier.yaml")
    assert (prom.url, prom.token_env, prom.timeout) == ("https://prometheus.example/prom", "PROM_TOKEN", 5.0)
    http = load(HttpAdapterSettings, flags={"allow": ("b.example",)}, environ={}, config=tmp_path / "croupier.yaml")
    assert (http.allow, http.allow_private) == (("b.example",), True)
    assert http.token_file == {"api.example": Path("/run/secrets/crm")}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{token_env: a b, game_id: g, env: e}", "token_env"),
        ("{token_env: A, token_file: b, game_id: g, env: e}", "keep one"),
        ("{url: 'http://p.example', token_env: A, game_id: g, env: e}", "unencrypted"),
        ("{url: 'https://u:secret@p.example', game_id: g, env: e}", "without user"),
        ("{url: 'p.example', game_id: g, env: e}", "write http://"),
        ("{max_answer: 100000000, game_id: g, env: e}", "max_answer"),
        ("{token: secret, game_id: g, env: e}", "no such setting"),
    ],
)
def test_what_an_adapter_cannot_be_is_a_fault_of_the_file(tmp_path, text, message):
    (fault,) = faults(tmp_path, f"adapter_prom: {text}")
    assert message in fault
    assert "secret@" not in fault


CANARY = """\
server:
  routing:
    canary:
      - {game_id: demo, env: prod, function_id: player.ban, version: "2.0", percent: 5}
"""


def test_canaries_are_read_from_the_file_or_from_a_variable_as_json(tmp_path):
    path = tmp_path / "croupier.yaml"
    path.write_text(CANARY, encoding="utf-8")
    rule = load(ServerSettings, flags={}, environ={}, config=path).routing.canary[0]
    assert (rule.game_id, rule.env, rule.function_id, rule.version, rule.percent) == (
        "demo",
        "prod",
        "player.ban",
        "2.0",
        5,
    )
    environ = {"CROUPIER_SERVER_ROUTING": '{"canary": []}'}
    assert load(ServerSettings, flags={}, environ=environ, config=path).routing.canary == ()
    with pytest.raises(InvalidArgument, match=r"CROUPIER_SERVER_ROUTING.*as JSON"):
        load(ServerSettings, flags={}, environ={"CROUPIER_SERVER_ROUTING": "{"}, config=None)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (("percent: 5", "percent: 101"), "server.routing.canary.0.percent"),
        (("percent: 5", "percent: -1"), "server.routing.canary.0.percent"),
        ((", percent: 5", ""), "server.routing.canary.0.percent: Field required"),
        (("percent: 5", "percnt: 5"), "server.routing.canary.0.percnt: no such setting"),
        (('version: "2.0"', 'version: ""'), "server.routing.canary.0.version"),
        (("game_id: demo", "game_id: a/b"), "server.routing.canary.0.game_id"),
        (("canary", "canaries"), "server.routing.canaries: no such setting"),
    ],
)
def test_a_faulty_canary_is_named_with_its_place(tmp_path, change, says):
    path = tmp_path / "croupier.yaml"
    path.write_text(CANARY.replace(*change), encoding="utf-8")
    assert any(says in str(fault) for fault in check_file(path)), check_file(path)


def test_two_canaries_of_one_function_are_a_fault(tmp_path):
    path = tmp_path / "croupier.yaml"
    path.write_text(CANARY + CANARY.splitlines()[-1], encoding="utf-8")
    assert "two rules for one function" in str(check_file(path)[0])
