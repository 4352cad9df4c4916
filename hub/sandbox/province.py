"""A synthetic Qinghai of n credit subjects, drawn from a seed: all of it is invented."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date
from functools import cached_property
from random import Random

from hub.sandbox import decisions, grading, names, wellknown
from hub.sandbox.facts import (
    Subject,
)
from hub.sandbox.names import Region

FICTITIOUS = "虚构数据"
# Shares of the kinds of subject, in per mille: (prefix of the USCC, kind, share).
_KINDS = (
    ("91", "LEGAL_PERSON", 560),
    ("91", "UNINCORPORATED_ORGANIZATION", 50),
    ("92", "INDIVIDUAL_BUSINESS", 300),
    ("93", "LEGAL_PERSON", 35),
    ("51", "LEGAL_PERSON", 10),
    ("52", "LEGAL_PERSON", 10),
    ("N1", "LEGAL_PERSON", 15),
    ("", "NATURAL_PERSON", 20),
)


@dataclass(frozen=True)
class Affiliation:
    """Whose member or merchant a subject is."""

    partner: str
    uscc: str
    kind: str
    valid_from: date


@dataclass(frozen=True)
class Province:
    """`size` subjects drawn from `seed` as of `today`, each made when asked for: any size costs no memory."""

    size: int
    today: date
    seed: int = 63

    def __post_init__(self) -> None:
        if self.size < len(wellknown.SUBJECTS):
            raise ValueError(f"a province has at least {len(wellknown.SUBJECTS)} subjects")

    def __iter__(self) -> Iterator[Subject]:
        return (self.subject(number) for number in range(self.size))

    def organizations(self) -> Iterator[Subject]:
        """The subjects that have a USCC."""
        return (subject for subject in self if subject.uscc is not None)

    @cached_property
    def by_uscc(self) -> dict[str, int]:
        """The number of each USCC's subject."""
        return {self._draft(n).code: n for n in range(self.size) if self._draft(n).uscc is not None}

    def find(self, uscc: str) -> Subject | None:
        """The subject with this code."""
        number = self.by_uscc.get(uscc)
        return None if number is None else self.subject(number)

    def affiliations(self) -> Iterator[Affiliation]:
        """Members of partner `chamber` and merchants of partner `mall`."""
        for subject in self.organizations():
            if subject.membership is not None:
                yield Affiliation("chamber", subject.code, "MEMBER", subject.membership.joined_on)
            if subject.merchant_since is not None:
                yield Affiliation("mall", subject.code, "MERCHANT", subject.merchant_since)

    def random(self, *key: object) -> Random:
        """A generator that gives the same numbers for the same key in every run."""
        return Random("/".join(map(str, (self.seed, *key))))  # noqa: S311 - invented data, not secrets

    def subject(self, number: int) -> Subject:
        """Subject `number`, 0 ≤ number < size, with its facts."""
        draft = self._draft(number)
        if number < len(wellknown.SUBJECTS):
            return wellknown.complete(draft, self.today)
        return self._with_facts(draft, self.random("facts", number))

    def _draft(self, number: int) -> Subject:
        random = self.random("subject", number)
        if number < len(wellknown.SUBJECTS):
            known = wellknown.SUBJECTS[number]
            prefix, kind, region = known.uscc[:2], known.kind, names.REGION[known.region]
        else:
            prefix, kind, _ = random.choices(_KINDS, [share for *_, share in _KINDS])[0]
            region = names.pick_region(random)
        person = names.person_name(random)
        industry, industry_code = random.choice(names.INDUSTRIES)
        established = decisions.back(self.today, random, 20 * 365, 400)
        # Before its renaming a place had another code, and its old registrations still carry it.
        old = region.former and established.year < 2013 and random.random() < 0.5
        draft = Subject(
            number=number,
            kind=kind,
            name=self._name(random, prefix, kind, region, industry, person),
            uscc=None,
            region=region,
            registered_region=region.former[0] if old else region.code,
            established_on=established,
            status=random.choices(("存续", "迁出", "吊销", "注销"), (93, 1, 2, 4))[0],
            industry_code=industry_code if prefix[:1] == "9" else None,
            representative=None if kind == "NATURAL_PERSON" else person,
            resident_id=names.resident_id(region.code, number),
            address=f"青海省{region.prefecture}{region.name}沙箱路{number % 900 + 1}号({FICTITIOUS})",
            phone=names.phone(random),
        )
        if number < len(wellknown.SUBJECTS):
            return replace(
                draft,
                uscc=known.uscc,
                name=known.name,
                representative=known.representative,
                industry_code=known.industry_code,
                registered_region=known.region,
                status="存续",
                established_on=date(known.established, 6, 18),
            )
        if kind == "NATURAL_PERSON":
            return replace(draft, name=person, industry_code=None, status="")
        former = f"青海{person}商行" if random.random() < 0.03 else None
        return replace(
            draft, uscc=names.uscc(prefix, draft.registered_region, number + 1), former_name=former
        )

    @staticmethod
    def _name(random: Random, prefix: str, kind: str, region: Region, industry: str, person: str) -> str:
        if kind == "INDIVIDUAL_BUSINESS":
            return names.shop_name(random, region, person)
        if kind == "UNINCORPORATED_ORGANIZATION":
            return names.partnership_name(random, region)
        company = names.company_name(random, region, industry)
        if prefix == "93":
            return company.split("有限")[0].split("股份")[0] + "农民专业合作社"
        if prefix == "51":
            return f"{region.prefecture}{industry}行业协会"
        if prefix == "52":
            return f"{region.name}{industry}培训中心"
        return names.collective_name(random, region) if prefix == "N1" else company

    def _with_facts(self, draft: Subject, random: Random) -> Subject:
        today, number = self.today, draft.number
        if draft.kind == "NATURAL_PERSON":
            return replace(
                draft,
                licenses=(decisions.license_of(random, today, draft.region, number, 0),)
                if random.random() < 0.7
                else (),
                penalties=(decisions.penalty_of(random, today, number, 0),) if random.random() < 0.3 else (),
                listings=(decisions.listing_of(random, today, "RS-BLACK", number),)
                if random.random() < 0.03
                else (),
            )
        firm = draft.code[0] == "9"
        penalties = random.choices((0, 1, 2, 3), (80, 14, 5, 1))[0]
        trader = firm and draft.kind == "LEGAL_PERSON" and random.random() < 0.2
        return replace(
            draft,
            licenses=tuple(
                decisions.license_of(random, today, draft.region, number, serial)
                for serial in range(random.choices((0, 1, 2, 3), (30, 40, 20, 10))[0])
            ),
            penalties=tuple(
                decisions.penalty_of(random, today, number, serial) for serial in range(penalties)
            ),
            listings=tuple(
                decisions.listing_of(random, today, code, number)
                for code, share in _LISTED
                if random.random() < (share if penalties else share / 3)
            ),
            customs=grading.customs_of(random, today, draft.region, number) if trader else None,
            tax_grades=grading.tax_grades_of(random, today, draft.established_on) if firm else (),
            forex=grading.forex_of(random, today) if trader else None,
            reports=grading.reports_of(random, today, number) if firm and random.random() < 0.03 else (),
            membership=grading.membership_of(random, today, number) if random.random() < 0.15 else None,
            evaluation=grading.evaluation_of(random, today) if firm and random.random() < 0.6 else None,
            merchant_since=decisions.back(today, random, 900, 5) if firm and random.random() < 0.25 else None,
        )


_LISTED = (
    ("SW-RED", 0.06),
    ("SW-WATCH", 0.04),
    ("SW-BLACK", 0.01),
    ("SCJG-BLACK", 0.02),
    ("ZFCG-BLACK", 0.005),
    ("RS-BLACK", 0.01),
    ("TAX-SERIOUS", 0.01),
)
