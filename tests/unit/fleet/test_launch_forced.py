"""What ticking the checkbox changes: only what does not fit, to something near that does, with a reason."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from confvm_gui.catalog.fit import image_unfit, request_problems
from confvm_gui.domain.catalogue import Technology
from confvm_gui.domain.errors import InvalidInput, NotFound
from confvm_gui.domain.instance import HostMaintenance, LaunchRequest
from confvm_gui.fleet.launch import default_request, make_confidential, make_plain, settle
from tests.support.wizard_session import real_catalog


def google(
    region: str = "us-central1",
    zone: str = "us-central1-a",
    machine_type: str = "n2d-standard-4",
    image: str = "ubuntu-2404-lts-amd64",
    host_maintenance: HostMaintenance = HostMaintenance.MIGRATE,
) -> LaunchRequest:
    return replace(
        default_request(real_catalog()),
        region=region,
        zone=zone,
        machine_type=machine_type,
        image=image,
        host_maintenance=host_maintenance,
    )


def every_pair() -> Iterator[tuple[str, Technology]]:
    catalog = real_catalog()
    for cloud in catalog.clouds:
        for technology in catalog.offered_technologies(cloud):
            yield cloud, technology


@pytest.mark.parametrize(("cloud", "technology"), list(every_pair()))
def test_whatever_a_cloud_offers_can_be_reached_from_its_defaults(cloud: str, technology: Technology) -> None:
    catalog = real_catalog()
    changed, forced = make_confidential(catalog, default_request(catalog, cloud=cloud), technology)
    assert changed.technology is technology
    assert request_problems(catalog, changed) == ()
    assert all(item.reason and item.before != item.after for item in forced)


@pytest.mark.parametrize("technology", [Technology.SEV, Technology.SEV_SNP, Technology.TDX])
def test_every_region_and_image_of_google_is_led_to_a_request_that_fits(technology: Technology) -> None:
    catalog = real_catalog()
    start = default_request(catalog)
    for region in catalog.regions("gce"):
        wanted = replace(start, region=region.name, zone=region.zones[-1])
        changed, _ = make_confidential(catalog, wanted, technology)
        assert request_problems(catalog, changed) == (), region.name
    for image in catalog.images("gce"):
        changed, _ = make_confidential(catalog, replace(start, image=image.name), technology)
        assert request_problems(catalog, changed) == (), image.name


def test_a_request_that_fits_is_changed_in_nothing_the_second_time() -> None:
    catalog = real_catalog()
    once, forced = make_confidential(catalog, google(), Technology.SEV)
    assert forced
    assert make_confidential(catalog, once, Technology.SEV) == (once, ())


def test_changes_come_in_the_order_of_googles_console() -> None:
    catalog = real_catalog()
    request = google(region="asia-southeast3", zone="asia-southeast3-a", image="windows-2022")
    _, forced = make_confidential(catalog, request, Technology.TDX)
    fields = [item.field for item in forced]
    order = ["machine_type", "min_cpu_platform", "region", "zone", "image", "host_maintenance", "nic_type"]
    assert fields == [field for field in order if field in fields]
    assert {"machine_type", "region", "zone", "image", "host_maintenance", "nic_type"} <= set(fields)


def test_the_machine_keeps_its_size() -> None:
    catalog = real_catalog()
    changed, _ = make_confidential(catalog, google(machine_type="n2d-standard-16"), Technology.TDX)
    before = catalog.machine_type("gce", "n2d-standard-16")
    after = catalog.machine_type("gce", changed.machine_type)
    assert 0.5 <= after.vcpus / before.vcpus <= 2.0


def test_the_region_moves_to_a_neighbour() -> None:
    changed, forced = make_confidential(
        real_catalog(), google(region="europe-west1", zone="europe-west1-b"), Technology.SEV_SNP
    )
    assert changed.region.startswith("europe-")
    assert changed.zone.startswith(changed.region)
    assert any(item.field == "region" and "europe-west1" in item.reason for item in forced)


def test_the_image_stays_with_its_distribution() -> None:
    catalog = real_catalog()
    assert image_unfit(catalog.image("gce", "ubuntu-2004-lts"), Technology.SEV_SNP)
    changed, _ = make_confidential(catalog, google(image="ubuntu-2004-lts"), Technology.SEV_SNP)
    assert changed.image.startswith("ubuntu-22")


def test_an_image_that_cannot_migrate_makes_the_vm_stop_for_maintenance() -> None:
    changed, forced = make_confidential(real_catalog(), google(image="ubuntu-2004-lts"), Technology.SEV)
    assert changed.host_maintenance is HostMaintenance.TERMINATE
    reason = next(item.reason for item in forced if item.field == "host_maintenance")
    assert "SEV_LIVE_MIGRATABLE_V2" in reason


def test_stopping_for_maintenance_is_a_choice_that_stays() -> None:
    changed, _ = make_confidential(real_catalog(), google(host_maintenance=HostMaintenance.TERMINATE), Technology.SEV)
    assert changed.host_maintenance is HostMaintenance.TERMINATE


def test_settling_takes_back_what_an_earlier_choice_had_forced() -> None:
    catalog = real_catalog()
    snp, _ = make_confidential(catalog, google(), Technology.SEV_SNP)
    assert snp.host_maintenance is HostMaintenance.TERMINATE
    plain = settle(catalog, replace(snp, technology=Technology.NONE))
    assert plain.host_maintenance is HostMaintenance.MIGRATE
    assert plain.min_cpu_platform == ""


def test_plain_again_needs_no_platform() -> None:
    catalog = real_catalog()
    sev, _ = make_confidential(catalog, google(), Technology.SEV)
    plain, forced = make_plain(catalog, sev)
    assert not plain.confidential
    assert plain.min_cpu_platform == ""
    assert [item.field for item in forced] == ["min_cpu_platform"]
    assert request_problems(catalog, plain) == ()


def test_a_technology_that_the_cloud_does_not_have_is_refused_with_the_field() -> None:
    with pytest.raises(InvalidInput, match="does not offer AMD SEV-ES") as caught:
        make_confidential(real_catalog(), replace(google(), provider="gce"), Technology.SEV_ES)
    assert caught.value.field == "technology"


def test_sev_es_is_rehearsed_as_sev_would_be() -> None:
    changed, forced = make_confidential(real_catalog(), google(), Technology.SEV_ES)
    as_sev, forced_by_sev = make_confidential(real_catalog(), google(), Technology.SEV)
    assert changed == replace(as_sev, technology=Technology.SEV_ES)
    assert [item.field for item in forced] == [item.field for item in forced_by_sev]


def test_an_unknown_choice_is_not_replaced_in_silence() -> None:
    with pytest.raises(NotFound):
        make_confidential(real_catalog(), google(image="beos-5"), Technology.SEV)


def test_an_image_of_the_library_is_never_replaced() -> None:
    changed, forced = make_confidential(real_catalog(), google(image="local:my-kernel"), Technology.SEV)
    assert changed.image == "local:my-kernel"
    assert "image" not in [item.field for item in forced]
