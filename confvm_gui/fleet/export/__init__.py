"""A launch request in the words of the tools that would do the same: one module per format.

    gcloud  the `gcloud compute instances create` command
    rest    the Compute Engine REST call
    aws_cli   the `aws ec2 run-instances` command
    terraform a resource in HCL, for Google Cloud and AWS
    libvirt the domain XML for `virsh define`

`export_request` is the one door, but for libvirt: what a host is given depends on the host, so `libvirt_export` asks
its provider. A format that does not apply is an `Export` with `unavailable` set to the reason,
never an empty text.
"""

from __future__ import annotations

from confvm_gui.catalog import Catalog
from confvm_gui.catalog.fit import is_library_image
from confvm_gui.domain.instance import LaunchRequest
from confvm_gui.fleet.export.aws_cli import aws_command, aws_notes
from confvm_gui.fleet.export.compute_engine import PROJECT_PLACEHOLDER, google_notes, google_unavailable
from confvm_gui.fleet.export.formats import Export, ExportFormat
from confvm_gui.fleet.export.gcloud import gcloud_command
from confvm_gui.fleet.export.libvirt import libvirt_export
from confvm_gui.fleet.export.rest import rest_body, rest_text, rest_url
from confvm_gui.fleet.export.terraform import TERRAFORM_CLOUDS, terraform_notes, terraform_text

_CLOUDS = {
    ExportFormat.GCLOUD: ("gce",),
    ExportFormat.REST: ("gce",),
    ExportFormat.AWS_CLI: ("aws",),
    ExportFormat.TERRAFORM: TERRAFORM_CLOUDS,
}

__all__ = [
    "PROJECT_PLACEHOLDER",
    "Export",
    "ExportFormat",
    "export_request",
    "formats_for",
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
    unavailable = _unavailable(catalog, request, export_format)
    if unavailable:
        return Export(export_format, "", unavailable, ())
    notes = google_notes(request, project) if request.cloud == "gce" else ()
    match export_format:
        case ExportFormat.AWS_CLI:
            return Export(export_format, aws_command(catalog, request), "", aws_notes())
        case ExportFormat.TERRAFORM:
            written = terraform_text(catalog, request, project)
            return Export(export_format, written, "", notes or terraform_notes(request))
        case ExportFormat.GCLOUD:
            return Export(export_format, gcloud_command(catalog, request, project), "", notes)
        case ExportFormat.REST:
            return Export(export_format, rest_text(catalog, request, project), "", notes)
        case ExportFormat.LIBVIRT:
            return Export(export_format, "", "The request is for a cloud; only a libvirt host takes libvirt's XML", ())


def formats_for(cloud: str) -> tuple[ExportFormat, ...]:
    """In which a request for `cloud` can be written."""
    return tuple(form for form, clouds in _CLOUDS.items() if cloud in clouds)


def _unavailable(catalog: Catalog, request: LaunchRequest, export_format: ExportFormat) -> str:
    """Why `request` cannot be written so, or ""."""
    if export_format is ExportFormat.LIBVIRT:
        return ""  # told below
    title = catalog.cloud_title(request.cloud)
    if request.cloud not in TERRAFORM_CLOUDS:
        return f"The export for {title} is not there yet: this console writes requests for Google Cloud and AWS"
    if request.cloud == "gce" and export_format is not ExportFormat.AWS_CLI:
        return google_unavailable(catalog, request)
    if request.cloud not in _CLOUDS[export_format]:
        return f"The request is for {title}: {export_format.title} has no word for it"
    if is_library_image(request.image):
        return f"The image is one of this console's library; choose one of {title}'s for the export"
    if request.confidential and request.technology not in catalog.offered_technologies(request.cloud):
        return f"{title} does not offer {request.technology.title}; choose another technology"
    return ""
