"""Write the Python of `proto/` to `wire/`; with `--check`, fail if what is committed differs.

Besides modules and type stubs it writes `croupier_wire/descriptors.pb`, the FileDescriptorSet of all of them, which a
test holds against the contract.
"""

import argparse
import filecmp
import importlib.resources
import shutil
import sys
import tempfile
from pathlib import Path

from grpc_tools import protoc

ROOT = Path(__file__).resolve().parent.parent
PROTO = ROOT / "proto"
TARGET = ROOT / "wire" / "src"


def generate(target: Path) -> None:
    sources = sorted(str(path.relative_to(PROTO)) for path in PROTO.rglob("*.proto"))
    well_known = importlib.resources.files("grpc_tools") / "_proto"
    package = target / "croupier_wire"
    package.mkdir(parents=True, exist_ok=True)
    arguments = [
        "protoc",
        f"-I{PROTO}",
        f"-I{well_known}",
        f"--python_out={target}",
        f"--pyi_out={target}",
        f"--grpc_python_out={target}",
        "--include_imports",
        f"--descriptor_set_out={package / 'descriptors.pb'}",
        *sources,
    ]
    if protoc.main(arguments) != 0:
        sys.exit("protoc failed; its message is above")
    for folder in [package, *(path for path in package.rglob("*") if path.is_dir() and path.name != "__pycache__")]:
        (folder / "__init__.py").touch()
    (package / "py.typed").touch()


def differences(fresh: Path, committed: Path) -> list[str]:
    names = {
        str(path.relative_to(root))
        for root in (fresh, committed)
        for path in root.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    return sorted(
        name
        for name in names
        if not (fresh / name).exists()
        or not (committed / name).exists()
        or not filecmp.cmp(fresh / name, committed / name, shallow=False)
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="change nothing; exit 1 if the committed files are stale")
    check = parser.parse_args().check
    with tempfile.TemporaryDirectory() as scratch:
        fresh = Path(scratch)
        generate(fresh)
        stale = differences(fresh / "croupier_wire", TARGET / "croupier_wire")
        if check:
            if stale:
                sys.exit("generated files are stale, run `make gen`:\n  " + "\n  ".join(stale))
            return
        shutil.rmtree(TARGET / "croupier_wire", ignore_errors=True)
        shutil.copytree(fresh / "croupier_wire", TARGET / "croupier_wire")


if __name__ == "__main__":
    main()
