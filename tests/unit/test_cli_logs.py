import json
import logging
import sys

from croupier.cli.logs import JsonLines, TextLines


def record(message: str, *arguments: object, **fields: object) -> logging.LogRecord:
    made = logging.makeLogRecord(
        {"name": "croupier.x", "levelno": 20, "levelname": "INFO", "msg": message, "args": arguments, "created": 0.0}
    )
    vars(made).update(fields)
    return made


def test_a_json_line_holds_time_level_logger_message_and_fields():
    line = JsonLines().format(record("call %s ended", "c1", agent_id="a1"))
    assert json.loads(line) == {
        "time": "1970-01-01T00:00:00.000Z",
        "level": "info",
        "logger": "croupier.x",
        "message": "call c1 ended",
        "agent_id": "a1",
    }


def test_a_text_line_stays_one_line_whatever_others_sent():
    line = TextLines().format(record("from %s", "evil\r\n1970-01-01 info root: fine", agent_id="a1"))
    assert line == "1970-01-01T00:00:00.000Z info     croupier.x: from evil\\r\\n1970-01-01 info root: fine agent_id=a1"


def test_an_exception_is_told_in_both_forms():
    try:
        raise ValueError("broken")
    except ValueError:
        failed = record("failed", exc_info=sys.exc_info())
    assert "ValueError: broken" in json.loads(JsonLines().format(failed))["exception"]
    assert TextLines().format(failed).splitlines()[-1] == "ValueError: broken"


def test_warnings_are_red_on_a_terminal_and_nowhere_else():
    record = logging.makeLogRecord(
        {"name": "x", "msg": "PLAIN TEXT", "levelno": logging.WARNING, "levelname": "WARNING"}
    )
    calm = logging.makeLogRecord({"name": "x", "msg": "fine", "levelno": logging.INFO, "levelname": "INFO"})
    assert TextLines(colours=True).format(record).startswith("\x1b[31m")
    assert "\x1b" not in TextLines(colours=True).format(calm)
    assert "\x1b" not in TextLines().format(record)
