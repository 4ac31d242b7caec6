"""The transfer function of a picture: by cICP, ICC profile or sample type, in this order."""

from __future__ import annotations

from types import SimpleNamespace

import imagecodecs
import numpy as np

from imgconv.images.colour.curves import SRGB_CURVE, Segmented, is_near
from imgconv.images.colour.transfer import LINEAR, SRGB, transfer_of
from imgconv.images.metadata import Metadata
from tests.cases import each
from tests.images import profiles
from tests.images.profiles import curv, para

GAMMA = profiles.rgb(para(0, 1.8))


@each(
    "blocks, dtype, channels, name, curves, note",
    [
        ({}, "uint8", 3, "sRGB", SRGB.curves, ""),
        ({}, "int16", 1, "sRGB", SRGB.curves, ""),
        ({}, "float32", 3, "linear", LINEAR.curves, ""),
        ({}, "float64", 1, "linear", LINEAR.curves, ""),
        ({"icc": GAMMA}, "float32", 3, "gamma 1.8", None, ""),
        ({"icc": GAMMA}, "uint8", 1, "gamma 1.8", None, ""),  # an RGB profile with three equal curves
        ({"icc": imagecodecs.cms_profile("srgb")}, "uint8", 3, "sRGB", None, ""),
        ({"icc": profiles.grey(curv([]))}, "uint8", 1, "linear", LINEAR.curves, ""),
        ({"icc": profiles.grey(para(0, 1.3))}, "uint8", 3, "the colour profile's curves", None, ""),
        ({"icc": profiles.rgb(curv([]), curv([512]))}, "uint8", 1, "sRGB", SRGB.curves, "curves for other channels"),
        ({"icc": profiles.without_curves()}, "uint8", 3, "sRGB", SRGB.curves, "no curves"),
        ({"icc": profiles.without_curves()}, "float32", 3, "sRGB", SRGB.curves, "no curves"),
        ({"icc": profiles.rgb(curv([0, 9000, 7000, 65535]))}, "uint8", 3, "sRGB", SRGB.curves, "no curves"),
        ({"icc": profiles.cmyk()}, "uint8", 3, "sRGB", SRGB.curves, "no curves"),
        ({"icc": b"what" * 99}, "uint8", 3, "sRGB", SRGB.curves, "damaged"),
        (
            {"icc": profiles.rgb(curv([999]), cicp=profiles.cicp(16))},
            "uint16",
            3,
            "sRGB",
            SRGB.curves,
            "curve PQ is not supported; sRGB",
        ),
        ({"icc": profiles.rgb(curv([461]), cicp=profiles.cicp(2))}, "uint16", 3, "gamma 1.8", None, ""),
        ({"cicp": bytes((9, 16, 0, 1)), "icc": GAMMA}, "uint16", 3, "sRGB", SRGB.curves, "curve PQ is not supported; sRGB"),
        ({"cicp": bytes((9, 18, 0, 1))}, "float32", 3, "linear", LINEAR.curves, "curve HLG is not supported; linear"),
        ({"cicp": bytes((1, 9, 0, 1))}, "uint8", 3, "sRGB", SRGB.curves, "logarithmic"),
        ({"cicp": bytes((1, 8, 0, 1))}, "uint8", 3, "linear", LINEAR.curves, ""),
        ({"cicp": bytes((1, 13, 0, 1))}, "uint8", 3, "sRGB", SRGB.curves, ""),
        ({"cicp": bytes((2, 2, 0, 1)), "icc": GAMMA}, "uint8", 3, "gamma 1.8", None, ""),  # unspecified
        ({"cicp": bytes((2, 99, 0, 1))}, "uint8", 3, "sRGB", SRGB.curves, ""),
        ({"cicp": b"\1\x10"}, "uint8", 3, "sRGB", SRGB.curves, ""),
    ],
)
def test_the_transfer_by_metadata_and_type(blocks, dtype: str, channels: int, name: str, curves, note: str) -> None:
    metadata = SimpleNamespace(**{"icc": b"", "cicp": b"", **blocks})
    found = transfer_of(metadata, np.dtype(dtype), channels)
    assert found.name == name
    assert found.curves == curves or curves is None
    assert note in found.note
    assert bool(note) == bool(found.note)
    assert "\n" not in found.note
    assert found.is_identity == (name == "linear")


def test_equal_curves_have_the_same_name() -> None:
    assert {transfer_of(Metadata(cicp=bytes((1, code, 0, 1))), np.uint8, 3).name for code in (1, 6, 11, 12, 14, 15)} == {
        "BT.709"
    }
    assert is_near(Segmented(2.2), Segmented(2.199))
    assert not is_near(Segmented(2.2), SRGB_CURVE)
