"""What every test gets, without asking:

- no window on the screen (`QT_QPA_PLATFORM=offscreen` unless set), a home of its own, UTC and plain English;
- failure on any log record at WARNING or above, on any warning, and on anything left behind: asyncio tasks, threads,
  child processes (orphans too), active QTimers, top-level widgets, shared memory, open or temporary files;
- no test skips: a skip is a failure, but for `vectors` outside CI.

Fixtures to ask for:

`asyncio_run(coro)`         runs a coroutine on asyncio's own loop
`qasync_run(coro)`          runs a coroutine on Qt's loop, as the window does
`expected_logs(pattern)`    a record at WARNING or above that must come, and so does not fail the test
`data_dir`                  an empty data directory; nothing temporary may remain in it
`libvirtd`                  the session's private libvirtd, without domains; `own_libvirtd` one that may be killed
`vectors_dir`               the public reference data, for tests marked `vectors`
"""

from __future__ import annotations

from tests.support.surroundings import prepare_surroundings

prepare_surroundings()

pytest_plugins = [
    "pytester",
    "tests.support.skips",
    "tests.support.logs",
    "tests.support.leaks",
    "tests.support.runners",
    "tests.support.libvirtd",
]
