"""How long a program takes from its start to a window that has been drawn, on a real X server (Xvfb).

Asked of the server itself, through Xlib: nothing in the program helps, so that what is measured is what is shipped.
Another client's view costs the program nothing but the server's time for one line of pixels every few milliseconds.
"""

from __future__ import annotations

import asyncio
import ctypes
import os
import shutil
import tempfile
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, suppress
from ctypes import POINTER, byref, c_char, c_char_p, c_int, c_long, c_uint, c_ulong, c_void_p
from typing import Final

from confvm_gui.domain.errors import Transient, Unsupported

_SCREEN: Final = "1440x900x24"
_AT_LEAST: Final = 400
"""Pixels each way: what is smaller is no window of ours (input methods and the like map such)."""
_LOOK_EVERY: Final = 0.005
_PATIENCE: Final = 60.0
_VIEWABLE: Final = 2
_ALL_PLANES: Final = 0xFFFFFFFF
_Z_PIXMAP: Final = 2


class _Attributes(ctypes.Structure):
    """XWindowAttributes, of which the first few and map_state are read."""

    _fields_ = (
        *((name, c_int) for name in ("x", "y", "width", "height", "border_width", "depth")),
        ("visual", c_void_p),
        ("root", c_ulong),
        *((name, c_int) for name in ("class_", "bit_gravity", "win_gravity", "backing_store")),
        ("backing_planes", c_ulong),
        ("backing_pixel", c_ulong),
        ("save_under", c_int),
        ("colormap", c_ulong),
        ("map_installed", c_int),
        ("map_state", c_int),
        ("all_event_masks", c_long),
        ("your_event_mask", c_long),
        ("do_not_propagate_mask", c_long),
        ("override_redirect", c_int),
        ("screen", c_void_p),
    )


class _Image(ctypes.Structure):
    """XImage up to what is read of it."""

    _fields_ = (
        *((name, c_int) for name in ("width", "height", "xoffset", "format")),
        ("data", POINTER(c_char)),
        *((name, c_int) for name in ("byte_order", "unit", "bit_order", "pad", "depth", "bytes_per_line")),
    )


class _Display:
    """A connection to an X server that sees which windows are there and what is drawn in them."""

    def __init__(self, name: str) -> None:
        try:
            x = ctypes.CDLL("libX11.so.6")
        except OSError as error:
            raise Unsupported(f"Xlib is needed to see windows, and cannot be loaded: {error}") from error
        x.XOpenDisplay.restype = c_void_p
        x.XOpenDisplay.argtypes = [c_char_p]
        x.XDefaultRootWindow.restype = c_ulong
        x.XDefaultRootWindow.argtypes = [c_void_p]
        x.XQueryTree.argtypes = [
            c_void_p, c_ulong, POINTER(c_ulong), POINTER(c_ulong), POINTER(POINTER(c_ulong)), POINTER(c_uint),
        ]  # fmt: skip
        x.XGetWindowAttributes.argtypes = [c_void_p, c_ulong, POINTER(_Attributes)]
        x.XGetImage.restype = POINTER(_Image)
        x.XGetImage.argtypes = [c_void_p, c_ulong, c_int, c_int, c_uint, c_uint, c_ulong, c_int]
        x.XDestroyImage.argtypes = [POINTER(_Image)]
        x.XFree.argtypes = [c_void_p]
        x.XCloseDisplay.argtypes = [c_void_p]
        self._x = x
        # A window may go while it is asked about: that is an answer, not the end of this process.
        self._handler = ctypes.CFUNCTYPE(c_int, c_void_p, c_void_p)(lambda _display, _event: 0)
        x.XSetErrorHandler(self._handler)
        self._display = x.XOpenDisplay(name.encode())
        if not self._display:
            raise Transient(f"The X server {name} cannot be reached")
        self._root = x.XDefaultRootWindow(self._display)

    def shows_picture(self) -> bool:
        """Whether some window of a program is visible with more than one colour in it."""
        return any(self._drawn(window, width, height) for window, width, height in list(self._windows()))

    def _windows(self) -> Iterator[tuple[int, int, int]]:
        root, parent, count = c_ulong(), c_ulong(), c_uint()
        children = POINTER(c_ulong)()
        self._x.XQueryTree(self._display, self._root, byref(root), byref(parent), byref(children), byref(count))
        for number in range(count.value):
            about = _Attributes()
            there = self._x.XGetWindowAttributes(self._display, children[number], byref(about))
            if there and about.map_state == _VIEWABLE and min(about.width, about.height) >= _AT_LEAST:
                yield children[number], about.width, about.height
        if children:
            self._x.XFree(children)

    def _drawn(self, window: int, width: int, height: int) -> bool:
        line = self._x.XGetImage(self._display, window, 0, height // 8, width, 1, _ALL_PLANES, _Z_PIXMAP)
        if not line:
            return False
        pixels = ctypes.string_at(line.contents.data, line.contents.bytes_per_line)
        self._x.XDestroyImage(line)
        return len({pixels[at : at + 4] for at in range(0, len(pixels), 4)}) > 1

    def close(self) -> None:
        self._x.XCloseDisplay(self._display)


@asynccontextmanager
async def virtual_display() -> AsyncIterator[str]:
    """The name of an X server of our own. Raises Unsupported where Xvfb is not installed."""
    if shutil.which("Xvfb") is None:
        raise Unsupported("This is measured on an X server of its own: install the package xvfb")
    reading, writing = os.pipe()
    try:
        # A server that starts anew once its last window is gone cannot be reached for that moment.
        server = await asyncio.create_subprocess_exec(
            *("Xvfb", "-displayfd", str(writing), "-screen", "0", _SCREEN, "-nolisten", "tcp", "-noreset"),
            pass_fds=[writing],
            stderr=asyncio.subprocess.DEVNULL,
        )
    finally:
        os.close(writing)
    try:
        with os.fdopen(reading) as told:
            yield f":{(await asyncio.to_thread(told.readline)).strip()}"
    finally:
        server.terminate()
        await server.wait()


async def seconds_to_window(command: Sequence[str], display: str) -> float:
    """From before the process exists until its window is drawn; then the process is ended.

    The program finds an empty home. Raises Transient if it ends without a window or shows none within a minute.
    """
    server = _Display(display)
    with tempfile.TemporaryDirectory(prefix="confvm-first-window-") as home:
        folders = dict.fromkeys(("HOME", "XDG_DATA_HOME", "XDG_STATE_HOME", "XDG_CACHE_HOME"), home)
        environment = {**os.environ, **folders, "DISPLAY": display, "QT_QPA_PLATFORM": "xcb"}
        began = time.monotonic()
        program = await asyncio.create_subprocess_exec(
            *command,
            env=environment,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.DEVNULL,
        )
        try:
            while not server.shows_picture():
                if time.monotonic() - began > _PATIENCE or program.returncode is not None:
                    raise Transient(f"{command[0]} showed no window")
                await asyncio.sleep(_LOOK_EVERY)
            return time.monotonic() - began
        finally:
            with suppress(ProcessLookupError):
                program.terminate()
            await program.wait()
            server.close()


def measure_starts(command: Sequence[str], rounds: int) -> list[float]:
    """Seconds of each start, the first of which may find nothing in the page cache. No event loop may run here."""

    async def measured() -> list[float]:
        async with virtual_display() as display:
            return [await seconds_to_window(command, display) for _ in range(rounds)]

    return asyncio.run(measured())
