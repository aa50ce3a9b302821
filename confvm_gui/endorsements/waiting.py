"""How long what was fetched holds, and how long a publisher is left alone that asks to wait or fails.

RFC 9110: Retry-After (10.2.3), 429 (RFC 6585, section 4) and 5xx. KDS answers 429 to whoever asks too often.
"""

from __future__ import annotations

import re
import secrets
from datetime import UTC
from email.utils import parsedate_to_datetime
from typing import Final

from confvm_gui.domain.attestation import EndorsementKind
from confvm_gui.endorsements.content import Content

HOUR: Final = 3600.0
DAY: Final = 24 * HOUR
CHAIN_AGE: Final = 180 * DAY
"""Seconds. AMD's intermediate certificates are valid for decades."""
NOT_PUBLISHED_AGE: Final = 6 * HOUR
"""Seconds. A VCEK comes to be published when a host's firmware is updated."""
LONGEST_WAIT: Final = DAY
"""Seconds. Nobody is waited for longer, whatever was asked."""
_LATE: Final = HOUR
"""Seconds that something is kept whose successor is overdue already when it is fetched."""
_FIRST_WAIT: Final = 30.0
_LONGEST_BACKOFF: Final = HOUR
_SECONDS: Final = re.compile(r"[0-9]{1,9}")


def expiry(kind: EndorsementKind, content: Content, now: float) -> float | None:
    """When something fetched at `now` is to be fetched again, in seconds since the epoch; None: never."""
    match kind:
        case EndorsementKind.VCEK | EndorsementKind.VLEK:
            return None
        case EndorsementKind.CERTIFICATE_CHAIN:
            return now + CHAIN_AGE
        case _:
            until = content.next_update if content.next_update is not None else now + DAY
            return max(until, now + _LATE)


def wait_after(attempts: int, retry_after: str, now: float) -> float:
    """Seconds to wait after the `attempts`-th refusal in a row (from 1): what the publisher says, else more each time.

    With up to a quarter more at random, so that a fleet's consoles do not all come back at once.
    """
    asked = parse_retry_after(retry_after, now)
    wait = min(_FIRST_WAIT * 2.0 ** min(attempts - 1, 16), _LONGEST_BACKOFF) if asked is None else asked
    jitter = secrets.randbelow(1001) / 4000
    return min(max(wait, 1.0) * (1 + jitter), LONGEST_WAIT)


def parse_retry_after(text: str, now: float) -> float | None:
    """Seconds from `now`, at least 0, or None if the header is absent or malformed."""
    text = text.strip()
    if _SECONDS.fullmatch(text):
        return float(text)
    try:
        at = parsedate_to_datetime(text[:64])
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    try:
        return max((at if at.tzinfo is not None else at.replace(tzinfo=UTC)).timestamp() - now, 0.0)
    except (ValueError, OverflowError):
        return None
