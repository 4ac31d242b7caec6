"""Run the command on damaged files and report every unexpected outcome.

    python tests/fuzz/mutate.py --files 5000 --seed 1 --jobs 2 [--formats png,tiff] [--keep FOLDER] [--only 17,4711]

Every file is one of `seeds.py` with mutations of `mutations.py`; the same number and seed give the same file with the same
libraries. The command may succeed (exit code 0) or reject the file (4) with one line on stderr. Any other outcome is a
failure: another exit code, a traceback, a crash, more than 10 s or more than 4 GB of address space, leftover files, an
unreadable result. Equal failures are grouped in the report. The exit code is 1 if there are any.
"""

from __future__ import annotations

import argparse
import collections
import concurrent.futures
import json
import os
import queue
import random
import select
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from mutations import Mutant, mutant
from seeds import all_seeds

SECONDS = 10.0
MEMORY = 4 << 30
EXTENSIONS = {"jpeg": "jpg", "tiff": "tif", "pnm": "pnm"}
#: Commands to run, each with the extension of the output: "" writes none, "same" uses that of the input.
COMMANDS = (
    (("apply", "sharpen"), "tif"),
    (("apply", "sharpen"), "tif"),
    (("apply", "gaussian:sigma=1.5", "--verbose"), "tif"),
    (("apply", "sobel_x"), "png"),
    (("apply", "sharpen"), "same"),
    (("apply", "sharpen", "--linear"), "tif"),
    (("apply", "box", "--gray", "--auto-orient"), "tif"),
    (("edges",), "tif"),
    (("plan", "gaussian:sigma=2"), ""),
)


