"""The contract of every provider, kept by the AWS provider against a local EC2.

What is left out is what Amazon has no power for: pausing, memory, metrics, questions to a records guest.
"""

from __future__ import annotations

from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import cast

import pytest

from confvm_gui.domain.catalogue import Technology
from confvm_gui.domain.errors import NotFound, OperationCancelled
from confvm_gui.domain.instance import InstanceState, Trust
from tests.contract.test_provider import (
    RUNNING,
    STOPPED,
    Act,
    EveryPower,
    Kind,
    everything,
    make,
    reset,
    start,
    stop,
    test_a_console_streams_until_the_instance_is_deleted,
    test_a_creation_called_again_confirms_it,
    test_a_creation_cancelled_at_any_step_leaves_nothing,
    test_a_deletion_cancelled_at_any_step_is_done_or_not_begun,
    test_changes_are_told_from_the_call_on_to_all_who_watch,
    test_created_as_asked_for_and_running,
    test_it_says_what_it_is_and_why_it_cannot,
    test_its_powers_are_those_that_it_names,
    test_watching_ends_with_the_provider,
)
from tests.support.amazon_ec2 import FakeEc2
from tests.support.amazon_rig import amazon_provider, amazon_request
from tests.support.operations import OperationRecord

__all__ = [
    "test_a_console_streams_until_the_instance_is_deleted",
    "test_a_creation_called_again_confirms_it",
    "test_a_creation_cancelled_at_any_step_leaves_nothing",
    "test_a_deletion_cancelled_at_any_step_is_done_or_not_begun",
    "test_changes_are_told_from_the_call_on_to_all_who_watch",
    "test_created_as_asked_for_and_running",
    "test_it_says_what_it_is_and_why_it_cannot",
    "test_its_powers_are_those_that_it_names",
    "test_watching_ends_with_the_provider",
]


@pytest.fixture
def kind(service: FakeEc2) -> Kind:
    def connect(_data_dir: Path) -> AbstractAsyncContextManager[EveryPower]:
        # The suite's type names all optional powers; which tests need one that Amazon has not is said above.
        return cast(AbstractAsyncContextManager[EveryPower], amazon_provider())

    return Kind(connect, amazon_request, Technology.SEV_SNP, trust=Trust.UNKNOWN)


@pytest.fixture(params=[Technology.SEV_SNP, Technology.NITRO, Technology.NONE])
def technology(request: pytest.FixtureRequest) -> Technology:
    return Technology(request.param)


@pytest.mark.parametrize(
    ("prepare", "act", "expected"),
    [([stop], start, RUNNING), ([], stop, STOPPED), ([], reset, RUNNING), ([stop], reset, RUNNING)],
)
async def test_an_act_called_twice_ends_where_once_does(
    kind: Kind, data_dir: Path, prepare: list[Act], act: Act, expected: InstanceState
) -> None:
    async with kind.open(data_dir) as provider:
        made = await make(kind, provider)
        for before in prepare:
            await before(provider, made.id, OperationRecord(made.id))
        operation = OperationRecord(made.id)
        for _ in range(2):
            done = await act(provider, made.id, OperationRecord(made.id, operation_id=operation.operation_id))
            assert done.state is expected
            assert await everything(provider) == {made.id: done}


@pytest.mark.parametrize("act", [start, stop, reset])
async def test_what_is_not_there_is_not_found(kind: Kind, data_dir: Path, act: Act) -> None:
    async with kind.open(data_dir) as provider:
        with pytest.raises(NotFound):
            await act(provider, "0" * 32, OperationRecord())


@pytest.mark.parametrize("act", [stop, reset])
async def test_an_act_cancelled_at_its_first_step_changes_nothing(kind: Kind, data_dir: Path, act: Act) -> None:
    async with kind.open(data_dir) as provider:
        made = await make(kind, provider)
        with pytest.raises(OperationCancelled):
            await act(provider, made.id, OperationRecord(made.id, cancel_at=0))
        assert (await everything(provider))[made.id].state is RUNNING


async def test_deleted_running_or_off_and_once_more(kind: Kind, data_dir: Path, service: FakeEc2) -> None:
    async with kind.open(data_dir) as provider:
        for number, prepare in enumerate(([], [stop])):
            made = await make(kind, provider, f"probe-{number}")
            for before in prepare:
                await before(provider, made.id, OperationRecord(made.id))
            await provider.delete(made.id, OperationRecord(made.id))
            assert await everything(provider) == {}
            assert service.alive() == []
            await provider.delete(made.id, OperationRecord(made.id))
