"""What Compute Engine itself tells of an instance's launches and boots: its integrity log, out of Cloud Logging.

Cloud Logging API v2, `entries.list`. CLOUDSDK_API_ENDPOINT_OVERRIDES_LOGGING names another address.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, Final

from confvm_gui.domain.attestation import Endorsements, Evidence, EvidenceFormat, ReferenceValues
from confvm_gui.domain.errors import GuestFault, Unsupported
from confvm_gui.domain.guest_evidence import GuestEvidence
from confvm_gui.domain.instance import Instance
from confvm_gui.providers.cloud.table import Seen
from confvm_gui.providers.gce import errors
from confvm_gui.providers.gce.connection import Clients, GceConnection, logging_host

_LOG: Final = "compute.googleapis.com%2Fshielded_vm_integrity"
_MOST: Final = 200
"""Entries that are asked for, the newest: a boot makes three to five."""
_MOST_BYTES: Final = 4 << 20


def evidence_formats(instance: Instance) -> Sequence[EvidenceFormat]:
    """Compute Engine writes its log for confidential instances and for those with integrity monitoring."""
    told = instance.confidential or instance.integrity_monitoring
    return (EvidenceFormat.GCE_INTEGRITY,) if told and instance.state.is_live else ()


async def integrity_evidence(connection: GceConnection, seen: Seen, form: EvidenceFormat) -> GuestEvidence:
    """The log of one instance, as it stands in Cloud Logging now.

    Raises Unsupported where there is none (yet), Forbidden, Transient, GuestFault.
    """
    if form is not EvidenceFormat.GCE_INTEGRITY:
        raise Unsupported(f"Compute Engine gives no evidence of the format {form.value}")
    entries = await connection.call(lambda clients: _ask(clients, connection, seen.number))
    if not entries:
        raise Unsupported(
            f"Cloud Logging has no integrity events of {seen.instance.name}: they come a minute after the start, if "
            "its log is not turned off, and are kept for 30 days"
        )
    data = json.dumps({"entries": entries}).encode()
    return GuestEvidence(
        Evidence(data, EvidenceFormat.GCE_INTEGRITY),
        Endorsements(),
        ReferenceValues(expected={"gce.instance_id": (seen.number,), "gce.project_id": (connection.project,)}),
        chip=f"Cloud Logging of {connection.project}",
    )


def _ask(clients: Clients, connection: GceConnection, number: str) -> list[dict[str, Any]]:
    project = f"projects/{connection.project}"
    wanted = {
        "resourceNames": [project],
        "filter": f'logName="{project}/logs/{_LOG}" AND resource.type="gce_instance" '
        f'AND resource.labels.instance_id="{number}"',
        "orderBy": "timestamp desc",
        "pageSize": _MOST,
    }
    address = f"https://{logging_host()}/v2/entries:list"
    answer = clients.session.post(address, json=wanted, timeout=connection.patience.answer)
    if answer.status_code != 200:
        raise errors.of_status(answer.status_code, f"its log cannot be read ({answer.reason})")
    if len(answer.content) > _MOST_BYTES:
        raise GuestFault("Cloud Logging's answer is larger than any integrity log")
    told = answer.json().get("entries", [])
    return [_trimmed(entry) for entry in told if isinstance(entry, dict)] if isinstance(told, list) else []


def _trimmed(entry: dict[str, Any]) -> dict[str, Any]:
    """What is verified, and no more."""
    return {key: entry[key] for key in ("jsonPayload", "logName", "resource", "timestamp") if key in entry}
