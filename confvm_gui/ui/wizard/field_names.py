"""The fields of a request in words, for lists of changes and for the review."""

from __future__ import annotations

from PySide6.QtCore import QCoreApplication


def field_title(field: str) -> str:
    """`machine_type` is "Machine type"."""
    titles = {
        "name": QCoreApplication.translate("FieldNames", "Name"),
        "provider": QCoreApplication.translate("FieldNames", "Runs on"),
        "cloud": QCoreApplication.translate("FieldNames", "Cloud"),
        "region": QCoreApplication.translate("FieldNames", "Region"),
        "zone": QCoreApplication.translate("FieldNames", "Zone"),
        "machine_type": QCoreApplication.translate("FieldNames", "Machine type"),
        "image": QCoreApplication.translate("FieldNames", "Image"),
        "technology": QCoreApplication.translate("FieldNames", "Technology"),
        "min_cpu_platform": QCoreApplication.translate("FieldNames", "Minimum CPU platform"),
        "host_maintenance": QCoreApplication.translate("FieldNames", "On host maintenance"),
        "nic_type": QCoreApplication.translate("FieldNames", "Network interface"),
        "records": QCoreApplication.translate("FieldNames", "Records"),
        "disk_key": QCoreApplication.translate("FieldNames", "Disk key"),
        "labels": QCoreApplication.translate("FieldNames", "Labels"),
        "secure_boot": QCoreApplication.translate("FieldNames", "Secure Boot"),
        "vtpm": QCoreApplication.translate("FieldNames", "vTPM"),
        "integrity_monitoring": QCoreApplication.translate("FieldNames", "Integrity monitoring"),
        "attest": QCoreApplication.translate("FieldNames", "Attested launch"),
    }
    if field.startswith("labels."):
        return QCoreApplication.translate("FieldNames", "Label {0}").format(field.removeprefix("labels."))
    return titles.get(field, field)


def setting_text(field: str, value: str) -> str:
    """A value as a person reads it, with the provider's own spelling where that is what they would look for."""
    if not value:
        return QCoreApplication.translate("FieldNames", "not set")
    if field == "host_maintenance":
        return {
            "MIGRATE": QCoreApplication.translate("FieldNames", "migrate live (MIGRATE)"),
            "TERMINATE": QCoreApplication.translate("FieldNames", "stop (TERMINATE)"),
        }.get(value, value)
    if field in ("secure_boot", "vtpm", "integrity_monitoring", "attest"):
        return {
            "true": QCoreApplication.translate("FieldNames", "on"),
            "false": QCoreApplication.translate("FieldNames", "off"),
        }.get(value, value)
    if field == "nic_type":
        return {
            "GVNIC": QCoreApplication.translate("FieldNames", "gVNIC"),
            "VIRTIO_NET": QCoreApplication.translate("FieldNames", "VirtIO"),
        }.get(value, value)
    return value
