"""The server's engine and the browser's, side by side on forms that nobody wrote: every answer is the same.

A failure names its case as JSON; what it shows belongs into `conformance/forms/` before it is mended.
"""

import asyncio
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.conformance.forms.random_forms import Maker

from croupier.descriptors import compile_schema
from croupier.descriptors.schema import SHOWN_FAULTS
from croupier.errors import InvalidArgument
from croupier.forms import Condition, FaultyForm, Form, Transform, derive
from croupier.forms.form import pointer

WEB = Path(__file__).resolve().parents[3] / "web"
FORMS = 1_200
CONDITIONS = 1_200
TRANSFORMS = 600
SHOWN = 5


def _missing() -> str:
    if shutil.which("node") is None:
        return "there is no Node here"
    return "" if (WEB / "node_modules" / "vite").exists() else "the page's packages are not installed: make web"


async def browser_answers(cases: list[dict[str, Any]]) -> list[Any]:
    process = await asyncio.create_subprocess_exec(
        "node", "tests/engine.mjs", cwd=WEB, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE
    )
    told, _ = await process.communicate(json.dumps(cases).encode())
    assert process.returncode == 0
    answers: list[Any] = json.loads(told)
    return answers


def server_answer(case: dict[str, Any]) -> dict[str, Any]:
    try:
        return _ANSWERS[case["kind"]](case)
    except FaultyForm as error:
        return {"refused": sorted(pointer(fault.path) for fault in error.faults)}
    except InvalidArgument:
        return {"error": True}


def _condition(case: dict[str, Any]) -> dict[str, Any]:
    return {"result": Condition.read(case["expr"]).holds(case["context"], case["around"])}


def _transform(case: dict[str, Any]) -> dict[str, Any]:
    return {"result": Transform.read(case["transform"]).apply(case["value"])}


def _form(case: dict[str, Any]) -> dict[str, Any]:
    checked = Form.compile(case["schema"], case["ui"]).check(case["data"])
    derived = derive(case["schema"], case["ui"], case["data"])
    again = compile_schema(derived.schema).faults(checked.value) if derived.schema is not None else []
    return {
        "hidden": sorted(map(pointer, checked.hidden)),
        "required": sorted(map(pointer, derived.required)),
        "disabled": sorted(map(pointer, derived.disabled)),
        "pruned": checked.value,
        "faults": _places(checked.faults),
        "inForce": _places(again),
    }


_ANSWERS: dict[str, Callable[[dict[str, Any]], dict[str, Any]]] = {
    "conditions": _condition,
    "transforms": _transform,
    "forms": _form,
}


def _places(faults: Any) -> list[str] | None:
    """None when there may be more than are told."""
    return sorted({f"{each.path} {each.keyword}" for each in faults}) if len(faults) < SHOWN_FAULTS else None


def _shown(answer: Any) -> str:
    """Members in one order, and 1.0 as 1: what JSON leaves open."""
    return json.dumps(_plain(answer), sort_keys=True, ensure_ascii=False)


def _plain(value: Any) -> Any:
    if isinstance(value, list):
        return [_plain(each) for each in value]
    if isinstance(value, dict):
        return {name: _plain(each) for name, each in value.items()}
    return int(value) if isinstance(value, float) and value.is_integer() and abs(value) < 2**53 else value


@pytest.mark.skipif(bool(_missing()), reason=_missing() or "nothing is missing")
async def test_both_engines_answer_thousands_of_random_cases_alike() -> None:
    maker = Maker(20_260_131)
    cases = [maker.form() for _ in range(FORMS)]
    cases += [maker.condition_case() for _ in range(CONDITIONS)]
    cases += [maker.transform_case() for _ in range(TRANSFORMS)]
    answers = await browser_answers(cases)
    assert len(answers) == len(cases)
    different = []
    for case, browser in zip(cases, answers, strict=True):
        server = server_answer(case)
        if _shown(server) != _shown(browser):
            different.append(
                f"{json.dumps(case, ensure_ascii=False)}\n  server  {_shown(server)}\n  browser {_shown(browser)}"
            )
    assert not different, f"{len(different)} of {len(cases)} differ:\n" + "\n".join(different[:SHOWN])
