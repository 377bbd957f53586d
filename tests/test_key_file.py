"""The file of the origin's key: made once, refused when others may read it, never written over."""

from __future__ import annotations

import os
import re
import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

from weft import Index
from weft.core.signing import public_key
from weft.errors import KeyFileError
from weft.key_file import load_key, load_or_create_key
from weft.policy.files import key_path
from weft.policy.rules import Policy


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "data" / "key.pem"


def put(path: Path, data: bytes, mode: int = 0o600) -> None:
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(data)
    path.chmod(mode)


def test_a_key_is_made_once_and_then_stays(path: Path) -> None:
    made = load_or_create_key(path)
    data = path.read_bytes()
    assert public_key(load_or_create_key(path)) == public_key(made) == public_key(load_key(path))
    assert path.read_bytes() == data
    assert data.startswith(b"-----BEGIN PRIVATE KEY-----")
    assert os.listdir(path.parent) == ["key.pem"]


@pytest.mark.parametrize("umask", [0, 0o077, 0o777])
def test_only_the_owner_may_use_a_new_key_whatever_the_umask(path: Path, umask: int) -> None:
    path.parent.mkdir()
    before = os.umask(umask)
    try:
        load_or_create_key(path)
    finally:
        os.umask(before)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_two_indexes_have_two_keys(path: Path) -> None:
    assert public_key(load_or_create_key(path)) != public_key(load_or_create_key(path.with_name("other.pem")))


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620, 0o601, 0o666])
def test_a_key_that_others_may_use_is_refused_with_what_to_do(path: Path, mode: int) -> None:
    load_or_create_key(path)
    path.chmod(mode)
    with pytest.raises(KeyFileError, match=rf"others may use this key; .*run: chmod 600 {re.escape(str(path))}$"):
        load_or_create_key(path)
    path.chmod(0o400)
    load_or_create_key(path)


def _pem_of_another_kind() -> bytes:
    key = generate_private_key(SECP256R1())
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def _pem_with_password(path: Path) -> bytes:
    key = load_or_create_key(path.with_name("plain.pem"))
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"secret"))


def test_what_is_there_is_never_written_over(path: Path) -> None:
    good = load_or_create_key(path).private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    cases = [
        (b"", "the key file is empty"),
        (b"\n", "the key file is empty"),
        (b"not a key", "not a private key in PEM"),
        (good[:60], "not a private key in PEM"),
        (good.replace(b"PRIVATE", b"PUBLIC"), "not a private key in PEM"),
        (_pem_with_password(path), "not a private key in PEM without a password"),
        (_pem_of_another_kind(), "not of Ed25519"),
        (b"x" * 1_000_000, "not a private key in PEM"),
    ]
    for data, reason in cases:
        put(path, data)
        with pytest.raises(KeyFileError, match=reason) as caught:
            load_or_create_key(path)
        assert "restore it from a backup, or move it away" in str(caught.value)
        assert "\n" not in str(caught.value)
        assert path.read_bytes() == data


def test_a_directory_or_a_pipe_is_no_key_and_does_not_hang(path: Path) -> None:
    path.mkdir(parents=True)
    with pytest.raises(KeyFileError):
        load_or_create_key(path)
    pipe = path.parent / "pipe"
    os.mkfifo(pipe, 0o600)
    with pytest.raises(KeyFileError, match="not a regular file"):
        load_or_create_key(pipe)


def test_a_place_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(KeyFileError, match=r"cannot .* the key: Not a directory"):
        load_or_create_key(tmp_path / "file" / "key.pem")
    dangling = tmp_path / "dangling"
    dangling.symlink_to(tmp_path / "nowhere")
    with pytest.raises(KeyFileError, match="cannot make the key"):
        load_or_create_key(dangling)
    assert dangling.is_symlink()


def test_of_many_at_once_one_makes_the_key_and_all_use_it(path: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        keys = list(pool.map(lambda _: public_key(load_or_create_key(path)), range(16)))
    assert len(set(keys)) == 1
    assert os.listdir(path.parent) == ["key.pem"]


def test_a_crash_before_the_link_leaves_no_key_and_the_next_start_makes_one(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_link(source: Path, target: Path) -> None:
        load_pem_private_key(source.read_bytes(), password=None)
        assert not target.exists()
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "link", no_link)
        with pytest.raises(KeyFileError, match="cannot make the key: No space left on device"):
            load_or_create_key(path)
    assert os.listdir(path.parent) == []
    load_or_create_key(path)


def test_a_service_manager_hands_the_key_over(path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """systemd gives its user access by an access list, which looks as if the group might read."""
    handed = tmp_path / "credentials" / "weft.key"
    key = public_key(load_or_create_key(handed))
    index = tmp_path / "data" / "index.db"
    assert key_path(index) == tmp_path / "data" / "index.db.key"
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(handed.parent))
    handed.chmod(0o440)
    assert key_path(index) == handed
    with Index.open(index, policy=Policy()) as opened:
        assert opened.origin == key
    assert sorted(file.name for file in index.parent.glob("*.key")) == []
    put(path, handed.read_bytes(), 0o440)
    with pytest.raises(KeyFileError, match="others may use this key"):
        load_key(path)
    handed.chmod(0o444)
    with pytest.raises(KeyFileError, match="others may use this key"):
        load_key(handed)


def test_another_key_that_is_handed_over_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    index = tmp_path / "index.db"
    Index.open(index, policy=Policy()).close()
    load_or_create_key(tmp_path / "credentials" / "weft.key")
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(tmp_path / "credentials"))
    with pytest.raises(KeyFileError, match="another credential is handed over"):
        Index.open(index, policy=Policy())
