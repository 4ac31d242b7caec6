"""The closed lists of words that the command line, YAML and Python share, and how a word is looked up in one."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final, Literal, TypeAlias

from imgconv.errors import UsageError

#: What stands outside the image: name, then the aliases that other programs use.
BORDERS: dict[str, tuple[str, ...]] = {
    "constant": ("fill", "zero"),
    "replicate": ("edge", "nearest"),
    "reflect": ("symmetric", "symm"),
    "reflect101": ("mirror", "reflect_101"),
    "wrap": ("tile", "circular", "periodic"),
    "renormalize": ("ignore",),
}
DEFAULT_BORDER: Final = "reflect101"

#: The size of the output, as in `scipy.signal.convolve2d`.
MODES: dict[str, tuple[str, ...]] = {"same": (), "valid": (), "full": ()}

#: The convolution backend.
ENGINES: dict[str, tuple[str, ...]] = {"opencv": ("cv2",), "numpy": ("np",)}

#: What becomes of a value that the output cannot hold.
RANGES: dict[str, tuple[str, ...]] = {"clip": ("saturate",), "abs": (), "offset": (), "stretch": (), "error": ()}

#: The depth of an output file.
DEPTHS: dict[str, tuple[str, ...]] = {
    "1": ("bilevel", "bool"),
    "8": ("uint8",),
    "16": ("uint16",),
    "16f": ("float16", "half"),
    "32f": ("float32", "32"),
    "64f": ("float64", "64"),
}

#: What becomes of transparency.
ALPHAS: dict[str, tuple[str, ...]] = {"weighted": (), "straight": (), "keep": (), "drop": ("remove",)}

#: How the pixels of a TIFF are compressed.
COMPRESSIONS: dict[str, tuple[str, ...]] = {
    "none": ("raw", "uncompressed"),
    "lzw": (),
    "deflate": ("zip", "zlib", "adobe_deflate"),
    "zstd": ("zstandard",),
    "packbits": (),
}

#: What `edges` writes.
EDGE_OUTPUTS: dict[str, tuple[str, ...]] = {"magnitude": (), "x": (), "y": (), "direction": ()}

#: What a NaN does to the sums that it is part of.
NAN_POLICIES: dict[str, tuple[str, ...]] = {"propagate": (), "ignore": ("omit",)}

# The same words for type checkers, which read no tables: names and aliases; a test compares them.
BorderWord: TypeAlias = (
    Literal["constant", "replicate", "reflect", "reflect101", "wrap", "renormalize"]
    | Literal["fill", "zero", "edge", "nearest", "symmetric", "symm"]
    | Literal["mirror", "reflect_101", "tile", "circular", "periodic", "ignore"]
)
ModeWord: TypeAlias = Literal["same", "valid", "full"]
EngineWord: TypeAlias = Literal["opencv", "numpy"] | Literal["cv2", "np"]
RangeWord: TypeAlias = Literal["clip", "abs", "offset", "stretch", "error"] | Literal["saturate"]
DepthWord: TypeAlias = (
    Literal["1", "8", "16", "16f", "32f", "64f"]
    | Literal["bilevel", "bool", "uint8", "uint16", "float16", "half", "float32", "32", "float64", "64"]
)
AlphaWord: TypeAlias = Literal["weighted", "straight", "keep", "drop"] | Literal["remove"]
CompressionWord: TypeAlias = (
    Literal["none", "lzw", "deflate", "zstd", "packbits"]
    | Literal["raw", "uncompressed", "zip", "zlib", "adobe_deflate", "zstandard"]
)
EdgeOutputWord: TypeAlias = Literal["magnitude", "x", "y", "direction"]
NanWord: TypeAlias = Literal["propagate", "ignore"] | Literal["omit"]

# Characters of a word beyond which nothing is like it, and which a message does not show.
_LONGEST = 100


def canonical(word: str, table: Mapping[str, tuple[str, ...]], what: str) -> str:
    """Return the name in `table` that `word` (a name or an alias, in any case) stands for.

    Raises:
        UsageError: `word` is in no list of the table; the message names the closest word.
    """
    found = str(word).strip().lower()
    for name, aliases in table.items():
        if found == name or found in aliases:
            return name
    words = [w for name, aliases in table.items() for w in (name, *aliases)]
    shown = word if len(str(word)) <= _LONGEST else f"{str(word)[:_LONGEST]}..."
    raise UsageError(f"unknown {what} {shown!r}{suggestion(found, words)}; choose one of {', '.join(table)}")


def suggestion(word: str, words: Iterable[str], prefix: str = "") -> str:
    """Return ` (did you mean …?)` with the words closest to `word`, each after the prefix, or "" if none is close."""
    import difflib

    if len(word) > _LONGEST or not any(map(str.isalpha, word)):  # 12 is not like 16
        return ""
    close = difflib.get_close_matches(word, list(words), n=3, cutoff=0.6)
    return f" (did you mean {' or '.join(prefix + found for found in close)}?)" if close else ""
