"""Fetch the official conformance suites from the packages that carry them, and write each as one file of `conformance/suites`.

    python tools/vendor_suites.py            write
    python tools/vendor_suites.py --check    fail when what would be written differs from what is there

The packages are pinned by digest, so the files come out the same wherever and whenever this runs.
"""

import hashlib
import json
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
SUITES = ROOT / "conformance" / "suites"


@dataclass(frozen=True, kw_only=True)
class Carrier:
    """A package that has a suite inside."""

    package: str
    version: str
    fetch: Callable[[str, str, Path], None]
    sha256: str
    licence: tuple[str, ...]
    """Files, relative to the archive's folder."""
    tests: Callable[["Archive"], list[Any]]


class Archive:
    """The text files of an archive, by name without the folder that all of them are in."""

    def __init__(self, path: Path) -> None:
        with tarfile.open(path) as archive:
            self._files = {
                str(PurePosixPath(*PurePosixPath(member.name).parts[1:])): archive.extractfile(member).read()  # type: ignore[union-attr]
                for member in archive
                if member.isfile()
            }

    def text(self, name: str) -> str:
        return self._files[name].decode()

    def below(self, folder: str) -> Iterator[tuple[str, Any]]:
        for name in sorted(self._files):
            if name.startswith(f"{folder}/") and name.endswith(".json"):
                yield name.removeprefix(f"{folder}/").removesuffix(".json"), json.loads(self._files[name])


def from_pypi(package: str, version: str, into: Path) -> None:
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--no-binary", package]
    subprocess.run([*command, "--dest", str(into), f"{package}=={version}"], check=True)


def from_npm(package: str, version: str, into: Path) -> None:
    subprocess.run(["npm", "pack", "--silent", f"{package}@{version}"], check=True, cwd=into, stdout=subprocess.DEVNULL)


def jsonpath_tests(archive: Archive) -> list[Any]:
    tests: list[Any] = json.loads(archive.text(f"{_JSONPATH}/cts.json"))["tests"]
    return tests


def schema_tests(archive: Archive) -> list[Any]:
    return [{"file": name, **group} for name, groups in archive.below("json/tests/draft2020-12") for group in groups]


_JSONPATH = "src/__tests__/jsonpath-compliance-test-suite"

CARRIERS: Mapping[str, Carrier] = {
    "jsonpath": Carrier(
        package="jsonpath-rfc9535",
        version="1.3.0",
        fetch=from_npm,
        sha256="5bd567ecfa1667df310f013bdccdaca219ee58517b25360bb291287b0a873b19",
        licence=(f"{_JSONPATH}/LICENSE", f"{_JSONPATH}/NOTICE"),
        tests=jsonpath_tests,
    ),
    "json-schema-2020-12": Carrier(
        package="jsonschema",
        version="4.26.0",
        fetch=from_pypi,
        sha256="0c26707e2efad8aa1bfc5b7ce170f3fccc2e4918ff85989ba9ffa9facb2be326",
        licence=("json/LICENSE",),
        tests=schema_tests,
    ),
}


def written(carrier: Carrier) -> str:
    """The suite as one JSON document, a line for each of its entries."""
    with tempfile.TemporaryDirectory() as folder:
        carrier.fetch(carrier.package, carrier.version, Path(folder))
        [path] = Path(folder).iterdir()
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
        if digest != carrier.sha256:
            sys.exit(f"{path.name} has the digest {digest}, not {carrier.sha256}")
        archive = Archive(path)
    head = {
        "from": f"{carrier.package} {carrier.version}",
        "licence": "\n\n".join(archive.text(name).strip() for name in carrier.licence).splitlines(),
    }
    lines = ",\n".join(json.dumps(test, separators=(",", ":")) for test in carrier.tests(archive))
    return f'{json.dumps(head, indent=1)[:-2]},\n "tests": [\n{lines}\n]}}\n'


def main() -> None:
    for name, carrier in CARRIERS.items():
        path, text = SUITES / f"{name}.json", written(carrier)
        if "--check" not in sys.argv:
            path.write_text(text)
        elif not path.is_file() or path.read_text() != text:
            sys.exit(
                f"{path.relative_to(ROOT)} differs from {carrier.package} {carrier.version}: run tools/vendor_suites.py"
            )


if __name__ == "__main__":
    main()
