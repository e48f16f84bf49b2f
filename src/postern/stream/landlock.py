"""Files, ports and signals that a process denies itself for good, where the kernel can (Landlock).

Linux 5.13 and later, landlock(7); connections since 6.7, signals since 6.12. The numbers are those
of `linux/landlock.h`; the system calls have the same ones on every architecture.
"""

import ctypes
import os
import struct
from collections.abc import Collection
from pathlib import Path

_CREATE_RULESET, _ADD_RULE, _RESTRICT_SELF = 444, 445, 446
_CREATE_RULESET_VERSION = 1
_RULE_PATH_BENEATH, _RULE_NET_PORT = 1, 2
#: LANDLOCK_ACCESS_FS_*: execute, write, read a file, read a folder; then remove and make things.
_WRITE_FILE, _READ_FILE, _READ_FOLDER = 1 << 1, 1 << 2, 1 << 3
_FILES_OF_VERSION = {1: (1 << 13) - 1, 2: (1 << 14) - 1, 3: (1 << 15) - 1, 5: (1 << 16) - 1}
_IOCTL_DEVICE = 1 << 15
#: LANDLOCK_ACCESS_NET_BIND_TCP and _CONNECT_TCP.
_BIND_TCP, _CONNECT_TCP = 1 << 0, 1 << 1
#: LANDLOCK_SCOPE_ABSTRACT_UNIX_SOCKET and _SIGNAL.
_ABSTRACT_SOCKETS, _SIGNALS = 1 << 0, 1 << 1
_FIRST_WITH_NETWORK, _FIRST_WITH_SCOPES = 4, 6


def deny_files(
    devices: Collection[Path], ports: Collection[int], code: Collection[Path] = ()
) -> bool:
    """Denies this thread, and whatever it starts, every file, every new TCP connection, and signals
    to any other process.

    What is open stays open. PR_SET_NO_NEW_PRIVS has to be set.

    Args:
        devices: What it may open all the same, for reading and writing.
        ports: Ports that it may connect to all the same, at whichever host.
        code: Folders and files that it may read all the same.

    Returns:
        Whether the kernel does so at all; one that does not denies nothing.
    """
    library = ctypes.CDLL(None, use_errno=True)
    version = library.syscall(_CREATE_RULESET, None, 0, _CREATE_RULESET_VERSION)
    if version < 1:
        return False
    files = _FILES_OF_VERSION[max(known for known in _FILES_OF_VERSION if known <= version)]
    network = _BIND_TCP | _CONNECT_TCP if version >= _FIRST_WITH_NETWORK else 0
    rules = _rules(version, files, network)
    ruleset = library.syscall(_CREATE_RULESET, rules, len(rules), 0)
    if ruleset < 0:
        return False
    try:
        for path in devices:
            _allow(library, ruleset, path, (_READ_FILE | _WRITE_FILE | _IOCTL_DEVICE) & files)
        for path in code:
            # A right on folders is refused where it is asked for on a file.
            rights = _READ_FILE | (_READ_FOLDER if path.is_dir() else 0)
            _allow(library, ruleset, path, rights)
        for port in ports if network else ():
            rule = struct.pack("=QQ", _CONNECT_TCP, port)
            library.syscall(_ADD_RULE, ruleset, _RULE_NET_PORT, rule, 0)
        return bool(library.syscall(_RESTRICT_SELF, ruleset, 0) == 0)
    finally:
        os.close(ruleset)


def _rules(version: int, files: int, network: int) -> bytes:
    """What is denied, in as many words as this kernel knows."""
    if version >= _FIRST_WITH_SCOPES:
        return struct.pack("=QQQ", files, network, _ABSTRACT_SOCKETS | _SIGNALS)
    return struct.pack("=QQ", files, network) if network else struct.pack("=Q", files)


def _allow(library: ctypes.CDLL, ruleset: int, path: Path, rights: int) -> None:
    try:
        handle = os.open(path, os.O_PATH | os.O_CLOEXEC)
    except OSError:
        return  # It is not there; opening it will say so.
    try:
        rule = struct.pack("=Qi", rights, handle)
        library.syscall(_ADD_RULE, ruleset, _RULE_PATH_BENEATH, rule, 0)
    finally:
        os.close(handle)
