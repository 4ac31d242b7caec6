"""Coverage-guided fuzzing of the parsers of kernels, filters and catalogs.

    pip install atheris
    python tests/fuzz/text.py kernel -max_total_time=300
    python tests/fuzz/text.py catalog -max_total_time=300 corpus/

The first argument selects the parser: `kernel` (notation), `filter`, `file` (a kernel file) or `catalog`; the others go to
libFuzzer. It stops at the first unexpected exception, warning, or message of more than one line, after 20 s for one text, or
beyond 4 GiB. It writes the text to a file named `crash-...`; pass that file to reproduce the failure.
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
            check(lambda name=name: found.kernel(name))
    for name, chain in found.filters.items():
        if chain.origin == str(path):
            check(lambda name=name: parse_filter(name, found))


def check(read) -> None:
    """Call `read`, which may raise a `KernelError` or `UsageError` with a message of one line."""
    try:
        read()
    except (KernelError, UsageError) as error:
        message = str(error)
        assert len(message.splitlines()) == 1, f"a message of several lines: {message!r}"
        assert len(message) <= LONGEST_MESSAGE, f"a message of {len(message)} characters: {message[:200]!r}"


READERS = {"kernel": read_kernel, "filter": read_filter, "file": read_file, "catalog": read_catalog}


def seeds(kind: str) -> list[bytes]:
    """Return the initial corpus: the entries of the built-in catalog."""
    entries = imgconv.load_catalog()
    if kind == "catalog":
        text = builtin_path().read_text(encoding="utf-8")
        return [text.encode(), *(f"kernels:\n{part}".encode() for part in text.split("\n\n"))]
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
    atheris.Setup([sys.argv[0], *limits, *sys.argv[1:], str(corpus)], lambda data: check(lambda: READERS[kind](data)))
    atheris.Fuzz()


if __name__ == "__main__":
    main()
