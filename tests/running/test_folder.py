"""`run_batch`: outputs, failures of single files, links, threads and interrupts."""

from __future__ import annotations

import threading
from contextlib import nullcontext
from pathlib import Path

import cv2
import numpy as np
import pytest

import imgconv
from imgconv.images.output import Output
from imgconv.running import folder as folders
from imgconv.running.finding import find_work
from imgconv.running.folder import run_batch
from imgconv.running.isolation import Workers
from imgconv.running.read_limits import Limits


def contents(root: Path) -> dict[str, bytes]:
    return {p.relative_to(root).as_posix(): p.read_bytes() for p in root.rglob("*") if p.is_file()}


# Outputs and failures


def test_every_file_is_filtered_and_reported(tree, tmp_path, photo, grey, make_task) -> None:
    work = find_work([tree], tmp_path / "out", recursive=True).work
    outcomes = run_batch(work, make_task(), jobs=2)
    assert [(o.source, o.target, o.status) for o in outcomes] == [(s, t, "done") for s, t in work]
    assert sorted(contents(tmp_path / "out")) == ["a.jpg", "b.png", "sub/deep/ü 1.png"]
    assert np.array_equal(cv2.imread(str(tmp_path / "out/b.png")), imgconv.correlate(photo, "sharpen"))
    deep = cv2.imread(str(tmp_path / "out/sub/deep/ü 1.png"), cv2.IMREAD_UNCHANGED)
    assert np.array_equal(deep, imgconv.correlate(grey, "sharpen"))
    assert [o.report.source for o in outcomes if o.report] == [str(s) for s, _ in work]


def test_any_number_of_jobs_gives_the_same_bytes(tree, tmp_path, photo, make_task) -> None:
    for number in range(12):
        cv2.imwrite(str(tree / f"n{number:02}.png"), np.roll(photo, number * 5, axis=1))
    results = []
    for jobs in (1, 2, 7):
        work = find_work([tree], tmp_path / f"out{jobs}", recursive=True).work
        outcomes = run_batch(work, make_task("gaussian:sigma=1.3"), jobs=jobs)
        assert [o.source for o in outcomes] == [s for s, _ in work]
        results.append(contents(tmp_path / f"out{jobs}"))
    assert len(results[0]) == 15
    assert results[0] == results[1] == results[2]


BAD = {"empty.png": b"", "text.jpg": b"hello", "cut.png": None, "wrong.tif": b"II*\0\x08\0\0\0\0\0\0\0\0\0"}


@pytest.mark.parametrize("jobs", [1, 3])
def test_a_damaged_file_does_not_stop_the_others(tree, tmp_path, make_task, jobs) -> None:
    for name, data in BAD.items():
        (tree / name).write_bytes((tree / "b.png").read_bytes()[:700] if data is None else data)
    (tree / "gone.png").symlink_to(tree / "nowhere.png")
    outcomes = run_batch(find_work([tree], tmp_path / "out").work, make_task(), jobs=jobs)
    failed = {o.source.name: o.message for o in outcomes if o.status == "failed"}
    assert set(failed) == {*BAD, "gone.png"}
    for name, message in failed.items():
        assert name in message
        assert len(message.splitlines()) == 1
    assert sorted(contents(tmp_path / "out")) == ["a.jpg", "b.png"]


@pytest.mark.parametrize(
    ("error", "words"),
    [(ZeroDivisionError("oh"), "a.jpg: internal fault: ZeroDivisionError: oh"), (MemoryError(), "a.jpg: not enough memory")],
)
def test_an_internal_fault_fails_one_file(tree, tmp_path, make_task, monkeypatch, error, words) -> None:
    original = folders.run_file

    def faulty(source, *rest, **options):
        if source.path.endswith("a.jpg"):
            raise error
        return original(source, *rest, **options)

    monkeypatch.setattr(folders, "run_file", faulty)
    first, second = run_batch(find_work([tree], tmp_path / "out").work, make_task(), jobs=1)
    assert (first.status, second.status) == ("failed", "done")
    assert words in first.message


def test_of_two_files_with_the_same_output_the_second_fails(tree, tmp_path, photo, make_task) -> None:
    cv2.imwrite(str(tree / "b.bmp"), photo[::-1])
    work = find_work([tree], tmp_path / "out", file_format="png").work
    outcomes = {o.source.name: o for o in run_batch(work, make_task("identity"), jobs=3)}
    assert {name: o.status for name, o in outcomes.items()} == {"a.jpg": "done", "b.bmp": "done", "b.png": "failed"}
    assert "b.bmp" in outcomes["b.png"].message
    assert np.array_equal(cv2.imread(str(tmp_path / "out/b.png")), photo[::-1])


