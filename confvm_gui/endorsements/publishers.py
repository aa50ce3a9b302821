"""Who publishes endorsements. Evidence names addresses, and evidence is written by strangers: others are not asked.

AMD: KDS (57230, chapter 4). Intel: PCS, version 4, and its root's list. Google: the authorities of the vTPM's
certificates, whose lists lie in buckets of Google's CA service and are signed, so that they are named by plain HTTP.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final
from urllib.parse import urlsplit

from confvm_gui.domain.errors import InvalidInput

HOSTS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "kdsintf.amd.com": "AMD's KDS",
        "api.trustedservices.intel.com": "Intel's PCS",
        "certificates.trustedservices.intel.com": "Intel's certificate site",
        "pki.goog": "Google's certificate site",
    }
)
_GOOGLE_BUCKET: Final = re.compile(r"privateca-content-[0-9a-f-]{36}\.storage\.googleapis\.com")
_LONGEST: Final = 2048
_PRINTABLE: Final = re.compile(r"[!-~]+")


@dataclass(frozen=True, slots=True)
class Address:
    """An address that may be asked."""

    url: str
    """Always `https`."""
    host: str
    """Lower case."""
    publisher: str
    """For a person: `AMD's KDS`."""


def publisher_of(host: str) -> str:
    """For a person, or "" if nobody publishes endorsements there."""
    return HOSTS.get(host, "") or ("Google's CA service" if _GOOGLE_BUCKET.fullmatch(host) else "")


def check_address(url: str) -> Address:
    """The address, by HTTPS; InvalidInput("endorsements") if it is not one of a publisher."""
    if len(url) > _LONGEST or not _PRINTABLE.fullmatch(url):
        raise _refused("it is no address")
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise _refused("it is no address") from None
    host = (parts.hostname or "").lower()
    publisher = publisher_of(host)
    if not publisher:
        raise _refused(f"{host[:80] or 'it'} is no publisher of endorsements that is known")
    if parts.scheme != "https" and not (parts.scheme == "http" and publisher.startswith("Google")):
        raise _refused("it is not HTTPS")
    if parts.username is not None or parts.password is not None or parts.fragment:
        raise _refused("it has parts that no publisher's address has")
    if port is not None and port != {"https": 443, "http": 80}[parts.scheme]:
        raise _refused("it names another port")
    query = f"?{parts.query}" if parts.query else ""
    return Address(f"https://{host}{parts.path or '/'}{query}", host, publisher)


def _refused(why: str) -> InvalidInput:
    return InvalidInput("endorsements", f"An address of endorsements is not asked: {why}")
