"""Take out of web/package-lock.json what npm writes into it for people: whom to fund, with addresses. npm needs none of it."""

import json
from pathlib import Path

LOCK = Path(__file__).resolve().parent.parent / "web" / "package-lock.json"


def thinned(text: str) -> str:
    lock = json.loads(text)
    for package in lock["packages"].values():
        package.pop("funding", None)
    return json.dumps(lock, indent=2, ensure_ascii=False) + "\n"


def main() -> None:
    LOCK.write_text(thinned(LOCK.read_text()))


if __name__ == "__main__":
    main()
