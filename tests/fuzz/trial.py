"""Run one command per file in a process that may crash, and return its outcome and failures.

Started by `mutate.py`, which writes one line of JSON for each file and reads one line of JSON back.
"""

from __future__ import annotations

import contextlib
import faulthandler
import io
import json
import os
import re
import resource
import shutil
import signal
import sys
import tempfile
import time
import traceback
import warnings
from typing import Any

LONGEST_LINE = 1_000
#: TIFF stores all pixel types; other outputs may be rejected with exit code 5.
STORES_ALL_TYPES = "tif"


def main(memory: int, trace: str) -> None:
    """Run the job on each line of standard input."""
    replies = os.fdopen(os.dup(1), "w")
    native_output = os.open(tempfile.mkstemp()[1], os.O_RDWR | os.O_TRUNC)
    os.dup2(native_output, 1)
    os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
    with open(trace, "w") as file:
        faulthandler.enable(file)
        faulthandler.register(signal.SIGUSR1, file, all_threads=True)
        _load()
        resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        replies.write("ready\n")
        replies.flush()
        for line in sys.stdin:
            replies.write(json.dumps(_try(json.loads(line), native_output)) + "\n")
            replies.flush()


def _load() -> None:
    import cv2  # noqa: F401
    import imagecodecs
    import tifffile  # noqa: F401
    from PIL import Image

    import imgconv  # noqa: F401
    from imgconv.cli import apply, edges, plan  # noqa: F401

    Image.init()
    imagecodecs.zlib_decode(imagecodecs.zlib_encode(b"1"))
    os.environ["IMGCONV_TRACEBACK"] = "1"


def _try(job: dict[str, Any], native_output: int) -> dict[str, Any]:
    """Run the command of a job on its file, in an empty folder."""
    from imgconv.cli.main import run

    folder = tempfile.mkdtemp(prefix="imgconv-mutant-")
    os.chdir(folder)
    shutil.copyfile(job["path"], job["source"])
    out, err, code, wrong, start = io.StringIO(), io.StringIO(), -1, [], time.perf_counter()
    try:
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err), warnings.catch_warnings():
            warnings.simplefilter("default")  # every occurrence, except categories that Python hides by default
            for kind in (DeprecationWarning, PendingDeprecationWarning, ImportWarning, ResourceWarning):
                warnings.simplefilter("ignore", kind)
            code = run(job["arguments"])
    except BaseException as error:
        wrong.append(_fault(error))
    seconds = time.perf_counter() - start
    if not wrong:
        wrong += _message_failures(code, out.getvalue(), err.getvalue(), job)
        wrong += _file_failures(code, set(os.listdir(folder)) - {job["source"]}, job)
    if os.fstat(native_output).st_size:
        wrong.append("output of native code on stdout")
        os.ftruncate(native_output, 0)
    os.chdir("/")
    shutil.rmtree(folder)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    return {"code": code, "err": err.getvalue()[:4000], "wrong": wrong, "seconds": seconds, "peak": peak}


def _fault(error: BaseException) -> str:
    """Return one line with an uncaught exception and its origin, identical for the same fault."""
    frames = traceback.extract_tb(error.__traceback__)
    own = [f for f in frames if f"imgconv{os.sep}" in f.filename and f"{os.sep}cli{os.sep}" not in f.filename]
    places = [f"{'/'.join(f.filename.split(os.sep)[-3:])}:{f.lineno} {f.name}" for f in [*own[-2:], frames[-1]]]
    return f"traceback: {type(error).__name__}: {without_details(str(error))[:160]} [{' > '.join(dict.fromkeys(places))}]"


def without_details(text: str) -> str:
    """Return a message without quoted text and numbers, which differ from file to file."""
    return re.sub(r"0x[0-9a-fA-F]+|-?[0-9][0-9.,e+]*", "N", re.sub(r"'[^']*'|b\"[^\"]*\"", "…", " ".join(text.split())))


def _message_failures(code: int, out: str, err: str, job: dict[str, Any]) -> list[str]:
    lines = err.splitlines()
    wrong = []
    if code not in ((0, 4) if job["target"].endswith(STORES_ALL_TYPES) else (0, 4, 5)):
        wrong.append(f"exit code {code}: {without_details(err)[:200]}")
    unprefixed = [line for line in lines if not line.startswith("imgconv: ")]
    if unprefixed:
        wrong.append(f"a line without the prefix of a message: {without_details(unprefixed[0])[:60]}")
    elif code and len(lines) != 1:
        wrong.append(f"{len(lines)} lines for exit code {code}: {without_details(err)[:200]}")
    if any(len(line) > LONGEST_LINE for line in lines):
        wrong.append(f"a message of more than {LONGEST_LINE} characters: {without_details(err)[:80]}")
    if re.search("internal fault|Traceback", err):
        wrong.append(f"reports an internal fault: {without_details(err)[:200]}")
    if out and (code or job["target"]):
        wrong.append(f"a result on stdout: {without_details(out)[:80]}")
    return wrong


def _file_failures(code: int, found: set[str], job: dict[str, Any]) -> list[str]:
    target = job["target"]
    expected = {target} if code == 0 and target else set()
    if found != expected:
        return [f"leftover files: {without_details(', '.join(sorted(found)))}" if found else "no file was written"]
    return _output_failures(target) if expected else []


def _output_failures(target: str) -> list[str]:
    """Return the problems of a written file: it must be readable by imgconv and another library, with the same shape."""
    import tifffile
    from PIL import Image

    import imgconv

    try:
        pixels = imgconv.read_image(target).pixels
        if target.endswith("tif"):
            shape = tifffile.imread(target, key=0).shape
        elif target.endswith("png"):
            with Image.open(target) as image:
                image.load()
                shape = (image.height, image.width)
        else:
            return []
    except Exception as error:
        return [f"the result cannot be read back: {_fault(error)}"]
    return [] if shape[:2] == pixels.shape[:2] else [f"the result has two shapes: {shape} and {pixels.shape}"]


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2])
