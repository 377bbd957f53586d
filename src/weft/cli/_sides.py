"""What ``weft diff A B`` compares: a server that is asked, or an index that is read here.

``HOST:PORT`` is a server on loopback, or one that shows a certificate of its name; ``unix:PATH`` one on this machine;
``FINGERPRINT@HOST:PORT`` or ``NAME@HOST:PORT`` one anywhere, NAME being our own for a peer or an origin.  A path that
exists is an index; it is opened to read only, so nothing in it is made again.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path

from weft.cli._options import own_origin
from weft.client.client import Client, connect
from weft.core.signing import fingerprint, parse_fingerprint
from weft.errors import AnswerError, PolicyError, UsageError, WeftError
from weft.index.common_view import build_common_view
from weft.index.index import Index
from weft.index.tree_reader import TreeReader
from weft.index.view import View
from weft.model import CommonSummary, ThreadDigest
from weft.policy.files import config_path, load_policy
from weft.policy.rules import Policy
from weft.store.sqlite_errors import explained
from weft.thread_tree import ThreadTree, to_bytes, to_text
from weft.tls.address import is_local
from weft.wire.limits import TREES_IDS

_PAGE = 4000


class OwnKeyError(PolicyError):
    """The policy has a row for the origin of the index that it was given for: it is that of another one."""


class ServerSide:
    """A server; the client checks what it sends, and nothing of that is signed."""

    def __init__(self, name: str, client: Client) -> None:
        self.name = name
        self.origin = client.status().origin
        self._client = client
        with self._named():
            self.summary = client.common_view()

    def digests(self) -> Iterator[ThreadDigest]:
        """Its trees as they are by now."""
        with self._named():
            digests = self._client.digests()
            self.summary = digests.summary
            yield from digests

    def trees(self, ids: Sequence[str]) -> Iterator[ThreadTree]:
        """The trees of some ids; one may come twice."""
        with self._named():
            for start in range(0, len(ids), TREES_IDS):
                yield from self._client.trees(ids[start : start + TREES_IDS], self.summary.version)

    @contextmanager
    def _named(self) -> Iterator[None]:
        """An answer that cannot be is this server's, not the other one's."""
        try:
            yield
        except AnswerError as error:
            raise AnswerError(f"{self.name}: {error}") from None


class IndexSide:
    """An index on this machine, as it is now."""

    def __init__(self, name: str, index: Index) -> None:
        self.name = name
        self.origin = index.fingerprint
        self._index = index
        with self._reading():
            self._common = common = build_common_view(View(index.store, index.policy))
        self.summary = CommonSummary(common.identity.hex(), len(common.roots), common.position, common.version)

    def digests(self) -> Iterator[ThreadDigest]:
        """Its trees."""
        common = self._common
        for start in range(0, len(common.roots), _PAGE):
            with self._reading():
                page = common.threads(self._index.store, start, _PAGE)
            yield from (ThreadDigest(to_text(root), digest.hex()) for root, digest in page)

    def trees(self, ids: Sequence[str]) -> Iterator[ThreadTree]:
        """The trees of some ids."""
        reader = TreeReader(self._index.store, self._common)
        with self._reading():
            roots = reader.roots([to_bytes(name) for name in ids])
        for root in roots:
            with self._reading():
                tree = reader.tree(root)
            yield tree

    @contextmanager
    def _reading(self) -> Iterator[None]:
        """All that is read inside is of one moment."""
        store = self._index.store
        with explained(store.path):
            store.connection.execute("BEGIN")
            try:
                yield
            finally:
                store.connection.execute("ROLLBACK")


def open_side(stack: ExitStack, text: str, policy: str | None, index: Path, names: Policy) -> ServerSide | IndexSide:
    """The side that ``text`` means.

    ``policy``: the file with that of an index; ``index``: ours, which says who we are to servers that want to know;
    ``names``: who is called what.
    """
    path = Path(text)
    if path.exists():
        opened = _open(path, policy)
        return IndexSide(text, stack.enter_context(opened))
    who, at, address = text.rpartition("@")
    if ":" not in address:
        raise UsageError(f"{text!r} is neither an index that is there nor an address; give a path, or HOST:PORT")
    known = _fingerprint(who, names) if at else None
    own = index if index.exists() and (known is not None or not is_local(address)) else None
    return ServerSide(address, stack.enter_context(connect(address, fingerprint=known, index=own)))


def _open(path: Path, policy: str | None) -> Index:
    try:
        return Index.open(path, policy=policy, create=False, read_only=True)
    except PolicyError as error:
        if _has_row_for(config_path(policy), own_origin(path)):
            raise OwnKeyError(str(error)) from error
        raise


def _has_row_for(policy: Path, own: bytes | None) -> bool:
    try:
        read = load_policy(policy, None)
    except WeftError:
        return False
    return own in read.origins or own in read.peers


def known_names(config: str | None, index: Path) -> Policy:
    """Our policy, for the names in it, but not for our own, which says nothing here; an empty one if there is none."""
    try:
        return replace(load_policy(config_path(config), own_origin(index)), own=None)
    except WeftError:  # whoever only compares others needs no policy
        return Policy()


def _fingerprint(who: str, names: Policy) -> str:
    called = {row.name: key for key, row in names.origins.items()} | {row.name: key for key, row in names.peers.items()}
    found = called.get(who) if who else None
    if found is not None:
        return fingerprint(found)
    try:
        return fingerprint(parse_fingerprint(who))
    except ValueError as error:
        raise UsageError(f"{who!r} names no server ({error})") from None
