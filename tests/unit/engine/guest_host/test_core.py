"""The emulated CPU: how a turn ends when it is stopped from another thread."""

from __future__ import annotations

import mmap
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator

import pytest

from confvm_gui.domain.memory import PAGE_SIZE
from confvm_gui.engine.guest_host.core import Core, Turn, Vcpu
from confvm_gui.engine.guest_host.devices import Devices
from confvm_gui.engine.guest_host.page_walk import PageWalk
from confvm_gui.engine.guest_host.protocol import GuestConfig

RAM = 2 << 20
ENTRY = 0x100000
JUMP_TO_ITSELF = b"\xeb\xfe"
SECONDS = 1.5
"""As long as two threads race; what is looked for came about once in a thousand turns."""


@pytest.fixture
def impatient_threads() -> Iterator[None]:
    """Threads change as often as they can, between any two steps."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(before)


class _CountingHost:
    """Tells whenever it has answered."""

    def __init__(self) -> None:
        self.requests = 0
        self.answered_one = threading.Event()

    def guest_request(self) -> int:
        self.requests += 1
        self.answered_one.set()
        return 0

    def change_state(self, page: int, count: int, private: bool) -> int:
        return 0

    def answered(self, sequence: int) -> None:
        pass


def _busy_guest(core: Core, memory: mmap.mmap) -> Vcpu:
    memory[ENTRY : ENTRY + 2] = JUMP_TO_ITSELF
    states = mmap.mmap(-1, RAM // PAGE_SIZE)
    config = GuestConfig(
        guest=1, spa=0, ram_bytes=RAM, entry=ENTRY, sev=False, c_bit=51, asids=1, minimum_asid=1, disk_path=""
    )
    walk = PageWalk(memory, states, spa=0, ram_bytes=RAM, sev=False, c_bit=51, convert=lambda *_: None)
    return Vcpu(config, walk, Devices("", lambda *_: True), core.new_context(), ENTRY)


def test_a_busy_guest_is_never_taken_for_one_that_waits(impatient_threads: None) -> None:
    """It would sleep until a doorbell that nobody rings."""
    memory = mmap.mmap(-1, RAM)
    core = Core(memory, RAM)
    vcpu = _busy_guest(core, memory)
    done = threading.Event()

    def stop_without_pause() -> None:
        while not done.is_set():
            core.stop()

    stopper = threading.Thread(target=stop_without_pause, name="stopper")
    stopper.start()
    endings: Counter[Turn] = Counter()
    until = time.monotonic() + SECONDS
    try:
        while time.monotonic() < until:
            endings[core.run(vcpu)] += 1
    finally:
        done.set()
        stopper.join()
    assert set(endings) == {Turn.PREEMPTED}


def test_the_host_is_called_once_for_each_time_that_the_guest_calls_it(impatient_threads: None) -> None:
    """Above all when the turn is to end right behind the call."""
    calls = 100
    code = b"\xbc\0\x90\0\0\x31\xc9"  # mov esp, 0x9000; xor ecx, ecx
    code += b"\x51\x52\xba\x30\x05\0\0\xb8\x01\0\0\0\xef\xed"  # push rcx; push rdx; out 0x530, 1; in
    code += b"\x5a\x59\x85\xc0\xff\xc1\x81\xf9" + bytes([calls, 0, 0, 0])  # pop; pop; test; inc ecx; cmp ecx
    code += b"\x75\xe4\xf4"  # jne to the first push; hlt
    memory = mmap.mmap(-1, RAM)
    core = Core(memory, RAM)
    vcpu = _busy_guest(core, memory)
    memory[ENTRY : ENTRY + len(code)] = code
    host = _CountingHost()
    vcpu.devices = Devices("", lambda *_: True, host, snp=True)
    done = threading.Event()

    def end_turns() -> None:
        while not done.is_set():
            host.answered_one.wait()
            host.answered_one.clear()
            core.stop()

    clock = threading.Thread(target=end_turns, name="clock")
    clock.start()
    try:
        while vcpu.next_instruction != ENTRY + len(code):
            assert core.run(vcpu) is not Turn.CRASHED
    finally:
        done.set()
        host.answered_one.set()
        clock.join()
    assert host.requests == calls
