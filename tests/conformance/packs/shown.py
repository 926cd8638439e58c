"""What the renderers of docs/guides/views-and-transforms.md are given."""

from typing import Any


def check_shown(renderer: str, shown: Any) -> None:
    """Whether a view is given what it draws (docs/guides/views-and-transforms.md)."""
    match renderer:
        case "table.view":
            assert isinstance(shown, list)
            assert all(isinstance(row, dict) for row in shown)
        case "echarts.line" | "echarts.bar":
            assert all(set(series) <= {"name", "labels", "data"} and "data" in series for series in shown)
            points = [point for series in shown for point in series["data"]]
            assert points
            places = int | float if renderer == "echarts.line" else int | float | str
            assert all(isinstance(at, places) and isinstance(value, int | float | None) for at, value in points)
        case "echarts.pie":
            assert all(isinstance(slice_["name"], str) and isinstance(slice_["value"], int | float) for slice_ in shown)
        case "kv.view":
            assert isinstance(shown, dict)
            assert shown
        case "number.view":
            assert isinstance(shown, int | float)
        case "text.view":
            assert isinstance(shown, str)
        case "link.view":
            assert all(set(link) == {"text", "href"} for link in shown)
        case _:
            assert renderer == "json.view"
            assert shown is not None
