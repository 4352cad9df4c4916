"""Demo mode: the partners that GraphiQL lets a person play, each with a fresh token."""

from __future__ import annotations

from hub.config import Settings
from hub.graphiql.page import DemoOfficer, DemoPartner, PurposeChoice
from hub.rules.matters import load_matters
from hub.sandbox.tokens import demo_token
from hub.serving.answers import Parts
from schema.coordinates import vocabulary

# For purposes that no matter is configured for: audits, supervision.
MATTER, CASE = "QH-DEMO-01", "2026-0001"
TOKEN_SECONDS = 8 * 3600
# Who hands in, and who reviews: the first is the officer of `credithub token` without --officer.
OFFICERS = ("demo-officer", "second-officer")


def demo_partners(settings: Settings, parts: Parts) -> list[DemoPartner]:
    """The partners whose agreements are in force, in the order of their classes."""
    purposes = vocabulary().schema.type_map["Purpose"]
    labels = {name: value.description or name for name, value in purposes.values.items()}  # type: ignore[attr-defined]
    found = sorted(parts.agreements.in_force(), key=lambda one: int(one.partner_class[1:]))
    return [
        DemoPartner(
            id=one.partner,
            name=one.name,
            class_name=one.partner_class,
            purposes=tuple(
                PurposeChoice(
                    code=str(purpose),
                    label=labels[str(purpose)],
                    matter=_matter(str(purpose))
                    if purpose in parts.standings.matrix.partners[one.partner_class].matter
                    else "",
                    case=CASE if purpose in parts.standings.matrix.partners[one.partner_class].case else "",
                )
                for purpose in one.purposes
            ),
            officers=tuple(
                DemoOfficer(
                    f"{one.partner}-{which}",
                    demo_token(
                        settings, one.partner, None, TOKEN_SECONDS, parts.clock(), f"{one.partner}-{which}"
                    ),
                )
                for which in OFFICERS
            ),
        )
        for one in found
    ]


def _matter(purpose: str) -> str:
    """A matter for which a credit check of this purpose is answered, if there is one."""
    return next(
        (one.code for one in load_matters() if one.purpose == purpose and one.term.valid_to is None), MATTER
    )
