"""Agreements, lists, calendars and consents at the command line."""

from __future__ import annotations

import re
import socket
from pathlib import Path

from hub.commands.session import operator
from hub.sandbox.agreements import PARTNERS
from schema.identifiers import uscc_check
from tests.command_line import credithub
from tests.commands.shell import Done, Shell
from tests.conftest import Database
from tests.hub_server import MERCHANT
from tests.rules.test_list_definitions import TEXT as WATCH_LIST
from tests.rules.test_notices import NOTICE_2026, PLACE


def test_agreements_are_applied_compared_suspended_and_reinstated(shell: Shell, texts: Path) -> None:
    same = shell("agreements", "apply", texts)
    assert same.status == 0, same
    assert {line.split()[1] for line in same.lines} == {"UNCHANGED"}
    assert sorted(line.split(":")[0] for line in same.lines) == sorted(PARTNERS)
    mall = texts / "mall.toml"
    assert shell("agreements", "diff", mall).out == "no difference\n"
    mall.write_text(mall.read_text("utf-8").replace("= 20000", "= 10"), encoding="utf-8")
    assert shell("agreements", "diff", mall).out == "quota.subjects_per_day: 20000 → 10\n"
    applied = shell("agreements", "apply", mall)
    assert applied.status == 0
    assert re.fullmatch(r"mall: \w+ [0-9a-f]{16}\n", applied.out)
    assert shell("agreements", "suspend", "mall").out == "mall: suspended\n"
    assert shell("agreements", "suspend", "mall").out == "mall: was suspended already\n"
    listed = shell("agreements", "list")
    assert listed.status == 0
    assert len(re.findall(r"^│", listed.out, re.MULTILINE)) >= len(PARTNERS)
    assert re.search(r"mall.*SUSPENDED", listed.out, re.IGNORECASE), listed.out
    again = shell("agreements", "apply", mall)
    assert (again.status, "STILL_SUSPENDED" in again.out, "--reinstate" in again.out) == (0, True, True)
    assert shell("agreements", "apply", mall, "--reinstate").status == 0


def test_an_agreement_that_begins_later_says_that_the_partner_has_none_until_then(
    shell: Shell, texts: Path
) -> None:
    """What was in force is so no more: whoever applies next year's early has cut the partner off."""
    mall = texts / "mall.toml"
    before = mall.read_text("utf-8")
    mall.write_text(before.replace("valid_from = 2026-01-01", "valid_from = 2030-12-01"), encoding="utf-8")
    early = r"mall: {} [0-9a-f]{{16}}; in force only from 2030-12-01, and until then the partner has no agreement\n"
    for outcome in ("APPLIED", "UNCHANGED"):
        assert re.fullmatch(early.format(outcome), shell("agreements", "apply", mall).out)
    # So does a server that applies its directory as it starts, here on a port that is taken.
    with socket.create_server(("127.0.0.1", 0)) as taken:
        given = {"HUB_AGREEMENTS_DIR": str(texts), "HUB_PORT": str(taken.getsockname()[1])}
        done = credithub("serve", given={**shell.given, **given})
    assert re.fullmatch(early.format("UNCHANGED"), done.stdout), done
    mall.write_text(before, encoding="utf-8")
    assert re.fullmatch(r"mall: APPLIED [0-9a-f]{16}\n", shell("agreements", "apply", mall).out)