def test_an_input_is_never_overwritten_by_another_output(tmp_path, photo, make_task) -> None:
    # The output of a/a/x.png is a/x.png, which is also an input.
    (tmp_path / "a" / "a").mkdir(parents=True)
    cv2.imwrite(str(tmp_path / "a" / "x.png"), photo)
    cv2.imwrite(str(tmp_path / "a" / "a" / "x.png"), photo[::-1])
    before = contents(tmp_path)
    outcomes = run_batch(find_work([tmp_path / "a"], tmp_path, recursive=True).work, make_task(), jobs=1)
    after = contents(tmp_path)
    assert {name: after[name] for name in before} == before
    assert [o.status for o in outcomes] == ["done", "failed"]
    assert "the original" in outcomes[1].message


def test_existing_outputs_are_skipped_without_overwrite(tree, tmp_path, make_task) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "a.jpg").write_bytes(b"mine")
    work = find_work([tree], tmp_path / "out").work
    skipped, done = run_batch(work, make_task(), target=Output("", overwrite=False), jobs=2)
    assert (skipped.status, done.status) == ("skipped", "done")
    assert (tmp_path / "out" / "a.jpg").read_bytes() == b"mine"
    assert {o.status for o in run_batch(work, make_task(), target=Output("", overwrite=False), jobs=2)} == {"skipped"}
    assert {o.status for o in run_batch(work, make_task(), jobs=2)} == {"done"}
    assert (tmp_path / "out" / "a.jpg").read_bytes() != b"mine"


def test_a_file_in_place_of_the_output_folder_fails_every_file(tree, tmp_path, make_task) -> None:
    (tmp_path / "out").write_bytes(b"mine")
    for outcome in run_batch(find_work([tree], tmp_path / "out").work, make_task(), jobs=2):
        assert outcome.status == "failed"
        assert str(tmp_path / "out") in outcome.message
    assert (tmp_path / "out").read_bytes() == b"mine"


def test_messages_about_names_with_line_breaks_have_one_line(tree, tmp_path, photo, make_task) -> None:
    (tree / "two\nlines.png").write_bytes(b"")
    (tree / "b\n.bmp").write_bytes((tree / "b.png").read_bytes())
    (tree / "b\n.png").write_bytes((tree / "b.png").read_bytes())
    outcomes = run_batch(find_work([tree], tmp_path / "out", file_format="png").work, make_task(), jobs=1)
    failed = [o for o in outcomes if o.status == "failed"]
    assert len(failed) == 2
    assert [o.message for o in failed if "\n" in o.message] == []


def test_progress_is_called_in_the_calling_thread(tree, tmp_path, make_task) -> None:
    reported = []
    work = find_work([tree], tmp_path / "out", recursive=True).work
    outcomes = run_batch(work, make_task(), jobs=2, progress=lambda o: reported.append((o, threading.get_ident())))
    assert sorted(o.source for o, _ in reported) == sorted(o.source for o in outcomes)
    assert {thread for _, thread in reported} == {threading.get_ident()}


# Links out of the output folder


@pytest.fixture
def elsewhere(tree, tmp_path) -> Path:
    """A folder beside `out`; out/a.jpg (a file) and out/sub (a folder) link into it. out/b.png links to out/c.png."""
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "mine.jpg").write_bytes(b"mine")
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "a.jpg").symlink_to("../elsewhere/mine.jpg")
    (tmp_path / "out" / "b.png").symlink_to("c.png")
    (tmp_path / "out" / "sub").symlink_to(tmp_path / "elsewhere")
    return tmp_path / "elsewhere"


@pytest.mark.parametrize("isolated", [False, True])
@pytest.mark.parametrize("through_a_link", [False, True])
def test_outputs_through_links_out_of_the_folder_fail(tree, tmp_path, make_task, elsewhere, isolated, through_a_link) -> None:
    output = tmp_path / "out"
    if through_a_link:  # the output folder itself may be a link
        output = tmp_path / "link"
        output.symlink_to("out")
    work = find_work([tree], output, recursive=True).work
    with Workers(1, Limits()) if isolated else nullcontext() as workers:
        outcomes = run_batch(work, make_task(), target=Output("", within=str(output)), jobs=1, workers=workers)
    assert [o.status for o in outcomes] == ["failed", "done", "failed"]
    for outcome, leads_to in ((outcomes[0], "mine.jpg"), (outcomes[2], "deep")):
        assert outcome.message.startswith(f"{outcome.target}: leads out of the output folder, to {elsewhere / leads_to}")
    assert contents(elsewhere) == {"mine.jpg": b"mine"}
    assert not (elsewhere / "deep").exists()
    assert cv2.imread(str(tmp_path / "out" / "c.png")) is not None


