"""Amazon's refusals in the console's words.

Source: Amazon EC2 API Reference, "Error codes for the Amazon EC2 API" (client errors, server errors).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from confvm_gui.domain.errors import (
    CapacityExceeded,
    ConfvmError,
    Forbidden,
    InvalidInput,
    KeyUnavailable,
    NotFound,
    Transient,
    WrongState,
)

SERVICE: Final = "Amazon EC2"
_MOST: Final = 400
"""Characters of Amazon's own words in a message."""
_REGION: Final = re.compile(r"[a-z]{2}(?:-[a-z]+){1,3}-\d{1,2}")
_RATE: Final = frozenset({"RequestLimitExceeded", "Throttling", "ThrottlingException", "TooManyRequestsException"})
STOCKOUT: Final = frozenset(
    {"InsufficientInstanceCapacity", "InsufficientHostCapacity", "InsufficientReservedInstanceCapacity"}
)
_QUOTA: Final = frozenset(
    {"InstanceLimitExceeded", "VcpuLimitExceeded", "MaxIOPSLimitExceeded", "VolumeLimitExceeded", "TagLimitExceeded"}
)
_CREDENTIALS: Final = frozenset(
    {"AuthFailure", "InvalidClientTokenId", "UnrecognizedClientException", "ExpiredToken", "RequestExpired",
     "SignatureDoesNotMatch", "ExpiredTokenException", "IncompleteSignature", "Blocked", "OptInRequired"}
)  # fmt: skip
_NO_CREDENTIALS: Final = frozenset(
    {"NoCredentialsError", "PartialCredentialsError", "ProfileNotFound", "CredentialRetrievalError",
     "SSOTokenLoadError", "UnauthorizedSSOTokenError", "TokenRetrievalError", "SSOError", "LoginError"}
)  # fmt: skip
_NETWORK: Final = frozenset({"VPCIdNotSpecified", "DefaultSubnetDoesNotExistInAZ", "MissingInput"})


def is_region(name: str) -> bool:
    return bool(_REGION.fullmatch(name))


def code_of(error: BaseException) -> str:
    """Amazon's code of a ClientError; "" for anything else."""
    answer = getattr(error, "response", None)
    if not isinstance(answer, dict):
        return ""
    return str(answer.get("Error", {}).get("Code", ""))


def of_call(error: Exception) -> ConfvmError:
    """What a call failed of: an exception of botocore."""
    name = type(error).__name__
    if name in _NO_CREDENTIALS:
        return KeyUnavailable(
            f"There are no credentials for AWS on this computer ({name}): log in with `aws configure` or `aws sso "
            "login`, or give an access key"
        )
    if name in ("ParamValidationError", "InvalidRegionError"):
        return InvalidInput("request", f"{SERVICE} cannot be asked for this: {_shortened(str(error))}")
    answer = getattr(error, "response", None)
    if not isinstance(answer, dict):
        if name == "SSLError":
            return Transient(f"The certificate of {SERVICE}'s server does not hold: nothing was sent to it")
        return Transient(f"{SERVICE} does not answer ({name}): check the network; it is tried again")
    status = answer.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    told = answer.get("Error", {})
    return of_code(str(told.get("Code", "")), str(told.get("Message", "")), int(status) if status else 0)


def of_code(code: str, message: str, status: int = 400) -> ConfvmError:
    """What an answer says."""
    said = _shortened(message)
    if code in _RATE or status == 429:
        return Transient(f"{SERVICE} asks to slow down: too many requests; it is tried again later")
    if code in STOCKOUT:
        return CapacityExceeded(f"{SERVICE} has no machine of this kind free: {said}")
    if status >= 500:
        return Transient(f"{SERVICE} has a failure of its own ({code or status}): {said}")
    if code in _QUOTA:
        return CapacityExceeded(
            f"The account's quota does not suffice: {said}. Ask for more on the page Service Quotas, or choose a "
            "smaller machine type or another region"
        )
    if code in _CREDENTIALS:
        return Forbidden(f"{SERVICE} does not accept the credentials of this account ({code}): log in anew")
    if code in ("UnauthorizedOperation", "AccessDenied", "AccessDeniedException"):
        return Forbidden(f"This account may not do that: {_readable(said)}")
    if code.endswith((".NotFound", ".Malformed")) or code in ("InvalidInstanceID", "InvalidAMIID.Unavailable"):
        return NotFound(f"{SERVICE} does not have it: {said}")
    if code in _NETWORK:
        return InvalidInput(
            "zone", f"There is no default network in this zone ({said}): make one with `aws ec2 create-default-vpc`"
        )
    if code in ("IncorrectInstanceState", "IncorrectState", "UnsupportedHostConfiguration", "OperationNotPermitted"):
        return WrongState(f"{SERVICE} refuses as the instance is now: {said}")
    if code == "Unsupported":
        return InvalidInput("machine_type", f"{SERVICE} does not offer this combination: {said}")
    return InvalidInput("request", f"{SERVICE} refuses the request ({code}): {said}")


def of_stockout(error: CapacityExceeded, zone: str, elsewhere: Sequence[str]) -> CapacityExceeded:
    """With where there may be room. `elsewhere`: zones of the region that offer the same, as the catalogue knows."""
    where = f"try {', '.join(elsewhere)}, which offer the same" if elsewhere else "try another region, or later"
    return CapacityExceeded(f"{error.message} ({zone}); {where}")


def _readable(said: str) -> str:
    """Without the encoded message, which only `aws sts decode-authorization-message` can read."""
    return said.partition("Encoded authorization failure message")[0].strip()


def _shortened(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= _MOST else f"{line[:_MOST]} …"
