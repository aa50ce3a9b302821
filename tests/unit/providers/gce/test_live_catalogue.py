"""The catalogue of a project: what Google tells over what is shipped, which holds where nothing is told."""

from __future__ import annotations

from functools import partial

from confvm_gui.catalog import default_zone, load_catalog, request_problems
from confvm_gui.domain.catalogue import Technology
from confvm_gui.fleet.export import rest_body
from confvm_gui.providers.gce.provider import GceProvider
from tests.support.google_compute import PROJECT, FakeCompute
from tests.support.google_rig import HURRY, credentials, google_request


async def test_new_zones_sizes_and_own_images_can_be_chosen(service: FakeCompute) -> None:
    catalog = load_catalog()
    shipped = {region.name: region for region in catalog.regions("gce")}
    provider = GceProvider("gce-probe", PROJECT, credentials, catalog, partial(rest_body, catalog), patience=HURRY)
    await provider.learnt()
    await provider.aclose()
    assert provider.known
    assert {region.name for region in catalog.regions("gce")} == {*shipped, "moon-base1"}
    moon = catalog.region("gce", "moon-base1")
    assert not moon.placed
    assert default_zone(moon, Technology.SEV) == "moon-base1-a"
    assert default_zone(moon, Technology.SEV_SNP) == ""
    assert catalog.region("gce", "us-central1").title == shipped["us-central1"].title
    odd = catalog.machine_type("gce", "n2d-standard-7")
    assert (odd.vcpus, odd.memory_mib, Technology.SEV in odd.technologies) == (7, 28672, True)
    assert catalog.image("gce", "golden-7").technologies == {Technology.SEV}
    ubuntu = catalog.image("gce", "ubuntu-2404-lts-amd64")
    assert ubuntu.technologies == {Technology.SEV, Technology.SEV_SNP, Technology.TDX}
    request = google_request(
        region="moon-base1", zone="moon-base1-a", machine_type="n2d-standard-2", image="ubuntu-2404-lts-amd64"
    )
    assert request_problems(catalog, request) == ()


async def test_what_is_shipped_holds_where_nothing_is_told(service: FakeCompute) -> None:
    catalog = load_catalog()
    before = catalog.regions("gce"), catalog.machine_types("gce"), catalog.images("gce")
    service.failing = [(403, "forbidden")]
    provider = GceProvider("gce-probe", PROJECT, credentials, catalog, partial(rest_body, catalog), patience=HURRY)
    await provider.learnt()
    await provider.aclose()
    assert provider.known
    assert before == (catalog.regions("gce"), catalog.machine_types("gce"), catalog.images("gce"))
