import msgspec
import pytest

from croupier.domain.call import Route
from croupier.domain.principal import Principal
from croupier.errors import InvalidArgument
from croupier.server.access.guard import Guard
from croupier.server.http.exchange import header_value
from croupier.server.http.requests import CallBody, build_call, one_of, parse_query, parse_timeout


@pytest.mark.parametrize(
    ("value", "seconds"),
    [(3, 3.0), (0.5, 0.5), ("30s", 30.0), ("500ms", 0.5), ("2m", 120.0), ("1h", 3600.0), ("7", 7.0)],
)
def test_timeouts_are_read_in_every_spelling(value, seconds):
    assert parse_timeout(value, 3600.0) == pytest.approx(seconds)


@pytest.mark.parametrize(
    "value", ["", "s", "-1s", "1e3", "10d", "9" * 400 + "s", 0, -1, float("nan"), float("inf"), 3601]
)
def test_a_timeout_out_of_bounds_is_refused(value):
    with pytest.raises(InvalidArgument):
        parse_timeout(value, 3600.0)


def test_one_of_takes_what_is_given_and_refuses_two():
    assert one_of("env", "", "dev", "dev", "") == "dev"
    assert one_of("env", "", "") == ""
    with pytest.raises(InvalidArgument, match="env is given twice"):
        one_of("env", "dev", "prod")


def test_a_query_with_unknown_names_twice_is_fine_but_not_with_ours():
    assert parse_query(b"state=a&state=b&env=dev") == {"state": "a", "env": "dev"}
    with pytest.raises(InvalidArgument):
        parse_query(b"env=dev&env=prod")


@pytest.mark.parametrize("query", [b"a=%ff", b"&".join(b"a=1" for _ in range(100)), b"\xff=1"])
def test_a_query_that_is_too_much_or_not_text_is_refused(query):
    with pytest.raises(InvalidArgument):
        parse_query(query)


def test_a_scope_taken_from_the_body_is_checked():
    body = CallBody(function_id="f", game_id="../etc", env="dev", payload=msgspec.Raw(b"{}"))
    with pytest.raises(InvalidArgument, match="game_id must be"):
        build_call(body, call_id="c1", caller=Principal(name="x"), headers={}, query={}, traceparent="")


@pytest.mark.parametrize("name", ["plain game-1", "a\r\nb", "ß", "\ud800", "100%"])
def test_a_header_value_is_printable_ascii(name):
    value = header_value(name)
    assert value.isascii()
    assert value.decode().isprintable()


def test_an_empty_token_is_refused_at_the_start():
    with pytest.raises(ValueError, match="empty token"):
        Guard("")


def called(**fields):
    body = CallBody(function_id="f", game_id="demo", env="dev", **fields)
    return build_call(body, call_id="c1", caller=Principal(name="x"), headers={}, query={}, traceparent="")


def test_whoever_names_a_game_server_means_it():
    assert called(target_service_id="s1").route is Route.TARGETED
    assert called(target_service_id="s1", route="targeted").route is Route.TARGETED
    assert called().route is Route.LB
    with pytest.raises(
        InvalidArgument, match="target_service_id names a game server, and route=broadcast may reach another"
    ):
        called(target_service_id="s1", route="broadcast")
    with pytest.raises(InvalidArgument, match="and route=lb may reach another"):
        called(target_service_id="s1", metadata={"route": "lb"})
