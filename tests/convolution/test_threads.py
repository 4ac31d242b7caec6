"""Threads: their number, errors in a thread, concurrent calls, and the threads of BLAS."""

from __future__ import annotations

import os
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import cv2  # noqa: F401  (its BLAS must be loaded before threadpoolctl looks for libraries)
import numpy as np
import pytest
from threadpoolctl import threadpool_info, threadpool_limits

from imgconv.convolution.api import correlate
from imgconv.convolution.execution import run_strips
from imgconv.convolution.methods import METHODS
from imgconv.convolution.sums import prepared_sums
from imgconv.errors import UsageError
from imgconv.threads import thread_count

PATIENCE = 30  # seconds, after which a thread counts as stuck


def drawn(shape, dtype):
    rng = np.random.default_rng(shape)
    return rng.integers(0, 256, shape).astype(dtype) if np.dtype(dtype).kind in "iu" else rng.normal(size=shape).astype(dtype)


# The number of threads


def threads_of(jobs, count):
    """Return the ids of the threads that run strips; a barrier breaks if they are fewer than `count`."""
    barrier, found = threading.Barrier(count), set()

    def work(start, stop, workspace):
        found.add(threading.get_ident())
        if start < count:
            barrier.wait(PATIENCE)
        return stop - start

    assert run_strips(work, 40, 1, jobs=jobs, blas=False) == 40
    return found


@pytest.mark.parametrize("count", [1, 2, 5])
def test_jobs_is_the_number_of_threads_including_the_caller(monkeypatch, count):
    monkeypatch.setenv("IMGCONV_JOBS", "3")
    found = threads_of(count, count)
    assert len(found) == count
    assert threading.get_ident() in found


def test_imgconv_jobs_sets_the_default_number_of_threads(monkeypatch):
    monkeypatch.setenv("IMGCONV_JOBS", "3")
    assert thread_count() == 3
    assert len(threads_of(None, 3)) == 3
    assert thread_count(7) == 7


@pytest.mark.parametrize("given", [None, "", " "])
def test_the_default_is_one_thread_per_processor(monkeypatch, given):
    monkeypatch.delenv("IMGCONV_JOBS", raising=False)
    if given is not None:
        monkeypatch.setenv("IMGCONV_JOBS", given)
    assert thread_count() == (len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count())


@pytest.mark.parametrize("asked", ["257", "0000000257", "9" * 5000])
def test_the_number_of_threads_is_limited_to_256(monkeypatch, asked):
    assert thread_count(10**5000) == 256
    monkeypatch.setenv("IMGCONV_JOBS", asked)
    assert thread_count() == 256


@pytest.mark.parametrize("given", ["0", "-1", "two", "1.5", "²", "1e1"])
def test_an_invalid_imgconv_jobs_is_rejected(monkeypatch, given):
    monkeypatch.setenv("IMGCONV_JOBS", given)
    with pytest.raises(UsageError, match=f"^IMGCONV_JOBS must be a whole number from 1 up, found '{given}'$"):
        correlate(np.ones((3, 3)), np.ones((1, 3)), engine="numpy")


@pytest.mark.parametrize("jobs", [0, -2, 1.5, "2", (1, 2)])
def test_invalid_jobs_are_rejected(jobs):
    with pytest.raises(UsageError, match="jobs"):
        correlate(np.ones((3, 3)), np.ones((1, 3)), engine="numpy", jobs=jobs)


# Errors


def test_an_error_in_a_strip_is_raised_and_the_next_call_works(monkeypatch):
    image, kernel = drawn((200, 30), np.uint8), np.arange(12).reshape(3, 4) - 5
    options = {"engine": "numpy", "method": "shifts", "jobs": 3}
    expected = correlate(image, kernel, **options)
    with monkeypatch.context() as patch:
        patch.setattr(type(METHODS["shifts"]), "rows", lambda self, job: 2)

        def prepare(self, job):
            def run(source, sums):
                if source.rows[0] > 50:
                    raise MemoryError("no strip")
                sums[...] = 0

            return run

        patch.setattr(type(METHODS["shifts"]), "prepare", prepare)
        prepared_sums.cache_clear()
        with pytest.raises(MemoryError, match="no strip"):
            correlate(image, kernel, **options)
    prepared_sums.cache_clear()
    assert np.array_equal(correlate(image, kernel, **options), expected)


