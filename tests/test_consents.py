"""Consents: what is refused before anything is kept."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from hub.errors import BadUserInput
from hub.rights.agreement import today_in
from hub.rights.consents import Consent, require_effect
from hub.rights.matrix import Purpose
from hub.rules.matrix import load_matrix
from tests.callers import standing
from tests.worlds import TODAY

DAY = timedelta(days=1)


def test_that_the_agreement_is_over_is_said_and_not_that_the_class_is_wrong() -> None:
    """Whoever applies a platform's next agreement late looked for a fault in the letter."""
    mall, matrix = standing("mall", "MERCHANT_ADMISSION").agreement, load_matrix()
    now = datetime(TODAY.year, TODAY.month, TODAY.day, 12, tzinfo=UTC)
    consent = Consent(
        "91630103MA75ABCD1M", "mall", (Purpose.MERCHANT_ADMISSION,), ("D17",), False, now, now + 9 * DAY, "0"
    )  # fmt: skip
    require_effect(consent, replace(mall, valid_to=today_in(now)), matrix, now)
    # One that is to come can be prepared for.
    require_effect(consent, replace(mall, valid_from=today_in(now) + DAY), matrix, now)
    with pytest.raises(BadUserInput, match="The agreement of mall is over"):
        require_effect(consent, replace(mall, valid_to=today_in(now) - DAY), matrix, now)
