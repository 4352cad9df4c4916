"""Which of the 43 data classes a row belongs to; live rows are asked the same as harvested ones. Pure."""

from __future__ import annotations

from collections.abc import Mapping

from connectors.contract import Item, Kind, RowRejected, Source
from schema.governance import DATA_CLASSES

_GRADES = {"CUSTOMS": "D14", "SAFE": "D19", "ASSOCIATION": "D24", "NATIONAL": "D40"}


def data_class_of(source: Source, item: Item, values: Mapping[str, object] | None = None) -> str:
    """The data class of the ceiling matrix that a row of `item` belongs to. Raises RowRejected.

    The catalogue item's class, refined by kind of subject, seriousness, color and grade (D1-D43). `values`:
    the completed ones when they are known, else the item's own.
    """
    values = item.values if values is None else values
    person = item.subject.kind == "NATURAL_PERSON"
    declared = next((one.data_class for one in source.items if one.code == item.catalog_item_code), None)
    match item.kind:
        case Kind.LICENSE:
            found = "D5" if person else "D4"
        case Kind.PENALTY:
            found = "D8" if person else "D7" if values.get("seriousness") == "MINOR" else "D6"
        case Kind.REGISTRATION:
            found = "D1"
        case Kind.LIST_ENTRY if values.get("color") == "BLACK":
            found = "D11" if person else "D18" if declared == "D18" else "D10"
        case Kind.LIST_ENTRY:
            found = {"RED": "D13", "WATCH": "D12"}.get(str(values.get("color")), "")
        case Kind.GRADE if values.get("scheme") == "TAX":
            found = "D16" if values.get("grade_code") == "A" else "D17"
        case Kind.GRADE:
            found = _GRADES.get(str(values.get("scheme")), "")
        case _:
            found = declared or ""
    if found not in DATA_CLASSES:
        raise RowRejected("NO_DATA_CLASS", "the row belongs to no class of the ceiling matrix")
    return found
