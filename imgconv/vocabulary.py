"""The closed vocabularies shared by the command line, YAML and Python, and the lookup of words in them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final, Literal, TypeAlias

from imgconv.errors import UsageError

#: Continuation of an image beyond its edges: names, with the aliases used by other programs.
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

#: Treatment of out-of-range values.
RANGES: dict[str, tuple[str, ...]] = {"clip": ("saturate",), "abs": (), "offset": (), "stretch": (), "error": ()}

#: Bit depth of an output file.
DEPTHS: dict[str, tuple[str, ...]] = {
    "1": ("bilevel", "bool"),
    "8": ("uint8",),
    "16": ("uint16",),
    "16f": ("float16", "half"),
    "32f": ("float32", "32"),
    "64f": ("float64", "64"),
}

#: Treatment of the alpha channel.
ALPHAS: dict[str, tuple[str, ...]] = {"weighted": (), "straight": (), "keep": (), "drop": ("remove",)}

#: Compression of TIFF files.
COMPRESSIONS: dict[str, tuple[str, ...]] = {
    "none": ("raw", "uncompressed"),
    "lzw": (),
    "deflate": ("zip", "zlib", "adobe_deflate"),
    "zstd": ("zstandard",),
    "packbits": (),
}

#: Output of `edges`.
EDGE_OUTPUTS: dict[str, tuple[str, ...]] = {"magnitude": (), "x": (), "y": (), "direction": ()}

#: Treatment of NaN in sums.
NAN_POLICIES: dict[str, tuple[str, ...]] = {"propagate": (), "ignore": ("omit",)}

#: Conversion of levels to another depth: white stays white, or the numbers are kept.
LEVELS: dict[str, tuple[str, ...]] = {"white": (), "keep": ()}

# The same names and aliases for type checkers, which need literals; a test compares them with the tables.
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
LevelsWord: TypeAlias = Literal["white", "keep"]
AlphaWord: TypeAlias = Literal["weighted", "straight", "keep", "drop"] | Literal["remove"]
CompressionWord: TypeAlias = (
    Literal["none", "lzw", "deflate", "zstd", "packbits"]
    | Literal["raw", "uncompressed", "zip", "zlib", "adobe_deflate", "zstandard"]
)
EdgeOutputWord: TypeAlias = Literal["magnitude", "x", "y", "direction"]
NanWord: TypeAlias = Literal["propagate", "ignore"] | Literal["omit"]

# Length in characters beyond which words are not compared, and are truncated in messages.
_LONGEST = 100


def canonical(word: str, table: Mapping[str, tuple[str, ...]], kind: str) -> str:
    """Return the name in `table` for `word`, a name or an alias in any case; `kind` names the vocabulary in messages.

    Raises:
        UsageError: `word` is not in the table; the message suggests the closest words.
    """
    found = str(word).strip().lower()
    for name, aliases in table.items():
        if found == name or found in aliases:
            return name
    words = [w for name, aliases in table.items() for w in (name, *aliases)]
    short = word if len(str(word)) <= _LONGEST else f"{str(word)[:_LONGEST]}..."
    raise UsageError(f"unknown {kind} {short!r}{suggestion(found, words)}; choose one of {', '.join(table)}")


def suggestion(word: str, words: Iterable[str], prefix: str = "") -> str:
    """Return ` (did you mean …?)` with the words closest to `word`, each after the prefix, or "" if none is close."""
    import difflib

    if len(word) > _LONGEST or not any(map(str.isalpha, word)):  # 12 is not like 16
        return ""
    close = difflib.get_close_matches(word, list(words), n=3, cutoff=0.6)
    return f" (did you mean {' or '.join(prefix + found for found in close)}?)" if close else ""
