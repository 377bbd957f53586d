"""Making commits of bare repositories, as public-inbox has them.  It needs dulwich."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from dulwich.objects import Blob, Commit, ObjectID, Tree
from dulwich.refs import HEADREF
from dulwich.repo import Repo

_FILE, _DIRECTORY = 0o100644, 0o40000


def commit(path: Path, files: Mapping[bytes, bytes], parents: Sequence[ObjectID], seconds: int = 0) -> ObjectID:
    """A commit whose tree has just these files becomes the head of a repository, which is made if there is none."""
    if not (path / "HEAD").exists():
        path.mkdir(parents=True, exist_ok=True)
        Repo.init_bare(str(path)).close()
    with Repo(str(path)) as target:
        folders: dict[bytes, Tree] = {b"": Tree()}
        for name, data in files.items():
            blob = Blob.from_string(data)
            target.object_store.add_object(blob)
            folder, _, base = name.rpartition(b"/")
            folders.setdefault(folder, Tree()).add(base, _FILE, blob.id)
        for name, tree in folders.items():
            if name:
                target.object_store.add_object(tree)
                folders[b""].add(name, _DIRECTORY, tree.id)
        made = Commit()
        made.tree, made.parents, made.message = folders[b""].id, list(parents), b"\n"
        made.author = made.committer = b"a <a@b>"
        made.author_time = made.commit_time = seconds
        made.author_timezone = made.commit_timezone = 0
        for one in (folders[b""], made):
            target.object_store.add_object(one)
        target.refs[HEADREF] = made.id
        return made.id
