"""Limits of each client over HTTP: the same accounts as over gRPC (`weft.server.client_limits`)."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from starlette.types import Scope

from weft.server.client_limits import CALLS, ClientLedger
from weft.server.limited_client import CLIENT, LimitedClient
from weft.tls.client_address import FORWARDED, RemoteEnd, TrustedProxies, remote_end


@dataclass(frozen=True, slots=True)
class ClientGate:
    """Counts requests.  ``ledger``: the accounts; None: clients are not limited, as they are those of this machine."""

    ledger: ClientLedger | None
    proxies: TrustedProxies

    @contextmanager
    def admitted(self, scope: Scope) -> Iterator[None]:
        """A request is answered within; `weft.errors.OverloadedError` if its client has too many."""
        if self.ledger is None:
            yield
            return
        client = self.client_of(scope)
        self.ledger.begin(client, CALLS, time.monotonic())
        token = CLIENT.set(LimitedClient(client, self.ledger))
        try:
            yield
        finally:
            CLIENT.reset(token)
            self.ledger.end(client, CALLS)

    def client_of(self, scope: Scope) -> str:
        """The client behind a request."""
        name = FORWARDED.encode()
        forwarded = [value.decode("ascii", "replace") for key, value in scope["headers"] if key == name]
        return self.proxies.client_of(end_of(scope.get("client")), forwarded)


def end_of(client: tuple[str, int] | None) -> RemoteEnd | None:
    """The other end of a connection as ASGI names it; None if it is local."""
    if client is None:
        return None
    try:
        return remote_end(*client)
    except ValueError:
        return None
