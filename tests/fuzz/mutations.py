"""Mutations of a file: truncation, flipped bits, overwriting, reordered pieces, splicing, and falsified fields."""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Sequence
from typing import NamedTuple

from seeds import Seed
from structure import Field, structure, with_valid_checksums


class Mutant(NamedTuple):
    """A damaged file, and a description of its mutations."""

    seed: Seed
    data: bytes
    history: str


def mutant(seeds: Sequence[Seed], others: Sequence[Seed], choices: random.Random) -> Mutant:
    """Return a damaged copy of one of `seeds`, possibly with parts of `others`; deterministic for the same `choices`."""
    kinds = sorted({seed.format for seed in seeds})
    counts = [sum(seed.format == kind for seed in seeds) for kind in kinds]
    [kind] = choices.choices(kinds, weights=[math.sqrt(count) for count in counts])
    seed = choices.choice([seed for seed in seeds if seed.format == kind])
    data, history = seed.data, []
    # Only the first mutation uses the structure of the seed, since it may invalidate that structure.
    for mutate in choices.choices(_KINDS, _WEIGHTS) + choices.choices(_SIMPLE, k=choices.choice((0, 0, 0, 1, 2))):
        data, description = mutate(data, seed, others, choices) if data else (data, "nothing left")
        history.append(description)
    if choices.random() < 0.8:
        data = with_valid_checksums(data)
    return Mutant(seed, data, ", then ".join(history))


Mutation = Callable[[bytes, Seed, Sequence[Seed], random.Random], tuple[bytes, str]]


def _cut(data: bytes, seed: Seed, others: Sequence[Seed], choices: random.Random) -> tuple[bytes, str]:
    # Half of the cuts are at, or next to, the boundary of a piece.
    edges = [edge + step for piece in structure(data, seed.format).pieces for edge in piece for step in (-1, 0, 1)]
    place = choices.choice(edges) if edges and choices.random() < 0.5 else choices.randrange(len(data) + 1)
    return data[: max(place, 0)], f"cut at {place} of {len(data)}"


def _flip(data: bytes, seed: Seed, others: Sequence[Seed], choices: random.Random) -> tuple[bytes, str]:
    count, flipped = choices.choice((1, 1, 2, 4, 16, 64)), bytearray(data)
    start = choices.choice((0, 0, len(data) // 2))
    stop = choices.choice((len(data), len(data), min(len(data), start + 64)))
    for _ in range(count):
        flipped[choices.randrange(min(start, stop - 1), stop)] ^= 1 << choices.randrange(8)
    return bytes(flipped), f"{count} bits flipped from {start} to {stop}"


def _overwrite(data: bytes, seed: Seed, others: Sequence[Seed], choices: random.Random) -> tuple[bytes, str]:
    start, length = choices.randrange(len(data)), choices.choice((1, 2, 4, 16, 64, 256))
    filler = choices.choice((b"\0" * length, b"\xff" * length, choices.randbytes(length)))
    stop = min(len(data), start + length) if choices.random() < 0.8 else start
    return data[:start] + filler[: stop - start or length] + data[stop:], f"{length} bytes put over {start} to {stop}"


def _shuffle(data: bytes, seed: Seed, others: Sequence[Seed], choices: random.Random) -> tuple[bytes, str]:
    pieces = structure(data, seed.format).pieces or [(at, at + 16) for at in range(0, len(data), 16)]
    (start, stop), other = choices.choice(pieces), choices.choice(pieces)
    kind = choices.choice(("removed", "doubled", "repeated", "moved", "replaced"))
    piece = data[start:stop]
    if kind == "removed":
        return data[:start] + data[stop:], f"{start} to {stop} removed"
    if kind in ("doubled", "repeated"):
        times = 2 if kind == "doubled" else choices.choice((3, 100))
        return data[:start] + piece * times + data[stop:], f"{start} to {stop} {times} times"
    if kind == "moved":
        rest = data[:start] + data[stop:]
        place = min(other[0], len(rest))
        return rest[:place] + piece + rest[place:], f"{start} to {stop} moved to {place}"
    return data[: other[0]] + piece + data[other[1] :], f"{start} to {stop} in place of {other[0]} to {other[1]}"


def _splice(data: bytes, seed: Seed, others: Sequence[Seed], choices: random.Random) -> tuple[bytes, str]:
    same_format = [o for o in others if o.format == seed.format]
    other = choices.choice(same_format if choices.random() < 0.8 else others)
    place = choices.randrange(len(data) + 1)
    other_place = min(place, len(other.data)) if choices.random() < 0.5 else choices.randrange(len(other.data) + 1)
    return data[:place] + other.data[other_place:], f"{place} bytes, and {other.format} {other.name} from {other_place}"


_WORDS = (b"0", b"1", b"-1", b"2", b"255", b"65535", b"65536", b"2147483647", b"2147483648", b"4294967295", b"4294967296")
_WORDS += (b"99999999999999999999", b"1e9", b"nan", b"inf", b"-0.0", b"", b"x", b"30000")


def _falsify(data: bytes, seed: Seed, others: Sequence[Seed], choices: random.Random) -> tuple[bytes, str]:
    fields, falsified, changes = structure(data, seed.format).fields, bytearray(data), []
    if not fields:
        return _flip(data, seed, others, choices)
    chosen = choices.sample(fields, min(len(fields), choices.choice((1, 1, 1, 2, 3))))
    for field in sorted(chosen, reverse=True):  # from the end: text fields may change in length
        value = choices.choice(_WORDS) if not field.order else _number(falsified, field, choices)
        falsified[field.at : field.at + field.size] = value
        changes.append(f"{value.hex() if field.order else value.decode()} at {field.at}")
    return bytes(falsified), " and ".join(changes)


def _number(data: bytearray, field: Field, choices: random.Random) -> bytes:
    order = "big" if field.order == "big" else "little"
    top, now = 256**field.size - 1, int.from_bytes(data[field.at : field.at + field.size], order)
    values = [0, 1, 2, 3, top, top - 1, top // 2, top // 2 + 1, now + 1, now - 1, now * 2, now // 2, len(data), now ^ 0x80]
    values += [255, 256, 20_000, 65_535, 65_536, 1 << 24, choices.randrange(top + 1), choices.randrange(40)]
    return (choices.choice(values) & top).to_bytes(field.size, order)


_KINDS: tuple[Mutation, ...] = (_cut, _flip, _overwrite, _shuffle, _splice, _falsify)
_WEIGHTS = (2, 2, 1, 2, 1, 5)
_SIMPLE: tuple[Mutation, ...] = (_flip, _overwrite, _splice)
