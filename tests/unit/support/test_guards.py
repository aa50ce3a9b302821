"""The guards of tests/support fail a test for what they promise, and for nothing else."""

from __future__ import annotations

from pathlib import Path

import pytest

_ROOT = Path(__file__).resolve().parents[3]

_CONFTEST = """
from tests.support.surroundings import prepare_surroundings
prepare_surroundings()
pytest_plugins = [
    "tests.support.skips", "tests.support.logs", "tests.support.leaks",
    "tests.support.runners",
]
"""

_SETTINGS = """
[pytest]
filterwarnings = error
qt_api = pyside6
qt_log_level_fail = WARNING
timeout = 30
markers = vectors: needs reference data
"""

_CLEAN = """
import asyncio, logging, subprocess, sys, threading
from multiprocessing.shared_memory import SharedMemory
from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QLabel

async def work():
    task = asyncio.create_task(asyncio.sleep(0))
    await task
    return 42

def test_coroutine(asyncio_run):
    assert asyncio_run(work()) == 42

def test_coroutine_on_qt(qasync_run):
    async def off_thread():
        return await asyncio.to_thread(work_of_thread) + await work()
    assert qasync_run(off_thread()) == 43

def work_of_thread():
    return 1

def test_two_loops_in_turn(asyncio_run, qasync_run):
    assert asyncio_run(work()) == qasync_run(work()) == asyncio_run(work())

def test_thread_that_ends():
    thread = threading.Thread(target=lambda: None)
    thread.start()

def test_child_that_ends():
    subprocess.run([sys.executable, "-c", ""], check=True)

def test_shared_memory_that_is_freed():
    memory = SharedMemory(create=True, size=4096)
    memory.close()
    memory.unlink()

def test_timer_and_widget_that_are_ended(qtbot):
    label = QLabel("x")
    qtbot.addWidget(label)
    timer = QTimer(label)
    timer.start(1000)

def test_widget_that_is_forgotten(qapp):
    QLabel("x").show()

def test_expected_record(expected_logs):
    expected_logs(r"WARNING .*the disk is full")
    logging.getLogger("confvm_gui.store").warning("the disk is full")
    logging.getLogger("confvm_gui.store").info("not worth a word")

def test_data_dir(data_dir):
    (data_dir / "console.db").write_bytes(b"")
"""

_LEAKING = """
import asyncio, logging, mmap, os, subprocess, sys, threading, time, warnings
from multiprocessing.shared_memory import SharedMemory
from PySide6.QtCore import QTimer, qWarning
from PySide6.QtWidgets import QLabel
import pytest

kept = []

async def leave_a_task():
    kept.append(asyncio.create_task(asyncio.sleep(60), name="forgotten"))

def test_task(asyncio_run):
    asyncio_run(leave_a_task())

def test_task_on_qt(qasync_run):
    qasync_run(leave_a_task())

def test_task_of_bare_asyncio():
    asyncio.run(leave_a_task())

def test_unretrieved_exception(asyncio_run):
    async def fail():
        raise ValueError("nobody looks")
    async def main():
        task = asyncio.create_task(fail())
        await asyncio.wait([task])
    asyncio_run(main())

def test_thread():
    event = threading.Event()
    kept.append(event)
    threading.Thread(target=event.wait, name="stuck", daemon=True).start()

def test_child():
    kept.append(subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"]))

def test_orphan():
    script = "import subprocess, sys; subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(61)'])"
    subprocess.run([sys.executable, "-W", "ignore", "-c", script], check=True)

def test_timer(qapp):
    timer = QTimer()
    timer.setObjectName("tick")
    timer.start(1000)
    kept.append(timer)

def test_widget(qapp):
    label = QLabel("x")
    label.setObjectName("lost")
    kept.append(label)

def test_memfd():
    kept.append(os.memfd_create("dram"))

def test_mapping():
    fd = os.memfd_create("mapped")
    os.ftruncate(fd, 4096)
    kept.append(mmap.mmap(fd, 4096))
    os.close(fd)

def test_shared_memory():
    script = (
        "from multiprocessing import resource_tracker as t; t.register = lambda *a: None\\n"
        "from multiprocessing.shared_memory import SharedMemory as S; S(create=True, size=4096)"
    )
    subprocess.run([sys.executable, "-c", script], check=True)

def test_open_file(tmp_path):
    kept.append((tmp_path / "left-open").open("w"))

def test_temporary_file(data_dir):
    (data_dir / "console.db.part").write_bytes(b"")

def test_record():
    logging.getLogger("confvm_gui").warning("something odd")

def test_expected_record_absent(expected_logs):
    expected_logs("never written")

def test_replaced_handlers():
    logging.basicConfig(force=True, handlers=[logging.NullHandler()])

def test_warning():
    warnings.warn("old", DeprecationWarning, stacklevel=1)

def test_qt_message(qapp):
    qWarning("Qt is not amused")

def test_skip():
    pytest.skip("no reason is good enough")

@pytest.mark.skip(reason="neither is this")
def test_skip_mark():
    pass

@pytest.mark.vectors
def test_vectors():
    pass

def test_slow_coroutine(asyncio_run):
    asyncio_run(asyncio.sleep(60), timeout=0.05)

def test_innocent_at_the_end():
    pass
"""

