"""Common mistakes on the command line, and what the messages say."""

from __future__ import annotations

import numpy as np
import pytest

import imgconv


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("", "SPEC, IN and OUT are missing: imgconv apply SPEC... IN OUT"),
        ("sharpen", "IN and OUT are missing: imgconv apply SPEC... IN OUT"),
        ("photo.png", "SPEC and OUT are missing: imgconv apply SPEC... IN OUT"),
        ("sharpen photo.png", "OUT is missing: imgconv apply SPEC... IN OUT"),
        ("photo.png out.png", "SPEC is missing: imgconv apply SPEC... IN OUT"),
        ("[0 -1 0; photo.png out.png", 'put the matrix in quotes: "[0 -1 0; -1 5 -1; 0 -1 0]"'),
        ("[0 1 0 photo.png out.png", 'put the matrix in quotes: "[0 -1 0; -1 5 -1; 0 -1 0]"'),
        ("box photo.png out.png --sigma 40", "no option --sigma; parameters are written after the filter: gaussian:sigma=40"),
        ("unsharp photo.png out.png --sigma=4", "no option --sigma; parameters are written after the filter: unsharp:sigma=4"),
        ("box photo.png out.png --angle", "parameters are written after the filter: gaussian:angle=..."),
        ("box photo.png out.png --bordr wrap", "no option --bordr (did you mean --border?)"),
        ("box photo.png out.png -x", "no option -x"),
        ("gaussian -sigma 2 photo.png out.png", "no option -sigma; parameters are written after the filter: gaussian:sigma=2"),
        ("box photo.png out.png --scale 1e99999999", "expected a number or a fraction such as 1/9, found '1e99999999'"),
        ("box photo.png out.png --max-pixels 1e99999999", "expected a number from 1 up, such as 500M"),
        ("box photo.png out.png --isolate --memory 0.5", "expected a number from 0 up, such as 500M"),
        ("box photo.png out.png --stride ٣", "whole numbers from 1 up"),
        ("box photo.png out.png --mask -", "--mask reads a file; standard input is for the image"),
        ("box photo.png .", ". is the folder of photo.png, which would be replaced; name the file to write"),
        ("box photo.png out.png --border wrap,reflect --border-value 9", "found --border wrap,reflect"),
        ("box photo.png out.png --depth 12", "unknown depth '12'; choose one of 1, 8, 16, 16f, 32f, 64f"),
        ("box photo.png out.png --quality 90%", "expected a whole number from 1 to 100, found '90%'"),
        ("box photo.png out.png --border wrap --border-value 9", "--border-value is the level of border constant, found"),
    ],
)
def test_wrong_usage(fails, photo, words, message):
    assert message in fails(2, "apply", *words.split())


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("photo.png sharpen out.png", "photo.png looks like a file; filters come first, then files"),
        ("kernel.txt photo.png out.png", "kernel.txt looks like a file; write @kernel.txt to read a kernel from a file"),
        ("kernel.csv photo.png out.csv", "kernel.csv looks like a file; write @kernel.csv to read a kernel from a file"),
        ("sharpen:3 photo.png out.png", "sharpen has no parameters, found '3'"),
        ("box:3,size=5 photo.png out.png", "box: size is given twice"),
        (
            "gaussian sigma=2 photo.png out.png",
            "sigma=2 is no filter; parameters are written after the filter: gaussian:sigma=2",
        ),
        ("sharpen:amount=0.5 photo.png out.png", "sharpen has no parameters; unsharp:amount=0.5 is possible"),
        ("gaussian:amount=0.5 photo.png out.png", "gaussian has no parameter 'amount'; choose one of sigma"),
        ("gaussian:sgima=2 photo.png out.png", "gaussian has no parameter 'sgima' (did you mean sigma?)"),
        ("gaussian=2 photo.png out.png", "parameters follow the filter and a colon: gaussian:sigma=2"),
        ("blur:2 photo.png out.png", "there is no kernel, operator or filter 'blur'; see `imgconv list blur`"),
        ("xyzzy photo.png out.png", "there is no kernel, operator or filter 'xyzzy'; see `imgconv list`"),
    ],
)
def test_unusable_filters(fails, photo, tmp_path, words, message):
    (tmp_path / "kernel.txt").write_text("1 2 1\n")
    assert message in fails(3, "apply", *words.split())


