"""Runs the command on files that are spoilt in every way that we could think of, and tells what should not have happened.

    python tests/fuzz/mutate.py --files 5000 --seed 1 --jobs 2 [--formats png,tiff] [--keep FOLDER] [--only 17,4711]

Every file is one of `seeds.py`, spoilt as `mutations.py` says; the same number and seed make the same file with the same
libraries. The command may do its work (exit code 0) or refuse the file (4) in one line of stderr. What else it does is told,
grouped by what is the same: another exit code, a traceback, a crash, a file that takes longer than 10 s or more than 4 GB of
address space, files left behind, a result that cannot be read. The exit code is 1 when there is anything to tell.
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
#: What is done with a file: the command, and the extension of its target; "" writes none, "same" is that of the file.
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
    """A process that tries files, replaced by a new one when it is lost."""

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
            raise SystemExit("a process to try files in does not start; run trial.py to see why")

    def ask(self, job: dict[str, Any]) -> dict[str, Any]:
        """Return what came of a file; of one that was the end of the process, what this looked like."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        start = time.perf_counter()
        self._process.stdin.write(json.dumps(job) + "\n")
        if select.select([self._process.stdout], [], [], SECONDS)[0]:
            line = self._process.stdout.readline()
            if line:
                found: dict[str, Any] = json.loads(line)
                return found
            how = signal.Signals(-code).name if (code := self._process.wait()) < 0 else f"exit code {code}"
            wrong = f"crash: {how}"
        else:
            self._process.send_signal(signal.SIGUSR1)
            time.sleep(0.5)
            wrong = f"hang: longer than {SECONDS:g} s"
        wrong += f" [{self._stack()}]"
        self.close()
        self._start()
        return {"code": -1, "err": "", "wrong": [wrong], "seconds": time.perf_counter() - start, "peak": 0, "lost": True}

    def _stack(self) -> str:
        """Return where the process was in Python, the innermost place first."""
        self._trace.seek(0)
        threads = self._trace.read().split("\n\n")
        frames = [line.split('"')[1::2][:1] + line.split('"')[2:] for t in threads for line in t.splitlines() if "File" in line]
        places = [
            "/".join(f[0].split(os.sep)[-2:]) + f[1].replace(", line ", ":").replace(" in ", " ") for f in frames if len(f) > 1
        ]
        reading = [place for place in places if not place.startswith(("fuzz/", "concurrent/", "python3"))]
        return " < ".join(reading[:2])

    def close(self) -> None:
        self._process.kill()
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                pipe.close()


class Run:
    """Files tried, and what came of them."""

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
        """Return a spoilt file, and what is to be done with it."""
        choices = random.Random(f"{self._seed}:{number}")
        spoilt = mutant(self._seeds, self._others, choices)
        extension = EXTENSIONS.get(spoilt.seed.format, spoilt.seed.format)
        words, to = choices.choice(COMMANDS)
        target = f"out.{extension if to == 'same' else to}" if to else ""
        source = f"in.{extension}"
        return spoilt, {"source": source, "target": target, "arguments": [*words, source, *filter(None, [target])]}

    def one(self, number: int) -> None:
        spoilt, job = self.make(number)
        job["path"] = str(self._folder / str(number))
        Path(job["path"]).write_bytes(spoilt.data)
        try:
            worker = self._idle.get_nowait()
        except queue.Empty:
            worker = Worker()
        found = worker.ask(job)
        if found.get("lost"):  # was it this file, or one before it, or a machine that was busy?
            again = worker.ask(job)
            if not again.get("lost"):
                kind = found["wrong"][0]
                found = {**again, "wrong": [*again["wrong"], *([f"once only, {kind}"] if kind.startswith("crash") else [])]}
        self._idle.put(worker)
        self._note(number, spoilt, job, found)
        os.unlink(job["path"])

    def _note(self, number: int, spoilt: Mutant, job: dict[str, Any], found: dict[str, Any]) -> None:
        outcome = "wrong" if found["wrong"] else {0: "done", 4: "refused"}.get(found["code"], "unwritten")
        self.outcomes[spoilt.seed.format, outcome] += 1
        what = f"{number}: {' '.join(job['arguments'])} ({spoilt.seed.format} {spoilt.seed.name}, {spoilt.history})"
        self.slowest = max(self.slowest, (found["seconds"], what))
        self.peak = max(self.peak, found["peak"])
        for wrong in found["wrong"]:
            self.failures[wrong].append(what)
        if self._keep and found["wrong"]:
            name = f"{number}-{job['source']}"
            (self._keep / name).write_bytes(spoilt.data)
            command = f"imgconv {' '.join([*job['arguments']])}".replace(job["source"], name)
            (self._keep / f"{number}.txt").write_text("\n".join([command, what, *found["wrong"], found["err"]]) + "\n")

    def close(self) -> None:
        while not self._idle.empty():
            self._idle.get().close()
        self._folder.rmdir()

    def tell(self, seconds: float) -> None:
        columns = ("done", "refused", "unwritten", "wrong")
        print(f"{'format':10}" + "".join(f"{c:>10}" for c in columns))
        for kind in sorted({kind for kind, _ in self.outcomes}):
            print(f"{kind:10}" + "".join(f"{self.outcomes[kind, c]:10}" for c in columns))
        total = sum(self.outcomes.values())
        print(f"{total} files in {seconds:.0f} s; the slowest took {self.slowest[0]:.1f} s, {self.slowest[1]}")
        print(f"at most {self.peak / 1e6:.0f} MB of memory in a process; {len(self.failures)} kinds of failures")
        for wrong, files in sorted(self.failures.items(), key=lambda item: -len(item[1])):
            print(f"\n{len(files)} x {wrong}")
            for what in files[:3]:
                print(f"    {what}")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--files", type=int, default=1000, help="how many; 1000 unless given")
    parser.add_argument("--seed", type=int, default=1, help="another seed makes other files")
    parser.add_argument("--jobs", type=int, default=1, help="how many at a time")
    parser.add_argument("--formats", default="", help="only these, parted by commas")
    parser.add_argument("--keep", type=Path, help="a folder for the files that failed, each with the command and why")
    parser.add_argument("--only", default="", help="only the files of these numbers, parted by commas")
    given = parser.parse_args()
    if given.keep:
        given.keep.mkdir(parents=True, exist_ok=True)
    run, start = Run(given.seed, [f for f in given.formats.split(",") if f], given.keep), time.perf_counter()
    numbers = [int(n) for n in given.only.split(",")] if given.only else range(given.files)
    with concurrent.futures.ThreadPoolExecutor(given.jobs) as pool:
        for done in [pool.submit(run.one, number) for number in numbers]:
            done.result()
    run.close()
    run.tell(time.perf_counter() - start)
    return 1 if run.failures else 0


if __name__ == "__main__":
    sys.exit(main())
