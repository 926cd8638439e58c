"""FileDescriptorSets for tests, made by the real compiler."""

import importlib.resources
import tempfile
from pathlib import Path

from grpc_tools import protoc


def compiled(**sources: str) -> bytes:
    """The set of these files: `compiled(game="syntax = …")` makes game.proto. What they import is in it too."""
    with tempfile.TemporaryDirectory() as folder:
        for name, text in sources.items():
            Path(folder, f"{name}.proto").write_text(text)
        target = Path(folder, "types.pb")
        well_known = importlib.resources.files("grpc_tools") / "_proto"
        ours = Path(__file__).parent.parent / "proto"
        code = protoc.main(
            [
                "protoc",
                f"-I{folder}",
                f"-I{ours}",
                f"-I{well_known}",
                "--include_imports",
                "--include_source_info",
                f"--descriptor_set_out={target}",
                *(f"{name}.proto" for name in sources),
            ]
        )
        assert code == 0, "protoc says above what is wrong"
        return target.read_bytes()
