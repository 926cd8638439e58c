"""Run the README's first calls against `croupier dev` and write what a terminal shows to docs/demo.svg."""

import json
import os
import re
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

from rich.console import Console
from rich.text import Text

ROOT = Path(__file__).resolve().parent.parent
PROGRAM = str(Path(sys.executable).with_name("croupier"))
SHOWN = 14
"""Lines of one command's output that are shown, half from its beginning and half from its end."""
COMMANDS = [
    ["invoke", "player.ban", "player_id=p0001", "reason=cheating"],
    ["invoke", "player.get", "player_id=nobody"],
    ["invoke", "--job", "mail.send_all", "text=hello"],
]


def main() -> None:
    console = Console(record=True, width=110, force_terminal=True)
    with tempfile.TemporaryDirectory() as scratch:
        dev = subprocess.Popen(
            [PROGRAM, "dev", "--json", "--http", "127.0.0.1:0", "--data", scratch], stdout=subprocess.PIPE, text=True
        )
        try:
            if dev.stdout is None:
                raise RuntimeError("a pipe was asked for")
            ready = json.loads(dev.stdout.readline())
            show(console, ready)
        finally:
            dev.send_signal(signal.SIGTERM)
            dev.wait(30)
    # A picture in the repository fetches nothing: rich would name a font of a content network.
    picture = re.sub(r"@font-face \{.*?\n    \}\n", "", console.export_svg(title="croupier"), flags=re.DOTALL)
    (ROOT / "docs" / "demo.svg").write_text(picture)


def show(console: Console, ready: dict[str, str]) -> None:
    environ = {
        **os.environ,
        "CROUPIER_URL": ready["url"],
        "CROUPIER_TOKEN": ready["token"],
        "CROUPIER_GAME_ID": ready["game_id"],
        "CROUPIER_ENV": ready["env"],
    }
    for command in COMMANDS:
        console.print(Text("$ croupier " + " ".join(command), style="bold green"))
        done = subprocess.run(
            [PROGRAM, *command], env=environ, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False
        )
        lines = done.stdout.rstrip().splitlines()
        if len(lines) > SHOWN:
            lines = [*lines[: SHOWN // 2], "…", *lines[-SHOWN // 2 :]]
        console.print(Text("\n".join(lines)))
        console.print()


if __name__ == "__main__":
    main()
