"""``python -m tests.grpc_reference`` writes the reference of the gRPC API from the comments of ``proto/weft/v1``."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from tests.documented_examples import DOCS
from tests.factories import FIXTURES

PAGE = DOCS / "reference" / "grpc-api.md"
PROTO = FIXTURES.parent / "proto" / "weft" / "v1"
_FILES = ("threads.proto", "claim.proto", "exchange.proto")
_RPC = re.compile(r"rpc (\w+)\((stream )?([\w.]+)\) returns \((stream )?([\w.]+)\)")
_FIELD = re.compile(r"(?:(repeated|optional) )?([\w.]+) (\w+) = (\d+)")
_OPEN = re.compile(r"(service|message|enum|oneof) (\w+) \{")
_EMPTY = re.compile(r"message (\w+) \{\}")
_DIRECTIVE = "// buf:"
_VALUE = re.compile(r"(\w+) = (\d+)")


@dataclass(slots=True)
class Block:
    """A service, message or enum: its full name, what the comment before it says, and its rows."""

    kind: str
    name: str
    text: str
    rows: list[tuple[str, ...]] = field(default_factory=list)


def read(text: str) -> tuple[str, list[Block]]:
    """The comment at the head of a ``.proto`` file, and its blocks in the order in which they begin."""
    head, _, body = text.partition("\nsyntax = ")
    found: list[Block] = []
    open_blocks: list[Block] = []
    choice = ""
    comment: list[str] = []
    statement = ""
    for line in map(str.strip, body.splitlines()):
        if line.startswith("//"):
            comment.append(line)
            continue
        code, _, behind = line.partition("//")
        statement = f"{statement} {code.strip()}".strip()
        said = _prose([*comment, behind.strip()] if behind else comment)
        if empty := _EMPTY.fullmatch(statement):
            found.append(Block("message", empty[1], said))
        elif begun := _OPEN.fullmatch(statement):
            if begun[1] == "oneof":
                choice = begun[2]
            else:
                name = ".".join([block.name.rpartition(".")[2] for block in open_blocks] + [begun[2]])
                found.append(Block(begun[1], name, said))
                open_blocks.append(found[-1])
        elif statement == "}":
            if choice:
                choice = ""
            else:
                open_blocks.pop()
        elif not statement.endswith((";", "}")) and statement:
            continue  # it goes on in the next line
        elif open_blocks and statement:
            open_blocks[-1].rows.append(_row(open_blocks[-1].kind, statement, said, choice))
        comment, statement = [], ""
    return _prose(head.splitlines()), found


def _row(kind: str, statement: str, said: str, choice: str) -> tuple[str, ...]:
    if kind == "service":
        rpc = _RPC.match(statement)
        assert rpc, statement
        request, response = (f"{'stream of ' * bool(one)}`{name}`" for one, name in (rpc.group(2, 3), rpc.group(4, 5)))
        return f"`{rpc[1]}`", request, response, said
    if kind == "enum":
        value = _VALUE.match(statement)
        assert value, statement
        return value[2], f"`{value[1]}`", said
    one = _FIELD.match(statement)
    assert one, statement
    label = "one of" if choice else one[1] or ""
    return one[4], f"`{one[3]}`", f"{label} `{one[2]}`".strip(), said


def _prose(lines: list[str]) -> str:
    """Comment lines as paragraphs."""
    text = "\n".join(line.removeprefix("//").strip() for line in lines if not line.startswith(_DIRECTIVE)).strip()
    return re.sub(r"(?<!\n)\n(?!\n)", " ", text).replace("  ", " ")


def reference() -> str:
    """The page."""
    return "\n".join(_lines()).rstrip() + "\n"


def _lines() -> Iterator[str]:
    yield "<!-- Written by `python -m tests.grpc_reference`; change the comments in proto/, not this page. -->"
    yield "# gRPC API\n"
    yield "What `proto/weft/v1` says. All names are in the package `weft.v1`."
    yield "The rules of the exchange stand in `proto/PROTOCOL.md`.\n"
    for name in _FILES:
        head, blocks = read((PROTO / name).read_text())
        yield f"## {name}\n\n{head}\n"
        for block in blocks:
            yield f"### {block.kind} {block.name}\n"
            if block.text:
                yield f"{block.text}\n"
            yield from _table(block)


def _table(block: Block) -> Iterator[str]:
    heads = {
        "service": ("call", "request", "response", "what it gives"),
        "enum": ("number", "value", "meaning"),
        "message": ("number", "field", "type", "meaning"),
    }[block.kind]
    if not block.rows:
        return
    yield f"| {' | '.join(heads)} |"
    yield "|---" * len(heads) + "|"
    for row in block.rows:
        cells = (cell.replace("|", "\\|").replace("\n\n", " ") for cell in row)
        yield f"| {' | '.join(cells)} |"
    yield ""


def main() -> None:
    """Write the page."""
    PAGE.write_text(reference())


if __name__ == "__main__":
    main()
