"""What an export is."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class ExportFormat(Enum):
    """Values are the spelling of `confvm export --format`."""

    GCLOUD = "gcloud"
    REST = "rest"
    AWS_CLI = "aws"
    TERRAFORM = "terraform"
    LIBVIRT = "libvirt"

    @property
    def title(self) -> str:
        return {
            ExportFormat.GCLOUD: "gcloud",
            ExportFormat.REST: "REST",
            ExportFormat.AWS_CLI: "AWS CLI",
            ExportFormat.TERRAFORM: "Terraform",
            ExportFormat.LIBVIRT: "libvirt",
        }[self]


@dataclass(frozen=True, slots=True)
class Export:
    """A request in one format."""

    format: ExportFormat
    text: str
    """Ready to copy; "" when there is none."""
    unavailable: str
    """Why there is no text, in one sentence; "" when there is."""
    notes: tuple[str, ...]
    """What the text leaves out or assumes, a sentence each."""
