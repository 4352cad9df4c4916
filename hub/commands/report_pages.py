"""A quarterly report as a PDF on A4, in a font that is embedded, or in Song (宋体), which the reader's system has."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

from reportlab.lib import colors
from reportlab.lib.enums import TA_CENTER
from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import mm
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.cidfonts import UnicodeCIDFont
from reportlab.pdfbase.ttfonts import TTFError, TTFont
from reportlab.platypus import KeepTogether, Paragraph, SimpleDocTemplate, Spacer, Table, TableStyle

from hub.commands.report_paper import HEAD, SHARES, SIGNED, Paper

_SONG = "STSong-Light"
_GIVEN = "given"
# Stands for a character that Song has not, as it did for one missing in the type case.
_LACKING = "〓"
_GRID = TableStyle(
    [
        ("GRID", (0, 0), (-1, -1), 0.5, colors.HexColor("#888888")),
        ("BACKGROUND", (0, 0), (-1, 0), colors.HexColor("#E8EDF4")),
        ("VALIGN", (0, 0), (-1, -1), "MIDDLE"),
    ]
)


class FontUnusable(Exception):
    """The file is no TrueType font."""


class _Styles:
    """The paragraphs of a report, in one font."""

    def __init__(self, font: str) -> None:
        self.font = font
        # What was asked for and the font has not.
        self.lacking: set[str] = set()
        self.text = ParagraphStyle("text", fontName=font, fontSize=9.5, leading=14, wordWrap="CJK")
        self.centred = ParagraphStyle("centred", parent=self.text, alignment=TA_CENTER)
        self.title = ParagraphStyle("title", parent=self.centred, fontSize=15, leading=22, spaceAfter=4 * mm)
        self.section = ParagraphStyle(
            "section", parent=self.text, fontSize=11.5, leading=18, spaceBefore=4 * mm
        )

    def p(self, text: str, style: ParagraphStyle | None = None) -> Paragraph:
        """A paragraph of plain words: nothing in them is markup."""
        lacking = {one for one in text if not one.isspace() and not self._has(one)}
        self.lacking |= lacking
        if self.font == _SONG:
            # Readers leave these out or take them, and what follows, for others; an embedded font has a box for them.
            text = "".join(_LACKING if one in lacking else one for one in text)
        return Paragraph(escape(text), style or self.text)

    def _has(self, one: str) -> bool:
        if self.font == _SONG:
            # What GB 18030 writes in one or two bytes, and Extension A.
            return one.isprintable() and (len(one.encode("gb18030")) <= 2 or "\u3400" <= one <= "\u4db5")
        return ord(one) in pdfmetrics.getFont(self.font).face.charToGlyph

    def c(self, text: str) -> Paragraph:
        """One in the middle of its cell."""
        return self.p(text, self.centred)

    def table(self, head: tuple[str, ...], rows: list[Any], widths: tuple[int, ...]) -> Table:
        """A table whose head stands on every page."""
        heads = [self.c(name) for name in head]
        return Table(
            [heads, *rows],
            colWidths=[width * mm for width in widths],
            repeatRows=1,
            splitInRow=1,
            style=_GRID,
        )


def pages(paper: Paper, font: Path | None = None) -> tuple[bytes, list[str]]:
    """The file, and the characters that its font lacks; the same report makes the same bytes.

    `font`: embedded. Raises FontUnusable.
    """
    styles = _Styles(_font(font))
    p, c = styles.p, styles.c
    made = BytesIO()
    document = SimpleDocTemplate(
        made, pagesize=A4, leftMargin=18 * mm, rightMargin=18 * mm, topMargin=18 * mm, bottomMargin=18 * mm,
        title=paper.title, author=dict(paper.facts)["报送单位"], lang="zh-CN", invariant=1,
    )  # fmt: skip
    facts = [[p(f"{name}：{value}") for name, value in paper.facts[n : n + 2]] for n in range(0, 6, 2)]
    rows = [
        [c(str(one.place)), p(one.name), c(one.counted), c(one.reported), p(one.reason)]
        for one in paper.lines
    ]
    story: list[Any] = [
        p(paper.title, styles.title),
        Table(facts, colWidths=[87 * mm, 87 * mm]),
        Spacer(0, 3 * mm),
        styles.table(HEAD, rows, (12, 56, 30, 22, 54)),
    ]
    for name, words in paper.words:
        story += [p(name, styles.section), *(p(line) for line in words.splitlines())]
    if paper.shares:
        parts = [[p(name), p(label), c(str(count))] for name, label, count in paper.shares]
        story += [p("分项", styles.section), styles.table(SHARES, parts, (62, 90, 22))]
    signed = [[p(name) for name in SIGNED[n : n + 2]] for n in (0, 2)]
    story.append(
        KeepTogether([Spacer(0, 8 * mm), Table(signed, colWidths=[87 * mm, 87 * mm], rowHeights=12 * mm)])
    )

    def foot(canvas: Any, at: Any) -> None:
        canvas.setFont(styles.font, 8.5)
        canvas.drawCentredString(A4[0] / 2, 10 * mm, f"第 {at.page} 页")

    document.build(story, onFirstPage=foot, onLaterPages=foot)
    return made.getvalue(), sorted(styles.lacking)


def _font(file: Path | None) -> str:
    if file is None:
        pdfmetrics.registerFont(UnicodeCIDFont(_SONG))
        return _SONG
    try:
        pdfmetrics.registerFont(TTFont(_GIVEN, str(file)))
    except (TTFError, OSError):
        raise FontUnusable from None
    return _GIVEN