def test_an_agreement_wider_than_the_matrix_is_refused_in_one_line_and_none_is_applied(
    shell: Shell, texts: Path
) -> None:
    before = shell("agreements", "list").out
    for name, old, new, word in (
        ("mall", 'D17 = "YES_NO"', 'D17 = "FULL"', "D17"),
        ("public", "[data]", '[data]\nD99 = "FULL"', "D99"),
        ("tax", "[data]", "[data", ""),
        ("forex", 'class = "P6"', 'class = "P77"', "P77"),
        ("customs", 'purposes = ["', 'purposes = ["CURIOSITY", "', "CURIOSITY"),
        # A word of another language is near to no level: they are listed.
        ("mall", 'D17 = "YES_NO"', 'D17 = "全部"', "'全部' is unknown; known are NONE, YES_NO, MASKED, FULL"),
    ):
        path = texts / f"{name}.toml"
        text = path.read_text("utf-8")
        assert old in text, name
        path.write_text(text.replace(old, new, 1), encoding="utf-8")
        for command in ("apply", "diff", "check"):
            shell("agreements", command, path).refused("AGREEMENT_INVALID", word)
        # All of the directory, or none.
        shell("agreements", "apply", texts).refused("AGREEMENT_INVALID")
        path.write_text(text, encoding="utf-8")
    assert shell("agreements", "list").out == before
    (texts / "latin.toml").write_bytes(b"\xff\xfe")
    shell("agreements", "apply", texts / "latin.toml").refused("AGREEMENT_INVALID", "latin.toml")
    shell("agreements", "apply", texts / "none.toml").refused("AGREEMENT_INVALID", "none.toml")
    (texts / "none").mkdir()
    done = shell("agreements", "apply", texts / "none")
    assert "Traceback" not in done.err


def test_a_list_is_defined_and_changed_with_who_did_it(shell: Shell, tmp_path: Path) -> None:
    path = tmp_path / "watch.toml"
    path.write_text(WATCH_LIST, encoding="utf-8")
    tried = shell("lists", "apply", path, "--dry-run")
    assert (tried.status, tried.out) == (0, "QH-WATCH-2: added\ndry run: nothing was written\n")
    assert "QH-WATCH-2" not in shell("lists", "list").out
    assert shell("lists", "apply", path).out == "QH-WATCH-2: added\n"
    path.write_text(WATCH_LIST.replace("= 12", "= 18"), encoding="utf-8")
    assert shell("lists", "apply", path).lines == [
        "QH-WATCH-2: changed",
        "  max_publicity_months: 12 → 18",
    ]
    assert shell("lists", "apply", path).out == "QH-WATCH-2: unchanged\n"
    told = shell("lists", "list").out
    (row,) = re.findall(r"^.*QH-WATCH-2.*$", told, re.MULTILINE)
    assert ("— to 18" in row, operator() in row, "as it came" in told) == (True, True, True)
    for old, new, word in (
        (
            '"WATCH"',
            '"BLACK"',
            "watch.toml: QH-WATCH-2: a BLACK list cannot rest on a basis of level RULE",
        ),
        ('"WATCH"', '"RED"', "QH-WATCH-2 is a WATCH list"),
        ("criteria", "criterion", "watch.toml: list 1: criteria is missing"),
        ("= 12", "= 30", "30 is not within 0 to 24"),
    ):
        path.write_text(WATCH_LIST.replace(old, new, 1), encoding="utf-8")
        shell("lists", "apply", path).refused("FILE_REFUSED", word)
    path.write_bytes(b"\xff")
    shell("lists", "apply", path).refused("FILE_REFUSED", "watch.toml: not UTF-8")
    path.write_text(WATCH_LIST, encoding="utf-8")
    shell("lists", "apply", path, path).refused("FILE_REFUSED", "in two files")
    assert shell("lists", "list").out == told


