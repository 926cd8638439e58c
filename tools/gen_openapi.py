"""Write docs/reference/openapi.json from the routes, or with --check say whether it is up to date."""

import argparse
import asyncio
import sys
from pathlib import Path
from typing import Any, cast

import orjson

from croupier.server.access.guard import Guard
from croupier.server.http.app import build_app

TARGET = Path(__file__).resolve().parent.parent / "docs" / "reference" / "openapi.json"


def describe() -> dict[str, Any]:
    nobody = cast("Any", None)  # describing the routes calls nothing behind them
    app = build_app(
        calls=nobody,
        jobs=nobody,
        live=nobody,
        bulks=nobody,
        approvals=nobody,
        history=nobody,
        directory=nobody,
        entities=nobody,
        assigned=nobody,
        catalog=nobody,
        providers=nobody,
        packs=nobody,
        plugins=nobody,
        reread=nobody,
        record=nobody,
        limits=nobody,
        maintenance=nobody,
        machines=nobody,
        secrets=nobody,
        readiness=nobody,
        guard=Guard("unused"),
        people=nobody,
        ways=nobody,
        roles=nobody,
        explain=nobody,
        matrix=nobody,
        games=nobody,
        streams=nobody,
        proxies=nobody,
        page=nobody,
        stopping=asyncio.Event(),
    )
    return app.description.openapi()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="change nothing; exit 1 when the file is not up to date")
    made = orjson.dumps(describe(), option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)
    if not parser.parse_args().check:
        TARGET.write_bytes(made)
        return 0
    if TARGET.is_file() and TARGET.read_bytes() == made:
        return 0
    print("docs/reference/openapi.json is not what the routes say: run tools/gen_openapi.py", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())
