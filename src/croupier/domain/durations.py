import re

_FORM = re.compile(r"(\d{1,9}(?:\.\d{1,9})?)(ms|s|m|h|d)?")
_SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86_400.0, None: 1.0}


def seconds_of(text: str) -> float | None:
    """Seconds of "30s", "500ms", "2m", "1h", "30d" or a plain number of seconds; None for anything else."""
    found = _FORM.fullmatch(text)
    return float(found[1]) * _SECONDS[found[2]] if found else None
