"""Units for systemd: the server, and what puts mail into its index.

Both run as one user, who exists only while they do, and share its folder ``/var/lib/weft``.  They can write nowhere
else, and do not see the homes of people, but for the mail there, nor ``/tmp``.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from pathlib import Path

from weft.errors import UsageError

_HIDDEN = ("/home", "/root", "/run/user", "/tmp", "/var/tmp")  # noqa: S108 - these are not written to
"""What ``ProtectHome`` and ``PrivateTmp`` keep from a unit."""

_SERVER = """\
[Unit]
Description=Weft, a distributed mail-thread index
Documentation=man:systemd.exec(5)
After=network-online.target
Wants=network-online.target

[Service]
Type=notify
ExecStart={command}
ExecReload={check}
ExecReload=/bin/kill -HUP $MAINPID
Restart=on-failure
RestartSec=5
# The view of a changed policy is made before the server listens, which takes a minute for a million messages.
TimeoutStartSec=infinity
TimeoutStopSec=45
WatchdogSec=90
{sandbox}
[Install]
WantedBy=multi-user.target
"""

_INGEST = """\
[Unit]
Description=Weft: mail into the index
Documentation=man:systemd.exec(5)

[Service]
Type=exec
ExecStart={command}
Restart=on-failure
RestartSec=5
{sandbox}
[Install]
WantedBy=multi-user.target
"""

_SANDBOX = """\
DynamicUser=yes
User=weft
StateDirectory=weft
StateDirectoryMode=0700
UMask=0077
Environment=WEFT_INDEX=%S/weft/index.db
Environment=WEFT_CONFIG=/etc/weft/config.toml
LimitNOFILE=16384

NoNewPrivileges=yes
CapabilityBoundingSet=
AmbientCapabilities=
PrivateTmp=yes
PrivateDevices=yes
PrivateUsers=yes
ProtectSystem=strict
ProtectHome={home}
ProtectProc=invisible
ProcSubset=pid
ProtectClock=yes
ProtectHostname=yes
ProtectKernelTunables=yes
ProtectKernelModules=yes
ProtectKernelLogs=yes
ProtectControlGroups=yes
RestrictAddressFamilies=AF_INET AF_INET6 AF_UNIX
RestrictNamespaces=yes
RestrictRealtime=yes
RestrictSUIDSGID=yes
LockPersonality=yes
RemoveIPC=yes
SystemCallArchitectures=native
SystemCallFilter=@system-service
SystemCallFilter=~@privileged @resources
SystemCallErrorNumber=EPERM
"""


def server_unit(options: Sequence[str]) -> str:
    """The server, with these options."""
    return _SERVER.format(
        command=_command("serve", *options), check=_command("check-config"), sandbox=_SANDBOX.format(home="yes")
    )


def ingest_unit(paths: Sequence[str]) -> str:
    """``weft ingest --watch`` of each ``LIST=PATH``."""
    for path in paths:
        if not path.partition("=")[2].startswith("/"):
            raise UsageError(f"--ingest {path}: give LIST=PATH, with a path that begins with /")
    return _INGEST.format(command=_command("ingest", "--watch", *paths), sandbox=_SANDBOX.format(home="read-only"))


def lmtp_unit(options: Sequence[str]) -> str:
    """``weft lmtp`` with these options; its socket may lie in ``/run/weft``."""
    sandbox = "RuntimeDirectory=weft\nRuntimeDirectoryMode=0750\n" + _SANDBOX.format(home="yes")
    return _INGEST.format(command=_command("lmtp", *options), sandbox=sandbox)


def hidden() -> Path | None:
    """What of this program a unit cannot see: the interpreter, as it is called or where it lies, or the package."""
    used = [Path(sys.executable), Path(sys.executable).resolve(), Path(__file__).resolve()]
    return next((path for path in used if any(path.is_relative_to(folder) for folder in _HIDDEN)), None)


def _command(*arguments: str) -> str:
    script = Path(sys.executable).with_name("weft")
    program = [str(script)] if os.access(script, os.X_OK) else [sys.executable, "-m", "weft"]
    words = [*program, *arguments]
    if any(not word.isprintable() or set(word) & set("%$\\\"' ") for word in words):
        raise UsageError("a word with white space, quotes, % or $ cannot stand in a unit")
    return " ".join(words)
