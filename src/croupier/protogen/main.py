"""The console script: `protoc --croupier_out=FOLDER` starts it; a person asks it where our options are."""

import sys
from pathlib import Path

from croupier.protogen.plugin import respond

_USAGE = """\
protoc-gen-croupier makes a pack from annotated .proto files. protoc starts it:

  protoc -I. -I"$(protoc-gen-croupier --include)" --croupier_out=packs/game game.proto
  protoc … --croupier_opt=name=game,version=1.2.0,archive=game.tgz --croupier_out=. game.proto

  --include   print the folder for -I that has croupier_wire/options/v1/options.proto
"""


def include_folder() -> Path:
    """Where our .proto files are: beside this file in an installed package, else in the repository."""
    shipped = Path(__file__).parent / "include"
    return shipped if shipped.is_dir() else Path(__file__).parents[3] / "proto"


def main() -> None:
    arguments = sys.argv[1:]
    if arguments == ["--include"]:
        sys.stdout.write(f"{include_folder()}\n")
        return
    if arguments or sys.stdin.isatty():
        asked = arguments in (["--help"], ["-h"])
        (sys.stdout if asked else sys.stderr).write(_USAGE)
        sys.exit(0 if asked else 2)
    sys.stdout.buffer.write(respond(sys.stdin.buffer.read()))