_EXPECTED = {
    "test_task": "asyncio task left pending: forgotten (sleep)",
    "test_task_on_qt": "asyncio task left pending: forgotten (sleep)",
    "test_task_of_bare_asyncio": "asyncio task left pending: forgotten (sleep)",
    "test_unretrieved_exception": "logged: ERROR asyncio: Task exception was never retrieved",
    "test_thread": "thread still running: stuck",
    "test_child": "child process still running: ",
    "test_orphan": "time.sleep(61)",
    "test_timer": "QTimer still active: tick, every 1000 ms",
    "test_widget": "top-level widget not deleted: QLabel lost",
    "test_memfd": "shared memory still open or mapped: /memfd:dram",
    "test_mapping": "shared memory still open or mapped: /memfd:mapped",
    "test_shared_memory": "shared memory left without an owner: /dev/shm/psm_",
    "test_open_file": "left-open",
    "test_temporary_file": "Temporary files left in the data directory: console.db.part",
    "test_record": "logged: WARNING confvm_gui: something odd",
    "test_expected_record_absent": "expected in the log, absent: never written",
    "test_replaced_handlers": "the root logger's handlers were replaced",
    "test_warning": "DeprecationWarning: old",
    "test_qt_message": "Qt is not amused",
    "test_skip": "No test may skip: Skipped: no reason is good enough",
    "test_skip_mark": "No test may skip: Skipped: neither is this",
    "test_vectors": "The reference data is not in ",
    "test_slow_coroutine": "TimeoutError",
    # The last test carries what the session has left: here the thread that its own test was failed for.
    "test_innocent_at_the_end": "Left behind by a fixture wider than one test:\nthread still running: stuck",
}


@pytest.fixture
def inner(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> pytest.Pytester:
    """A project of its own that has the guards."""
    monkeypatch.setenv("PYTHONPATH", str(_ROOT))
    monkeypatch.setenv("CI", "true")
    monkeypatch.setenv("CONFVM_TEST_GRACE", "0.5")
    monkeypatch.setenv("CONFVM_VECTORS", str(pytester.path / "absent"))
    pytester.makeconftest(_CONFTEST)
    pytester.makefile(".ini", pytest=_SETTINGS)
    return pytester


def test_clean_tests_pass(inner: pytest.Pytester) -> None:
    inner.makepyfile(test_clean=_CLEAN)
    result = inner.runpytest_subprocess("-p", "no:xdist", timeout=50)
    result.assert_outcomes(passed=_CLEAN.count("\ndef test_"))


def test_every_leak_fails_its_test_and_no_other(inner: pytest.Pytester) -> None:
    inner.makepyfile(test_leaking=_LEAKING)
    result = inner.runpytest_subprocess("-p", "no:xdist", "-p", "no:randomly", "--tb=short", "-rfE", timeout=50)
    sections = _sections(result.stdout.lines)
    for name, words in _EXPECTED.items():
        assert words in sections.get(name, ""), f"{name} should fail with {words!r}:\n{sections.get(name, '')}"
    assert set(sections) == set(_EXPECTED)


def test_session_wide_leak_fails_the_run(inner: pytest.Pytester) -> None:
    inner.makepyfile(
        test_wide="""
        import threading
        import pytest

        @pytest.fixture(scope="module")
        def engine():
            event = threading.Event()
            threading.Thread(target=event.wait, name="vcpu", daemon=True).start()
            return event

        def test_uses_it(engine):
            assert not engine.is_set()
        """
    )
    result = inner.runpytest_subprocess("-p", "no:xdist", timeout=50)
    result.assert_outcomes(passed=1, errors=1)
    result.stdout.fnmatch_lines(["*Left behind by a fixture wider than one test:*", "*thread still running: vcpu*"])


def test_vectors_skip_outside_ci(inner: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CI")
    inner.makepyfile("import pytest\n\n@pytest.mark.vectors\ndef test_it(vectors_dir):\n    pass\n")
    result = inner.runpytest_subprocess("-p", "no:xdist", "-rs", timeout=50)
    result.assert_outcomes(skipped=1)
    result.stdout.fnmatch_lines(["*The reference data is not in *"])


def test_vectors_run_where_they_are(inner: pytest.Pytester) -> None:
    (inner.path / "absent").mkdir()
    (inner.path / "absent" / "MANIFEST.md").write_text("# here\n")
    inner.makepyfile(
        """
        import pytest

        @pytest.mark.vectors
        def test_it(vectors_dir):
            assert (vectors_dir / "MANIFEST.md").is_file()
        """
    )
    inner.runpytest_subprocess("-p", "no:xdist", timeout=50).assert_outcomes(passed=1)


def _sections(lines: list[str]) -> dict[str, str]:
    """Text of the failures, by test, from the long report of pytest."""
    found: dict[str, str] = {}
    current = ""
    for line in lines:
        if line.startswith("____") and "test_" in line:
            current = line.strip("_ ").split()[-1]
        elif line.startswith("====") and "FAILURES" not in line and "ERRORS" not in line:
            current = ""
        elif current:
            found[current] = found.get(current, "") + line + "\n"
    return found


def test_no_test_inherits_the_modifier_keys_of_another(pytester: pytest.Pytester) -> None:
    """Those that QTest presses stay pressed, and `selectRow` would add to a selection or take from it."""
    pytester.makeconftest(_CONFTEST)
    pytester.makeini(_SETTINGS)
    pytester.makepyfile(
        """
        from PySide6.QtCore import Qt
        from PySide6.QtTest import QTest
        from PySide6.QtWidgets import QApplication, QWidget

        def test_pressed(qtbot):
            widget = QWidget()
            qtbot.addWidget(widget)
            widget.show()
            QTest.keyClick(widget, Qt.Key.Key_Tab, Qt.KeyboardModifier.ShiftModifier)
            assert QApplication.keyboardModifiers() == Qt.KeyboardModifier.ShiftModifier

        def test_let_go(qtbot):
            assert QApplication.keyboardModifiers() == Qt.KeyboardModifier.NoModifier
        """
    )
    pytester.runpytest_subprocess("-p", "no:randomly").assert_outcomes(passed=2)
