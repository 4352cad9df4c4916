"""Writes files as agencies drop them: CSV, XLSX or XML, UTF-8 or GB18030, the control file last."""

from __future__ import annotations

import csv
import hashlib
import io
import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from xml.sax.saxutils import escape

from openpyxl import Workbook


def write(
    path: Path, columns: Sequence[str], rows: Iterable[Mapping[str, str]], encoding: str = "utf-8"
) -> int:
    """Write `rows` to `path` in the format of its suffix, then the control file; gives the number of rows."""
    listed = [[row.get(column, "") for column in columns] for row in rows]
    content = {".csv": _csv, ".xlsx": _xlsx, ".xml": _xml}[path.suffix](columns, listed, encoding)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    control = {"rows": len(listed), "sm3": hashlib.new("sm3", content).hexdigest()}
    path.with_name(path.name + ".ctl").write_text(json.dumps(control))
    return len(listed)


def _csv(columns: Sequence[str], rows: Sequence[Sequence[str]], encoding: str) -> bytes:
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\r\n")
    writer.writerow(columns)
    writer.writerows(rows)
    return buffer.getvalue().encode(encoding)


def _xlsx(columns: Sequence[str], rows: Sequence[Sequence[str]], _: str) -> bytes:
    book = Workbook(write_only=True)
    sheet = book.create_sheet("Sheet1")
    # A title over the header, as people put it there.
    sheet.append(["虚构数据,仅供演示"])
    sheet.append(list(columns))
    for row in rows:
        sheet.append(list(row))
    buffer = io.BytesIO()
    book.save(buffer)
    return buffer.getvalue()


def _xml(columns: Sequence[str], rows: Sequence[Sequence[str]], encoding: str) -> bytes:
    lines = [f'<?xml version="1.0" encoding="{encoding.upper()}"?>', "<ROWSET>"]
    for row in rows:
        cells = "".join(f"<{name}>{escape(cell)}</{name}>" for name, cell in zip(columns, row, strict=True))
        lines.append(f"<ROW>{cells}</ROW>")
    lines.append("</ROWSET>")
    return "\n".join(lines).encode(encoding)
