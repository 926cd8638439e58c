import json

import pytest

from croupier.cli.terminal import print_answer, print_table, printable


def test_what_a_terminal_would_obey_is_shown_as_an_escape():
    assert printable("a\x1b[2Jb\x07\r\x9b\u202ec\x7f") == "a\\u001b[2Jb\\u0007\\u000d\\u009b\\u202ec\\u007f"
    assert printable("tab\tline\nÄ 玩家 🎲") == "tab\tline\nÄ 玩家 🎲"


def test_an_answer_is_indented_for_people_and_keeps_its_letters(capsysbinary):
    print_answer('{"name":"玩家","evil":"\x9b2J"}'.encode(), as_json=False)
    shown = capsysbinary.readouterr().out.decode()
    assert shown == '{\n  "name": "玩家",\n  "evil": "\\u009b2J"\n}\n'
    assert json.loads(shown)["evil"] == "\x9b2J"


def test_with_json_an_answer_is_one_line_of_the_bytes_that_came(capsysbinary):
    print_answer(b'{"big": 1234567890.12345678901234567890,\n "text": "a\\nb"}\r\n', as_json=True)
    assert capsysbinary.readouterr().out == b'{"big": 1234567890.12345678901234567890,  "text": "a\\nb"}\n'


@pytest.mark.parametrize("as_json", [True, False])
def test_an_answer_that_is_no_json_reaches_a_file_untouched(capsysbinary, as_json):
    print_answer(b"\x00\xff\r\n", as_json=as_json)
    assert capsysbinary.readouterr().out == b"\x00\xff\r\n"


def test_a_table_is_aligned_by_what_is_seen_and_holds_one_line_a_row(capsys):
    print_table(("NAME", "N"), [("玩家", 1), ("a\nb\x1b", 22)])
    assert capsys.readouterr().out == "NAME       N\n玩家       1\na b\\u001b  22\n"


def test_an_empty_table_says_so(capsys):
    print_table(("NAME", "N"), [])
    assert capsys.readouterr().out == "NAME  N\n(none)\n"
