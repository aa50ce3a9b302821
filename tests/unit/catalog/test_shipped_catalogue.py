"""The shipped files: complete, sourced, and equal to the published facts row by row."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator

import pytest

from confvm_gui.catalog import (
    CLOUDS,
    Catalog,
    forced_platform,
    host_maintenance,
    load_catalog,
    machine_type_region_unfit,
    machine_type_unfit,
    zone_unfit,
)
from confvm_gui.domain.catalogue import Image, MachineType, Region, Source, Technology, TechnologyInfo
from confvm_gui.domain.errors import NotFound
from confvm_gui.domain.instance import HostMaintenance

SEV, SNP, TDX, SGX, NITRO = (
    Technology.SEV,
    Technology.SEV_SNP,
    Technology.TDX,
    Technology.SGX,
    Technology.NITRO,
)


@pytest.fixture(scope="module")
def catalog() -> Catalog:
    return load_catalog()


def _everything(catalog: Catalog) -> Iterator[Region | MachineType | Image | TechnologyInfo]:
    yield from catalog.technologies()
    for cloud in catalog.clouds:
        yield from catalog.regions(cloud)
        yield from catalog.machine_types(cloud)
        yield from catalog.images(cloud)


def test_has_every_cloud_with_something_to_choose(catalog: Catalog) -> None:
    assert catalog.clouds == tuple(CLOUDS) == ("gce", "azure", "aws", "oci", "vsphere", "libvirt")
    for cloud in catalog.clouds:
        assert catalog.regions(cloud)
        assert catalog.machine_types(cloud)
        assert catalog.images(cloud)
        for technology in catalog.offered_technologies(cloud):
            assert any(technology in image.technologies for image in catalog.images(cloud)), (cloud, technology)


def test_every_entry_names_a_public_document(catalog: Catalog) -> None:
    for entry in _everything(catalog):
        source: Source = entry.source
        assert source.title
        assert re.fullmatch(r"https://[a-z0-9.-]+/\S*", source.url)
        assert source.retrieved == "" or re.fullmatch(r"20\d\d-\d\d-\d\d", source.retrieved)


def test_names_lead_to_entries(catalog: Catalog) -> None:
    for cloud in catalog.clouds:
        for region in catalog.regions(cloud):
            assert catalog.region(cloud, region.name) is region
            for zone in region.zones:
                assert catalog.region_of_zone(cloud, zone) is region
        for machine_type in catalog.machine_types(cloud):
            assert catalog.machine_type(cloud, machine_type.name) is machine_type
        for image in catalog.images(cloud):
            assert catalog.image(cloud, image.name) is image


def test_all_technologies_are_described_side_by_side(catalog: Catalog) -> None:
    described = [info.technology for info in catalog.technologies()]
    assert described == [technology for technology in Technology if technology is not Technology.NONE]
    for technology in described:
        assert catalog.technology(technology).title == technology.title
    with pytest.raises(NotFound):
        catalog.technology(Technology.NONE)


def test_coordinates_are_on_the_map_and_not_at_the_origin(catalog: Catalog) -> None:
    for cloud in catalog.clouds:
        for region in catalog.regions(cloud):
            assert region.placed is (cloud not in ("vsphere", "libvirt"))
            assert (abs(region.latitude) + abs(region.longitude) > 1) is region.placed


# Google Cloud, row by row as published

GOOGLE_ROWS = [
    # series, technology, platform forced, migrates live
    ("n2d", SEV, "AMD Milan", True),
    ("n2d", SNP, "AMD Milan", False),
    ("c2d", SEV, "AMD Milan", False),
    ("c3d", SEV, "AMD Genoa", True),
    ("c4d", SEV, "AMD Turin", False),
    ("c3", TDX, "", False),
    ("a3", TDX, "", False),
]


@pytest.mark.parametrize(("series", "technology", "platform", "migrates"), GOOGLE_ROWS)
def test_google_series(catalog: Catalog, series: str, technology: Technology, platform: str, migrates: bool) -> None:
    machine_types = [entry for entry in catalog.machine_types("gce") if entry.series == series]
    assert machine_types
    for machine_type in machine_types:
        assert machine_type_unfit(machine_type, technology) == ""
        assert forced_platform(machine_type, technology) == platform
        assert not platform or platform in machine_type.cpu_platforms
        expected = HostMaintenance.MIGRATE if migrates else HostMaintenance.TERMINATE
        assert host_maintenance(machine_type, technology) is expected


def test_google_offers_no_other_combination(catalog: Catalog) -> None:
    rows = {(series, technology) for series, technology, _, _ in GOOGLE_ROWS}
    offered = {
        (entry.series, technology) for entry in catalog.machine_types("gce") for technology in entry.technologies
    }
    assert offered == rows


def test_plain_vms_migrate_but_for_those_with_a_gpu(catalog: Catalog) -> None:
    for machine_type in catalog.machine_types("gce"):
        expected = HostMaintenance.TERMINATE if machine_type.series == "a3" else HostMaintenance.MIGRATE
        assert host_maintenance(machine_type, Technology.NONE) is expected


SNP_ZONES = dict.fromkeys(("asia-southeast1", "europe-west3", "europe-west4", "us-central1"), "abc")
TDX_ZONES = {
    "asia-northeast1": "b",
    "asia-south1": "b",
    "asia-southeast1": "abc",
    "europe-west4": "abc",
    "europe-west9": "ab",
    "us-central1": "abc",
    "us-east1": "cd",
    "us-east4": "ac",
    "us-east5": "bc",
    "us-west1": "ab",
}


@pytest.mark.parametrize(("technology", "expected"), [(SNP, SNP_ZONES), (TDX, TDX_ZONES)])
def test_google_zones(catalog: Catalog, technology: Technology, expected: dict[str, str]) -> None:
    zones = {f"{region}-{letter}" for region, letters in expected.items() for letter in letters}
    for region in catalog.regions("gce"):
        for zone in region.zones:
            assert (zone_unfit(region, zone, technology) == "") is (zone in zones), zone


def test_google_sev_zones_have_the_platform(catalog: Catalog) -> None:
    amd = [entry for entry in catalog.machine_types("gce") if SEV in entry.technologies]
    for region in catalog.regions("gce"):
        if region.technology_zones(SEV):
            assert any(machine_type_region_unfit(entry, region) == "" for entry in amd), region.name
    n2d = catalog.machine_type("gce", "n2d-standard-2")
    for region in catalog.regions("gce"):
        if region.name in n2d.regions:
            assert region.technology_zones(SEV) == region.zones


def test_google_tdx_zones_have_c3(catalog: Catalog) -> None:
    c3 = catalog.machine_type("gce", "c3-standard-4")
    assert all(region in c3.regions for region in TDX_ZONES)


def test_launch_set(catalog: Catalog) -> None:
    assert [image.title for image in catalog.images("gce") if image.launch_set] == [
        "Ubuntu 18.04 LTS",
        "Ubuntu 20.04 LTS",
        "Container-Optimized OS 81",
        "Red Hat Enterprise Linux 8.2",
    ]
    assert {region.name for region in catalog.regions("gce") if region.launch_set} == {
        "asia-southeast1",
        "europe-west1",
        "europe-west4",
        "us-central1",
    }
    for image in catalog.images("gce"):
        assert not image.launch_set or image.technologies == {SEV}


def test_google_images_are_offered_by_their_flags(catalog: Catalog) -> None:
    flags = {SEV: "SEV_CAPABLE", SNP: "SEV_SNP_CAPABLE", TDX: "TDX_CAPABLE"}
    for image in catalog.images("gce"):
        assert image.technologies == {technology for technology, flag in flags.items() if flag in image.features}
        assert "UEFI_COMPATIBLE" in image.features


@pytest.mark.parametrize(
    ("name", "vcpus", "gib"),
    [
        ("n2d-standard-2", 2, 8),
        ("n2d-standard-224", 224, 896),
        ("n2d-highmem-96", 96, 768),
        ("n2d-highcpu-224", 224, 224),
        ("c2d-highmem-112", 112, 896),
        ("c3d-highcpu-360", 360, 708),
        ("c3d-standard-180", 180, 720),
        ("c4d-standard-2", 2, 7),
        ("c4d-highmem-384", 384, 3024),
        ("c3-standard-176", 176, 704),
        ("a3-highgpu-1g", 26, 234),
    ],
)
def test_google_sizes(catalog: Catalog, name: str, vcpus: int, gib: int) -> None:
    machine_type = catalog.machine_type("gce", name)
    assert (machine_type.vcpus, machine_type.memory_mib) == (vcpus, gib * 1024)


def test_n2d_comes_in_its_real_sizes(catalog: Catalog) -> None:
    names = {entry.name for entry in catalog.machine_types("gce") if entry.series == "n2d"}
    small = {
        f"n2d-{kind}-{n}" for kind in ("standard", "highmem", "highcpu") for n in (2, 4, 8, 16, 32, 48, 64, 80, 96)
    }
    assert names == small | {f"n2d-{kind}-{n}" for kind in ("standard", "highcpu") for n in (128, 224)}


# The other clouds


@pytest.mark.parametrize(
    ("series", "technology"),
    [
        ("DCasv5", SNP),
        ("DCadsv5", SNP),
        ("ECasv5", SNP),
        ("ECadsv5", SNP),
        ("DCesv5", TDX),
        ("ECesv5", TDX),
        ("DCsv2", SGX),
        ("DCsv3", SGX),
    ],
)
def test_azure_series(catalog: Catalog, series: str, technology: Technology) -> None:
    machine_types = [entry for entry in catalog.machine_types("azure") if entry.series == series]
    assert machine_types
    assert all(entry.technologies == {technology} for entry in machine_types)
    for entry in machine_types:
        assert host_maintenance(entry, technology) is HostMaintenance.TERMINATE
        assert any(catalog.region("azure", region).technology_zones(technology) for region in entry.regions)


def test_azure_names(catalog: Catalog) -> None:
    assert catalog.machine_type("azure", "Standard_EC96as_v5").memory_mib == 672 * 1024
    assert catalog.machine_type("azure", "Standard_EC128es_v5").memory_mib == 768 * 1024
    assert catalog.machine_type("azure", "Standard_DC8_v2").vcpus == 8


def test_aws_offers_snp_in_two_regions_and_the_published_sizes(catalog: Catalog) -> None:
    regions = {region.name for region in catalog.regions("aws") if region.technology_zones(SNP)}
    assert regions == {"us-east-2", "eu-west-1"}
    ladder = ["large", "xlarge", "2xlarge", "4xlarge", "8xlarge", "12xlarge", "16xlarge"]
    expected = {
        f"{series}.{size}"
        for series, largest in (("m6a", "8xlarge"), ("c6a", "16xlarge"), ("r6a", "4xlarge"))
        for size in ladder[: ladder.index(largest) + 1]
    }
    assert {entry.name for entry in catalog.machine_types("aws") if SNP in entry.technologies} == expected


def test_nitro_enclaves_need_four_vcpus(catalog: Catalog) -> None:
    for machine_type in catalog.machine_types("aws"):
        assert (NITRO in machine_type.technologies) is (machine_type.vcpus >= 4)


def test_oci_offers_sev_on_e3_and_e4(catalog: Catalog) -> None:
    assert {entry.series for entry in catalog.machine_types("oci")} == {"VM.Standard.E3.Flex", "VM.Standard.E4.Flex"}
    assert catalog.offered_technologies("oci") == (SEV,)
    assert catalog.region("oci", "us-phoenix-1").zones == tuple(f"us-phoenix-1-ad-{n}" for n in (1, 2, 3))


def test_vsphere_has_one_datacenter(catalog: Catalog) -> None:
    (region,) = catalog.regions("vsphere")
    assert region.zones == (region.name,)
    assert catalog.offered_technologies("vsphere") == (Technology.SEV_ES, SNP)


def test_unknown_names_are_told_with_the_nearest(catalog: Catalog) -> None:
    with pytest.raises(NotFound, match=r"Google Cloud has no region 'europe-west44'.*did you mean europe-west4"):
        catalog.region("gce", "europe-west44")
    with pytest.raises(NotFound, match=r"no image 'zzz'.*confvm catalog"):
        catalog.image("gce", "zzz")
    with pytest.raises(NotFound, match="Choose a machine type of Google Cloud"):
        catalog.machine_type("gce", "")
    with pytest.raises(NotFound, match="no cloud 'ibm'; it has gce, azure"):
        catalog.regions("ibm")
    with pytest.raises(NotFound):
        catalog.region_of_zone("gce", "europe-west4-z")


def test_loads_fast_enough_for_the_start() -> None:
    best = 1.0
    for _ in range(5):
        begin = time.perf_counter()
        load_catalog()
        best = min(best, time.perf_counter() - begin)
    assert best < 0.060


def test_libvirt_has_one_host_and_images_that_can_be_downloaded(catalog: Catalog) -> None:
    (region,) = catalog.regions("libvirt")
    assert (region.name, region.zones) == ("host", ("host",))
    assert catalog.offered_technologies("libvirt") == (SEV, Technology.SEV_ES, SNP, TDX)
    assert {entry.name for entry in catalog.machine_types("libvirt")} >= {"small-1", "large-8"}
    assert catalog.machine_type("libvirt", "small-1").memory_mib == 1024
    for image in catalog.images("libvirt"):
        assert image.download is not None
        assert bool(image.download.signed_by) is bool(image.download.key_url) is bool(image.download.signature_url)
