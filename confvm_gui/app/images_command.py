"""`confvm images list|add|download|remove`: the library of images that libvirt hosts boot from."""

from __future__ import annotations

import argparse
import asyncio
import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Final, TextIO

from confvm_gui.domain.errors import InvalidInput

if TYPE_CHECKING:
    from confvm_gui.domain.images import LibraryImage
    from confvm_gui.domain.ports.image_library import ImageLibrary

FOLDER: Final = "images"
"""Of the library, in the data directory."""


def add_images_parser(
    commands: argparse._SubParsersAction[argparse.ArgumentParser], parents: Sequence[argparse.ArgumentParser]
) -> None:
    """Add `images` and its commands to the command line; `parents` give `--json` and `--data-dir`."""
    shared = list(parents)
    parser = commands.add_parser("images", help="images that libvirt hosts boot from")
    inner = parser.add_subparsers(dest="images_command", required=True, metavar="COMMAND")
    inner.add_parser("list", parents=shared, help="what the library has")
    add = inner.add_parser("add", parents=shared, help="copy a disk (qcow2, raw), or a kernel, into the library")
    add.add_argument("file", type=Path, metavar="FILE", help="disk, or with --kernel the kernel")
    add.add_argument("--id", required=True, metavar="ID")
    add.add_argument("--title", default="", metavar="TEXT")
    add.add_argument("--kernel", action="store_true", help="FILE is a kernel")
    add.add_argument("--initrd", type=Path, metavar="FILE")
    add.add_argument("--command-line", default="", metavar="TEXT")
    download = inner.add_parser("download", parents=shared, help="fetch, resume and verify a vendor's image")
    download.add_argument("image", metavar="IMAGE", help="as `catalog images --provider libvirt` lists it")
    download.add_argument("--id", metavar="ID", help="default: the image's name")
    inner.add_parser("remove", parents=shared, help="delete an image").add_argument("id", metavar="ID")


def open_library(data_dir: Path | None) -> ImageLibrary:
    """The library of a data directory; nothing is made yet. Raises InvalidInput("data-dir")."""
    from confvm_gui.app.bootstrap import check_data_dir, default_data_dir
    from confvm_gui.images.library import FolderImageLibrary

    return FolderImageLibrary(check_data_dir(data_dir or default_data_dir()) / FOLDER)


def run_images(options: argparse.Namespace, out: TextIO) -> int:
    """One command; its exit code. Raises InvalidInput, NotFound, StoreError, Transient."""
    return asyncio.run(_run(options, out))


async def _run(options: argparse.Namespace, out: TextIO) -> int:
    library = open_library(options.data_dir)
    if options.images_command == "list":
        return await _do(options, library, out)
    from confvm_gui.app.guarded_store import recorded_at_the_end
    from confvm_gui.fleet.recorded import RecordedLibrary

    async with recorded_at_the_end(options.data_dir) as opened:
        return await _do(options, RecordedLibrary(library, opened.access, opened.events), out)


async def _do(options: argparse.Namespace, library: ImageLibrary, out: TextIO) -> int:
    images: Sequence[LibraryImage]
    match options.images_command:
        case "list":
            images = library.images()
        case "add" if options.kernel:
            images = [
                await library.add_kernel(
                    options.file, options.initrd, options.id, command_line=options.command_line, title=options.title
                )
            ]
        case "add":
            if options.initrd or options.command_line:
                raise InvalidInput("initrd", "An initrd and a command line go with a kernel: give --kernel")
            images = [await library.add_disk(options.file, options.id, options.title)]
        case "download":
            from confvm_gui.catalog import load_catalog

            image = load_catalog().image("libvirt", options.image)
            if image.download is None:
                raise InvalidInput("image", f"{image.title} has no address to download it from")
            images = [await library.download(image.download, options.id or image.name, image.title)]
        case _:
            await library.remove(options.id)
            out.write(json.dumps({"removed": options.id}) + "\n" if options.json else f"{options.id} removed.\n")
            return 0
    if options.json:
        out.write(json.dumps([asdict(image) for image in images]) + "\n")
    elif not images:
        out.write("The library has no images.\n")
    else:
        out.writelines(_line(image) for image in images)
    return 0


def _line(image: LibraryImage) -> str:
    told = image.problem or image.verified or ("" if image.state.value == "ready" else f"{image.received} bytes so far")
    return f"{image.id:24}  {image.kind.value:6}  {image.state.value:11}  {image.size:12}  {told}".rstrip() + "\n"
