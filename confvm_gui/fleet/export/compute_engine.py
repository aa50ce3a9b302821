"""What Compute Engine's two spellings, gcloud and REST, have in common.

Source: Compute Engine API v1, instances.insert; Google Cloud SDK, `gcloud compute instances create`.
"""

from __future__ import annotations

from confvm_gui.catalog import Catalog
from confvm_gui.catalog.fit import is_library_image
from confvm_gui.domain.catalogue import Technology
from confvm_gui.domain.instance import LaunchRequest

PROJECT_PLACEHOLDER = "PROJECT_ID"
"""Stands for the project where the console does not know one."""

CLOUD_KMS_SCHEME = "gcpkms:"
"""KeyRef scheme of keys in Cloud KMS; the rest is the key's resource name."""

CONFIDENTIAL_INSTANCE_TYPES = {
    Technology.SEV: "SEV",
    Technology.SEV_SNP: "SEV_SNP",
    Technology.TDX: "TDX",
}
"""`confidentialInstanceConfig.confidentialInstanceType`, which is also `--confidential-compute-type`."""


def google_unavailable(catalog: Catalog, request: LaunchRequest) -> str:
    """Why `request` cannot be written for Compute Engine, or ""."""
    if request.cloud != "gce":
        return f"The request is for {catalog.cloud_title(request.cloud)}; this form is for Google Cloud"
    if is_library_image(request.image):
        return "The image is one of this console's library; choose one of Google Cloud's for the export"
    if request.confidential and request.technology not in CONFIDENTIAL_INSTANCE_TYPES:
        return f"Compute Engine does not offer {request.technology.title}; choose AMD SEV, AMD SEV-SNP or Intel TDX"
    return ""


def google_notes(request: LaunchRequest, project: str) -> tuple[str, ...]:
    """What the exported text leaves out or assumes."""
    notes = []
    if project == PROJECT_PLACEHOLDER:
        notes.append(f"Put your project's id in place of {PROJECT_PLACEHOLDER}")
    if request.records is not None:
        notes.append("The records are not part of it: they travel on the encrypted disk of the embedded guest")
    if not kms_key(request):
        notes.append(f"The disk key {request.disk_key} stays here; Google encrypts the disk with a key of its own")
    return tuple(notes)


def kms_key(request: LaunchRequest) -> str:
    """Resource name of the Cloud KMS key that encrypts the boot disk, or ""."""
    if not request.disk_key.startswith(CLOUD_KMS_SCHEME):
        return ""
    return request.disk_key.removeprefix(CLOUD_KMS_SCHEME).lstrip("/")
