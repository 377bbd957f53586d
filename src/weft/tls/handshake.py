"""A first handshake with a server: to get its certificate, and to know why one does not succeed.

gRPC says of most handshakes that fail no more than that the socket was closed.
"""

from __future__ import annotations

import socket
import ssl

from weft.core.signing import fingerprint, parse_fingerprint
from weft.errors import DeniedError, UnreachableError, UsageError
from weft.tls.address import join_address
from weft.tls.identity import NAME, origin_of

SECONDS = 10.0


def fetch_certificate(
    address: tuple[str, int], pinned: str, seconds: float = SECONDS, *, anonymous: bool = False
) -> bytes:
    """The certificate (PEM) of the server with the fingerprint ``pinned`` at an address.

    ``anonymous``: we are about to show nothing.  `DeniedError` if another server answers there, or one that wants to
    know who we are; `UnreachableError` if nothing does.
    """
    try:
        origin = parse_fingerprint(pinned)
    except ValueError as error:
        raise UsageError(f"{pinned!r} is not a fingerprint: {error}") from None
    certificate = _handshake(address, _unchecked(), NAME, seconds, anonymous=anonymous)
    if origin_of(certificate) != origin:
        raise DeniedError(f"{join_address(*address)}: another server answers there than {pinned}")
    return certificate


def check_certificate(
    address: tuple[str, int], roots: bytes | None, seconds: float = SECONDS, *, anonymous: bool = False
) -> None:
    """Whether a server shows a certificate of its name, issued by an authority in ``roots`` (PEM).

    ``anonymous``: we are about to show nothing.  Errors are as those of `fetch_certificate`.
    """
    settings = ssl.create_default_context(cadata=roots.decode("ascii", "replace") if roots else None)
    settings.set_alpn_protocols(["h2"])
    try:
        _handshake(address, settings, address[0], seconds, anonymous=anonymous)
    except ssl.SSLCertVerificationError as error:
        raise DeniedError(
            f"{join_address(*address)}: its certificate is not trusted here: {error.verify_message}{_whose(address)}"
        ) from None


def _whose(address: tuple[str, int]) -> str:
    """What to do, if the certificate is bound to an origin."""
    try:
        origin = origin_of(_handshake(address, _unchecked(), NAME, SECONDS, anonymous=False))
    except (DeniedError, UnreachableError):
        return "; name its authority, or pin the fingerprint of the server"
    return f"; it is that of the origin {fingerprint(origin)}: give this fingerprint if it is whom you mean"


def _unchecked() -> ssl.SSLContext:
    """Takes any certificate: the binding in it is what is verified."""
    settings = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    settings.check_hostname = False
    settings.verify_mode = ssl.CERT_NONE
    settings.set_alpn_protocols(["h2"])
    return settings


def _handshake(
    address: tuple[str, int], settings: ssl.SSLContext, name: str, seconds: float, *, anonymous: bool
) -> bytes:
    """The certificate (PEM) that is shown."""
    try:
        with (
            socket.create_connection(address, timeout=seconds) as plain,
            settings.wrap_socket(plain, server_hostname=name) as wrapped,
        ):
            shown = wrapped.getpeercert(binary_form=True) or b""
            if anonymous and not _goes_on(wrapped):
                raise DeniedError(
                    f"{join_address(*address)}: this server answers only those who show who they are; name the index "
                    "whose key has rights there"
                )
    except ssl.SSLCertVerificationError:
        raise
    except (OSError, ValueError) as error:
        raise UnreachableError(f"{join_address(*address)}: no server answers there: {error}") from None
    return ssl.DER_cert_to_PEM_cert(shown).encode()


def _goes_on(wrapped: ssl.SSLSocket) -> bool:
    """Whether a server begins with HTTP/2; one that wants a certificate sends an alert now, or hangs up (RFC 8446)."""
    try:
        return bool(wrapped.recv(1))
    except (ssl.SSLError, ConnectionError):
        return False
