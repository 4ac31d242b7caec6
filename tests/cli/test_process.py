"""The command as a separate process: pipes, signals, the terminal."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import subprocess
import sys
import time

import cv2
import numpy as np
import pytest
import tifffile

import imgconv

COMMAND = [sys.executable, "-m", "imgconv"]


@pytest.fixture
def environment(root):
    return {**os.environ, "PYTHONPATH": str(root)}


@pytest.fixture
def process(environment, tmp_path):
    def process(*arguments, **options):
        return subprocess.run(
            [*COMMAND, *map(str, arguments)], cwd=tmp_path, env=environment, capture_output=True, timeout=60, **options
        )

    return process


@pytest.mark.parametrize("extension", ["png", "ppm", "tiff"])
def test_from_stdin_to_stdout(process, photo, extension):
    data = cv2.imencode(f".{extension}", photo)[1].tobytes()
    result = process("apply", "sharpen", "--range", "clip", "-", "-", input=data)
    assert (result.returncode, result.stderr) == (0, b"")
    assert result.stdout[:2] == data[:2]  # in the format that came in
    decoded = cv2.imdecode(np.frombuffer(result.stdout, np.uint8), cv2.IMREAD_UNCHANGED)
    assert np.array_equal(decoded, imgconv.correlate(photo, "sharpen"))


def test_the_format_of_stdout_can_be_chosen(process, photo):
    result = process("apply", "identity", "photo.png", "-", "--format", "bmp")
    assert result.stdout[:2] == b"BM"


def test_a_damaged_image_prints_one_line(process, photo, tmp_path):
    for extension in (".png", ".tiff", ".jpg", ".bmp"):
        data = cv2.imencode(extension, photo)[1].tobytes()
        (tmp_path / f"bad{extension}").write_bytes(data[: len(data) // 2])
        result = process("apply", "sharpen", f"bad{extension}", "out.png")
        assert result.returncode == 4
        assert result.stderr.count(b"\n") == 1, result.stderr


def test_a_reader_that_ends_early_gives_no_traceback(environment, tmp_path, photo):
    command = f"{' '.join(COMMAND)} list | head -1; echo ${{PIPESTATUS[0]}} >&2"
    result = subprocess.run(["bash", "-c", command], cwd=tmp_path, env=environment, capture_output=True, timeout=60)
    assert result.stdout == b"kernels:\n"
    assert result.stderr in (b"141\n", b"0\n")  # 0 where all was written before the reader went


def test_a_closed_stdout_gives_no_traceback(environment, tmp_path):
    for arguments in (["list"], ["plan", "sharpen", "--shape", "9x9"]):
        closing = ["sh", "-c", '"$@" >&-', "sh", *COMMAND, *arguments]
        result = subprocess.run(closing, cwd=tmp_path, env=environment, stderr=subprocess.PIPE, timeout=60)
        assert b"Traceback" not in result.stderr
        assert result.stderr.count(b"\n") <= 1


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="no full device")
def test_a_full_stdout_is_a_write_error(environment, tmp_path):
    with open("/dev/full", "wb") as full:
        result = subprocess.run(
            [*COMMAND, "list"], cwd=tmp_path, env=environment, stdout=full, stderr=subprocess.PIPE, timeout=60
        )
    assert result.returncode == 5
    assert result.stderr == b"imgconv: standard output: No space left on device\n"


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no named pipes")
@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_leaves_nothing_behind(environment, tmp_path, photo, number, code):
    """The command waits for an empty pipe when it gets the signal."""
    os.mkfifo(tmp_path / "in.png")
    running = subprocess.Popen(
        [*COMMAND, "apply", "sharpen", "in.png", "out.png"], cwd=tmp_path, env=environment, stderr=subprocess.PIPE
    )
    time.sleep(1.5)
    running.send_signal(number)
    _, err = running.communicate(timeout=30)
    assert running.returncode == code
    assert b"Traceback" not in err
    assert sorted(os.listdir(tmp_path)) == ["in.png", "photo.png"]


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no named pipes")
def test_an_unknown_kernel_is_reported_without_reading_stdin(process, tmp_path):
    """The image is read in the background, from an empty pipe."""
    os.mkfifo(tmp_path / "in.png")
    result = process("apply", "no_such_kernel", "in.png", "out.png")
    assert result.returncode == 3
    assert result.stderr.count(b"\n") == 1


def test_a_slow_reader_gets_the_whole_output(environment, tmp_path):
    """The process ends without the cleanup of Python, after its output is flushed."""
    command = f"{' '.join(COMMAND)} show gaussian:sigma=20 --as numpy | (sleep 1; tail -c 200)"
    slow = subprocess.run(["bash", "-c", command], cwd=tmp_path, env=environment, capture_output=True, timeout=60)
    direct = subprocess.run(
        [*COMMAND, "show", "gaussian:sigma=20", "--as", "numpy"], cwd=tmp_path, env=environment, capture_output=True, timeout=60
    )
    assert len(direct.stdout) > 100_000  # more than a pipe holds
    assert slow.stdout == direct.stdout[-200:]


def test_a_profiler_can_write_its_report(environment, tmp_path):
    command = [sys.executable, "-m", "cProfile", *COMMAND[1:], "list"]
    result = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, timeout=60)
    assert result.returncode == 0
    assert b"function calls" in result.stdout


def test_a_batch_on_a_terminal_shows_its_progress(environment, tmp_path, photo):
    pty = pytest.importorskip("pty")
    (tmp_path / "in").mkdir()
    for number in range(3):
        cv2.imwrite(str(tmp_path / "in" / f"{number}.png"), photo)
    ours, theirs = pty.openpty()
    command = [*COMMAND, "batch", "sharpen", "in", "out"]
    running = subprocess.Popen(command, cwd=tmp_path, env={**environment, "TERM": "xterm"}, stderr=theirs, close_fds=True)
    assert running.wait(timeout=60) == 0
    os.close(theirs)
    shown = os.read(ours, 1 << 16).decode()
    os.close(ours)
    assert "3/3" in shown
    assert re.search(r"3 done, \d+\.\d s", shown)


def on_terminal(environment, tmp_path, *arguments):
    """Return what a command prints on a terminal of 80 columns, and its exit code."""
    pty = pytest.importorskip("pty")
    ours, theirs = pty.openpty()
    variables = {**environment, "TERM": "xterm", "COLUMNS": "80"}
    running = subprocess.Popen([*COMMAND, *arguments], cwd=tmp_path, env=variables, stderr=theirs, close_fds=True)
    os.close(theirs)
    printed = b""
    with contextlib.suppress(OSError):  # the end, on Linux
        while piece := os.read(ours, 1 << 16):
            printed += piece
    os.close(ours)
    return printed.decode(), running.wait(timeout=60)


def test_a_batch_on_a_terminal_counts_failures(environment, tmp_path, photo):
    (tmp_path / "in").mkdir()
    cv2.imwrite(str(tmp_path / "in" / "a.png"), photo)
    (tmp_path / "in" / "b.png").touch()
    printed, code = on_terminal(environment, tmp_path, "batch", "sharpen", "in", "out")
    assert code == 6
    assert "1 failed" in printed
    assert re.search(r"1 done, 1 failed, \d+\.\d s; the errors are listed above", printed)


def test_a_file_that_takes_longer_than_a_second_shows_its_page(environment, tmp_path):
    pages = np.zeros((3, 3000, 2000), np.uint8)
    tifffile.imwrite(tmp_path / "in.tif", pages, photometric="minisblack")
    command = ("apply", "box:9", "in.tif", "out.tif", "--engine", "numpy", "--method", "windows", "--jobs", "1")
    printed, code = on_terminal(environment, tmp_path, *command)
    assert code == 0
    assert "imgconv: in.tif" in printed
    assert re.search(r"page \d of 3", printed)


@pytest.mark.parametrize("redirection", ["<&-", ">&-", "2>&-"])
@pytest.mark.parametrize(
    "arguments", ["help borders", "show gaussian:sigma=2", "list", "batch box in.png out", "batch box out --from-file -"]
)
def test_closed_streams_are_no_internal_fault(environment, tmp_path, photo, redirection, arguments):
    cv2.imwrite(str(tmp_path / "in.png"), photo)
    line = f"{sys.executable} -m imgconv {arguments} {redirection}"
    done = subprocess.run(line, shell=True, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=60)
    assert "internal fault" not in done.stderr
    assert done.returncode == (4 if "from-file" in arguments else 0)


def test_a_stderr_without_reader_keeps_the_exit_code(environment, tmp_path):
    line = f"({sys.executable} -m imgconv apply nosuch a.png o.png; echo $? > code) 2>&1 | true"
    subprocess.run(line, shell=True, cwd=tmp_path, env=environment, timeout=60, check=False)
    assert (tmp_path / "code").read_text() == "3\n"
