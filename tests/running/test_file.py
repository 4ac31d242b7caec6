"""`run_file`: the output file, the report, and errors of input and output."""

from __future__ import annotations

import os

import cv2
import numpy as np
import pytest
import tifffile
from PIL import Image as Pillow

import imgconv
from imgconv.errors import UsageError, WriteError
from imgconv.images.files import Input
from imgconv.images.output import Output
from imgconv.images.pages import parse_page_range
from imgconv.running.file import run_file


@pytest.fixture
def source(tmp_path, photo):
    path = tmp_path / "in.png"
    Pillow.fromarray(photo[:, :, ::-1]).save(path)
    return path


def read_rgb(path) -> np.ndarray:
    """Return the pixels in RGB order, decoded by Pillow."""
    with Pillow.open(path) as image:
        return np.asarray(image)


def expected(photo) -> np.ndarray:
    return imgconv.correlate(photo, "sharpen")[:, :, ::-1]


def test_the_output_equals_the_library_result(source, tmp_path, photo, make_task) -> None:
    run_file(Input(str(source)), Output(str(tmp_path / "out.png")), make_task())
    assert np.array_equal(read_rgb(tmp_path / "out.png"), expected(photo))


def test_the_report_describes_input_and_output(source, tmp_path, make_task) -> None:
    target = tmp_path / "out.tif"
    report = run_file(Input(str(source)), Output(str(target)), make_task(depth="16", count=True, options={"stride": 2}))
    assert (report.source, report.target) == (str(source), str(target))
    assert (report.shape, report.dtype) == ((90, 131, 3), "uint8")
    assert (report.output_shape, report.output_dtype) == ((45, 66, 3), "uint16")
    written = cv2.imread(str(target), cv2.IMREAD_UNCHANGED)
    assert (written.shape, written.dtype.name) == (report.output_shape, report.output_dtype)
    assert report.samples == 45 * 66 * 3
    assert report.clipped > 0
    assert 0 < report.seconds < 60
    assert len(report.plans) == 1
    assert report.notes == ()


def test_the_report_has_the_shape_of_the_written_file(tmp_path, photo, make_task) -> None:
    exif = Pillow.Exif()
    exif[0x0112] = 6
    Pillow.fromarray(photo).save(tmp_path / "in.jpg", exif=exif)
    for name in ("out.bmp", "out.jpg"):
        report = run_file(Input(str(tmp_path / "in.jpg")), Output(str(tmp_path / name)), make_task())
        assert (
            report.output_shape == cv2.imread(str(tmp_path / name), cv2.IMREAD_UNCHANGED | cv2.IMREAD_IGNORE_ORIENTATION).shape
        )
    Pillow.fromarray(photo[:, :, 0]).save(tmp_path / "in.png")
    report = run_file(Input(str(tmp_path / "in.png")), Output(str(tmp_path / "out.webp")), make_task())
    assert (report.shape, report.output_shape) == ((90, 131), (90, 131, 3))


def test_alpha_is_not_counted_as_samples(tmp_path, photo, alpha, make_task) -> None:
    cv2.imwrite(str(tmp_path / "in.png"), np.dstack([photo, alpha]))
    report = run_file(Input(str(tmp_path / "in.png")), Output(str(tmp_path / "out.png")), make_task(alpha="keep"))
    assert report.output_shape == (90, 131, 4)
    assert report.samples == 90 * 131 * 3
    assert np.array_equal(read_rgb(tmp_path / "out.png")[:, :, 3], alpha)


def test_a_file_can_be_its_own_output(source, photo, make_task) -> None:
    run_file(Input(str(source)), Output(str(source)), make_task())
    assert np.array_equal(read_rgb(source), expected(photo))
    assert os.listdir(source.parent) == ["in.png"]


@pytest.mark.parametrize("task", [{"range_policy": "error"}, {"text": "scharr_x", "depth": "32f"}], ids=["range", "depth"])
def test_a_failure_keeps_a_file_that_is_its_own_output(source, make_task, task) -> None:
    before = source.read_bytes()
    with pytest.raises(WriteError):
        run_file(Input(str(source)), Output(str(source)), make_task(**task))
    assert source.read_bytes() == before
    assert os.listdir(source.parent) == ["in.png"]


