"""A launch request in the words of the tools that would do the same: one module per format.

    gcloud  the `gcloud compute instances create` command
    rest    the Compute Engine REST call
    libvirt the domain XML for `virsh define`

`export_request` is the one door, but for libvirt: what a host is given depends on the host, so `libvirt_export` asks
its provider. A format that does not apply is an `Export` with `unavailable` set to the reason,
never an empty text.
"""

from __future__ import annotations

from confvm_gui.catalog import Catalog
from confvm_gui.domain.instance import LaunchRequest
from confvm_gui.fleet.export.compute_engine import PROJECT_PLACEHOLDER, google_notes, google_unavailable
from confvm_gui.fleet.export.formats import Export, ExportFormat
from confvm_gui.fleet.export.gcloud import gcloud_command
from confvm_gui.fleet.export.libvirt import libvirt_export
from confvm_gui.fleet.export.rest import rest_body, rest_text, rest_url

__all__ = [
    "PROJECT_PLACEHOLDER",
    "Export",
    "ExportFormat",
    "export_request",
    "gcloud_command",
    "libvirt_export",
    "rest_body",
    "rest_url",
]


def export_request(
    catalog: Catalog, request: LaunchRequest, export_format: ExportFormat, project: str = PROJECT_PLACEHOLDER
) -> Export:
    """`request` as `export_format`, for the Google Cloud project `project`.

    Raises NotFound when the request names an image that is not in the catalogue.
    """
    unavailable = google_unavailable(catalog, request)
    if unavailable:
        return Export(export_format, "", unavailable, ())
    notes = google_notes(request, project)
    match export_format:
        case ExportFormat.GCLOUD:
            return Export(export_format, gcloud_command(catalog, request, project), "", notes)
        case ExportFormat.REST:
            return Export(export_format, rest_text(catalog, request, project), "", notes)
        case ExportFormat.LIBVIRT:
            return Export(export_format, "", "The request is for a cloud; only a libvirt host takes libvirt's XML", ())
