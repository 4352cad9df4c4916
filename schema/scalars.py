"""Scalars: codes, dates, moments and money as partners write them."""

import re
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, date, datetime
from typing import Any, NewType

import strawberry
from graphql import GraphQLError, ValueNode, value_from_ast_untyped

from schema.identifiers import InvalidIdentifier, parse_uscc

DATE = re.compile(r"\d{4}-\d{2}-\d{2}\Z", re.ASCII)
# 24:00 of a day, which Python takes for the next day from 3.14 on, and for no moment before.
_DAYS_END = re.compile(r"[^-\d:.,+W]24").search


def _parse_uscc(value: object) -> str:
    if not isinstance(value, str):
        raise GraphQLError("a unified social credit code is a string of 18 characters")
    try:
        return parse_uscc(value).code
    except InvalidIdentifier as problem:
        raise GraphQLError(f"not a unified social credit code: {problem.reason}") from None


def _parse_date(value: object) -> date:
    if isinstance(value, str) and DATE.match(value):
        try:
            return date.fromisoformat(value)
        except ValueError:
            pass
    raise GraphQLError("a date is written YYYY-MM-DD")


def _parse_moment(value: object) -> datetime:
    if isinstance(value, str) and len(value) <= 40 and not _DAYS_END(value):
        # Near the ends of the calendar another offset leads out of it.
        with suppress(ValueError, OverflowError):
            moment = datetime.fromisoformat(value)
            if moment.tzinfo is not None:
                return moment.astimezone(UTC)
    raise GraphQLError("a moment is written in ISO 8601 with its offset, such as 2026-11-22T09:00:00+08:00")


def _parse_yuan(value: object) -> str:
    if isinstance(value, str) and re.fullmatch(r"\d{1,16}(\.\d{1,2})?", value, re.ASCII):
        return value
    raise GraphQLError("an amount is a decimal string in yuan with at most two decimals")


def _parse_digest(value: object) -> str:
    if isinstance(value, str):
        return value
    raise GraphQLError("a digest is a string of hexadecimal digits")


def _text(value: Any) -> str:
    return str(value)


def _at_its_place(parse: Callable[[object], Any]) -> Callable[..., Any]:
    """Parse what stands in a document: an error says where, as graphql-core's own scalars do."""

    def parse_literal(node: ValueNode, variables: dict[str, Any] | None = None) -> Any:
        try:
            return parse(value_from_ast_untyped(node, variables))
        except GraphQLError as error:
            raise GraphQLError(error.message, node) from None

    return parse_literal


USCC = NewType("USCC", str)
Date = NewType("Date", date)
Moment = NewType("Moment", datetime)
Yuan = NewType("Yuan", str)
SM3Digest = NewType("SM3Digest", str)

DEFINITIONS: dict[object, Any] = {
    USCC: strawberry.scalar(
        name="USCC",
        description=(
            "统一社会信用代码（GB 32100-2015），18位，校验后大写。 · Unified social credit code (GB "
            "32100-2015), 18 characters, validated, upper case."
        ),
        serialize=_text,
        parse_value=_parse_uscc,
        parse_literal=_at_its_place(_parse_uscc),
    ),
    Date: strawberry.scalar(
        name="Date",
        description="日期（北京时间），格式 YYYY-MM-DD。 · Calendar date in Asia/Shanghai, YYYY-MM-DD.",
        serialize=_text,
        parse_value=_parse_date,
        parse_literal=_at_its_place(_parse_date),
    ),
    Moment: strawberry.scalar(
        name="DateTime",
        description="时刻，ISO 8601，带时区。 · A moment in ISO 8601 with its offset.",
        serialize=_text,
        parse_value=_parse_moment,
        parse_literal=_at_its_place(_parse_moment),
    ),
    Yuan: strawberry.scalar(
        name="Yuan",
        description="金额，单位元，十进制字符串。 · Amount in yuan as a decimal string.",
        serialize=_text,
        parse_value=_parse_yuan,
        parse_literal=_at_its_place(_parse_yuan),
    ),
    SM3Digest: strawberry.scalar(
        name="SM3Digest",
        description="SM3 摘要（GB/T 32905-2016），十六进制。 · SM3 digest (GB/T 32905-2016), hexadecimal.",
        serialize=_text,
        parse_value=_parse_digest,
        parse_literal=_at_its_place(_parse_digest),
    ),
}
