"""The papers of a bundle: SBOM (CycloneDX), NOTICE, and the licence texts of all that it carries."""

from __future__ import annotations

import shutil
import uuid
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from cyclonedx.contrib.license.factories import LicenseFactory
from cyclonedx.model import ExternalReference, ExternalReferenceType, XsUri
from cyclonedx.model.bom import Bom
from cyclonedx.model.component import Component, ComponentType
from cyclonedx.model.contact import OrganizationalEntity
from cyclonedx.output.json import JsonV1Dot6
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
from installers.parts import Part
from packageurl import PackageURL

_NAMESPACE: Final = uuid.UUID("6a1c2f0e-8d54-5b7e-9a59-3d1d3b6d1f10")
_COPYLEFT: Final = ("GPL", "MPL")


def sbom(parts: Sequence[Part], *, version: str, epoch: int) -> str:
    """CycloneDX 1.6, JSON. The same for the same parts. Raises ValueError if it does not hold its own schema."""
    root = Component(
        name="confvm-console",
        version=version,
        type=ComponentType.APPLICATION,
        bom_ref=f"confvm-console@{version}",
        licenses=[LicenseFactory().make_from_string("Apache-2.0")],
        description="Desktop console to launch, watch, prove and govern confidential virtual machines",
    )
    bom = Bom()
    bom.metadata.component = root
    bom.metadata.timestamp = datetime.fromtimestamp(epoch, UTC)
    bom.metadata.manufacturer = OrganizationalEntity(name="The ConfVM Console authors")
    components = {part.name: _component(part) for part in parts}
    bom.components.update(components.values())
    for part in parts:
        bom.register_dependency(components[part.name], [components[name] for name in part.needs])
    bom.register_dependency(root, list(components.values()))
    identity = "\n".join((version, *sorted(part.purl for part in parts)))
    bom.serial_number = uuid.uuid5(_NAMESPACE, identity)
    text = JsonV1Dot6(bom).output_as_string(indent=2) + "\n"
    broken = JsonStrictValidator(SchemaVersion.V1_6).validate_str(text)
    if broken is not None:
        raise ValueError(f"the SBOM does not hold CycloneDX's schema: {broken}")
    return text


def _component(part: Part) -> Component:
    within = [
        Component(
            name=name,
            type=ComponentType.LIBRARY,
            bom_ref=f"{part.purl}#{name}",
            licenses=[LicenseFactory().make_from_string(licence)],
        )
        for name, licence in part.within
    ]
    return Component(
        name=part.name,
        version=part.version,
        type=ComponentType.LIBRARY,
        bom_ref=part.purl,
        purl=PackageURL.from_string(part.purl),
        licenses=[LicenseFactory().make_from_string(part.licence)] if part.licence else [],
        external_references=[ExternalReference(type=ExternalReferenceType.WEBSITE, url=XsUri(part.home))]
        if part.home.startswith("http")
        else [],
        components=within,
    )


def notice(parts: Sequence[Part], *, version: str) -> str:
    """What the bundle carries, under which licences; those that ask something of who passes it on come first."""
    asking = [part for part in parts if any(word in _licences(part) for word in _COPYLEFT)]
    others = [part for part in parts if part not in asking]
    lines = [
        f"ConfVM Console {version}",
        "",
        "The console itself is under the Apache License 2.0 (LICENSE). This bundle also carries the works of others,",
        "each under its own licence, whose text is in the folder licences/. The same list for programs: sbom.cdx.json.",
        "",
        "Under licences that ask something of whoever passes the bundle on (source, relinking, notices):",
        "",
        *_rows(asking),
        "",
        "Under licences that ask for their notice to be kept:",
        "",
        *_rows(others),
    ]
    return "\n".join(lines) + "\n"


def _licences(part: Part) -> str:
    return " ".join((part.licence, *(licence for _, licence in part.within)))


def _rows(parts: Sequence[Part]) -> list[str]:
    rows = []
    for part in parts:
        rows.append(f"  {part.name} {part.version}: {part.licence}")
        rows += [f"      with {name}: {licence}" for name, licence in part.within]
    return rows


def write_licences(parts: Sequence[Part], own: Path, folder: Path) -> None:
    """The texts of all parts below `folder`, one folder for each; ours (`own`) right in it.

    Raises ValueError if a part has none: it must not be passed on so.
    """
    folder.mkdir(parents=True)
    shutil.copy(own, folder / "LICENSE")
    for part in parts:
        if not part.texts:
            raise ValueError(f"{part.name} {part.version} is bundled and no text of its licence is known")
        target = folder / f"{part.name}-{part.version}"
        target.mkdir()
        for number, text in enumerate(part.texts):
            name = text.name if not (target / text.name).exists() else f"{number}-{text.name}"
            shutil.copy(text, target / name)


def write_papers(parts: Sequence[Part], own_licence: Path, folder: Path, *, version: str, epoch: int) -> None:
    """`sbom.cdx.json`, `NOTICE` and `licences/` in `folder`."""
    (folder / "sbom.cdx.json").write_text(sbom(parts, version=version, epoch=epoch))
    (folder / "NOTICE").write_text(notice(parts, version=version))
    write_licences(parts, own_licence, folder / "licences")
