"""Metadata in and out of files, on their bytes, around the encoders and decoders of the pixels: a file for each format."""

from __future__ import annotations

import importlib

from imgconv.images.atomic import Piece
from imgconv.images.coding import Coding
from imgconv.images.containers.container import Container, Fitted, LeftOut, fitting
from imgconv.images.formats import Format
from imgconv.images.metadata import Metadata

__all__ = ["CONTAINERS", "Container", "Fitted", "LeftOut", "container_of", "fitted", "is_left_to_encoder", "read", "written"]

#: The formats whose metadata have a file here, of the same name.
CONTAINERS = ("jpeg", "png", "webp", "gif", "avif", "tiff")


def container_of(name: str) -> Container | None:
    """Return how metadata gets out of the files of a format and into them; None where they have none."""
    if name not in CONTAINERS:
        return None
    module = importlib.import_module(f"{__name__}.{name}")
    return Container(getattr(module, "read", _nothing), module.fitted, getattr(module, "written", None))


def _nothing(view: memoryview) -> tuple[Metadata, Coding]:
    return Metadata(), Coding()


def read(view: memoryview, kind: str) -> tuple[Metadata, Coding]:
    """Return what a file of the format called `kind` says beside its pixels, and how they are stored.

    It never raises: what is damaged is left out, and so is all where nothing is known of the format.
    """
    container = container_of(kind)
    return container.read(view) if container else (Metadata(), Coding())


def fitted(chosen: Format, metadata: Metadata, colours: int) -> Fitted:
    """Return what of some metadata goes into a file of a format, in the form in which it does, and what does not.

    Args:
        chosen: the format.
        metadata: all there is.
        colours: the colour channels of the picture, 1 or 3.
    """
    container = container_of(chosen.name)
    if container:
        return container.fitted(metadata, colours)
    return fitting(metadata, chosen.metadata, chosen.title, colours)


def is_left_to_encoder(chosen: Format) -> bool:
    """Return whether only an encoder can put metadata into a file of a format, and `written` cannot."""
    container = container_of(chosen.name)
    return container is not None and container.written is None


def written(chosen: Format, encoded: memoryview, metadata: Metadata) -> list[Piece]:
    """Return an encoder's file with metadata put in, in pieces; the bytes of the picture are not copied.

    Args:
        chosen: the format.
        encoded: the file, without metadata.
        metadata: what `fitted` has returned.
    """
    container = container_of(chosen.name)
    return container.written(encoded, metadata) if container and container.written else [encoded]
