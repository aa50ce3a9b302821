"""Google's refusals in the console's words.

Sources: Compute Engine, "Troubleshooting VM creation" (codes of operations; `zonesAvailable` of a stockout), "API
errors" (reasons), `Operation.error` of the API's discovery document.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from confvm_gui.domain.errors import (
    CapacityExceeded,
    ConfvmError,
    Forbidden,
    InvalidInput,
    NameTaken,
    NotFound,
    Transient,
    WrongState,
)

SERVICE: Final = "Google Cloud"
_RATE: Final = frozenset({"rateLimitExceeded", "userRateLimitExceeded"})
_STOCKOUT: Final = ("ZONE_RESOURCE_POOL_EXHAUSTED", "RESOURCE_POOL_EXHAUSTED", "STOCKOUT", "ZONE_STOCKOUT")
_MOST: Final = 400
"""Characters of Google's own words in a message."""


@dataclass(frozen=True, slots=True)
class Complaint:
    """One error of an operation."""

    code: str
    message: str
    details: Mapping[str, str] = field(default_factory=dict)


def of_call(error: Exception) -> ConfvmError:
    """What a call failed of: an exception of google.api_core, google.auth or requests."""
    name = type(error).__name__
    code = getattr(error, "code", None)
    code = getattr(code, "value", code)
    if isinstance(code, tuple):
        code = code[0]
    module = type(error).__module__
    if module.startswith("google.auth"):
        if getattr(error, "retryable", False):
            return Transient(f"{SERVICE} does not answer ({name}): check the network; it is tried again")
        return Forbidden(
            f"{SERVICE} does not accept the credentials of this account ({_refresh_reason(error)}): log in anew, or "
            "replace the key file"
        )
    if not isinstance(code, int):
        if name == "SSLError":
            return Transient(f"The certificate of {SERVICE}'s server does not hold: nothing was sent to it")
        return Transient(f"{SERVICE} does not answer ({name}): check the network; it is tried again")
    return of_status(code, str(getattr(error, "message", error)), _reasons(error))


def of_status(code: int, message: str, reasons: Sequence[str] = ()) -> ConfvmError:
    """What an HTTP answer says. `reasons`: those of its `errors`."""
    said = _shortened(message)
    if code == 429 or _RATE & set(reasons):
        return Transient(f"{SERVICE} asks to slow down: too many requests; it is tried again later")
    if code >= 500:
        return Transient(f"{SERVICE} has a failure of its own ({code}): {said}")
    if "quotaExceeded" in reasons:
        return of_quota(said)
    match code:
        case 401:
            return Forbidden(f"{SERVICE} does not accept the credentials of this account: log in anew")
        case 403:
            return Forbidden(f"This account may not do that: {said}")
        case 404:
            return NotFound(f"{SERVICE} does not have it: {said}")
        case 409:
            return NameTaken("name", f"The zone has an instance of this name already; choose another ({said})")
        case 412:
            return Forbidden(f"A policy of the organisation does not allow it: {said}")
        case 400:
            return InvalidInput("request", f"{SERVICE} refuses the request: {said}")
    return WrongState(f"{SERVICE} refuses ({code}): {said}")


def of_operation(complaints: Sequence[Complaint], zone: str, elsewhere: Sequence[str], status: int) -> ConfvmError:
    """What an operation ended with. `elsewhere`: zones of the region that offer the same, as the catalogue knows.

    Never Transient: the same request, with its id, would be told of the same operation again.
    """
    error = _of_operation(complaints, zone, elsewhere, status)
    return WrongState(f"{error.message}; try again") if isinstance(error, Transient) else error


def _of_operation(complaints: Sequence[Complaint], zone: str, elsewhere: Sequence[str], status: int) -> ConfvmError:
    if not complaints:
        return of_status(status or 500, "the operation ended without a reason")
    first = complaints[0]
    said = _shortened(first.message)
    code = first.code.upper()
    if code.startswith(_STOCKOUT):
        return of_stockout(first, zone, elsewhere)
    if "QUOTA" in code:
        return of_quota(said)
    if code in ("PERMISSIONS_ERROR", "FORBIDDEN", "PERMISSION_DENIED"):
        return Forbidden(f"This account may not do that: {said}")
    if code in ("CONDITION_NOT_MET", "POLICY_VIOLATION"):
        return Forbidden(f"A policy of the organisation does not allow it: {said}")
    if code == "RESOURCE_ALREADY_EXISTS":
        return NameTaken("name", f"The zone has an instance of this name already; choose another ({said})")
    if code == "RESOURCE_NOT_FOUND":
        return NotFound(f"{SERVICE} does not have it: {said}")
    if code in ("INTERNAL_ERROR", "RESOURCE_NOT_READY", "TIMEOUT"):
        return Transient(f"{SERVICE} has a failure of its own ({first.code}): {said}")
    if status:
        return of_status(status, f"{first.code}: {said}")
    return InvalidInput("request", f"{SERVICE} could not do it ({first.code}): {said}")


def of_stockout(complaint: Complaint, zone: str, elsewhere: Sequence[str]) -> CapacityExceeded:
    """No machine is free in the zone."""
    named = [name.strip() for name in complaint.details.get("zonesAvailable", "").split(",") if name.strip()]
    if named:
        where = f"{SERVICE} has room in {', '.join(named)}"
    elif elsewhere:
        where = f"try {', '.join(elsewhere)}, which offer the same"
    else:
        where = "try another region, or later"
    return CapacityExceeded(f"No machine of this kind is free in {zone} now; {where}")


def of_quota(said: str) -> CapacityExceeded:
    return CapacityExceeded(
        f"The project's quota does not suffice: {said}. Ask for more on the page Quotas of the Cloud console, or "
        "choose a smaller machine type or another region"
    )


def complaints_of(operation: Any) -> Sequence[Complaint]:
    """The errors of an `Operation` (protocol buffer)."""
    found = []
    for error in operation.error.errors:
        details: dict[str, str] = {}
        for detail in error.error_details:
            details |= {str(key): str(value) for key, value in detail.error_info.metadatas.items()}
        found.append(Complaint(str(error.code), str(error.message), details))
    return found


def _reasons(error: Exception) -> Sequence[str]:
    """The reasons in an answer's body; () where it has none."""
    items = getattr(error, "errors", None)
    if not isinstance(items, list | tuple):
        return ()
    return [str(item["reason"]) for item in items if isinstance(item, Mapping) and "reason" in item]


def _refresh_reason(error: Exception) -> str:
    """The name of what the token service said (RFC 6749, 5.2): its text may hold an assertion."""
    answer = error.args[1] if len(error.args) > 1 else None
    said = answer.get("error") if isinstance(answer, Mapping) else None
    return str(said)[:60] if isinstance(said, str) else type(error).__name__


def _shortened(text: str) -> str:
    said = " ".join(text.split()).rstrip(".")
    return said if len(said) <= _MOST else f"{said[:_MOST]} …"
