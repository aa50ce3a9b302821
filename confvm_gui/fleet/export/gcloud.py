"""The equivalent `gcloud compute instances create` command (Google Cloud SDK reference).

Every value passes through shell quoting, and values of dictionary flags are checked by the request's own rules
(label keys and values hold no comma or equals sign), so the command can be pasted as it is.
"""

from __future__ import annotations

import shlex

from confvm_gui.catalog import Catalog
from confvm_gui.domain.instance import LaunchRequest, check_labels
from confvm_gui.fleet.export.compute_engine import CONFIDENTIAL_INSTANCE_TYPES, PROJECT_PLACEHOLDER, kms_key


def gcloud_command(catalog: Catalog, request: LaunchRequest, project: str = PROJECT_PLACEHOLDER) -> str:
    """The command, one flag a line joined by backslashes, for a POSIX shell."""
    return " \\\n    ".join(
        [
            f"gcloud compute instances create {shlex.quote(request.name)}",
            *(_quoted(flag) for flag in gcloud_flags(catalog, request, project)),
        ]
    )


def gcloud_flags(catalog: Catalog, request: LaunchRequest, project: str = PROJECT_PLACEHOLDER) -> list[str]:
    """The flags, unquoted, in the order of the reference's own examples."""
    image = catalog.image(request.cloud, request.image)
    flags = [f"--project={project}", f"--zone={request.zone}", f"--machine-type={request.machine_type}"]
    if request.min_cpu_platform:
        flags.append(f"--min-cpu-platform={request.min_cpu_platform}")
    if request.confidential:
        flags.append(f"--confidential-compute-type={CONFIDENTIAL_INSTANCE_TYPES[request.technology]}")
    flags.append(f"--maintenance-policy={request.host_maintenance.value}")
    if image.family:
        flags.append(f"--image-family={image.family}")
    else:
        flags.append(f"--image={image.name}")
    if image.project:
        flags.append(f"--image-project={image.project}")
    key = kms_key(request)
    if key:
        flags.append(f"--boot-disk-kms-key={key}")
    if request.nic_type:
        flags.append(f"--network-interface=nic-type={request.nic_type}")
    flags += [
        _switch("shielded-secure-boot", request.secure_boot),
        _switch("shielded-vtpm", request.vtpm),
        _switch("shielded-integrity-monitoring", request.integrity_monitoring),
    ]
    if request.labels:
        labels = check_labels(request.labels)
        flags.append("--labels=" + ",".join(f"{key}={labels[key]}" for key in sorted(labels)))
    return flags


def _quoted(flag: str) -> str:
    name, equals, value = flag.partition("=")
    return f"{name}={shlex.quote(value)}" if equals else name


def _switch(name: str, on: bool) -> str:
    return f"--{name}" if on else f"--no-{name}"
