"""Where both programs of the bundle start: called `confvm` it is the command line, by any other name the window.

Processes of its own (vCPUs, pattern search) are started as the same program again, and turn off first of all.
"""

import os
import sys
from multiprocessing import freeze_support
from pathlib import Path


def give_back_library_path() -> None:
    """Programs of the system that are started from here (a browser, say) shall load the system's libraries, not ours.

    The bootloader pointed the loader of this process at ours, which has read it by now.
    """
    before = os.environ.pop("LD_LIBRARY_PATH_ORIG", None)
    os.environ.pop("LD_LIBRARY_PATH", None)
    if before is not None:
        os.environ["LD_LIBRARY_PATH"] = before


if __name__ == "__main__":
    freeze_support()
    give_back_library_path()
    if Path(sys.argv[0]).stem == "confvm":
        from confvm_gui.app.cli import main
    else:
        from confvm_gui.app.main import main

    sys.exit(main())
