"""The equivalent REST call: POST instances.insert of the Compute Engine API v1, and its JSON body."""

from __future__ import annotations

import json
from urllib.parse import quote

from confvm_gui.catalog import Catalog
from confvm_gui.domain.instance import LaunchRequest, check_labels
from confvm_gui.fleet.export.compute_engine import CONFIDENTIAL_INSTANCE_TYPES, PROJECT_PLACEHOLDER, kms_key

ENDPOINT = "https://compute.googleapis.com/compute/v1"


def rest_url(request: LaunchRequest, project: str = PROJECT_PLACEHOLDER) -> str:
    """Where the body is posted to."""
    return f"{ENDPOINT}/projects/{quote(project, safe='')}/zones/{quote(request.zone, safe='')}/instances"


def rest_body(catalog: Catalog, request: LaunchRequest) -> dict[str, object]:
    """The resource `Instance` to insert, with the API's own field names."""
    image = catalog.image(request.cloud, request.image)
    source = f"family/{image.family}" if image.family else image.name
    disk: dict[str, object] = {
        "boot": True,
        "autoDelete": True,
        "initializeParams": {"sourceImage": f"projects/{image.project}/global/images/{source}"},
    }
    if request.confidential:
        disk["interface"] = "NVME"  # the only one that a confidential VM has
    key = kms_key(request)
    if key:
        disk["diskEncryptionKey"] = {"kmsKeyName": key}
    interface: dict[str, object] = {"network": "global/networks/default"}
    if request.nic_type:
        interface["nicType"] = request.nic_type
    body: dict[str, object] = {
        "name": request.name,
        "machineType": f"zones/{request.zone}/machineTypes/{request.machine_type}",
    }
    if request.min_cpu_platform:
        body["minCpuPlatform"] = request.min_cpu_platform
    if request.confidential:
        body["confidentialInstanceConfig"] = {
            "confidentialInstanceType": CONFIDENTIAL_INSTANCE_TYPES[request.technology]
        }
    body |= {
        "scheduling": {"onHostMaintenance": request.host_maintenance.value, "automaticRestart": True},
        "disks": [disk],
        "networkInterfaces": [interface],
        "shieldedInstanceConfig": {
            "enableSecureBoot": request.secure_boot,
            "enableVtpm": request.vtpm,
            "enableIntegrityMonitoring": request.integrity_monitoring,
        },
    }
    if request.labels:
        labels = check_labels(request.labels)
        body["labels"] = {key: labels[key] for key in sorted(labels)}
    return body


def rest_text(catalog: Catalog, request: LaunchRequest, project: str = PROJECT_PLACEHOLDER) -> str:
    """Method, URL and body, as one would write them in a note or an HTTP client."""
    body = json.dumps(rest_body(catalog, request), indent=2, ensure_ascii=False)
    return f"POST {rest_url(request, project)}\nContent-Type: application/json\n\n{body}\n"