def test_a_notice_on_holidays_is_laid_and_what_it_changes_is_told(shell: Shell, tmp_path: Path) -> None:
    path, place = tmp_path / "2026.toml", tmp_path / "place.toml"
    path.write_text(NOTICE_2026, encoding="utf-8")
    place.write_text(PLACE, encoding="utf-8")
    # What the store was seeded with; then under its number.
    assert shell("calendar", "apply", path).out == "CN 2026: 0 days fixed, 0 fixed otherwise than before\n"
    path.write_text(NOTICE_2026.replace("通知", "通知（其文号）"), encoding="utf-8")
    renamed = "CN 2026: 0 days fixed, 0 fixed otherwise than before, 365 as before by another document"
    assert shell("calendar", "apply", path, "--dry-run").lines[0] == renamed
    assert shell("calendar", "apply", path).lines == [renamed]
    path.write_text(NOTICE_2026, encoding="utf-8")
    assert shell("calendar", "apply", path).lines == [renamed]
    path.write_text(NOTICE_2026.replace("2026-05-09, ", ""), encoding="utf-8")
    told = [
        "CN 2026: 0 days fixed, 1 fixed otherwise than before",
        "  2026-05-09: rest now",
        "632300 2027: 2 days fixed, 0 fixed otherwise than before",
    ]
    before = shell("calendar", "list").out
    assert shell("calendar", "apply", path, place, "--dry-run").lines == [
        *told,
        "dry run: nothing was written",
    ]
    assert shell("calendar", "list").out == before
    assert shell("calendar", "apply", path, place).lines == told
    (row,) = re.findall(r"^.*632300.*$", shell("calendar", "list").out, re.MULTILINE)
    assert row.replace("│", " ").split() == ["2027", "632300", "2", "1", "1", "州政府通知"]
    path.write_text(NOTICE_2026, encoding="utf-8")
    assert "  2026-05-09: worked now" in shell("calendar", "apply", path).lines
    # All of the files, or none.
    path.write_text(NOTICE_2026.replace("2026-05-09", "2026-05-08"), encoding="utf-8")
    shell("calendar", "apply", place, path).refused(
        "FILE_REFUSED", "2026.toml: notice 1: 2026-05-08 is among"
    )
    path.write_bytes(b"\xff")
    shell("calendar", "apply", path).refused("FILE_REFUSED", "2026.toml: not UTF-8")


def test_a_consent_is_taken_in_from_a_letter_and_withdrawn(
    shell: Shell, store: Database, tmp_path: Path
) -> None:
    letter = tmp_path / "letter.pdf"

    def record(*changed: str, code: str = MERCHANT, partner: str = "mall", until: str = "2099-12-30") -> Done:
        said = changed or ("--purpose", "MERCHANT_ADMISSION", "--class", "D17")
        return shell("consents", "record", code, partner, letter, "--until", until, *said)

    record().refused("FILE_REFUSED", "letter.pdf")
    letter.write_bytes(b"")
    record().refused("FILE_REFUSED", "empty")
    letter.write_bytes("授权查询书".encode())
    record(code="91630100MA00000000").refused("BAD_USER_INPUT", "social credit code")
    record(code="91630100MA7XK2P38N"[:8] + "MA0000001" + uscc_check("91630100MA0000001")).refused(
        "SUBJECT_UNKNOWN"
    )
    record(partner="mal").refused("AGREEMENT_INVALID", "mall")
    record(until="2020-01-01").refused("BAD_USER_INPUT", "over")
    record(until="9999-12-31").refused("BAD_USER_INPUT", "no days of a consent")
    admission = ("--purpose", "MERCHANT_ADMISSION")
    record(*admission, "--class", "D99").refused("BAD_USER_INPUT", "D99")
    # Nobody signs for nothing: no consent opens what is open, or what is shut to the partner whatever is signed.
    for closed in ("D1", "D12"):
        record(*admission, "--class", "D17", "--class", closed).refused("BAD_USER_INPUT", closed)
    record("--purpose", "NOTIFICATION", "--class", "D17").refused("BAD_USER_INPUT", "NOTIFICATION")
    record(*admission, "--class", "D17", "--from", "0001-01-01").refused("BAD_USER_INPUT", "no days of")
    assert MERCHANT not in shell("consents", "list", "--code", MERCHANT).out

    done = record()
    (number,) = re.findall("^consent ([0-9]+) of ", done.out)
    assert (done.status, done.err) == (0, "")
    assert record().out == done.out.replace("\n", ", known already\n")
    (row,) = re.findall(
        rf"^.*│ {number} .*$", shell("consents", "list", "--partner", "mall").out, re.MULTILINE
    )
    kept = [one.strip() for one in row.split("│")[2:]]
    assert (kept[0], kept[2:5], kept[6:8]) == (
        MERCHANT, ["mall", "MERCHANT_ADMISSION", "D17"], ["2099-12-30", "yes"],
    )  # fmt: skip
    assert kept[9] == operator()
    assert MERCHANT not in shell("consents", "list", "--partner", "chamber", "--code", MERCHANT).out

    withdrawn = shell("consents", "withdraw", number)
    assert withdrawn.out.startswith(f"consent {number} is withdrawn since ")
    # At once and for good: a second time is no later one, and the letter that was withdrawn is no new consent.
    assert shell("consents", "withdraw", number).out == withdrawn.out
    record().refused("BAD_USER_INPUT", f"consent {number} ", "new letter")
    assert f"withdrawn {withdrawn.out[-20:-1]}" in shell("consents", "list").out
    shell("consents", "withdraw", "999999").refused("BAD_USER_INPUT", "999999")


