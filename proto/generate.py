"""Write the Python code of the wire schema: ``python proto/generate.py`` after each change of a ``.proto`` file.

The code is committed, so that nobody needs a compiler to install Weft; a test writes it again elsewhere and compares.
Modules with services get their gRPC stubs too.
"""

from __future__ import annotations

import argparse
import re
import sys
from importlib.metadata import version
from pathlib import Path

from grpc_tools import _proto, protoc

COMPILER = "1.85.1"
"""The release of grpcio-tools whose output is committed; another one writes other bytes."""

PROTO = Path(__file__).resolve().parent
SOURCE = PROTO.parent / "src"

_SERVICE = re.compile(r"^service\s", re.MULTILINE)


def generate(out: Path) -> None:
    """Write ``weft/v1/*_pb2*`` below ``out``, for all files of the schema."""
    if version("grpcio-tools") != COMPILER:
        sys.exit(f"grpcio-tools is {version('grpcio-tools')}, but the code is written with {COMPILER}")
    for path in sorted(PROTO.glob("weft/v1/*.proto")):
        outputs = [f"--python_out={out}", f"--pyi_out={out}"]
        if _SERVICE.search(path.read_text()):
            outputs.append(f"--grpc_python_out={out}")
        include = [f"-I{PROTO}", f"-I{Path(_proto.__path__[0])}"]
        if protoc.main(["protoc", *include, *outputs, str(path.relative_to(PROTO))]):
            sys.exit(f"{path.name}: not compiled")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--out", type=Path, default=SOURCE, help="where to write (default: the source tree)")
    generate(parser.parse_args().out)
