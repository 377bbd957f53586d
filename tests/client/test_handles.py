"""Handles and search operators in calls to a server: what the index takes, the wire takes."""

from __future__ import annotations

import pytest

import weft
from tests.cli.command_runner import ROOT
from tests.server.server_harness import Served
from weft.core.handle import handle_letters
from weft.errors import NotFoundError, UsageError, WeftError

HANDLE = f"~{handle_letters(ROOT.encode())[:5]}"


@pytest.mark.parametrize("verify", [False, True])
def test_a_handle_names_a_message_in_every_call_that_takes_an_id(shared: Served, verify: bool) -> None:
    with weft.connect(shared.address, verify=verify) as peer:
        for name in (HANDLE, HANDLE[1:].upper()):
            assert peer.thread(name) == peer.thread(ROOT)
            assert peer.explain(name) == peer.explain(ROOT)
        with pytest.raises(NotFoundError):
            peer.thread("~aaaaa")


def test_urls_are_not_looked_for_in_all_claims_for_a_client(shared: Served) -> None:
    with weft.connect(shared.address) as peer, pytest.raises(NotFoundError):
        peer.thread("https://archive.example/1")


def test_the_operators_of_a_search_are_those_of_the_command(shared: Served) -> None:
    with weft.connect(shared.address) as peer:
        found = [one.message_id for one in peer.search("thread* -boilerplate list:drafts")]
        assert found == [one.message_id for one in peer.search("thread* -boilerplate", list_name="drafts")]
        assert found
        assert {one.root for one in peer.search(f"re thread:{HANDLE}")} == {ROOT}
        with pytest.raises(WeftError, match="there is no operator form:") as raised:
            peer.search("form:ada")
    assert isinstance(raised.value, UsageError)