def test_links_are_followed_without_within(tree, tmp_path, make_task, elsewhere) -> None:
    outcomes = run_batch(find_work([tree], tmp_path / "out", recursive=True).work, make_task(), jobs=1)
    assert [o.status for o in outcomes] == ["done"] * 3
    assert sorted(contents(elsewhere)) == ["deep/ü 1.png", "mine.jpg"]


@pytest.mark.parametrize("name", ["../up.png", "sub/../../up.png", "/up.png"])
def test_an_output_outside_the_folder_fails(tree, tmp_path, make_task, name) -> None:
    (outcome,) = run_batch(
        [(tree / "b.png", tmp_path / "out" / name.lstrip("/"))],
        make_task(),
        target=Output("", within=str(tmp_path / "out" / "in")),
    )
    assert outcome.status == "failed"
    assert "leads out of the output folder" in outcome.message
    assert not (tmp_path / "out").exists()


# Threads


@pytest.mark.parametrize("jobs", [1, 3])
def test_the_thread_count_of_opencv_is_restored(tree, tmp_path, make_task, monkeypatch, jobs) -> None:
    before = cv2.getNumThreads()
    during = []
    original = folders.run_file
    monkeypatch.setattr(folders, "run_file", lambda *a, **o: (during.append(cv2.getNumThreads()), original(*a, **o))[1])
    cv2.setNumThreads(2)
    try:
        run_batch(find_work([tree], tmp_path / "out").work, make_task(), jobs=jobs)
        assert during == ([2, 2] if jobs == 1 else [1, 1])
        assert cv2.getNumThreads() == 2
        with pytest.raises(KeyboardInterrupt):
            run_batch(find_work([tree], tmp_path / "out").work, make_task(), jobs=jobs, progress=interrupted)
        assert cv2.getNumThreads() == 2
    finally:
        cv2.setNumThreads(before)


def interrupted(_: object) -> None:
    raise KeyboardInterrupt


def test_an_interrupt_completes_started_files_and_cancels_the_rest(tree, tmp_path, photo, make_task, monkeypatch) -> None:
    for number in range(40):
        cv2.imwrite(str(tree / f"n{number:02}.png"), photo)
    started = []
    original = folders.run_file
    stopped = threading.Event()

    def slow(*arguments, **options):
        started.append(arguments[0].path)
        if len(started) > 1:
            stopped.wait(10)  # the second file is being filtered during the interrupt
        return original(*arguments, **options)

    def stop(_: object) -> None:
        threading.Timer(0.2, stopped.set).start()
        raise KeyboardInterrupt

    monkeypatch.setattr(folders, "run_file", slow)
    work = find_work([tree], tmp_path / "out").work
    with pytest.raises(KeyboardInterrupt):
        run_batch(work, make_task(), jobs=1, progress=stop)
    assert 1 <= len(started) <= 2
    written = sorted((tmp_path / "out").iterdir())
    assert [p.name for p in written] == [Path(s).name for s in started]
    assert all(cv2.imread(str(p)) is not None for p in written)


@pytest.mark.parametrize(
    ("jobs", "environment", "pattern", "expected"),
    [(1, "5", "*", None), (3, "5", "*", 1), (None, "1", "*", None), (None, "2", "*", 1), (4, "5", "a.*", None)],
)
def test_each_file_has_one_thread_when_several_run_at_once(
    tree, tmp_path, make_task, monkeypatch, jobs, environment, pattern, expected
) -> None:
    threads = []
    original = folders.run_file
    monkeypatch.setenv("IMGCONV_JOBS", environment)
    monkeypatch.setattr(
        folders,
        "run_file",
        lambda s, t, task, **o: (threads.append(task.filter.options.jobs), original(s, t, task, **o))[1],
    )
    work = find_work([tree], tmp_path / "out", pattern=f"{pattern}g").work
    run_batch(work, make_task(), jobs=jobs)
    assert threads == [expected] * len(work)