@pytest.mark.parametrize("where", ["in the caller", "in another thread"])
def test_an_error_stops_the_other_threads_after_their_current_strip(where):
    caller, both, raised, done = threading.get_ident(), threading.Barrier(2), threading.Event(), []

    def work(start, stop, workspace):
        if start < 2:
            both.wait(PATIENCE)
        if (threading.get_ident() == caller) == (where == "in the caller"):
            raised.set()
            raise ZeroDivisionError(where)
        assert raised.wait(PATIENCE)
        time.sleep(0.002)  # the other thread is about to report its error
        done.append(start)
        return 0

    with pytest.raises(ZeroDivisionError, match=where):
        run_strips(work, 2000, 1, jobs=2, blas=False)
    finished = len(done)
    assert finished < 500
    time.sleep(0.05)
    assert len(done) == finished  # no thread continues after the error was raised
    assert run_strips(lambda a, b, _: b - a, 50, 1, jobs=2, blas=False) == 50


# Concurrent calls in one process


def test_concurrent_calls_return_their_own_results():
    cases = [
        (drawn((150 + 10 * n, 90, 3), np.uint8), method) for n in range(3) for method in ("shifts", "separable", "fourier")
    ]
    kernel = np.outer([1, 2, 3, 1], [1, -4, 2, 5, 1])

    def filtered(case, jobs):
        return correlate(case[0], kernel, engine="numpy", method=case[1], dtype="int32", jobs=jobs)

    expected = [filtered(case, 1) for case in cases]
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda n: filtered(cases[n % 9], 1 + n % 5), range(72)))
    assert all(np.array_equal(got, expected[n % 9]) for n, got in enumerate(found))


def blas_threads():
    return [library["num_threads"] for library in threadpool_info() if library["user_api"] == "blas"]


@pytest.fixture
def blas_before():
    """Set BLAS to two threads, even on one processor; yield the number of threads of each library."""
    with threadpool_limits(limits=2, user_api="blas"):
        before = blas_threads()
        if set(before) <= {1}:
            pytest.skip("no BLAS with an adjustable number of threads")
        yield before


def test_blas_has_one_thread_during_a_call_and_its_own_number_afterwards(blas_before):
    seen = []
    run_strips(lambda a, b, _: seen.append(blas_threads()) or 0, 2, 1, jobs=1, blas=True)
    assert seen == [[1] * len(blas_before)] * 2
    assert blas_threads() == blas_before
    with pytest.raises(ZeroDivisionError):
        run_strips(lambda a, b, _: 1 // 0, 4, 1, jobs=2, blas=True)
    assert blas_threads() == blas_before
    correlate(drawn((300, 200), np.float32), np.ones((5, 5)), engine="numpy", method="separable", jobs=2)
    assert blas_threads() == blas_before


def test_blas_threads_are_unchanged_without_calls_of_blas(blas_before):
    seen = []
    run_strips(lambda a, b, _: seen.append(blas_threads()) or 0, 1, 1, jobs=1, blas=False)
    assert seen == [blas_before]


@pytest.mark.parametrize("first_out", ["first in", "last in"])
def test_blas_threads_are_restored_after_two_overlapping_calls(blas_before, first_out):
    entered, out, seen = [threading.Event(), threading.Event()], [threading.Event(), threading.Event()], []

    def work_of(user):
        def work(start, stop, workspace):
            entered[user].set()
            assert entered[1 - user].wait(PATIENCE)
            if user == 0:
                seen.append(blas_threads())
            if (user == 1) == (first_out == "first in"):
                assert out[1 - user].wait(PATIENCE)
            return 0

        return work

    def second():
        assert entered[0].wait(PATIENCE)
        run_strips(work_of(1), 1, 1, jobs=1, blas=True)
        out[1].set()

    other = threading.Thread(target=second)
    other.start()
    run_strips(work_of(0), 1, 1, jobs=1, blas=True)
    out[0].set()
    other.join(PATIENCE)
    assert seen == [[1] * len(blas_before)]
    assert blas_threads() == blas_before


FORK = """
import os, signal
import numpy as np
from imgconv import correlate
image = np.random.default_rng(1).integers(0, 256, (900, 300), np.uint8)
kernel = np.outer([1, 2, 3, 1], [1, -4, 2, 5, 1])
both = lambda: [correlate(image, kernel, engine="numpy", method=m, jobs=3).tobytes() for m in ("shifts", "separable")]
expected = both()
child = os.fork()
if child == 0:
    signal.alarm(60)  # stops a child that waits for threads of its parent
    os._exit(0 if both() == expected else 3)
assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
assert both() == expected
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs os.fork")
def test_a_forked_child_of_a_process_with_threads_can_compute(run_python, tmp_path):
    script = tmp_path / "fork.py"
    script.write_text(FORK, encoding="utf-8")
    done = run_python(script)
    assert done.returncode == 0, done.stderr
