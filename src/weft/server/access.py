"""Who may call a server off loopback: everybody, or only origins whose policy row lets them read everything.

Theory of operation
-------------------
An answer shows the whole view and not some feeds of it, so there are two kinds of servers.  A **public** one asks its
callers for nothing; all that its index admits must be declared public in its policy, and a policy that is changed
while it runs and says so no longer lets nobody in.  Any other one asks for a certificate that is bound to an origin,
and looks up the row of that origin for each call.

The server shows its own certificate, which clients pin by its fingerprint, or one that an authority has issued.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import grpc

from weft._text import some_of
from weft.core.feed import Lists
from weft.core.signing import fingerprint
from weft.errors import DeniedError, KeyFileError, PolicyError
from weft.policy.feed_ranges import FeedRanges, undeclared
from weft.policy.rules import Policy
from weft.tls.certificate_files import CertificateFiles
from weft.tls.identity import caller, load_or_make_identity
from weft.tls.transport import server_credentials

_NAMED = 5
"""So many lists are named that are not public."""

OwnLists = Callable[[], Iterable[bytes]]
"""The lists of our own that the index holds."""


class Access:
    """How a server speaks, and with whom.

    ``credentials``: None for plain text.
    """

    def __init__(
        self,
        policy: Callable[[], Policy],
        *,
        credentials: grpc.ServerCredentials | None,
        public: OwnLists | None = None,
    ) -> None:
        """``public``: anybody may read, as long as all is declared public; `PolicyError` if something is not."""
        self._policy = policy
        self.credentials = credentials
        self._own_lists = public
        self._checked = policy()
        self._is_public = public is not None
        if public is not None:
            check_public(self._checked, public())

    def origin_of(self, context: Any) -> bytes | None:  # noqa: ANN401 - as below
        """The origin that calls, if it has a row in the policy: anybody can make any number of others."""
        if self.credentials is None or self._own_lists is not None:
            return None
        try:
            origin = caller(context)
        except DeniedError:
            return None
        return origin if origin in self._policy().peers else None

    def authorize(self, context: Any) -> None:  # noqa: ANN401 - `grpc.aio.ServicerContext`
        """`DeniedError` unless whoever calls may read."""
        policy = self._policy()
        if self._own_lists is not None:
            self._check_public(policy, self._own_lists)
        elif self.credentials is not None:
            row = policy.peers.get(caller(context))
            if row is None or not row.may_read.everything:
                raise DeniedError("the policy of this server does not let you read everything")

    def check_public(self) -> None:
        """`DeniedError` if the server is public and its policy, as it is now, is not."""
        if self._own_lists is not None:
            self._check_public(self._policy(), self._own_lists)

    def _check_public(self, policy: Policy, own_lists: OwnLists) -> None:
        """Look at each policy once: its lists are all that its view shows, whatever else comes into the index."""
        if policy is not self._checked:
            try:
                check_public(policy, own_lists())
                self._is_public = True
            except PolicyError:
                self._is_public = False
            self._checked = policy
        if not self._is_public:
            raise DeniedError("this server is not public now")


def client_credentials(index: Path, files: CertificateFiles | None, *, public: bool) -> grpc.ServerCredentials:
    """Of a server for clients: it shows the certificate in ``files``, or that of the index."""
    if files is not None:
        return server_credentials(files.current, public=public)
    try:
        identity = load_or_make_identity(index)
    except FileNotFoundError as error:
        missing = f"{error.filename}: the key of this index is missing, which signs its certificate"
        raise KeyFileError(missing, advice="show one of an authority: --tls-cert, --tls-key") from None
    return server_credentials(lambda: identity, public=public)


def check_public(policy: Policy, own_lists: Iterable[bytes]) -> None:
    """`PolicyError` that names what an index has, or its policy admits, and does not declare public."""
    left = undeclared(policy, own_lists)
    if policy.public is not None and not left:
        return
    names = _names(left, policy.own)
    some = some_of(names, _NAMED)
    raise PolicyError(
        f"not everything here is declared public: {some or 'the policy has no line public = [...]'}; name these feeds "
        "in the policy under public, or keep them in an index of their own"
    )


def _names(feeds: FeedRanges, own: bytes | None) -> list[str]:
    """As a policy writes them."""
    found = []
    for origin, lists in feeds.lists.items():
        name = "own" if origin == own else fingerprint(origin)
        found += _patterns(name, lists)
    return sorted(found)


def _patterns(name: str, lists: Lists) -> list[str]:
    if lists.all_but:
        return [name]
    return [f"{name}/{one.decode()}" for one in sorted(lists.names)]
