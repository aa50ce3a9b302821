"""The contract of every provider, kept by the libvirt provider on a real libvirtd with QEMU.

What is left out is what libvirt has no power for: the guest's own view of its memory, and questions to a records guest.
"""

from __future__ import annotations

from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import cast

import pytest

from confvm_gui.domain.catalogue import Technology
from tests.contract.test_provider import (
    EveryPower,
    Kind,
    test_a_console_streams_until_the_instance_is_deleted,
    test_a_creation_called_again_confirms_it,
    test_a_creation_cancelled_at_any_step_leaves_nothing,
    test_a_deletion_cancelled_at_any_step_is_done_or_not_begun,
    test_an_act_called_twice_ends_where_once_does,
    test_an_act_cancelled_at_its_first_step_changes_nothing,
    test_changes_are_told_from_the_call_on_to_all_who_watch,
    test_created_as_asked_for_and_running,
    test_deleted_whatever_its_state_and_once_more,
    test_it_says_what_it_is_and_why_it_cannot,
    test_its_powers_are_those_that_it_names,
    test_memory_of_what_does_not_run_is_not_there,
    test_samples_are_of_what_lives,
    test_watching_ends_with_the_provider,
    test_what_does_not_run_cannot_pause,
    test_what_is_not_there_is_not_found,
)
from tests.support.libvirt_rig import kernel_request, provider_at
from tests.support.libvirtd import Daemon
from tests.support.shelf_library import ShelfLibrary

__all__ = [
    "test_a_console_streams_until_the_instance_is_deleted",
    "test_a_creation_called_again_confirms_it",
    "test_a_creation_cancelled_at_any_step_leaves_nothing",
    "test_a_deletion_cancelled_at_any_step_is_done_or_not_begun",
    "test_an_act_called_twice_ends_where_once_does",
    "test_an_act_cancelled_at_its_first_step_changes_nothing",
    "test_changes_are_told_from_the_call_on_to_all_who_watch",
    "test_created_as_asked_for_and_running",
    "test_deleted_whatever_its_state_and_once_more",
    "test_it_says_what_it_is_and_why_it_cannot",
    "test_its_powers_are_those_that_it_names",
    "test_memory_of_what_does_not_run_is_not_there",
    "test_samples_are_of_what_lives",
    "test_watching_ends_with_the_provider",
    "test_what_does_not_run_cannot_pause",
    "test_what_is_not_there_is_not_found",
]


@pytest.fixture
def kind(libvirtd: Daemon, tmp_path: Path) -> Kind:
    library = ShelfLibrary()
    library.put_linux(tmp_path)

    def connect(_data_dir: Path) -> AbstractAsyncContextManager[EveryPower]:
        # The suite's type names all optional powers; which tests need one that libvirt has not is said above.
        return cast(AbstractAsyncContextManager[EveryPower], provider_at(libvirtd.uri, library=library))

    return Kind(connect, kernel_request, Technology.NONE)


@pytest.fixture
def technology() -> Technology:
    """This host's processor is emulated: it has no other."""
    return Technology.NONE
