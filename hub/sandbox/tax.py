"""Sandbox of the tax authority: its exchange tables in a database of their own."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from typing import Any, Protocol

import asyncpg

from hub.sandbox import dirt
from hub.sandbox.decisions import months_after
from hub.sandbox.facts import Subject
from hub.sandbox.province import Province

DATABASE = "tax_exchange"
READER = "tax_exchange_reader"

_TABLES = """
CREATE TABLE t_nsxydj (
    id bigint PRIMARY KEY, nsrsbh text, shxydm text, nsrmc text, pjnd text, xydj text, pjjg text, pdsj text,
    yxqs text, yxqz text, scbz char(1) NOT NULL DEFAULT '0', gxsj timestamp NOT NULL);
CREATE INDEX ON t_nsxydj (gxsj, id);
CREATE TABLE t_zdsswf (
    id bigint PRIMARY KEY, nsrsbh text, shxydm text, nsrmc text, zzjgdm text, zcdz text, fddbr text,
    fddbrxb text, fddbrsfzh text, ajxz text, zywfss bytea, cfyj text, wsh text, lrsj text, ycsj text,
    ycyy text, scbz char(1) NOT NULL DEFAULT '0', gxsj timestamp NOT NULL);
CREATE INDEX ON t_zdsswf (gxsj, id);
"""
_EXITS = {"EXITED_EXPIRED": "公布期满", "EXITED_REPAIRED": "信用修复", "EXITED_REVOKED": "决定撤销"}


class Server(Protocol):
    """A PostgreSQL server that can hold one more database."""

    def dsn(self, user: str = ..., database: str = ...) -> str:
        """The address of `database` for `user`."""
        ...


async def front_end(server: Server, province: Province, database: str = DATABASE) -> str:
    """Make and fill the exchange database if there is none; gives its address for a role that only reads."""
    admin = await asyncpg.connect(server.dsn("postgres", "postgres"))
    try:
        if not await admin.fetchval("SELECT 1 FROM pg_roles WHERE rolname = $1", READER):
            await admin.execute(f"CREATE ROLE {READER} LOGIN")
        if not await admin.fetchval("SELECT 1 FROM pg_database WHERE datname = $1", database):
            await admin.execute(f'CREATE DATABASE "{database}"')
            try:
                await _fill(server.dsn("postgres", database), province)
            except BaseException:
                await admin.execute(f'DROP DATABASE "{database}" WITH (FORCE)')
                raise
    finally:
        await admin.close()
    return server.dsn(READER, database)


async def _fill(dsn: str, province: Province) -> None:
    connection = await asyncpg.connect(dsn)
    try:
        async with connection.transaction():
            await connection.execute(_TABLES)
            for table, rows in (("t_nsxydj", grades(province)), ("t_zdsswf", serious(province))):
                columns: list[str] = []
                records = []
                for number, row in enumerate(rows, 1):
                    columns = ["id", *row]
                    records.append((number, *row.values()))
                if records:
                    await connection.copy_records_to_table(table, records=records, columns=columns)
            await connection.execute(f"GRANT SELECT ON ALL TABLES IN SCHEMA public TO {READER}")
    finally:
        await connection.close()


def _at(day: date, number: int) -> datetime:
    return datetime.combine(day, time(2)) + timedelta(seconds=number % 3600)


def _taxpayer(subject: Subject) -> dict[str, Any]:
    """The taxpayer's columns. Some individual businesses pay under their operator's resident ID."""
    personal = subject.kind == "INDIVIDUAL_BUSINESS" and dirt.falls(200, subject.code, "personal")
    # Half of those have no code beside it: nobody may be found by the person's number, so they have no key.
    keyless = personal and dirt.falls(100, subject.code, "keyless")
    return {
        "nsrsbh": subject.resident_id + "01" if personal else subject.code,
        "shxydm": None if keyless else dirt.untidy(subject.code, "tax", subject.number),
        "nsrmc": subject.name,
    }


def grades(province: Province) -> Iterator[dict[str, Any]]:
    """Rows of t_nsxydj, with corrections, re-deliveries, soft deletes and unknown grades among them."""
    for subject in province.organizations():
        for grade in subject.tax_grades:
            key = (subject.code, grade.year)
            label = grade.grade if not dirt.falls(200, *key, "suffix") else f"{grade.grade}级"
            row = _taxpayer(subject) | {
                "pjnd": str(grade.year),
                "xydj": "E" if dirt.falls(4, *key, "unknown") else label,
                "pjjg": "国家税务总局青海省税务局",
                "pdsj": dirt.day(grade.evaluated_on),
                "yxqs": dirt.day(grade.evaluated_on, pattern="%Y%m%d"),
                "yxqz": dirt.day(None, *key)
                if dirt.falls(100, *key, "endless")
                else dirt.day(months_after(grade.evaluated_on, 12) - timedelta(days=1)),
                "scbz": "0",
                "gxsj": _at(grade.evaluated_on, subject.number),
            }
            yield row
            if dirt.falls(30, *key, "again"):
                yield row | {"gxsj": row["gxsj"] + timedelta(days=1)}
            if dirt.falls(5, *key, "withdrawn"):
                yield row | {"scbz": "1", "gxsj": row["gxsj"] + timedelta(days=30)}


def serious(province: Province) -> Iterator[dict[str, Any]]:
    """Rows of t_zdsswf; an entry that left the list comes again with its end, sometimes as a soft delete."""
    for subject in province.organizations():
        for listing in subject.listings:
            if listing.list_code != "TAX-SERIOUS":
                continue
            key = (subject.code, listing.decision_number)
            who = f"{subject.representative}(身份证号{subject.resident_id})"
            facts = f"经查,该单位法定代表人{who}组织{listing.cause}。"
            row = _taxpayer(subject) | {
                "zzjgdm": subject.code[8:17],
                "zcdz": subject.address,
                "fddbr": subject.representative,
                "fddbrxb": "男",
                "fddbrsfzh": subject.resident_id,
                "ajxz": listing.cause,
                "zywfss": facts.encode("gb18030"),
                "cfyj": "税收征收管理法第63条",
                "wsh": listing.decision_number,
                "lrsj": dirt.day(listing.recognized_on),
                "ycsj": dirt.day(None, *key),
                "ycyy": None,
                "scbz": "0",
                "gxsj": _at(listing.recognized_on, subject.number),
            }
            yield row
            if listing.exited_on is not None:
                reason = "其他" if dirt.falls(20, *key, "reason") else _EXITS[listing.state]
                yield row | {
                    "ycsj": dirt.day(listing.exited_on),
                    "ycyy": reason,
                    "scbz": "1" if dirt.falls(300, *key, "soft") else "0",
                    "gxsj": _at(listing.exited_on, subject.number),
                }
