"""The texts of a PNG beside its comment, as Pillow writes and reads them."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image as Pillow
from PIL.PngImagePlugin import PngInfo

from imgconv.images import containers
from imgconv.images.decoding import decode
from imgconv.images.encoding import encode
from imgconv.images.formats import FORMATS

TEXTS = {"Title": "a house", "Author": "Zoë 図", "Description": "what is seen", "Copyright": "© nobody"}


@pytest.fixture
def data() -> bytes:
    info, file = PngInfo(), io.BytesIO()
    for number, (keyword, text) in enumerate(TEXTS.items()):
        (info.add_itxt if number == 1 else info.add_text)(keyword, text, zip=number == 2)
    info.add_text("Comment", "by hand")
    info.add_text("Raw profile type iptc", "\niptc\n      0\n")
    Pillow.fromarray(np.zeros((7, 9, 3), np.uint8)).save(file, "PNG", pnginfo=info)
    return file.getvalue()


def test_all_of_them_go_along(data) -> None:
    image = decode(data)
    assert dict(image.metadata.texts) == TEXTS
    assert image.metadata.comment == "by hand"
    with Pillow.open(io.BytesIO(b"".join(map(bytes, encode(image, FORMATS["png"]).chunks)))) as found:
        assert found.text == {**TEXTS, "Comment": "by hand"}


@pytest.mark.parametrize("name", ["jpeg", "tiff", "webp", "avif", "gif", "bmp"])
def test_other_formats_have_no_place_for_them(data, name) -> None:
    lost = dict(containers.fitted(FORMATS[name], decode(data).metadata, 3).left_out)
    assert "texts" in lost
