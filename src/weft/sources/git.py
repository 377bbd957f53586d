"""The objects of a git repository that public-inbox needs: head, commits, trees and blobs.

Read through dulwich, which comes with the extra ``git`` and is imported when the first repository is opened.
Commits and trees are taken apart here, because of millions of them only two or three fields are wanted.  Every
object is hashed again: what is damaged is seen, and nobody can pass off one object for another.
"""

from __future__ import annotations

from collections.abc import Callable
from hashlib import sha1
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, TypeVar

from weft.errors import SourceError

if TYPE_CHECKING:
    from dulwich.repo import Repo

_T = TypeVar("_T")

_COMMIT, _TREE, _BLOB = 1, 2, 3
_KINDS = {_COMMIT: b"commit", _TREE: b"tree", _BLOB: b"blob"}
_DIRECTORY = b"40000"
_FILES = (b"100644", b"100755", b"100664")
NO_DULWICH = "a git repository, for which dulwich is needed: pip install 'mailweft[git]'"


class GitCommit(NamedTuple):
    """The 20-byte names of a commit's tree and of its parents."""

    tree: bytes
    parents: tuple[bytes, ...]


class GitEntry(NamedTuple):
    """One line of a tree: a file or a directory (links and submodules are neither)."""

    name: bytes
    is_file: bool
    is_directory: bool
    sha: bytes


class Repository:
    """An open repository; objects go by their 20-byte names.  Every method raises `SourceError` if it cannot read."""

    def __init__(self, path: str) -> None:
        try:
            from dulwich.repo import Repo
        except ImportError as error:
            raise SourceError(NO_DULWICH) from error
        self._repo: Repo = _attempt(lambda: Repo(path, bare=True), "not a git repository, or a damaged one")
        self._store = self._repo.object_store

    def close(self) -> None:
        """Close its files."""
        self._repo.close()

    def head(self) -> bytes | None:
        """The commit of HEAD; None if there is none yet."""
        try:
            found = _attempt(self._repo.head, "its HEAD cannot be read", let=KeyError)
        except KeyError:
            return None
        return _unhex(found)

    def commit(self, sha: bytes) -> GitCommit:
        """One commit."""
        tree, parents = b"", []
        for line in self._object(sha, _COMMIT).split(b"\n\n", 1)[0].split(b"\n"):
            word, _, name = line.partition(b" ")
            if word == b"tree":
                tree = _unhex(name)
            elif word == b"parent":
                parents.append(_unhex(name))
        return GitCommit(tree, tuple(parents))

    def tree(self, sha: bytes) -> list[GitEntry]:
        """What is in a tree, in its order."""
        data, at, entries = self._object(sha, _TREE), 0, []
        while at < len(data):
            end = data.find(b"\0", at)
            mode, _, name = data[at:end].partition(b" ")
            at = end + 21
            if end < 0 or at > len(data):
                raise SourceError(f"git object {sha.hex()} is damaged")
            entries.append(GitEntry(name, mode in _FILES, mode == _DIRECTORY, data[end + 1 : at]))
        return entries

    def blob(self, sha: bytes) -> bytes:
        """The bytes of a file."""
        return self._object(sha, _BLOB)

    def _object(self, sha: bytes, kind: int) -> bytes:
        damaged = f"git object {sha.hex()} is damaged"
        try:
            found, data = _attempt(lambda: self._store.get_raw(sha), damaged, let=KeyError)  # type: ignore[arg-type]
        except KeyError:
            raise SourceError(f"git object {sha.hex()} is missing") from None
        header = b"%s %d\0" % (_KINDS[kind], len(data))
        if found != kind or sha1(header + data, usedforsecurity=False).digest() != sha:
            raise SourceError(damaged)
        return data


def pack_bytes(path: str) -> int:
    """How many bytes the packs of a repository have; 0 if that cannot be found out."""
    try:
        return sum(file.stat().st_size for file in (Path(path) / "objects" / "pack").glob("*.pack"))
    except OSError:
        return 0


def _attempt(act: Callable[[], _T], failure: str, let: type[Exception] | tuple[()] = ()) -> _T:
    """What ``act`` gives.  dulwich meets damage with whatever exception comes: all but ``let`` become `SourceError`."""
    try:
        return act()
    except let:
        raise
    except Exception as error:
        raise SourceError(failure) from error


def _unhex(name: bytes) -> bytes:
    try:
        sha = bytes.fromhex(name.decode("ascii"))
    except ValueError:
        sha = b""
    if len(sha) != 20:
        raise SourceError("a git reference is damaged, or longer than SHA-1")
    return sha