class Worker:
    """A subprocess that runs the command on files; it is restarted after a crash or a timeout."""

    def __init__(self) -> None:
        self._trace = tempfile.NamedTemporaryFile("r", prefix="imgconv-trace-")  # noqa: SIM115
        self._start()

    def _start(self) -> None:
        here = Path(__file__).parent
        paths = [str(here.parent.parent), os.environ.get("PYTHONPATH", "")]
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, paths)), "OPENBLAS_NUM_THREADS": "1"}
        command = [sys.executable, str(here / "trial.py"), str(MEMORY), self._trace.name]
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment, text=True, bufsize=1
        )
        assert self._process.stdout is not None
        if self._process.stdout.readline() != "ready\n":
            raise SystemExit("the worker process does not start; run trial.py to see why")

    def run_job(self, job: dict[str, Any]) -> dict[str, Any]:
        """Return the outcome for a file, or a description of the crash or timeout of the process."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        start = time.perf_counter()
        self._process.stdin.write(json.dumps(job) + "\n")
        if select.select([self._process.stdout], [], [], SECONDS)[0]:
            line = self._process.stdout.readline()
            if line:
                found: dict[str, Any] = json.loads(line)
                return found
            cause = signal.Signals(-code).name if (code := self._process.wait()) < 0 else f"exit code {code}"
            wrong = f"crash: {cause}"
        else:
            self._process.send_signal(signal.SIGUSR1)
            time.sleep(0.5)
            wrong = f"hang: longer than {SECONDS:g} s"
        wrong += f" [{self._stack()}]"
        self.close()
        self._start()
        return {"code": -1, "err": "", "wrong": [wrong], "seconds": time.perf_counter() - start, "peak": 0, "lost": True}

    def _stack(self) -> str:
        """Return the Python stack of the process, innermost frame first."""
        self._trace.seek(0)
        threads = self._trace.read().split("\n\n")
        frames = [line.split('"')[1::2][:1] + line.split('"')[2:] for t in threads for line in t.splitlines() if "File" in line]
        places = [
            "/".join(f[0].split(os.sep)[-2:]) + f[1].replace(", line ", ":").replace(" in ", " ") for f in frames if len(f) > 1
        ]
        relevant = [place for place in places if not place.startswith(("fuzz/", "concurrent/", "python3"))]
        return " < ".join(relevant[:2])

    def close(self) -> None:
        self._process.kill()
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                pipe.close()


class Run:
    """A run over many files, and its outcomes."""

    def __init__(self, seed: int, formats: list[str], keep: Path | None) -> None:
        self._seed, self._keep = seed, keep
        self._others = all_seeds()
        self._seeds = [s for s in self._others if not formats or s.format in formats]
        self._folder = Path(tempfile.mkdtemp(prefix="imgconv-mutants-"))
        self._idle: queue.SimpleQueue[Worker] = queue.SimpleQueue()
        self.outcomes: collections.Counter[tuple[str, str]] = collections.Counter()
        self.failures: dict[str, list[str]] = collections.defaultdict(list)
        self.slowest, self.peak = (0.0, ""), 0

    def make(self, number: int) -> tuple[Mutant, dict[str, Any]]:
        """Return a damaged file and the job to run on it."""
        choices = random.Random(f"{self._seed}:{number}")
        damaged = mutant(self._seeds, self._others, choices)
        extension = EXTENSIONS.get(damaged.seed.format, damaged.seed.format)
        words, target_extension = choices.choice(COMMANDS)
        target = f"out.{extension if target_extension == 'same' else target_extension}" if target_extension else ""
        source = f"in.{extension}"
        return damaged, {"source": source, "target": target, "arguments": [*words, source, *filter(None, [target])]}

    def run_file(self, number: int) -> None:
        damaged, job = self.make(number)
        job["path"] = str(self._folder / str(number))
        Path(job["path"]).write_bytes(damaged.data)
        try:
            worker = self._idle.get_nowait()
        except queue.Empty:
            worker = Worker()
        found = worker.run_job(job)
        if found.get("lost"):  # the cause may be an earlier file or a busy machine
            again = worker.run_job(job)
            if not again.get("lost"):
                kind = found["wrong"][0]
                found = {**again, "wrong": [*again["wrong"], *([f"once only, {kind}"] if kind.startswith("crash") else [])]}
        self._idle.put(worker)
        self._note(number, damaged, job, found)
        os.unlink(job["path"])

    def _note(self, number: int, damaged: Mutant, job: dict[str, Any], found: dict[str, Any]) -> None:
        outcome = "failed" if found["wrong"] else {0: "done", 4: "rejected"}.get(found["code"], "unwritten")
        self.outcomes[damaged.seed.format, outcome] += 1
        description = f"{number}: {' '.join(job['arguments'])} ({damaged.seed.format} {damaged.seed.name}, {damaged.history})"
        self.slowest = max(self.slowest, (found["seconds"], description))
        self.peak = max(self.peak, found["peak"])
        for wrong in found["wrong"]:
            self.failures[wrong].append(description)
        if self._keep and found["wrong"]:
            name = f"{number}-{job['source']}"
            (self._keep / name).write_bytes(damaged.data)
            command = f"imgconv {' '.join([*job['arguments']])}".replace(job["source"], name)
            (self._keep / f"{number}.txt").write_text("\n".join([command, description, *found["wrong"], found["err"]]) + "\n")

    def close(self) -> None:
        while not self._idle.empty():
            self._idle.get().close()
        self._folder.rmdir()

    def report(self, seconds: float) -> None:
        columns = ("done", "rejected", "unwritten", "failed")
        print(f"{'format':10}" + "".join(f"{c:>10}" for c in columns))
        for kind in sorted({kind for kind, _ in self.outcomes}):
            print(f"{kind:10}" + "".join(f"{self.outcomes[kind, c]:10}" for c in columns))
        total = sum(self.outcomes.values())
        print(f"{total} files in {seconds:.0f} s; the slowest took {self.slowest[0]:.1f} s, {self.slowest[1]}")
        print(f"at most {self.peak / 1e6:.0f} MB of memory in a process; {len(self.failures)} kinds of failures")
        for wrong, files in sorted(self.failures.items(), key=lambda item: -len(item[1])):
            print(f"\n{len(files)} x {wrong}")
            for description in files[:3]:
                print(f"    {description}")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--files", type=int, default=1000, help="number of files (default: 1000)")
    parser.add_argument("--seed", type=int, default=1, help="seed of the random mutations (default: 1)")
    parser.add_argument("--jobs", type=int, default=1, help="number of worker processes (default: 1)")
    parser.add_argument("--formats", default="", help="formats to test, separated by commas (default: all)")
    parser.add_argument("--keep", type=Path, help="folder for failed files, each with its command and failures")
    parser.add_argument("--only", default="", help="numbers of the files to test, separated by commas")
    given = parser.parse_args()
    if given.keep:
        given.keep.mkdir(parents=True, exist_ok=True)
    run, start = Run(given.seed, [f for f in given.formats.split(",") if f], given.keep), time.perf_counter()
    numbers = [int(n) for n in given.only.split(",")] if given.only else range(given.files)
    with concurrent.futures.ThreadPoolExecutor(given.jobs) as pool:
        for done in [pool.submit(run.run_file, number) for number in numbers]:
            done.result()
    run.close()
    run.report(time.perf_counter() - start)
    return 1 if run.failures else 0


if __name__ == "__main__":
    sys.exit(main())