def test_a_folder_is_no_input_of_apply(fails, tmp_path):
    (tmp_path / "photos").mkdir()
    assert "photos/: is a folder; `imgconv batch` filters" in fails(4, "apply", "sharpen", "photos/", "out/")
    assert not (tmp_path / "out").exists()


def test_a_url_is_no_input(fails):
    assert "URLs are not supported; download the file first" in fails(4, "apply", "sharpen", "https://x.org/a.png", "out.png")


def test_an_unknown_format_lists_the_formats(fails, photo):
    message = fails(5, "apply", "box", "photo.png", "out.pdf")
    assert "unknown extension .pdf; choose one of .png, .jpg, .tiff" in message
    assert "did you mean" not in message


@pytest.mark.parametrize("folder", ["out/", "there", "new/below/"])
def test_a_folder_receives_a_file_of_the_same_name(done, fails, photo, load, tmp_path, folder):
    (tmp_path / "there").mkdir()
    assert done("apply", "sharpen", "photo.png", folder) == ""
    expected = imgconv.correlate(photo, "sharpen")
    assert np.array_equal(load(f"{folder}/photo.png"), expected)
    done("apply", "sharpen", "photo.png", folder, "--format", "tiff")
    assert np.array_equal(load(f"{folder}/photo.tiff"), expected)
    assert "standard input has no name" in fails(2, "apply", "sharpen", "-", folder)


def test_an_error_creates_no_folder(fails, tmp_path, photo):
    fails(4, "apply", "sharpen", "none.png", "out/")
    fails(3, "apply", "sharpn", "photo.png", "out/")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("short", "full"),
    [
        ("gaussian:3", "gaussian:sigma=3"),
        ("box:5", "box:size=5"),
        ("kirsch:se", "kirsch:direction=se"),
        ("edges:sobel", "edges:operator=sobel"),
        ("sobel", "edges:operator=sobel"),
        ("sobel:x", "edges:operator=sobel,output=x"),
        ("prewitt:output=direction", "edges:operator=prewitt,output=direction"),
    ],
)
def test_a_short_form_is_the_full_one(done, photo, load, short, full):
    done("apply", short, "photo.png", "short.png")
    done("apply", full, "photo.png", "full.png")
    assert np.array_equal(load("short.png"), load("full.png"))


def test_an_operator_is_what_edges_computes(done, photo, load):
    done("apply", "sobel", "photo.png", "applied.png")
    done("edges", "photo.png", "edges.png", "--operator", "sobel")
    assert np.array_equal(load("applied.png"), load("edges.png"))


@pytest.mark.parametrize("operator", ["sobel,output=x", "", "[1 2]", "laplacian"])
def test_an_unknown_operator_lists_the_operators(fails, photo, operator):
    message = fails(3, "edges", "photo.png", "out.png", "--operator", operator)
    assert f"there is no operator {operator!r}; choose one of sobel, scharr, prewitt, roberts, kirsch" in message
    assert "'sobel_x' (did you mean sobel?)" in fails(3, "edges", "photo.png", "out.png", "--operator", "sobel_x")


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("", "IN and OUT are missing: imgconv edges IN OUT"),
        ("photo.png", "OUT is missing: imgconv edges IN OUT"),
        ("sobel photo.png out.png", "edges takes IN and OUT, found 3 words: imgconv edges photo.png out.png --operator sobel"),
        ("gaussian:2 photo.png out.png", "found 3 words: imgconv apply gaussian:2 edges photo.png out.png"),
    ],
)
def test_edges_takes_two_files(fails, photo, words, message):
    assert message in fails(2, "edges", *words.split())


def test_a_filter_is_no_command(fails):
    message = fails(2, "gaussian:2", "in.png", "out.png")
    assert "no command 'gaussian:2', which is a filter: imgconv apply gaussian:2 in.png out.png" in message
    assert "no command 'sharpen'; the commands are apply, edges" in fails(2, "sharpen")


def test_show_explains_names_of_files_and_open_brackets(fails):
    assert "write @in.png to read a kernel from a file" in fails(3, "show", "in.png")
    assert "no closing ]" in fails(3, "show", "[1 2")


def test_plan_without_words(fails):
    assert "IN is missing" in fails(2, "plan")
