"""The result as people and programs read it."""

import json
import os
import platform
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

from figures import Figure

WORSE = 0.20
"""A ratio that is worse than the recorded one by more than this share has to be explained."""


def table(figures: Sequence[Figure], recorded: Mapping[str, float]) -> str:
    """One line a figure: median, span, target, verdict, change against what was recorded."""
    wide = max((len(each.name) for each in figures), default=0)
    heading = f"{'':{wide}}  {'median':>10}  {'min to max':>21}  {'':7} {'target':>9}  verdict"
    return "\n".join([heading, *(_line(each, wide, recorded.get(each.name)) for each in figures)])


def _line(each: Figure, wide: int, recorded: float | None) -> str:
    span = f"{_number(each.low)} to {_number(each.high)}"
    target = "" if each.target is None else f"{'≥' if each.at_least else '≤'} {_number(each.target)}"
    verdict = {None: "", True: "met", False: "NOT MET"}[each.met]
    change = "" if recorded is None else f"  ({_change(each, recorded)})"
    return f"{each.name:{wide}}  {_number(each.value):>10}  {span:>21}  {each.unit:7} {target:>9}  {verdict}{change}".rstrip()


def _change(each: Figure, recorded: float) -> str:
    loud = "  WORSE THAN RECORDED" if each.worse_than(recorded) > WORSE else ""
    return f"recorded {_number(recorded)}, {each.value / recorded - 1:+.0%}{loud}"


def _number(value: float) -> str:
    if value >= 1000:
        return f"{value:,.0f}".replace(",", " ")
    return f"{value:.4g}" if value < 0.1 else f"{value:.3g}"


def missed(figures: Sequence[Figure]) -> list[str]:
    return [each.name for each in figures if each.met is False]


def as_json(figures: Sequence[Figure], *, broken: Mapping[str, str], quick: bool, busy: float) -> str:
    whole = {
        "when": datetime.now(UTC).isoformat(timespec="seconds"),
        "python": platform.python_version(),
        "processors": os.cpu_count(),
        "load_before": busy,
        "quick": quick,
        "broken": broken,
        "figures": [
            {
                "name": each.name,
                "median": each.value,
                "min": each.low,
                "max": each.high,
                "unit": each.unit,
                "target": each.target,
                "met": each.met,
            }
            for each in figures
        ],
    }
    return json.dumps(whole, indent=2, ensure_ascii=False) + "\n"


def read_recorded(path: Path) -> Mapping[str, float]:
    """The recorded ratios by name; none when nothing was recorded yet."""
    return json.loads(path.read_text(encoding="utf-8"))["ratios"] if path.exists() else {}


def write_recorded(path: Path, figures: Sequence[Figure]) -> None:
    """Keep the ratios of this run, and of what it left out those of an earlier one."""
    ratios = {**read_recorded(path), **{each.name: round(each.value, 3) for each in figures if each.travels}}
    path.write_text(json.dumps({"ratios": ratios}, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
