"""What the library has for the provider and the image that are chosen."""

from __future__ import annotations

from collections.abc import Sequence

from confvm_gui.catalog import Catalog
from confvm_gui.catalog.fit import EMBEDDED, LIBVIRT, is_library_image, own_cloud
from confvm_gui.domain.images import LIBRARY_PREFIX, ImageKind, LibraryImage
from confvm_gui.domain.instance import LaunchRequest
from confvm_gui.ui.wizard.session import WizardSession


def runs_on_host(request: LaunchRequest) -> bool:
    """Whether a libvirt host runs it: its cloud is fixed, its images are in the library, cloud-init has a seed."""
    return request.provider.startswith(f"{LIBVIRT}-")


def runs_in_cloud(request: LaunchRequest) -> bool:
    """Whether a cloud runs it, and not only its rehearsal."""
    return own_cloud(request.provider) not in ("", LIBVIRT)


def takes_records(request: LaunchRequest) -> bool:
    """Whether there is the built-in guest, whose disk they travel on."""
    return not (runs_on_host(request) or runs_in_cloud(request) or is_library_image(request.image))


def clouds_for(catalog: Catalog, request: LaunchRequest) -> tuple[str, ...]:
    """Whose catalogue can be chosen from."""
    own = own_cloud(request.provider)
    return tuple(cloud for cloud in catalog.clouds if (cloud == own if own else cloud != LIBVIRT))


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
