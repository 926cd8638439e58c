import logging
from collections.abc import Iterator

import pytest

from croupier.cli.main import run

SCOPE = ["--game", "demo", "--env", "dev"]


@pytest.fixture(autouse=True)
def _logging() -> Iterator[None]:
    """A process sets up its logging for good; here others come after it."""
    handlers, level = logging.root.handlers[:], logging.root.level
    yield
    logging.root.handlers[:] = handlers
    logging.root.setLevel(level)


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["prom"], 2, "adapter_prom.game_id: is missing"),
        (["prom", *SCOPE, "--url", "http://prometheus.example:9090", "--token-env", "THE_TOKEN"], 2, "unencrypted"),
        (["prom", *SCOPE, "--url", "ftp://prometheus.example"], 2, "flag --url"),
        (["prom", *SCOPE, "--url", "http://user:with-spaces@127.0.0.1:9090"], 2, "without user"),
        (["prom", *SCOPE, "--token-env", "THE_TOKEN"], 1, "THE_TOKEN holds something else"),
        (["prom", *SCOPE, "--token-env", "NO_TOKEN"], 1, "NO_TOKEN holds no token"),
        (["prom", *SCOPE, "--token-env", "a=b"], 2, "flag --token-env"),
        (["prom", *SCOPE, "--token-env", "A_TOKEN", "--token-file", "token"], 2, "keep one"),
        (["prom", *SCOPE, "--token-file", "nowhere/token"], 1, "cannot be read"),
        (["prom", *SCOPE, "--agent", "192.0.2.1:19090"], 2, "127.0.0.1"),
        (["prom", *SCOPE, "--max-answer", "9000000"], 2, "flag --max-answer"),
        (["grafana", *SCOPE, "--timeout", "soon"], 2, "flag --timeout"),
        (["alertmanager", *SCOPE, "--concurrency", "0"], 2, "flag --concurrency"),
        (["http", *SCOPE], 2, "adapter_http.allow: is missing"),
        (["http", *SCOPE, "--allow", "a.example", "--token-env", "a.example"], 2, "host=NAME"),
        (["http", *SCOPE, "--allow", "a.example", "--token-env", "a.example=THE_TOKEN"], 1, "THE_TOKEN"),
        (["http", *SCOPE, "--allow", "a.example", "--methods", "TRACE"], 2, "flag --methods"),
    ],
)
def test_what_an_adapter_lacks_is_said_before_it_starts_and_without_the_secret(
    capsys, monkeypatch, arguments, code, words
):
    monkeypatch.setenv("THE_TOKEN", "a token with-spaces")
    monkeypatch.delenv("NO_TOKEN", raising=False)
    monkeypatch.delenv("CROUPIER_CONFIG", raising=False)
    assert run(["adapter", *arguments]) == code
    told = capsys.readouterr().err
    assert words in told
    assert "with-spaces" not in told
    assert "Traceback" not in told
