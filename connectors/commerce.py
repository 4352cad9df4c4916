"""The commerce department's own 双公示 files: licences and penalties in the national format."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from connectors.contract import (
    SHANGHAI,
    CatalogItem,
    Connector,
    Freshness,
    Item,
    Kind,
    Mode,
    RawRow,
    Retention,
    Setting,
    Source,
    Tools,
)
from connectors.counterparty import persons_in
from connectors.drop import DroppedFiles, FileConnector, GivenFile, drop_directory
from connectors.files import reject_defect
from connectors.publicity import LICENSE_ITEM, PENALTY_ITEM, item_of
from connectors.template import PERSON_NUMBERS, header_names

BATCH_ROWS = 5000

SOURCE = Source(
    name="COMMERCE",
    title_zh="商务",
    provider_name="青海省商务厅",
    provider_code="11630000000015122A",
    items=(
        CatalogItem(LICENSE_ITEM, "行政许可信息(双公示)", Kind.LICENSE, "D4"),
        CatalogItem(PENALTY_ITEM, "行政处罚信息(双公示)", Kind.PENALTY, "D6"),
    ),
    key_scheme="USCC",
    mode=Mode.HARVESTED,
    retention=Retention.STORED,
    freshness=Freshness.DAILY,
    settings=(
        Setting(
            "HUB_COMMERCE_DIR",
            "Drop directory of 双公示 files; each is taken once its control file (.ctl) is there",
        ),
    ),
)


def connect(settings: Mapping[str, str], tools: Tools) -> Connector:
    """The connector over HUB_COMMERCE_DIR. Raises ValueError when that is not set."""
    return PublicityFiles(
        drop_directory(settings, "HUB_COMMERCE_DIR", header_names, tools, PERSON_NUMBERS, BATCH_ROWS), tools
    )


def connect_file(path: Path, tools: Tools) -> PublicityFiles:
    """The connector over one file that a person gives; it needs no control file."""
    return PublicityFiles(GivenFile(path, header_names, PERSON_NUMBERS, BATCH_ROWS), tools)


class PublicityFiles(FileConnector):
    """Licences and penalties from files of either template."""

    source = SOURCE

    def __init__(self, files: DroppedFiles, tools: Tools) -> None:
        """Take the files and the hub's tools."""
        super().__init__(files)
        self._tools = tools

    def canonical(self, row: RawRow) -> Item:
        """The licence or penalty that `row` states. Raises RowRejected."""
        reject_defect(row)
        today = self._tools.now().astimezone(SHANGHAI).date()
        return item_of(row, today, self._tools.digest_person_id)

    def withdrawn(self, row: RawRow) -> Item:
        """What names the licence or penalty of a row that was not understood. Raises RowRejected."""
        reject_defect(row)
        today = self._tools.now().astimezone(SHANGHAI).date()
        return item_of(row, today, self._tools.digest_person_id, withdrawn=True)

    def persons_in(self, row: RawRow) -> set[str]:
        """The digests of persons' numbers in a row that was not understood."""
        return persons_in(row, self._tools.digest_person_id)