def test_a_consent_whose_first_day_was_mistyped_can_be_put_right(
    shell: Shell, store: Database, tmp_path: Path
) -> None:
    """It was told as known already, whatever first day was said, and opened nothing until the mistyped one."""
    letter = tmp_path / "letter.pdf"
    letter.write_bytes("又一授权查询书".encode())

    def record(*since: str) -> tuple[str, bool]:
        said = ("--purpose", "MERCHANT_ADMISSION", "--class", "D17", "--until", "2099-06-30", *since)
        told = shell("consents", "record", MERCHANT, "mall", letter, *said)
        (number,) = re.findall("^consent ([0-9]+) of ", told.out)
        return number, told.out.endswith(", known already\n")

    late, known = record("--from", "2099-01-01")
    assert not known
    right, known = record()
    assert (right != late, known) == (True, False)
    assert record() == (right, True)
    assert record("--from", "2099-01-01") == (late, True)
    early, known = record("--from", "2020-01-01")
    assert (early not in (right, late), known) == (True, False)
    shell("consents", "withdraw", late)
    # What stands is found beside what was withdrawn; nothing new comes of a letter of which something was.
    assert record("--from", "2020-01-01") == (early, True)
    said = ("--purpose", "MERCHANT_ADMISSION", "--class", "D17", "--until", "2099-06-30")
    for since in ("2099-01-01", "2021-01-01"):
        shell("consents", "record", MERCHANT, "mall", letter, *said, "--from", since).refused(
            "BAD_USER_INPUT", f"consent {late} ", "new letter"
        )


