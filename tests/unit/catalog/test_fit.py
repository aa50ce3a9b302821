"""What fits what: each reason is one plain sentence, at the right field."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from confvm_gui.catalog import (
    Catalog,
    default_zone,
    forced_nic_type,
    forced_platform,
    image_unfit,
    load_catalog,
    machine_type_region_unfit,
    machine_type_unfit,
    region_unfit,
    request_problems,
    zone_unfit,
)
from confvm_gui.catalog.fit import EMBEDDED, judged_as
from confvm_gui.domain.catalogue import Technology
from confvm_gui.domain.instance import HostMaintenance, LaunchRequest

CATALOG = load_catalog()

SEV_REQUEST = LaunchRequest(
    name="probe",
    provider="embedded",
    cloud="gce",
    region="europe-west4",
    zone="europe-west4-a",
    machine_type="n2d-standard-2",
    image="ubuntu-2204-lts",
    technology=Technology.SEV,
)


def _problems(request: LaunchRequest) -> dict[str, str]:
    problems = request_problems(CATALOG, request)
    fields = [problem.field for problem in problems]
    assert len(set(fields)) == len(fields)
    return {problem.field: problem.message for problem in problems}


# Pieces


def test_an_old_kernel_is_the_reason() -> None:
    image = CATALOG.image("gce", "ubuntu-1804-lts")
    assert image_unfit(image, Technology.SEV) == ""
    assert image_unfit(image, Technology.SEV_SNP) == (
        "Ubuntu 18.04 LTS boots kernel 5.4; AMD SEV-SNP guests need 5.19 or later"
    )


def test_kernels_are_compared_as_numbers() -> None:
    debian = CATALOG.image("gce", "debian-12")
    assert image_unfit(replace(debian, kernel="5.2"), Technology.SEV_SNP).endswith("guests need 5.19 or later")
    assert "SEV_SNP_CAPABLE" in image_unfit(replace(debian, kernel="5.100"), Technology.SEV_SNP)
    assert "boots kernel 4.19.112" in image_unfit(CATALOG.image("gce", "cos-81-lts"), Technology.TDX)


def test_a_missing_flag_is_the_reason() -> None:
    assert image_unfit(CATALOG.image("gce", "debian-12"), Technology.TDX) == (
        "Debian 12 lacks the capability flag TDX_CAPABLE, which Intel TDX needs"
    )
    assert "SEV_CAPABLE" in image_unfit(CATALOG.image("gce", "windows-2022"), Technology.SEV)


def test_azure_wants_an_image_for_confidential_vms() -> None:
    plain = CATALOG.image("azure", "Canonical:ubuntu-24_04-lts:server")
    assert image_unfit(plain, Technology.SGX) == ""
    assert "not an image for confidential VMs" in image_unfit(plain, Technology.SEV_SNP)
    focal = CATALOG.image("azure", "Canonical:0001-com-ubuntu-confidential-vm-focal:20_04-lts-cvm")
    assert image_unfit(focal, Technology.TDX) == "Ubuntu 20.04 LTS, confidential VM is not listed for Intel TDX"


@pytest.mark.parametrize("cloud", CATALOG.clouds)
def test_anything_fits_a_plain_vm(cloud: str) -> None:
    assert all(image_unfit(image, Technology.NONE) == "" for image in CATALOG.images(cloud))
    assert all(machine_type_unfit(entry, Technology.NONE) == "" for entry in CATALOG.machine_types(cloud))
    for region in CATALOG.regions(cloud):
        assert region_unfit(region, Technology.NONE) == ""
        assert all(zone_unfit(region, zone, Technology.NONE) == "" for zone in region.zones)


def test_a_machine_type_tells_what_it_offers() -> None:
    n2d = CATALOG.machine_type("gce", "n2d-standard-2")
    assert machine_type_unfit(n2d, Technology.TDX) == "n2d-standard-2 offers AMD SEV and AMD SEV-SNP, not Intel TDX"
    bare = replace(n2d, technologies=frozenset())
    assert machine_type_unfit(bare, Technology.SEV) == "n2d-standard-2 offers no confidential technology"


def test_a_zone_tells_which_does() -> None:
    region = CATALOG.region("gce", "asia-south1")
    assert zone_unfit(region, "asia-south1-b", Technology.TDX) == ""
    assert (
        zone_unfit(region, "asia-south1-a", Technology.TDX)
        == "asia-south1-a does not offer Intel TDX; asia-south1-b does"
    )
    several = CATALOG.region("gce", "us-east1")
    assert zone_unfit(several, "us-east1-b", Technology.TDX).endswith("us-east1-c, us-east1-d do")
    assert zone_unfit(region, "us-east1-b", Technology.TDX).startswith("'us-east1-b' is not a zone of asia-south1")
    assert zone_unfit(region, "", Technology.TDX) == "Choose a zone of asia-south1: asia-south1-b"
    assert zone_unfit(region, "asia-south1-a", Technology.SEV_SNP) == (
        "No zone of asia-south1 (Mumbai, India) is listed with AMD SEV-SNP"
    )
    assert default_zone(region, Technology.TDX) == "asia-south1-b"
    assert default_zone(region, Technology.SEV_SNP) == ""


def test_a_series_is_not_everywhere() -> None:
    c4d = CATALOG.machine_type("gce", "c4d-standard-4")
    assert machine_type_region_unfit(c4d, CATALOG.region("gce", "europe-west4")) == ""
    assert machine_type_region_unfit(c4d, CATALOG.region("gce", "europe-west6")) == (
        "C4D machines are not listed for europe-west6 (Zurich, Switzerland)"
    )
    # OCI's list says nothing of single regions.
    oci = CATALOG.machine_types("oci")[0]
    assert all(machine_type_region_unfit(oci, region) == "" for region in CATALOG.regions("oci"))


def test_what_a_technology_forces() -> None:
    n2d, c3 = CATALOG.machine_type("gce", "n2d-standard-2"), CATALOG.machine_type("gce", "c3-standard-4")
    assert forced_platform(n2d, Technology.NONE) == ""
    assert forced_platform(n2d, Technology.SEV) == "AMD Milan"
    assert forced_nic_type(n2d, Technology.SEV) == "GVNIC"
    assert forced_nic_type(n2d, Technology.NONE) == ""
    assert forced_nic_type(c3, Technology.NONE) == "GVNIC"
    assert forced_nic_type(CATALOG.machine_types("aws")[0], Technology.SEV_SNP) == ""


# Whole requests


def test_a_good_request_has_no_problems() -> None:
    assert _problems(SEV_REQUEST) == {}
    assert _problems(replace(SEV_REQUEST, host_maintenance=HostMaintenance.MIGRATE)) == {}
    assert _problems(replace(SEV_REQUEST, min_cpu_platform="AMD Milan")) == {}
    assert _problems(replace(SEV_REQUEST, technology=Technology.SEV_SNP, zone="europe-west4-c")) == {}
    plain = replace(SEV_REQUEST, technology=Technology.NONE, image="windows-2022", nic_type="VIRTIO_NET")
    assert _problems(plain) == {}


@pytest.mark.parametrize(
    ("cloud", "region", "zone", "machine_type", "image", "technology"),
    [
        ("gce", "us-east5", "us-east5-b", "c3-standard-22", "rhel-9", Technology.TDX),
        ("gce", "europe-west1", "europe-west1-d", "n2d-standard-4", "cos-81-lts", Technology.SEV),
        ("azure", "eastus", "eastus-2", "Standard_DC4as_v5", "Canonical:ubuntu-24_04-lts:cvm", Technology.SEV_SNP),
        ("aws", "eu-west-1", "eu-west-1b", "r6a.xlarge", "al2023-ami-kernel-6.1-x86_64", Technology.SEV_SNP),
        ("oci", "eu-zurich-1", "eu-zurich-1-ad-1", "VM.Standard.E4.Flex-4-64", "Oracle-Linux-8.10", Technology.SEV),
        ("vsphere", "datacenter", "datacenter", "vm-2-vcpu", "ubuntu-24.04", Technology.SEV_ES),
    ],
)
def test_each_cloud_can_be_rehearsed(
    cloud: str, region: str, zone: str, machine_type: str, image: str, technology: Technology
) -> None:
    request = replace(
        SEV_REQUEST,
        cloud=cloud,
        region=region,
        zone=zone,
        machine_type=machine_type,
        image=image,
        technology=technology,
    )
    assert _problems(request) == {}


@pytest.mark.parametrize(
    ("change", "field", "words"),
    [
        ({"cloud": "ibm"}, "cloud", "no cloud 'ibm'"),
        ({"region": "europe-west99", "zone": ""}, "region", "no region 'europe-west99'"),
        (
            {"region": "europe-west6", "zone": "europe-west6-a", "technology": Technology.SEV_SNP},
            "region",
            "No zone of",
        ),
        ({"zone": ""}, "zone", "Choose a zone of europe-west4"),
        ({"zone": "europe-west3-a"}, "zone", "is not a zone of europe-west4"),
        ({"machine_type": "n2d-standard-3"}, "machine_type", "did you mean n2d-standard-"),
        ({"machine_type": "e2-medium"}, "machine_type", "no machine type 'e2-medium'"),
        ({"machine_type": "c3-standard-4"}, "machine_type", "offers Intel TDX, not AMD SEV"),
        ({"image": "ubuntu-9999"}, "image", "no image 'ubuntu-9999'"),
        ({"image": ""}, "image", "Choose an image of Google Cloud"),
        ({"image": "windows-2022"}, "image", "SEV_CAPABLE"),
        (
            {"technology": Technology.SEV_ES, "provider": "gce"},
            "technology",
            "Google Cloud does not offer AMD SEV-ES; it offers AMD SEV,",
        ),
        (
            {"technology": Technology.SEV_SNP, "host_maintenance": HostMaintenance.MIGRATE},
            "host_maintenance",
            "AMD SEV-SNP VMs on N2D machines do not migrate; choose TERMINATE",
        ),
        (
            {"image": "ubuntu-1804-lts", "host_maintenance": HostMaintenance.MIGRATE},
            "host_maintenance",
            "SEV_LIVE_MIGRATABLE_V2",
        ),
        ({"nic_type": "VIRTIO_NET"}, "nic_type", "A confidential VM needs the NIC type GVNIC"),
        ({"nic_type": "E1000"}, "nic_type", "is not a NIC type"),
        (
            {"nic_type": "VIRTIO_NET", "machine_type": "c3d-standard-4", "technology": Technology.NONE},
            "nic_type",
            "C3D machines need the NIC type GVNIC",
        ),
        ({"min_cpu_platform": "AMD Rome"}, "min_cpu_platform", "needs the platform AMD Milan"),
        (
            {"min_cpu_platform": "AMD Turin", "technology": Technology.NONE},
            "min_cpu_platform",
            "run on AMD Rome, AMD Milan",
        ),
        (
            {
                "min_cpu_platform": "Intel Sapphire Rapids",
                "technology": Technology.TDX,
                "machine_type": "c3-standard-4",
            },
            "min_cpu_platform",
            "takes no minimum CPU platform",
        ),
    ],
)
def test_one_thing_wrong_is_told_at_its_field(change: dict[str, object], field: str, words: str) -> None:
    values = {name: getattr(SEV_REQUEST, name) for name in SEV_REQUEST.__dataclass_fields__}
    problems = _problems(LaunchRequest(**(values | change)))
    assert list(problems) == [field]
    assert words in problems[field]


def test_everything_wrong_is_told_at_once() -> None:
    request = replace(
        SEV_REQUEST,
        zone="nowhere",
        machine_type="c4d-standard-2",
        image="windows-2022",
        region="europe-west6",
        nic_type="IDPF",
        min_cpu_platform="AMD Rome",
        host_maintenance=HostMaintenance.MIGRATE,
    )
    assert set(_problems(request)) == {
        "zone",
        "machine_type",
        "image",
        "nic_type",
        "min_cpu_platform",
        "host_maintenance",
    }


def test_other_clouds_know_no_nic_type() -> None:
    request = replace(
        SEV_REQUEST,
        cloud="oci",
        region="eu-zurich-1",
        zone="eu-zurich-1-ad-1",
        machine_type="VM.Standard.E4.Flex-1-16",
        image="Oracle-Linux-8.10",
        nic_type="anything",
    )
    assert _problems(request) == {}


def _names(catalog: Catalog, cloud: str) -> tuple[list[str], list[str], list[str], list[str]]:
    return (
        [region.name for region in catalog.regions(cloud)],
        [zone for region in catalog.regions(cloud) for zone in region.zones],
        [entry.name for entry in catalog.machine_types(cloud)],
        [image.name for image in catalog.images(cloud)],
    )


_TEXT = st.text(max_size=200)


@given(data=st.data())
def test_any_request_is_judged_and_messages_are_short_lines(data: st.DataObject) -> None:
    cloud = data.draw(st.sampled_from([*CATALOG.clouds, "ibm"]))
    regions, zones, machine_types, images = _names(CATALOG, cloud) if cloud != "ibm" else ([], [], [], [])

    def drawn(names: list[str]) -> str:
        return data.draw(st.sampled_from(names) | _TEXT if names else _TEXT)

    request = replace(
        SEV_REQUEST,
        cloud=cloud,
        region=drawn(regions),
        zone=drawn(zones),
        machine_type=drawn(machine_types),
        image=drawn(images),
        technology=data.draw(st.sampled_from(Technology)),
        host_maintenance=data.draw(st.sampled_from(HostMaintenance)),
        nic_type=data.draw(st.sampled_from(["GVNIC", "VIRTIO_NET"]) | _TEXT),
        min_cpu_platform=data.draw(st.sampled_from(["", "AMD Milan"]) | _TEXT),
    )
    for problem in request_problems(CATALOG, request):
        assert problem.message
        assert problem.message.isprintable() or not all(
            text.isprintable() for text in (request.zone, request.min_cpu_platform, request.nic_type)
        )
        assert len(problem.message) < 1200


def test_the_embedded_engine_rehearses_sev_es_where_a_cloud_has_sev_alone() -> None:
    rehearsal = replace(SEV_REQUEST, technology=Technology.SEV_ES)
    assert rehearsal.provider == EMBEDDED
    assert request_problems(CATALOG, rehearsal) == ()
    assert judged_as(CATALOG, EMBEDDED, "gce", Technology.SEV_ES) is Technology.SEV
    assert judged_as(CATALOG, EMBEDDED, "vsphere", Technology.SEV_ES) is Technology.SEV_ES
    assert judged_as(CATALOG, EMBEDDED, "gce", Technology.SGX) is Technology.SGX


def test_images_of_the_library_boot_where_this_console_can_bring_them() -> None:
    own = replace(SEV_REQUEST, image="local:my-kernel")
    assert request_problems(CATALOG, own) == ()
    (problem,) = request_problems(CATALOG, replace(own, provider="gce"))
    assert problem.field == "image"
    assert "library" in str(problem)
