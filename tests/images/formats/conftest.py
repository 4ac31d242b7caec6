from __future__ import annotations

import functools
from collections.abc import Callable

import numpy as np
import pytest
from PIL import Image as Pillow

import imgconv
from imgconv.images.formats import registry
from imgconv.images.metadata import Metadata, left_out_notes

FileWith = Callable[..., bytes]

ORIENTATION, MAKER, DESCRIPTION = 0x0112, 0x010F, 0x010E


@pytest.fixture(scope="session")
def picture() -> np.ndarray:
    """A BGR gradient, 37 x 51, with four different corners."""
    rows, columns = np.mgrid[0:37, 0:51]
    return np.dstack([columns * 5, rows * 6, (rows + columns) * 2]).astype(np.uint8)


@pytest.fixture(scope="session")
def exif() -> bytes:
    """EXIF with an orientation and a maker, written by Pillow."""
    fields = Pillow.Exif()
    fields[ORIENTATION], fields[MAKER] = 6, "A maker"
    return fields.tobytes().removeprefix(b"Exif\0\0")


@pytest.fixture(scope="session")
def xmp() -> bytes:
    return (
        b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
        b'<rdf:Description rdf:about="" xmlns:dc="http://purl.org/dc/elements/1.1/" dc:format="image/x"/>'
        b"</rdf:RDF></x:xmpmeta>"
    )


@pytest.fixture(scope="session")
def iptc() -> bytes:
    """Photoshop image resources: an IPTC record with a title, and another resource."""
    records = b"\x1c\x02\x05\0\x07A title"
    return b"8BIM\x04\x04\0\0" + len(records).to_bytes(4, "big") + records + b"8BIM\x04\x0d\0\0\0\0\0\x04\0\0\0\x1e"


@pytest.fixture(scope="session")
def full_metadata(exif: bytes, xmp: bytes, profile: bytes, iptc: bytes) -> Metadata:
    return Metadata(exif, xmp, profile, b"", iptc, "ein grüner Vogel", (300.0, 150.0))


@pytest.fixture(scope="session")
def file_with(picture: np.ndarray, tmp_path_factory: pytest.TempPathFactory) -> FileWith:
    """Return a function that encodes pixels with metadata: `file_with(format, metadata, pixels)`."""
    path = tmp_path_factory.mktemp("file_with") / "file"

    def encode(kind: str, metadata: Metadata, pixels: np.ndarray) -> bytes:
        imgconv.write_image(path, imgconv.Image(pixels, metadata), format=kind)
        return path.read_bytes()

    @functools.cache
    def of_picture(kind: str, metadata: Metadata) -> bytes:
        return encode(kind, metadata, picture)

    return lambda kind, metadata, pixels=None: of_picture(kind, metadata) if pixels is None else encode(kind, metadata, pixels)


@pytest.fixture(scope="session")
def loss_notes(picture: np.ndarray) -> Callable[[str, Metadata], list[str]]:
    """Return a function that lists the notes on lost metadata: `loss_notes(format, metadata)`."""

    def notes(kind: str, metadata: Metadata) -> list[str]:
        return left_out_notes(registry.format_named(kind).fit(metadata, 3)[1])

    return notes
