"""A request looked at whole: every problem, nothing replaced, a free name."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from confvm_gui.domain.catalogue import Technology
from confvm_gui.domain.errors import InvalidInput, NameTaken
from confvm_gui.domain.instance import NAME_PATTERN, HostMaintenance, LaunchRequest, check_name
from confvm_gui.fleet.launch import default_request, free_name, make_confidential, plan_launch
from tests.support.wizard_session import real_catalog

SEV_ONLY = frozenset({Technology.SEV})


def sev_request() -> LaunchRequest:
    return make_confidential(real_catalog(), default_request(real_catalog()), Technology.SEV)[0]


@pytest.mark.parametrize("cloud", real_catalog().clouds)
def test_the_defaults_of_every_cloud_can_be_launched_as_they_are(cloud: str) -> None:
    plan = plan_launch(real_catalog(), default_request(real_catalog(), cloud=cloud), SEV_ONLY, ())
    assert plan.launchable, plan.problems


def test_the_default_name_is_free() -> None:
    taken = {"confidential-1", "confidential-2"}
    assert default_request(real_catalog(), taken_names=taken).name == "confidential-3"


def test_all_problems_are_told_at_once_each_with_its_field() -> None:
    request = replace(
        sev_request(), name="Not Legal", region="atlantis-1", image="beos-5", labels={"Upper": "x"}, zone="nowhere"
    )
    plan = plan_launch(real_catalog(), request, frozenset(), ())
    assert {"name", "region", "image", "technology", "labels"} <= {problem.field for problem in plan.problems}
    assert plan.request.region == "atlantis-1"
    assert plan.problem("name")
    assert plan.problem("disk_key") == ""


def test_a_taken_name_names_a_free_one() -> None:
    plan = plan_launch(real_catalog(), replace(sev_request(), name="web-7"), SEV_ONLY, {"web-7", "web-8"})
    (problem,) = plan.problems
    assert isinstance(problem, NameTaken)
    assert "web-9" in str(problem)


def test_choices_that_do_not_fit_stay_and_are_problems() -> None:
    request = replace(sev_request(), image="windows-2022")
    plan = plan_launch(real_catalog(), request, SEV_ONLY, ())
    assert plan.request.image == "windows-2022"
    assert [problem.field for problem in plan.problems] == ["image"]


def test_settings_that_follow_are_filled_in_and_told() -> None:
    request = replace(sev_request(), min_cpu_platform="", zone="", nic_type="VIRTIO_NET", image="ubuntu-2004-lts")
    plan = plan_launch(real_catalog(), request, SEV_ONLY, ())
    assert plan.launchable
    assert plan.request.min_cpu_platform == "AMD Milan"
    assert plan.request.zone.startswith("us-central1-")
    assert plan.request.nic_type == "GVNIC"
    assert plan.request.host_maintenance is HostMaintenance.TERMINATE
    assert {item.field for item in plan.forced} == {"zone", "min_cpu_platform", "host_maintenance", "nic_type"}


def test_a_technology_that_the_provider_lacks_is_a_problem() -> None:
    plan = plan_launch(real_catalog(), sev_request(), frozenset(), ())
    assert [problem.field for problem in plan.problems] == ["technology"]


@pytest.mark.parametrize("bad", ["", "no colon", "local:", ":default", "local:two words"])
def test_a_disk_key_must_be_a_reference(bad: str) -> None:
    plan = plan_launch(real_catalog(), replace(sev_request(), disk_key=bad), SEV_ONLY, ())
    assert [problem.field for problem in plan.problems] == ["disk_key"]


def test_the_notes_say_what_really_runs() -> None:
    notes = " ".join(plan_launch(real_catalog(), sev_request(), SEV_ONLY, ()).notes)
    assert "built-in records guest runs in place of Ubuntu 24.04" in notes
    plain = " ".join(plan_launch(real_catalog(), default_request(real_catalog()), SEV_ONLY, ()).notes)
    assert "whoever controls the host can read" in plain
    elsewhere = replace(sev_request(), provider="gce")
    assert "embedded" not in " ".join(plan_launch(real_catalog(), elsewhere, SEV_ONLY, ()).notes)


def test_a_cloud_without_machines_is_refused() -> None:
    with pytest.raises(InvalidInput):
        default_request(real_catalog(), cloud="nimbus")


@given(wanted=st.from_regex(NAME_PATTERN, fullmatch=True), taken=st.sets(st.sampled_from(range(30))))
def test_a_free_name_is_free_and_legal(wanted: str, taken: set[int]) -> None:
    names = {wanted, *(f"{wanted[:60].rstrip('-')}-{number}" for number in taken)}
    name = free_name(wanted, names)
    assert name not in names
    assert check_name(name) == name


@given(text=st.text(max_size=80), number=st.integers(0, 5))
def test_whatever_is_typed_a_plan_tells_and_never_raises(text: str, number: int) -> None:
    base = sev_request()
    request = (
        replace(base, name=text),
        replace(base, cloud=text),
        replace(base, region=text),
        replace(base, zone=text),
        replace(base, machine_type=text),
        replace(base, image=text),
    )[number]
    plan = plan_launch(real_catalog(), request, SEV_ONLY, ())
    assert all(isinstance(problem, InvalidInput) for problem in plan.problems)
