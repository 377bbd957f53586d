"""``weft keys``: who we are, and never the key."""

from __future__ import annotations

import base64
import json

from tests.cli.server_home import Home
from weft.core.signing import fingerprint, public_key
from weft.key_file import load_key


def test_it_prints_the_fingerprint_and_the_path_and_not_the_key(story: Home) -> None:
    ran = story.weft("keys")
    key = load_key(story.path / "index.db.key")
    assert ran.text.splitlines() == [
        f"fingerprint  {fingerprint(public_key(key))}",
        f"key file     {story.path / 'index.db.key'}",
    ]
    secret = key.private_bytes_raw()
    everything = ran.text + story.weft("keys", "--json").text + "".join(ran.err)
    assert secret.hex() not in everything
    assert base64.b64encode(secret).decode() not in everything
    assert "PRIVATE" not in everything


def test_json_has_both(story: Home) -> None:
    found = json.loads(story.weft("keys", "--json").out)
    assert found["format"] == 1
    assert found["key_file"] == f"{story.index}.key"
    assert f"fingerprint  {found['fingerprint']}\n" in story.weft("keys").text


def test_without_a_key_it_says_how_to_get_one_and_makes_none(home: Home) -> None:
    ran = home.weft("keys")
    assert (ran.code, ran.out, len(ran.err)) == (1, b"", 1)
    assert "weft ingest" in ran.err[0]
    assert list(home.path.iterdir()) == []


def test_a_key_that_others_can_read_is_refused_with_what_to_do(story: Home) -> None:
    (story.path / "index.db.key").chmod(0o644)
    ran = story.weft("keys")
    assert (ran.code, len(ran.err)) == (1, 1)
    assert "chmod 600" in ran.err[0]


def test_another_index_has_another_key(story: Home, home: Home) -> None:
    assert story.weft("keys", "--index", home.index).code == 1
