"""Batches in worker processes: failures of single files, and cleanup after an interrupt or a kill."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest

import imgconv
from imgconv.running.finding import find_work
from imgconv.running.folder import run_batch
from imgconv.running.isolation import Workers
from imgconv.running.process import StartError
from imgconv.running.read_limits import Limits
from tests.running.faulty_files import FUNCTION, LARGE, is_alive, leftovers

pytestmark = pytest.mark.skipif(os.name != "posix", reason="signals and limits of POSIX")

LIMITS = Limits(timeout=30, memory=LARGE // 2)


def make_many(tree: Path, photo: np.ndarray, count: int) -> None:
    for number in range(count):
        cv2.imwrite(str(tree / f"n{number:02}.png"), np.roll(photo, number * 5, axis=1))


@pytest.mark.parametrize("jobs", [1, 3])
def test_workers_give_the_same_files_in_the_same_order(tree, tmp_path, photo, make_task, jobs) -> None:
    make_many(tree, photo, 8)
    (tree / "bad.png").write_bytes(b"none")
    results = []
    with Workers(jobs, LIMITS) as workers:
        for workers_or_none in (None, workers):
            work = find_work([tree], tmp_path / "out", recursive=True).work
            outcomes = run_batch(work, make_task("gaussian:sigma=1.3", count=True), jobs=jobs, workers=workers_or_none)
            results.append(
                [(o.source, o.target, o.status, o.message, o.target.exists() and o.target.read_bytes()) for o in outcomes]
            )
            assert [o.source for o in outcomes] == [source for source, _ in work]
            reports = [o.report.as_dict() for o in outcomes if o.report]
            assert [len(report["plans"]) for report in reports] == [1] * 11
    assert results[0] == results[1]
    assert [status for *_, status, _, _ in results[1]].count("failed") == 1


def test_crashes_and_limits_do_not_stop_the_other_files(tree, tmp_path, photo, make_task) -> None:
    make_many(tree, photo, 12)
    commands = {
        "n03.png": "die:SIGSEGV",
        "n04.png": "die:SIGABRT",
        "n07.png": "memory",
        "n08.png": "sleep:50",
        "n11.png": "write and die",
    }
    for name, text in commands.items():
        (tree / name).write_text(text)
    work = find_work([tree], tmp_path / "out").work
    reported: list[str] = []
    with Workers(2, Limits(3, LARGE // 2), function=FUNCTION) as workers:
        outcomes = run_batch(work, make_task(), jobs=2, workers=workers, progress=lambda o: reported.append(o.source.name))
    assert [o.source for o in outcomes] == [source for source, _ in work]
    assert sorted(reported) == [o.source.name for o in outcomes]
    assert {o.source.name for o in outcomes if o.status == "failed"} == set(commands)
    assert all(o.message.startswith(f"{o.source}: ") for o in outcomes if o.status == "failed")
    done = [o for o in outcomes if o.status == "done"]
    assert sorted(p.name for p in (tmp_path / "out").iterdir()) == sorted(o.target.name for o in done)
    for outcome in done[2:]:  # without a.jpg and b.png
        source = cv2.imread(str(outcome.source))
        assert np.array_equal(cv2.imread(str(outcome.target)), imgconv.correlate(source, "sharpen"))


@pytest.mark.parametrize(("jobs", "each"), [(2, 1), (1, None)])
def test_each_of_several_workers_has_one_thread(tree, tmp_path, make_task, jobs, each) -> None:
    for name in ("a.jpg", "b.png"):
        (tree / name).write_text("threads")
    with Workers(jobs, LIMITS, function=FUNCTION) as workers:
        outcomes = run_batch(find_work([tree], tmp_path / "out").work, make_task(), jobs=jobs, workers=workers)
    assert [o.report for o in outcomes] == [(each or cv2.getNumThreads(), each)] * 2


@pytest.mark.parametrize("function", ["tests.running.nowhere:run", "tests.running.faulty_files:nothing"])
def test_a_worker_that_does_not_start_is_an_error_of_one_line(tmp_path, tree, make_task, function) -> None:
    with Workers(2, LIMITS, function=function) as workers, pytest.raises(StartError, match=r"nowhere|nothing") as caught:
        run_batch(find_work([tree], tmp_path / "out").work, make_task(), workers=workers)
    assert len(str(caught.value).splitlines()) == 1


# Interrupts and kills


SCRIPT = """
import sys
from pathlib import Path
from imgconv.filters.parsing import parse_filter
from imgconv.running.finding import find_work
from imgconv.running.folder import run_batch
from imgconv.running.isolation import Workers
from imgconv.running.read_limits import Limits
from imgconv.running.task import Task
with Workers(2, Limits(), function="tests.running.faulty_files:run") as workers:
    work = find_work([Path("in")], Path("out")).work
    run_batch(work, Task(parse_filter("identity")), jobs=2, workers=workers, progress=lambda o: print(o.report, flush=True))
"""


@pytest.fixture
def started(tmp_path, root):
    """Run SCRIPT on a folder: two files that report the process id, then two whose writing does not end."""
    (tmp_path / "in").mkdir()
    for number, text in enumerate(("wait:0.5", "wait:0.5", "write and wait", "write and wait", "pid")):
        (tmp_path / "in" / f"{number}.png").write_text(text)
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(Path(imgconv.__file__).parent.parent), str(root)])}
    pipe = subprocess.PIPE
    with subprocess.Popen(
        [sys.executable, "-c", SCRIPT], cwd=tmp_path, env=environment, stdout=pipe, stderr=pipe, text=True
    ) as process:
        assert process.stdout is not None
        pids = [int(process.stdout.readline()) for _ in range(2)]
        wait_for(lambda: len(leftovers(tmp_path / "out")) == 2)
        yield process, pids
        process.kill()


def wait_for(done: Callable[[], bool], seconds: float = 20) -> None:
    end = time.monotonic() + seconds
    while not done():
        assert time.monotonic() < end
        time.sleep(0.02)


@pytest.mark.skipif(not os.path.exists("/proc/self/stat"), reason="reads /proc")
def test_an_interrupt_ends_the_workers_and_removes_temporary_files(started, tmp_path) -> None:
    process, pids = started
    assert all(map(is_alive, pids))
    start = time.monotonic()
    process.send_signal(signal.SIGINT)
    _, reported = process.communicate(timeout=20)
    assert time.monotonic() - start < 5
    assert reported.rstrip().endswith("KeyboardInterrupt")
    assert not any(map(is_alive, pids))
    assert list((tmp_path / "out").iterdir()) == []


@pytest.mark.skipif(not os.path.exists("/proc/self/stat"), reason="reads /proc")
def test_workers_end_with_their_parent_and_remove_temporary_files(started, tmp_path) -> None:
    process, pids = started
    assert all(map(is_alive, pids))
    process.kill()
    wait_for(lambda: not any(map(is_alive, pids)))
    assert list((tmp_path / "out").iterdir()) == []
