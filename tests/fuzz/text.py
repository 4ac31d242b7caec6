"""Looks for text that breaks the readers of kernels, filters and catalogs, guided by the lines that it reaches.

    pip install atheris
    python tests/fuzz/text.py kernel -max_total_time=300
    python tests/fuzz/text.py catalog -max_total_time=300 corpus/

The first word is what is read: `kernel` (notation), `filter`, `file` (a kernel in a file) or `catalog`; what follows goes to
libFuzzer. It stops at the first text that raises anything but the errors that are meant for it, at a message of more than one
line, at a warning, after 20 s or beyond 4 GiB, and keeps the text in a file called `crash-...`. Run it again with that file.
"""

from __future__ import annotations

import sys
import tempfile
import warnings
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["imgconv.kernels", "imgconv.filters", "imgconv.vocabulary"]):
    import imgconv
    from imgconv.errors import KernelError, UsageError
    from imgconv.filters.parsing import parse_filter
    from imgconv.kernels.catalog import builtin_path, load_catalog, parse_kernel
    from imgconv.kernels.formats import read_kernel_file

FOLDER = Path(tempfile.mkdtemp(prefix="imgconv-fuzz-"))
LONGEST_MESSAGE = 1_000


def read_kernel(data: bytes) -> None:
    assert isinstance(parse_kernel(data.decode("utf-8", "surrogateescape")), imgconv.Kernel)


def read_filter(data: bytes) -> None:
    assert isinstance(parse_filter(data.decode("utf-8", "surrogateescape")), imgconv.Filter)


def read_file(data: bytes) -> None:
    path = FOLDER / ("k.mat" if data[:1] == b"m" else "k.txt")
    path.write_bytes(data[1:])
    assert isinstance(read_kernel_file(path), imgconv.Kernel)


def read_catalog(data: bytes) -> None:
    path = FOLDER / "mine.yaml"
    path.write_bytes(data)
    found = load_catalog(path)
    for name, entry in found.kernels.items():
        if entry.origin == str(path):
            refused(lambda name=name: found.kernel(name))
    for name, chain in found.filters.items():
        if chain.origin == str(path):
            refused(lambda name=name: parse_filter(name, found))


def refused(read) -> None:
    """Call `read`, which may raise an error of one line."""
    try:
        read()
    except (KernelError, UsageError) as error:
        message = str(error)
        assert len(message.splitlines()) == 1, f"a message of several lines: {message!r}"
        assert len(message) <= LONGEST_MESSAGE, f"a message of {len(message)} characters: {message[:200]!r}"


READERS = {"kernel": read_kernel, "filter": read_filter, "file": read_file, "catalog": read_catalog}


def seeds(kind: str) -> list[bytes]:
    """Return texts to begin with: what the built-in catalog holds."""
    entries = imgconv.load_catalog()
    if kind == "catalog":
        whole = builtin_path().read_text(encoding="utf-8")
        return [whole.encode(), *(f"kernels:\n{part}".encode() for part in whole.split("\n\n"))]
    if kind == "file":
        return [b"t3x2+1+0: 1,nan,- 4,5,6", b"m3 2 9 128\n1 2 3\n4 5 6\n", b"t1 2 3 # a\n4,5/3,6j\n"]
    specs = [f"{e.name}:{','.join(f'{k}={v}' for k, v in e.parameters.items())}" for e in entries.kernels.values()]
    return [
        s.encode() for s in (*specs, *entries.filters, "[1 0 -1; 2/3 1+2j .5]:scale=1/9,anchor=0 1,delta=3", "f:a=(b:c=(d))")
    ]


def main() -> None:
    kind = sys.argv.pop(1) if sys.argv[1:2] and sys.argv[1] in READERS else sys.exit(__doc__)
    warnings.simplefilter("error")
    corpus = FOLDER / "corpus"
    corpus.mkdir()
    for number, seed in enumerate(seeds(kind)):
        (corpus / str(number)).write_bytes(seed)
    limits = ["-rss_limit_mb=4096", "-timeout=20", "-max_len=4096"]
    atheris.Setup([sys.argv[0], *limits, *sys.argv[1:], str(corpus)], lambda data: refused(lambda: READERS[kind](data)))
    atheris.Fuzz()


if __name__ == "__main__":
    main()
