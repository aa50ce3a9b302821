"""Who runs the console, and from where, as the operating system tells it.

Where the system can be asked (POSIX), nothing is taken from the environment, in which anybody may write any name.
"""

from __future__ import annotations

import getpass
import os
import socket
import sys
from functools import cache

from confvm_gui.domain.event import Origin

UNKNOWN = "unknown"


@cache
def current_user() -> str:
    """The operating system's name of whoever runs the console."""
    if sys.platform == "win32":
        try:
            return getpass.getuser()
        except (KeyError, OSError, ImportError):
            return UNKNOWN
    return user_name(os.getuid())


def user_name(uid: int) -> str:
    """The name of a user of this system; `uid:N` for one without an entry, as in some containers."""
    if sys.platform == "win32":
        return UNKNOWN
    import pwd

    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return f"uid:{uid}"


@cache
def current_groups() -> frozenset[str]:
    """Names of the groups of whoever runs the console; empty where the system has none."""
    if sys.platform == "win32":
        return frozenset()
    return _group_names((*os.getgroups(), os.getgid()))


def groups_of(uid: int) -> frozenset[str]:
    """Names of the groups of another user of this system."""
    if sys.platform == "win32":
        return frozenset()
    import pwd

    try:
        entry = pwd.getpwuid(uid)
        return _group_names(tuple(os.getgrouplist(entry.pw_name, entry.pw_gid)))
    except (KeyError, OSError):
        return frozenset()


def somebody_is(name: str, *, group: bool) -> bool:
    """Whether the system knows this user, or somebody in this group; True where it cannot be asked. Blocks."""
    if sys.platform == "win32":
        return True
    import grp
    import pwd

    try:
        if group:
            return bool(grp.getgrnam(name).gr_mem) or name in current_groups()
        pwd.getpwnam(name)
    except KeyError:
        return False
    return True


def origin(via: str) -> Origin:
    """Of this process; `via` is `window` or `cli`."""
    return Origin(
        user=current_user(),
        uid=None if sys.platform == "win32" else os.getuid(),
        host=_encodable(socket.gethostname()),
        process=os.getpid(),
        terminal=_terminal(),
        via=via,
    )


def _group_names(identifiers: tuple[int, ...]) -> frozenset[str]:
    if sys.platform == "win32":
        return frozenset()
    import grp

    names = set()
    for identifier in identifiers:
        try:
            names.add(grp.getgrgid(identifier).gr_name)
        except KeyError:
            continue
    return frozenset(names)


def _terminal() -> str:
    if sys.platform == "win32":
        return ""
    for descriptor in (0, 1, 2):
        try:
            return _encodable(os.ttyname(descriptor))
        except OSError:
            continue
    return ""


def _encodable(text: str) -> str:
    """Names of the system come with surrogates where they are not UTF-8, which no log holds."""
    return text.encode("utf-8", "replace").decode()