def test_every_page_is_filtered_separately(tmp_path, photo, make_task) -> None:
    pages = [photo, photo[::-1, 10:].copy(), photo[5:, :, 0].copy()]
    with tifffile.TiffWriter(tmp_path / "in.tif") as writer:
        for page in pages:
            writer.write(page, photometric="rgb" if page.ndim == 3 else "minisblack")
    report = run_file(Input(str(tmp_path / "in.tif")), Output(str(tmp_path / "out.tif")), make_task(count=True))
    with tifffile.TiffFile(tmp_path / "out.tif") as found:
        assert len(found.pages) == report.pages == 3
        for page, source in zip(found.pages, pages, strict=True):
            assert np.array_equal(page.asarray(), imgconv.correlate(source, "sharpen"))
    assert report.samples == sum(page.size for page in pages)
    exact = [imgconv.correlate(page, "sharpen", dtype="int16") for page in pages]
    assert report.clipped == sum(np.count_nonzero((page < 0) | (page > 255)) for page in exact)
    assert report.notes == ()


def test_pages_are_selected_by_number(tmp_path, photo, make_task) -> None:
    tifffile.imwrite(tmp_path / "in.tif", np.stack([photo + n for n in range(5)]), photometric="rgb")
    for text, numbers in {"0": [0], "3-": [3, 4], "4,0-1": [4, 0, 1], "2-2": [2]}.items():
        run_file(
            Input(str(tmp_path / "in.tif"), pages=parse_page_range(text)),
            Output(str(tmp_path / "out.tif")),
            make_task("identity"),
        )
        assert np.array_equal(tifffile.imread(tmp_path / "out.tif").reshape(-1, *photo.shape), [photo + n for n in numbers])
    with pytest.raises(UsageError, match=r"in\.tif: has 5 pages, 0 to 4; `pages` selects page 7"):
        run_file(
            Input(str(tmp_path / "in.tif"), pages=parse_page_range("1,5-7")),
            Output(str(tmp_path / "out.tif")),
            make_task("identity"),
        )


def test_too_many_pages_are_an_error_before_filtering(tmp_path, photo, make_task) -> None:
    tifffile.imwrite(tmp_path / "in.tif", np.stack([photo] * 3), photometric="rgb")
    for name in ("out.png", "out.jpg", "out.gif"):
        with pytest.raises(WriteError, match=rf"{name}: .*3 pages; choose one page with `pages` 0"):
            run_file(Input(str(tmp_path / "in.tif")), Output(str(tmp_path / name)), make_task("identity"))
        assert not (tmp_path / name).exists()
    run_file(
        Input(str(tmp_path / "in.tif"), pages=parse_page_range("1")), Output(str(tmp_path / "out.png")), make_task("identity")
    )


def test_an_unsupported_depth_is_an_error_before_filtering(source, tmp_path, make_task, monkeypatch) -> None:
    task = make_task(depth="16")
    monkeypatch.setattr("imgconv.running.file.filter_picture", lambda *_: pytest.fail("filtering was started"))
    with pytest.raises(WriteError, match="JPEG") as caught:
        run_file(Input(str(source)), Output(str(tmp_path / "out.jpg")), task)
    assert len(str(caught.value).splitlines()) == 1
    assert os.listdir(tmp_path) == ["in.png"]


@pytest.mark.parametrize("name", ["missing/out.png", "out.nonsense", "out"])
def test_an_unusable_output_path_is_an_error_before_filtering(source, tmp_path, make_task, monkeypatch, name) -> None:
    task = make_task()
    monkeypatch.setattr("imgconv.running.file.filter_picture", lambda *_: pytest.fail("filtering was started"))
    with pytest.raises(WriteError):
        run_file(Input(str(source)), Output(str(tmp_path / name)), task)
    assert os.listdir(tmp_path) == ["in.png"]