def test_lists_of_merchants_are_taken_whole_or_not_at_all(shell: Shell, texts: Path, tmp_path: Path) -> None:
    path, other = tmp_path / "merchants.csv", texts / "mall.toml"
    shell("affiliations", "apply", "other-mall", "MERCHANT", path).refused("FILE_REFUSED")
    path.write_text(f"uscc\n{MERCHANT}\n91630100MA7XK2P38N\n", encoding="utf-8")
    shell("affiliations", "apply", "other-mall", "MERCHANT", path).refused(
        "AGREEMENT_INVALID", "ever applied"
    )
    other.write_text(other.read_text("utf-8").replace('"mall"', '"other-mall"', 1), encoding="utf-8")
    assert shell("agreements", "apply", other).status == 0
    # An association's list is none of a platform's.
    shell("affiliations", "apply", "other-mall", "MEMBER", path).refused("BAD_USER_INPUT", "P9", "MERCHANT")
    shell("affiliations", "apply", "chamber", "MERCHANT", path).refused("BAD_USER_INPUT", "P8", "MEMBER")
    shell("affiliations", "apply", "customs", "MEMBER", path).refused("BAD_USER_INPUT", "P4", "no such list")
    # Tried as often as one likes, it begins nothing.
    for _ in range(2):
        tried = shell("affiliations", "apply", "other-mall", "MERCHANT", path, "--dry-run")
        told = "other-mall: given 2, known 2, begun 2, ended 0 (dry run: nothing is changed)\n"
        assert (tried.status, tried.out) == (0, told)
    done = shell("affiliations", "apply", "other-mall", "MERCHANT", path)
    assert (done.status, done.out, done.err) == (0, "other-mall: given 2, known 2, begun 2, ended 0\n", "")
    path.write_text(f"uscc\n{MERCHANT}\nnonsense\n", encoding="utf-8")
    shell("affiliations", "apply", "other-mall", "MERCHANT", path).refused("FILE_REFUSED", "line 3")
    shell("affiliations", "apply", "other-mall", "FRIEND", path).refused(
        "BAD_USER_INPUT", "MEMBER or MERCHANT"
    )
    # A list whose beginning was cut off ends nothing.
    for headless in (f"{MERCHANT}\n", f" {MERCHANT} ,x\n{MERCHANT}\n", "", "\n"):
        path.write_text(headless, encoding="utf-8")
        shell("affiliations", "apply", "other-mall", "MERCHANT", path).refused("FILE_REFUSED", "a head line")
    # Who has no row is nobody's merchant, also once the hub knows it: each is told, and what is to be done.
    unknown = [f"91630100MA{number:07}" for number in range(12)]
    unknown = [code + uscc_check(code) for code in unknown]
    path.write_text("\n".join(["uscc", MERCHANT, "91630100MA7XK2P38N", *unknown]), encoding="utf-8")
    again = shell("affiliations", "apply", "other-mall", "MERCHANT", path)
    assert (again.status, again.out) == (0, "other-mall: given 14, known 2, begun 0, ended 0\n")
    assert again.err.splitlines() == [
        "12 not known to the hub and not taken; hand the list in again once they are known:",
        *unknown,
    ]
    shell("affiliations", "apply", "othermall", "MERCHANT", path).refused(
        "AGREEMENT_INVALID", "did you mean other-mall?"
    )


def test_a_file_is_checked_as_it_would_be_applied(shell: Shell, texts: Path) -> None:
    mall = texts / "mall.toml"
    text = mall.read_text("utf-8")
    assert shell("agreements", "check", mall).out.startswith("mall: P9, ")
    early = shell("agreements", "check", mall, "--today", "2001-01-01")
    assert early.status == 0
    assert ", in force only from 20" in early.out
    shell("agreements", "check", mall, "--today", "2099-01-01").refused("AGREEMENT_INVALID", "expired on")
    mall.write_text(text[: text.index("[[issuer]]")], encoding="utf-8")
    assert shell("agreements", "check", mall).out.endswith("no issuer: nobody can sign for it\n")


def test_explain_says_why_a_partner_sees_a_coordinate(shell: Shell) -> None:
    hidden = shell("agreements", "explain", "mall", "Organization.contact")
    assert hidden.status == 0, hidden
    assert hidden.lines[0] == "mall MERCHANT_ADMISSION: Organization.contact does not exist"
    # Operators are told why; the partner itself would not be.
    assert re.match(r"  D2 NONE every row: PERSONAL_INFO \S", hidden.lines[1])
    seen = shell(
        "agreements", "explain", "commerce", "Organization.contact", "--purpose", "ONGOING_SUPERVISION"
    )
    assert seen.lines[0] == "commerce ONGOING_SUPERVISION: Organization.contact exists"
    assert seen.lines[1].startswith("  D2 FULL every row: OK ")
    shell("agreements", "explain", "nobody", "Organization.contact").refused(
        "AGREEMENT_INVALID", "ever applied"
    )
    shell("agreements", "explain", "mall", "Organization.contacts").refused(
        "BAD_USER_INPUT", "No such coordinate; did you mean Organization.contact?"
    )
    shell("agreements", "explain", "mall", "Organization.contact", "--purpose", "AUDIT").refused(
        "PURPOSE_NOT_ALLOWED"
    )
    shell("agreements", "explain", "mall", "Organization.nothing").refused("BAD_USER_INPUT")
