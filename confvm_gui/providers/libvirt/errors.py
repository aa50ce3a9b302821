"""libvirt's errors in the console's words. The one place where they are mapped.

libvirt's own wording is kept in every message: it is what an administrator searches for.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from confvm_gui.domain.errors import (
    BugError,
    CapacityExceeded,
    ConfvmError,
    InvalidInput,
    NameTaken,
    NotFound,
    StoreFull,
    Transient,
    Unsupported,
    WrongState,
)

if TYPE_CHECKING:
    from libvirt import libvirtError

INSTALL: Final = (
    "libvirt's library is not installed: install libvirt0 on Debian and Ubuntu, libvirt-libs on SUSE and Red Hat"
    if getattr(sys, "frozen", False)  # an installed bundle has the binding, and takes the library from the system
    else "The Python binding of libvirt is not installed: pip install 'confvm-console[libvirt]' "
    "(it needs libvirt's headers: libvirt-dev on Debian and Ubuntu, libvirt-devel on SUSE and Red Hat)"
)

_BANNER: Final = re.compile(r"@{3,}")
"""ssh frames its warnings with them."""
_SPACE: Final = re.compile(r"\s+")
_NO_ROOM: Final = re.compile(r"cannot allocate memory|out of memory|cannot set up guest memory", re.IGNORECASE)
_DISK_FULL: Final = re.compile(r"no space left on device|not enough free space|disk quota exceeded", re.IGNORECASE)
_BROKEN: Final = re.compile(
    r"client socket is closed|connection (?:was )?reset|broken pipe|end of file while reading|"
    r"keepalive|cannot recv data|cannot write data|connection closed|not connected",
    re.IGNORECASE,
)

_OPENING: Final[tuple[tuple[re.Pattern[str], str], ...]] = tuple(
    (re.compile(pattern, re.IGNORECASE), sentence)
    for pattern, sentence in (
        (
            r"host key is known for|No matching host key fingerprint|authenticity of host",
            "The host key of {host} is not known yet: connect once with ssh, compare its fingerprint and accept it",
        ),
        (
            r"REMOTE HOST IDENTIFICATION HAS CHANGED|host key for .* has changed|Host key verification failed",
            "The host key of {host} is not the known one: find out why before you connect, then renew its line "
            "in known_hosts",
        ),
        (
            r"authentication failed|Permission denied \(|authentication unavailable|access denied by policy|"
            r"polkit|Too many authentication failures",
            "{host} does not accept you: check your key or your membership in the group libvirt",
        ),
        (
            r"Could not resolve hostname|unable to resolve|Name or service not known|"
            r"Temporary failure in name resolution",
            "There is no host named {host}",
        ),
        (
            r"No route to host|Network is unreachable|Connection timed out|Operation timed out",
            "{host} cannot be reached",
        ),
        (
            r"connect to host .* Connection refused|unable to connect to server",
            "{host} refuses the connection: check that it is switched on and takes connections",
        ),
        (
            r"Failed to connect socket|No such file or directory|Connection refused",
            "The libvirt daemon of {host} does not run: start it with `systemctl start libvirtd` or `virtqemud.socket`",
        ),
        (
            r"Permission denied",
            "You may not use the libvirt daemon of {host}: join the group libvirt, or connect to qemu:///session",
        ),
        (r"no connection driver available|unsupported|unknown transport", "{host} has no such hypervisor"),
    )
)


def opening_error(error: libvirtError, host: str) -> ConfvmError:
    """What an attempt to connect failed of."""
    said = wording(error)
    for pattern, sentence in _OPENING:
        if pattern.search(said):
            return Transient(f"{sentence.format(host=host)} (libvirt: {said})")
    return Transient(f"There is no connection to {host} (libvirt: {said})")


def call_error(error: libvirtError, host: str) -> ConfvmError:
    """What a call on an open connection failed of."""
    import libvirt

    said = wording(error)
    code = error.get_error_code()
    if breaks_connection(error):
        return Transient(f"The connection to {host} broke off (libvirt: {said})")
    if _DISK_FULL.search(said):
        return StoreFull(f"{host} has no space left on its disk (libvirt: {said})")
    if code == libvirt.VIR_ERR_NO_MEMORY or _NO_ROOM.search(said):
        return CapacityExceeded(f"{host} has not enough free memory (libvirt: {said})")
    if code == libvirt.VIR_ERR_OPERATION_FAILED and "already exists with uuid" in said:
        return NameTaken("name", f"{host} has an instance of this name already (libvirt: {said})")
    makers: dict[int, Callable[[str], ConfvmError]] = {
        libvirt.VIR_ERR_NO_DOMAIN: lambda text: NotFound(f"This instance does not exist any more on {host} ({text})"),
        libvirt.VIR_ERR_NO_DOMAIN_SNAPSHOT: lambda text: NotFound(f"There is no such snapshot ({text})"),
        libvirt.VIR_ERR_NO_STORAGE_POOL: lambda text: NotFound(f"{host} has no such storage pool ({text})"),
        libvirt.VIR_ERR_NO_STORAGE_VOL: lambda text: NotFound(f"{host} has no such volume ({text})"),
        libvirt.VIR_ERR_NO_NETWORK: lambda text: NotFound(f"{host} has no such network ({text})"),
        libvirt.VIR_ERR_DOM_EXIST: lambda text: NameTaken("name", f"{host} has this instance already ({text})"),
        libvirt.VIR_ERR_OPERATION_INVALID: lambda text: WrongState(f"The instance's state does not allow it ({text})"),
        libvirt.VIR_ERR_NO_SUPPORT: lambda text: Unsupported(f"{host} cannot do this ({text})"),
        libvirt.VIR_ERR_CONFIG_UNSUPPORTED: lambda text: Unsupported(f"{host} cannot do this ({text})"),
        libvirt.VIR_ERR_OPERATION_UNSUPPORTED: lambda text: Unsupported(f"{host} cannot do this ({text})"),
        libvirt.VIR_ERR_ARGUMENT_UNSUPPORTED: lambda text: Unsupported(f"{host} cannot do this ({text})"),
        libvirt.VIR_ERR_ACCESS_DENIED: lambda text: Unsupported(f"{host} does not allow you to do this ({text})"),
        libvirt.VIR_ERR_OPERATION_DENIED: lambda text: Unsupported(f"{host} does not allow you to do this ({text})"),
        libvirt.VIR_ERR_XML_ERROR: lambda text: InvalidInput("name", f"{host} does not accept the definition ({text})"),
        libvirt.VIR_ERR_OPERATION_TIMEOUT: lambda text: Transient(f"{host} is busy: try again ({text})"),
    }
    make = makers.get(code if code is not None else -1)
    if make is not None:
        return make(f"libvirt: {said}")
    return Transient(f"{host} could not do this (libvirt: {said})")


def breaks_connection(error: libvirtError) -> bool:
    """Whether the connection is of no use any more."""
    import libvirt

    code, domain = error.get_error_code(), error.get_error_domain()
    if code == libvirt.VIR_ERR_INVALID_CONN:
        return True
    if domain not in (libvirt.VIR_FROM_RPC, libvirt.VIR_FROM_REMOTE):
        return False
    return code in (libvirt.VIR_ERR_INTERNAL_ERROR, libvirt.VIR_ERR_SYSTEM_ERROR) and bool(
        _BROKEN.search(wording(error))
    )


def wording(error: libvirtError) -> str:
    """What libvirt said, in one line; of ssh's long warnings what names the cause."""
    said = _SPACE.sub(" ", _BANNER.sub(" ", error.get_error_message() or str(error))).strip()
    return said if len(said) <= 300 else f"{said[:140].rstrip()} … {said[-140:].lstrip()}"


def misuse(error: BaseException) -> BugError:
    """An assumption of ours about the binding did not hold."""
    return BugError(f"A call of libvirt was not made as it must be: {type(error).__name__}")
