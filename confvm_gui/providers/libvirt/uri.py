"""Addresses of libvirt hosts (libvirt's documentation: Connection URIs).

A connection is known by the provider name `libvirt-SLUG`; what a person sees is `QEMU on HOST (URI)`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final
from urllib.parse import SplitResult, parse_qsl, urlsplit, urlunsplit

from confvm_gui.domain.errors import InvalidInput

_DRIVERS: Final = ("qemu", "test")
_TRANSPORTS: Final = ("", "unix", "ssh", "libssh", "libssh2", "tls", "tcp")
_SLUG: Final = re.compile(r"[^a-z0-9]+")
_MAX_LENGTH: Final = 1024
_LOCAL_PATHS: Final = ("/system", "/session")


@dataclass(frozen=True, slots=True)
class HostAddress:
    """A checked connection URI."""

    uri: str
    """As libvirt is given it."""
    host: str
    """Name of the host for people: `this computer`, `db1.example.com`."""
    slug: str
    """Letters, digits and hyphens, from host and path: `db1-example-com-system`."""
    local: bool
    """Whether the daemon is on this computer."""
    title: str


def parse_uri(text: str) -> HostAddress:
    """Check a URI as it was typed.

    Raises InvalidInput("uri") with what is accepted. ssh is told never to ask on a terminal, which a window has not.
    """
    text = text.strip()
    if not text:
        raise InvalidInput("uri", "Give the address of a host, for example qemu+ssh://user@host/system")
    if len(text) > _MAX_LENGTH or any(ord(letter) < 0x21 or ord(letter) == 0x7F for letter in text):
        raise InvalidInput("uri", "The address has blanks or control characters, or is too long")
    try:
        parts = urlsplit(text)
        host = parts.hostname or ""
        port = parts.port
    except ValueError:
        raise InvalidInput("uri", "The address cannot be read: write it as qemu+ssh://user@host/system") from None
    driver, _, transport = parts.scheme.partition("+")
    if driver not in _DRIVERS:
        raise InvalidInput(
            "uri", "Only QEMU hosts can be used: the address starts with qemu: or qemu+ssh: (test: for trials)"
        )
    if transport not in _TRANSPORTS:
        raise InvalidInput("uri", f"libvirt knows no transport {transport!r}: use ssh, tls or none")
    if driver == "qemu" and parts.path not in _LOCAL_PATHS:
        raise InvalidInput("uri", "The address ends in /system (the host's machines) or /session (your own)")
    if transport in ("ssh", "libssh", "libssh2") and not host:
        raise InvalidInput("uri", "Name the host behind the two slashes: qemu+ssh://user@host/system")
    if host.startswith("-") or (parts.username or "").startswith("-"):
        raise InvalidInput("uri", "A host or user name does not start with a hyphen")
    if parts.password:
        raise InvalidInput("uri", "An address holds no password: use a key with ssh-agent")
    known = dict(parse_qsl(parts.query, keep_blank_values=True))
    if known.get("no_verify", "0") not in ("", "0"):
        raise InvalidInput(
            "uri",
            "The console does not talk to a host whose key is not checked: leave out no_verify and accept the "
            "host's key once with ssh",
        )
    if transport == "ssh" and "no_tty" not in known:
        query = f"{parts.query}&no_tty=1" if parts.query else "no_tty=1"
        parts = parts._replace(query=query)
    local = not host and transport in ("", "unix")
    shown = host if port is None else f"{host}:{port}"
    return HostAddress(
        uri=_unsplit(parts),
        host=shown or "this computer",
        slug=_slug(parts, host, known),
        local=local,
        title=f"{'QEMU' if driver == 'qemu' else 'Test driver'} on {shown or 'this computer'} ({text})",
    )


def _unsplit(parts: SplitResult) -> str:
    uri = urlunsplit(parts)
    # urlunsplit drops the slashes of an empty host where it does not know the scheme; libvirt wants all three.
    prefix = f"{parts.scheme}:"
    if not parts.netloc and not uri.startswith(f"{prefix}//"):
        uri = f"{prefix}//{uri.removeprefix(prefix)}"
    return uri


def _slug(parts: SplitResult, host: str, known: dict[str, str]) -> str:
    words = [host or "local", str(parts.port or ""), parts.path, known.get("socket", "")]
    if parts.scheme.startswith("test"):
        words.insert(0, "test")
    return "-".join(piece for word in words if (piece := _SLUG.sub("-", word.lower()).strip("-")))[:80].strip("-")
