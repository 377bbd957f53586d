"""The certificate that an authority has issued, and its key, as files that are renewed while the server runs.

The files are looked at for each connection.  Where they were changed and do not fit together, as in the middle of a
renewal, the pair before stays in use, and the log says why.
"""

from __future__ import annotations

import logging
import ssl
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from weft._files import FileMark, mark_of
from weft.errors import KeyFileError, WeftError
from weft.tls.identity import Identity

log = logging.getLogger("weft.tls")


class CertificateFiles:
    """A certificate with those of its issuers behind it (PEM), and its key (PEM, without a password)."""

    def __init__(self, certificate: Path, key: Path) -> None:
        """`KeyFileError` if they cannot be read or do not belong together."""
        self._paths = certificate, key
        self._marks = self._look()
        self._pair = self._read()

    def current(self) -> Identity:
        """The newest pair that fits together."""
        marks = self._look()
        if marks != self._marks:
            self._marks = marks
            try:
                self._pair = self._read()
                log.info("the certificate was renewed: %s", self._paths[0])
            except WeftError as error:
                log.warning("the certificate before stays in use: %s", error)
        return self._pair

    def _look(self) -> list[FileMark]:
        return [mark_of(path) for path in self._paths]

    def _read(self) -> Identity:
        certificate, key = (_read_file(path) for path in self._paths)
        _check_kind(self._paths[1], key)
        try:
            ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(*self._paths, password=lambda: b"")
        except (ssl.SSLError, ValueError) as error:
            reason = getattr(error, "reason", None) or error
            raise KeyFileError(f"{self._paths[0]}: no certificate of the key in {self._paths[1]}: {reason}") from None
        return Identity(key, certificate)


def _read_file(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise KeyFileError(f"{path}: cannot be read: {error.strerror or error}") from None


def _check_kind(path: Path, data: bytes) -> None:
    """gRPC's TLS takes keys of RSA and of the NIST curves only, and says nothing useful of others."""
    try:
        key = load_pem_private_key(data, None)
    except (ValueError, TypeError) as error:
        raise KeyFileError(f"{path}: no private key in PEM without a password: {error}") from None
    if not isinstance(key, (rsa.RSAPrivateKey, ec.EllipticCurvePrivateKey)):
        raise KeyFileError(f"{path}: gRPC takes no key of this kind; use one of RSA or of P-256")
