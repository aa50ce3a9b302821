"""What the library has for the provider and the image that are chosen."""

from __future__ import annotations

from collections.abc import Sequence

from confvm_gui.catalog.fit import EMBEDDED, LIBVIRT
from confvm_gui.domain.images import LIBRARY_PREFIX, ImageKind, LibraryImage
from confvm_gui.domain.instance import LaunchRequest
from confvm_gui.ui.wizard.session import WizardSession


def runs_on_host(request: LaunchRequest) -> bool:
    """Whether a libvirt host runs it: its cloud is fixed, its images are in the library, cloud-init has a seed."""
    return request.provider.startswith(f"{LIBVIRT}-")


def boots_kernels_only(session: WizardSession, request: LaunchRequest) -> bool:
    """Whether of the library's images only kernels can be booted: the embedded engine's QEMU has no disk."""
    return request.provider == EMBEDDED and session.images is not None


def bootable_images(session: WizardSession, request: LaunchRequest) -> Sequence[LibraryImage]:
    """What the provider could boot of the library: a host everything, the embedded engine kernels."""
    images = session.images.images() if session.images is not None else ()
    if runs_on_host(request):
        return images
    return [image for image in images if image.kind is ImageKind.KERNEL and boots_kernels_only(session, request)]


def chosen_image(session: WizardSession, request: LaunchRequest) -> LibraryImage | None:
    """What the library has of the chosen image."""
    wanted = request.image.removeprefix(LIBRARY_PREFIX)
    return next((image for image in bootable_images(session, request) if image.id == wanted), None)
