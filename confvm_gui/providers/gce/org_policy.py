"""What the organisation's policy asks of new instances, read before Google refuses them.

Organization Policy API v2, `projects.policies.getEffectivePolicy`; constraints as in Google Cloud, "Organization policy
constraints". CLOUDSDK_API_ENDPOINT_OVERRIDES_ORGPOLICY names another address.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

from confvm_gui.domain.errors import InvalidInput
from confvm_gui.domain.instance import LaunchRequest
from confvm_gui.providers.gce import errors
from confvm_gui.providers.gce.connection import Clients, GceConnection, org_policy_host

_CONFIDENTIAL: Final = "compute.restrictNonConfidentialComputing"
_SHIELDED: Final = "compute.requireShieldedVm"
_COMPUTE: Final = "compute.googleapis.com"
CONFIDENTIAL_ONLY: Final = (
    f"A policy of the organisation ({_CONFIDENTIAL}) allows confidential VMs only in this project: tick the box"
)


@dataclass(frozen=True, slots=True)
class OrgPolicy:
    """What holds in the project; False also where the account may not read the policy: then Google itself refuses."""

    confidential_only: bool = False
    shielded: bool = False

    def check(self, request: LaunchRequest) -> None:
        """Raise InvalidInput for what it does not allow."""
        if self.confidential_only and not request.confidential:
            raise InvalidInput("technology", CONFIDENTIAL_ONLY)
        missing = [
            title
            for title, there in (
                ("Secure Boot", request.secure_boot),
                ("vTPM", request.vtpm),
                ("integrity monitoring", request.integrity_monitoring),
            )
            if not there
        ]
        if self.shielded and missing:
            raise InvalidInput(
                "secure_boot", f"A policy of the organisation ({_SHIELDED}) asks for {', '.join(missing)}: turn it on"
            )


async def read(connection: GceConnection) -> OrgPolicy:
    """The project's. Raises Forbidden where the account may not read it, Transient."""
    confidential = await connection.call(partial(_ask, connection=connection, constraint=_CONFIDENTIAL))
    shielded = await connection.call(partial(_ask, connection=connection, constraint=_SHIELDED))
    return OrgPolicy(any(map(_denies_compute, confidential)), any(rule.get("enforce") is True for rule in shielded))


def _ask(clients: Clients, connection: GceConnection, constraint: str) -> list[Mapping[str, Any]]:
    """The rules of a constraint; [] where it is not set."""
    address = f"https://{org_policy_host()}/v2/projects/{connection.project}/policies/{constraint}:getEffectivePolicy"
    answer = clients.session.get(address, timeout=connection.patience.answer)
    if answer.status_code == 404:
        return []
    if answer.status_code != 200:
        raise errors.of_status(answer.status_code, f"the organisation's policy cannot be read ({answer.reason})")
    spec = answer.json().get("spec", {})
    rules = spec.get("rules", []) if isinstance(spec, dict) else []
    return [rule for rule in rules if isinstance(rule, dict)] if isinstance(rules, list) else []


def _denies_compute(rule: Mapping[str, Any]) -> bool:
    """The services that a list names may not make what is not confidential."""
    values = rule.get("values")
    denied = values.get("deniedValues", []) if isinstance(values, dict) else []
    named = isinstance(denied, list) and any(each in (_COMPUTE, f"is:{_COMPUTE}") for each in denied)
    return named or rule.get("denyAll") is True
