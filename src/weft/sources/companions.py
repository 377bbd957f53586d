"""Files and folders that lie beside mail and hold none: indexes, locks, pages, databases of mail programs.

They are told by their names, where their first bytes are not those of mail (`weft.sources.forms`), and passed over
without a word: that they are there is no fault.
"""

from __future__ import annotations

import re
from collections.abc import Collection

from weft._patterns import deferred

_FILES = deferred(
    r".*\.(?:msf|toc|html?|css|js|rss|json|db|db-(?:wal|shm|journal)|sqlite3?|sqlite3?-(?:wal|shm|journal)|pck|pickle"
    r"|lock|lck|index|idx|cmeta|ibex\.index(?:\.data)?|ev-summary(?:-meta)?|summary|glass|honey"
    r"|png|gif|jpe?g|svg|ico|pdf|asc|sig|md5|sha1|sha256|sha512|plist|overview)"
    r"|dovecot.*|courier.*|cyrus\..*|maildir(?:size|folder)|subscriptions|uidvalidity|uidlist|sieve|index\.[^.]*"
    r"|iam(?:glass|chert|flint|honey)|flintlock|replicas|(?:readme|licen[cs]e|copying|changelog|news)(?:\.(?:md|rst|txt))?"
    r"|(?:md5|sha1|sha256|sha512)sums?|desktop\.ini|thumbs\.db|interesting\.groups|active(?:\.[a-z]+)?|newsgroups"
    r"|msgmap\.sqlite3|over\.sqlite3|panacea\.dat|popstate\.dat|virtualfolders\.dat|msgfilterrules\.dat|.*~"
    r"|slrnpull\.conf|robots\.txt|sitemap\.xml|x-mailing-list.*\.pck|marc-feed"
    r"|.*\.(?:snm|wdseml|rdf|xml|atom|ini|url|lnk|pyc|cgi)|(?:index|manifest\.js|sitemap\.xml)(?:\.gz)?|checksums?"
    r"|table_of_contents|content_index|icon\r|descrip\.ion|foldersize\.dat|history(?:\.(?:dir|hash|index|pag))?",
    re.IGNORECASE | re.ASCII | re.DOTALL,
)
_FOLDERS = deferred(
    r"xap[0-9]+(?:skel)?|xapian(?:[-_.].*)?|.*\.mozmsgs|_vti_cnf|__pycache__|__MACOSX|lost\+found|\$RECYCLE\.BIN"
    r"|System Volume Information",
    re.IGNORECASE | re.ASCII | re.DOTALL,
)
_LEAFNODE = frozenset(("leaf.node", "interesting.groups", "failed.postings", "message.id"))
_PIPERMAIL = frozenset(("attachments", "database"))
_PERIODS = deferred(r".*\.txt(?:\.gz)?|index\.html|pipermail\.pck", re.ASCII | re.DOTALL)


def is_companion_file(name: str) -> bool:
    """Whether a file of this name lies beside mail and holds none."""
    return _FILES.fullmatch(name) is not None


def is_companion_folder(name: str, folders: Collection[str], files: Collection[str]) -> bool:
    """Whether a folder does, of which the names of its siblings are given.

    ``attachments`` of a Mailman 2 archive hold what was cut out of its mail; ``message.id`` of leafnode holds the same
    articles once more.
    """
    if name in _PIPERMAIL:
        return any(map(_PERIODS.fullmatch, files))
    if name in ("message.id", "leaf.node", "failed.postings", "interesting.groups", "temp.files", "out.going"):
        return len(_LEAFNODE.intersection(folders)) > 1
    return _FOLDERS.fullmatch(name) is not None
