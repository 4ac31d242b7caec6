"""Buffers that are used again: the same memory under the same name, and no more of it kept than is worth it."""

from __future__ import annotations

import threading

import numpy as np
import pytest

from imgconv.convolution.strips import run_strips
from imgconv.convolution.workspace import Workspace


def test_a_name_stands_for_the_same_memory():
    workspace = Workspace()
    first = workspace.take("sums", (4, 5), np.float64)
    assert np.shares_memory(first, workspace.take("sums", (3, 2, 2), np.int16))
    assert not np.shares_memory(first, workspace.take("window", (4, 5), np.float64))
    assert np.shares_memory(first, workspace.take("sums", (4, 5), np.float64))


@pytest.mark.parametrize("dtype", ["bool", "int16", "float32", "float64", "complex128"])
@pytest.mark.parametrize("shape", [(1,), (3, 7), (2, 3, 5), (0, 4)], ids=str)
def test_a_buffer_is_an_aligned_array_that_can_be_written_to(shape, dtype):
    workspace = Workspace()
    for _ in range(2):
        taken = workspace.take("sums", shape, dtype)
        assert (taken.shape, taken.dtype) == (shape, dtype)
        assert taken.flags.c_contiguous
        assert taken.ctypes.data % 64 == 0 or not taken.size
        taken[...] = 1
        assert taken.sum() == taken.size


def test_a_buffer_grows_and_counts():
    workspace = Workspace()
    workspace.take("a", (100,), np.uint8)
    workspace.take("b", (10,), np.float64)
    assert workspace.size == 180
    workspace.take("a", (300,), np.uint8)
    workspace.take("a", (5,), np.uint8)
    assert workspace.size == 380
    workspace.clear()
    assert workspace.size == 0


def test_threads_have_workspaces_of_their_own_and_keep_them_while_they_are_small():
    found, both = {}, threading.Barrier(2)

    def work(start, stop, workspace):
        both.wait(30)
        workspace.take("sums", (1 << 20,), np.uint8)
        found.setdefault(threading.get_ident(), []).append(workspace)
        return 0

    for _ in range(2):
        run_strips(work, 2, 1, jobs=2, blas=False)
    mine = found[threading.get_ident()]
    assert mine[0] is mine[1]
    assert mine[0].size >= 1 << 20
    assert not any(other is mine[0] for ident, others in found.items() if ident != threading.get_ident() for other in others)


def test_large_buffers_are_let_go():
    kept = []

    def work(start, stop, workspace):
        kept.append(workspace)
        workspace.take("sums", (40 << 20,), np.uint8)
        return 0

    run_strips(work, 1, 1, jobs=1, blas=False)
    assert kept[0].size == 0
