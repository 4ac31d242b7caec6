"""The state of the process that the command line sets; `tests/test_floors.py` counts what it loads."""

from __future__ import annotations

SETTINGS = """
import gc, os, signal, sys, warnings
from imgconv.cli import main
main._set_up_process(sys.argv[1:])
print(os.environ.get("OPENBLAS_NUM_THREADS"), os.environ.get("OPENCV_LOG_LEVEL"), gc.get_threshold()[0], flush=True)
"""


def test_blas_starts_threads_only_for_bench(run_python, monkeypatch) -> None:
    monkeypatch.delenv("OPENBLAS_NUM_THREADS", raising=False)
    assert run_python("-c", SETTINGS, "apply").stdout.split() == ["1", "SILENT", "500000"]
    assert run_python("-c", SETTINGS, "bench").stdout.split() == ["None", "SILENT", "500000"]
    monkeypatch.setenv("OPENBLAS_NUM_THREADS", "3")
    assert run_python("-c", SETTINGS, "apply").stdout.split()[0] == "3"
