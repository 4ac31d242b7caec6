"""The form of a catalog file as msgspec structs, and the JSON Schema that editors complete it with."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec

from imgconv.kernels.entries import Value
from imgconv.kernels.notation import NAME

#: A weight or factor: a number, or text for a fraction ("1/9") or a complex number ("1+2j"), which the reader checks.
Number = int | float | Annotated[str, msgspec.Meta(description='a fraction such as "1/9", or a complex number such as "1+2j"')]

About = Annotated[str, msgspec.Meta(description="one line that says what it does to a picture")]
Source = Annotated[str, msgspec.Meta(description="the paper, table or documentation that the numbers come from")]
Step = Annotated[str, msgspec.Meta(description="a kernel or filter as on the command line", examples=["gaussian:sigma=2"])]
Scale = Annotated[Number, msgspec.Meta(description="what every weight is multiplied by")]


class KernelForm(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """One kernel: a matrix, or a generator with its defaults."""

    about: About = ""
    source: Source = ""
    matrix: Annotated[list[list[Number]] | None, msgspec.Meta(description="rows of weights, as laid on the image")] = None
    generator: Annotated[str | None, msgspec.Meta(description="the name of a generator")] = None
    defaults: Annotated[dict[str, Value], msgspec.Meta(description="arguments of the generator")] = {}
    scale: Scale = 1
    anchor: Annotated[
        tuple[int, int] | None, msgspec.Meta(description="[row, column] of the weight that lies on the pixel, from 0")
    ] = None
    delta: Annotated[Number, msgspec.Meta(description="added to every result, in levels")] = 0


class OperatorForm(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """One edge operator: a pair of kernels, or a compass set of eight."""

    about: About = ""
    source: Source = ""
    x: Annotated[Step | None, msgspec.Meta(description="the kernel for the first axis")] = None
    y: Annotated[Step | None, msgspec.Meta(description="the kernel for the second axis")] = None
    compass: Annotated[list[Step] | None, msgspec.Meta(description="eight kernels: n, nw, w, sw, s, se, e, ne")] = None
    scale: Scale = 1


class FilterForm(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """One chain: the steps, applied from the first to the last."""

    steps: list[Step]
    about: About = ""
    source: Source = ""


class CatalogForm(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """A catalog of kernels, edge operators and chains for imgconv."""

    kernels: dict[str, KernelForm] = {}
    operators: dict[str, OperatorForm] = {}
    filters: dict[str, list[Step] | FilterForm] = {}


#: The part of a catalog, and the struct that each of its entries is held against.
FORMS: dict[str, Any] = {"kernels": KernelForm, "operators": OperatorForm, "filters": list[Step] | FilterForm}


def json_schema() -> dict[str, Any]:
    """Return the JSON Schema (draft 2020-12) of a catalog file.

    What holds between keys, and the pattern of names, the structs cannot say; it is added here.
    """
    schema = msgspec.json.schema(CatalogForm)
    forms = schema["$defs"]
    forms["KernelForm"]["oneOf"] = [{"required": ["matrix"]}, {"required": ["generator"]}]
    forms["OperatorForm"]["oneOf"] = [{"required": ["x", "y"]}, {"required": ["compass"]}]
    for section in forms["CatalogForm"]["properties"].values():
        section["propertyNames"] = {"pattern": f"^{NAME.pattern}$"}
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema}
