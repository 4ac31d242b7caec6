"""The form of a catalog file as msgspec structs, and its JSON Schema for completion in editors."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec

from imgconv.kernels.entries import Value
from imgconv.kernels.notation import NAME

#: A weight or factor: a number, or a string with a fraction ("1/9") or a complex number ("1+2j"), parsed by `layers`.
Number = int | float | Annotated[str, msgspec.Meta(description='a fraction such as "1/9", or a complex number such as "1+2j"')]

About = Annotated[str, msgspec.Meta(description="one-line description of the effect on an image")]
Source = Annotated[str, msgspec.Meta(description="source of the numbers: a paper, table or documentation")]
Step = Annotated[str, msgspec.Meta(description="a kernel or filter as on the command line", examples=["gaussian:sigma=2"])]
Scale = Annotated[Number, msgspec.Meta(description="factor of all weights")]


class KernelForm(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """A kernel: a matrix, or a generator with its defaults."""

    about: About = ""
    source: Source = ""
    matrix: Annotated[list[list[Number]] | None, msgspec.Meta(description="rows of weights, as laid on the image")] = None
    generator: Annotated[str | None, msgspec.Meta(description="name of a generator")] = None
    defaults: Annotated[dict[str, Value], msgspec.Meta(description="arguments of the generator")] = {}
    scale: Annotated[Number, msgspec.Meta(description='factor of all weights; "1/sum" divides them by their sum')] = 1
    anchor: Annotated[
        tuple[int, int] | None, msgspec.Meta(description="[row, column] of the weight on the output pixel, counted from 0")
    ] = None
    delta: Annotated[Number, msgspec.Meta(description="constant added to every result, in levels")] = 0


class OperatorForm(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """An edge operator: a pair of kernels, or a compass set of eight."""

    about: About = ""
    source: Source = ""
    x: Annotated[Step | None, msgspec.Meta(description="kernel of the first axis")] = None
    y: Annotated[Step | None, msgspec.Meta(description="kernel of the second axis")] = None
    compass: Annotated[list[Step] | None, msgspec.Meta(description="eight kernels: n, nw, w, sw, s, se, e, ne")] = None
    scale: Scale = 1


class FilterForm(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """A chain: steps that are applied in order."""

    steps: list[Step]
    about: About = ""
    source: Source = ""


class CatalogForm(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """A catalog of kernels, edge operators and chains for imgconv."""

    kernels: dict[str, KernelForm] = {}
    operators: dict[str, OperatorForm] = {}
    filters: dict[str, list[Step] | FilterForm] = {}


#: The sections of a catalog, and the struct that validates their entries.
FORMS: dict[str, Any] = {"kernels": KernelForm, "operators": OperatorForm, "filters": list[Step] | FilterForm}


def json_schema() -> dict[str, Any]:
    """Return the JSON Schema (draft 2020-12) of a catalog file.

    Dependencies between keys and the pattern of names, which the structs cannot express, are added here.
    """
    schema = msgspec.json.schema(CatalogForm)
    forms = schema["$defs"]
    forms["KernelForm"]["oneOf"] = [{"required": ["matrix"]}, {"required": ["generator"]}]
    forms["OperatorForm"]["oneOf"] = [{"required": ["x", "y"]}, {"required": ["compass"]}]
    for section in forms["CatalogForm"]["properties"].values():
        section["propertyNames"] = {"pattern": f"^{NAME.pattern}$"}
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema}
