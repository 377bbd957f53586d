"""The roots of the system: the authorities whose certificates this machine trusts.

gRPC for Python brings roots of its own and does not look at those of the system, so an authority that an operator has
added would not count.  They are read where OpenSSL would look (SSL_CERT_FILE, SSL_CERT_DIR), and at the places where
distributions keep them.
"""

from __future__ import annotations

import os
import ssl
from collections.abc import Iterator
from pathlib import Path

from weft.errors import UsageError

_BUNDLES = (
    "/etc/ssl/certs/ca-certificates.crt",  # Debian, Alpine
    "/etc/pki/tls/certs/ca-bundle.crt",  # Fedora
    "/etc/ssl/ca-bundle.pem",  # SUSE
    "/etc/ssl/cert.pem",  # BSD, macOS
)


def system_roots() -> bytes | None:
    """All of them (PEM); None if there are none, and gRPC's own count."""
    for path in _bundles():
        data = _read(path)
        if data:
            return data
    folder = Path(os.environ.get("SSL_CERT_DIR") or ssl.get_default_verify_paths().openssl_capath)
    try:
        return b"".join(filter(None, (_read(path) for path in sorted(folder.glob("*.[0-9]"))))) or None
    except OSError:
        return None


def roots_of(path: str | os.PathLike[str]) -> bytes:
    """Those in a file (PEM).  `UsageError` if it has none."""
    data = _read(Path(path))
    if not data:
        raise UsageError(f"{os.fspath(path)}: there is no certificate in PEM")
    return data


def _bundles() -> Iterator[Path]:
    named = os.environ.get("SSL_CERT_FILE")
    if named:
        yield Path(named)
        return
    yield Path(ssl.get_default_verify_paths().openssl_cafile)
    yield from map(Path, _BUNDLES)


def _read(path: Path) -> bytes | None:
    """A file with certificates."""
    try:
        data = path.read_bytes()
    except OSError:
        return None
    return data if b"-----BEGIN CERTIFICATE-----" in data else None
