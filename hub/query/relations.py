"""How fields reach other rows: relation by relation, the table, the join, the order, and when a row is in use."""

from __future__ import annotations

from dataclasses import dataclass


# By identity: each is declared once, and predicates are remembered by it.
@dataclass(frozen=True, eq=False)
class Table:
    """A table that answers are made of."""

    name: str
    # First letter of the public ids of its rows; empty: its rows have none.
    letter: str = ""
    # The row carries its openness, its source and system time.
    fact: bool = True
    # Column that says since when the hub has had a row, of which it keeps no versions; empty: nothing says so.
    since: str = ""
    # SQL over `{t}`: the data class of a row; empty: the type of the field decides alone.
    data_class: str = "{t}.data_class"
    # SQL over `{t}`, `{today}`, `{partner}`, `{self}` and `{entry}`, which is that the caller is shown the list entry that a
    # case rests on: the row is in publicity and in use; empty: always.
    in_use: str = ""
    # SQL over `{t}`: a row not in use was in force once, so it may be shown as an ended one (D9), rather than never.
    ended: str = ""
    # The same for who is given the ended rows of everybody (auditors): also what never was in force; empty: as `ended`.
    audited: str = ""
    # Column that tells the type of a row, where a table holds rows of several types.
    kind: str = "kind"
    # Rows of the types asked for must be looked out from among others.
    mixed: bool = False
    # SQL over `{t}`, `{partner}` and `{self}`: the caller is a party to the row; empty: rows of this table have none.
    party: str = ""
    # SQL over `{t}` and `{partner}`: the row came to the caller because its subject was in an agreed region then.
    sent: str = ""
    # SQL over `{t}`: its subject may know of the row; empty: it may of each.
    told: str = ""
    # The subject of a row, over `{t}`; empty: the row is about nobody, so scopes of subjects do not apply to it.
    subject: str = "{t}.subject_id"
    # Rows about nobody, and those to which the caller is a party, lie in the region of their own column `region_code`, too.
    regional: bool = False


# The end of an EXISTS that is looked up row by row. Without it PostgreSQL, which does not see here how few rows a page
# needs, would first read all that there is into a hash.
ROW_BY_ROW = " OFFSET 0)"
# A subject is a party by its own code, whichever partner it asks through; all other parties are partners.
_PARTY = (
    "EXISTS (SELECT FROM case_party y WHERE y.case_id = {t}.case_id"
    " AND (y.partner = {partner} OR y.partner = 'SUBJECT:' || {self})" + ROW_BY_ROW
)
# R13.1: nobody is made an addressee of a firm outside its region (hub.casework.foreign_trade.addressees). The region of the
# case is the sender's.
_SENT = (
    "EXISTS (SELECT FROM case_party y WHERE y.case_id = {t}.case_id AND y.partner = {partner} AND y.role = 'ADDRESSEE'"
    + ROW_BY_ROW
)
# R6.4: the breach of a commitment is told of no longer than its record: repaired or over, both are gone.
BREACH_STANDS = (
    "EXISTS (SELECT FROM record b WHERE b.public_id = {t}.public_id AND b.superseded_at IS NULL"
    " AND b.lifecycle IN ('EFFECTIVE', 'UNDER_OBJECTION') AND (b.usable_until IS NULL OR b.usable_until >= {today})"
    + ROW_BY_ROW
)
# R10.4: a typical case is told of no longer than its penalty is everybody's (D6): repaired, revoked, over or corrected to
# another firm, both are gone at once; the worker only writes it down.
PENALTY_STANDS = (
    "EXISTS (SELECT FROM record penalty WHERE penalty.public_id = {t}.target_public_id AND penalty.subject_id = {t}.subject_id"
    " AND penalty.superseded_at IS NULL AND penalty.data_class = 'D6' AND penalty.sharing_attribute = 'PUBLIC'"
    " AND penalty.lifecycle IN ('EFFECTIVE', 'UNDER_OBJECTION')"
    " AND (penalty.usable_until IS NULL OR penalty.usable_until >= {today})" + ROW_BY_ROW
)
# R9.1: a measure is in effect no longer than its entry is in force, and is its firm's: whatever source says so says it before
# any job runs.
ENTRY_STANDS = (
    "({t}.target_public_id IS NULL OR EXISTS (SELECT FROM list_entry entry WHERE entry.public_id = {t}.target_public_id"
    " AND entry.subject_id = {t}.subject_id AND entry.superseded_at IS NULL AND entry.state = 'PUBLISHED'"
    " AND (entry.publicity_ends_on IS NULL OR entry.publicity_ends_on >= {today})" + ROW_BY_ROW + ")"
)
# R9.1, R10.1: a tier is told of no longer than the records, the places on lists and the open duties that it rests on: repaired,
# revoked, fulfilled or corrected to another firm, they are not used from that day on, be it to inspect more. When they expire,
# `valid_until` tells.
_FACTS_STAND = (
    "NOT EXISTS (SELECT FROM jsonb_array_elements_text({t}.details->'record_ids') rests(id)"  # noqa: S608 -- a constant
    " WHERE starts_with(id, 'r') AND NOT EXISTS (SELECT FROM record r WHERE r.public_id = substr(id, 2)::uuid"
    " AND r.subject_id = {t}.subject_id AND r.superseded_at IS NULL AND r.lifecycle IN ('EFFECTIVE', 'UNDER_OBJECTION'))"
    " OR starts_with(id, 'l') AND NOT EXISTS (SELECT FROM list_entry e WHERE e.public_id = substr(id, 2)::uuid"
    " AND e.subject_id = {t}.subject_id AND e.superseded_at IS NULL AND e.state = 'PUBLISHED')"
    " OR starts_with(id, 'c') AND NOT EXISTS (SELECT FROM case_file duty WHERE duty.public_id = substr(id, 2)::uuid"
    " AND duty.subject_id = {t}.subject_id AND duty.closed_at IS NULL"
    " AND (duty.mechanism <> 'COMMITMENT' OR duty.state = 'PUBLISHED'))" + ROW_BY_ROW
)
_GRADE_IN_TERM = "{t}.effective_from <= {today} AND ({t}.effective_to IS NULL OR {t}.effective_to >= {today})"
# 4.3, 4.12: a firm has one class of foreign exchange, whose key is the firm alone: it lasts until the next one begins, and
# does not come back when that one is over. Not so grades of a year, a customs number or a member. One that is less open puts
# nothing aside: not all are shown it.
_LATEST_CLASS = (
    "({t}.scheme <> 'SAFE' OR NOT EXISTS (SELECT FROM grade later WHERE later.subject_id = {t}.subject_id"
    " AND (later.scheme, later.source, later.sharing_attribute) = ('SAFE', {t}.source, {t}.sharing_attribute)"
    " AND later.superseded_at IS NULL AND later.effective_from > {t}.effective_from AND later.effective_from <= {today}"
    + ROW_BY_ROW
    + ")"
)
# Cases that others than their parties may be shown, by mechanism: from which state on and until when; and what only those
# have that were shown so once: the others never ended, they are drafts, proposals and what was declined (D9).
_SHOWN = (
    # R9.1: a measure while it is in effect, to whoever is shown the entry that it rests on: it tells of that.
    (
        "MEASURE",
        "{t}.state = 'EFFECTIVE' AND {t}.due_on >= {today} AND {entry}",
        "{t}.details->>'legal_basis_checked_on' IS NOT NULL",
    ),
    # R10.1: a tier while no fact in it has expired or ended.
    (
        "SUPERVISION_TIER",
        "{t}.state = 'CURRENT' AND coalesce(({t}.details->>'valid_until')::date >= {today}, TRUE) AND "
        + _FACTS_STAND,
        "TRUE",
    ),
    # R14.2: a member's archive while it is published.
    (
        "MEMBER_PUBLICATION",
        "{t}.state = 'PUBLISHED' AND {t}.due_on >= {today}",
        "{t}.details->>'published_on' IS NOT NULL",
    ),
    # R10.4: a typical case while it is disclosed and its penalty stands.
    (
        "CASE_DISCLOSURE",
        "{t}.state = 'DISCLOSED' AND " + PENALTY_STANDS,
        "{t}.details->>'disclosed_on' IS NOT NULL",
    ),
    # R6.2: a commitment while it is in force, whenever its end is written down; and its breach.
    (
        "COMMITMENT",
        "{t}.state IN ('PUBLISHED', 'FULFILLED') AND {t}.due_on >= {today}"
        " OR {t}.state IN ('BREACHED', 'FALSE_COMMITMENT') AND " + BREACH_STANDS,
        "{t}.details->>'published_on' IS NOT NULL",
    ),
    # R6.3: a plan as soon as it is committed to; one abandoned before, never.
    (
        "INSPECTION_PLAN",
        "{t}.details->>'committed_at' IS NOT NULL",
        "{t}.details->>'committed_at' IS NOT NULL",
    ),
    # 5.10: a notice of correction never, whatever the class of the mark that it is about (D37); nor when it is acknowledged:
    # it tells who saw the record, and when.
    ("CORRECTION", "FALSE", "FALSE"),
)
_CASE_IN_USE = (
    "CASE {t}.mechanism "
    + " ".join(f"WHEN '{mechanism}' THEN {shown} OR {_PARTY}" for mechanism, shown, _ in _SHOWN)
    + " ELSE TRUE END"
)
_CASE_ENDED = (
    "CASE {t}.mechanism "
    + " ".join(f"WHEN '{mechanism}' THEN {was}" for mechanism, _, was in _SHOWN)
    + " ELSE TRUE END"
)
# D38 gives a subject its own result (6.4, note 4: result and reasons that affect it, 个人信息保护法 art. 24), and not what leads
# to one: cases of its own that it is shown, from what on, by mechanism. A check is a result when it is issued, papers were
# promised by the subject itself, and a notice of adverse behaviour abroad was served before its case was opened.
_TOLD = (
    # R8.2: a place on a list from the notice to it on; a proposal that was dropped before, never.
    ("LIST_ENTRY", "{t}.details->'notice'->>'served_on' IS NOT NULL"),
    # R8.4: what was decided, not what waits for a decision.
    ("LIST_CONFLICT", "{t}.state = 'RESOLVED'"),
    # 第十六条: a nomination when the red list's notice tells of it, or when it was turned down.
    (
        "HONEST_MODEL",
        "{t}.state = 'REJECTED' OR EXISTS (SELECT FROM case_file listing"
        " WHERE listing.number = {t}.details->>'listing' AND listing.details->'notice'->>'served_on' IS NOT NULL)",
    ),
    # R7.1, R7.3: what was published, or decided not to be; no draft, and nothing that waits for review.
    ("PUBLICITY", "{t}.details->>'published_on' IS NOT NULL OR {t}.state = 'EXCEPTED'"),
)
_CASE_TOLD = (
    "CASE {t}.mechanism "
    + " ".join(f"WHEN '{mechanism}' THEN {told}" for mechanism, told in _TOLD)
    + " ELSE TRUE END"
)

TABLES = {
    table.name: table
    for table in (
        Table("subject", letter="s", fact=False, data_class=""),
        Table(
            "record",
            letter="r",
            # Order 36 art. 3: at the end of publicity sharing and use stop too, the same day.
            in_use="{t}.lifecycle IN ('EFFECTIVE', 'UNDER_OBJECTION')"
            " AND ({t}.usable_until IS NULL OR {t}.usable_until >= {today})",
            ended="{t}.lifecycle <> 'DRAFT'",
        ),
        Table(
            "list_entry",
            letter="l",
            in_use="{t}.state = 'PUBLISHED'"
            " AND ({t}.publicity_ends_on IS NULL OR {t}.publicity_ends_on >= {today})",
            ended="{t}.state IN ('PUBLISHED', 'SUSPENDED', 'EXITED_EXPIRED', 'EXITED_REPAIRED', 'EXITED_REVOKED',"
            " 'EXITED_DISQUALIFIED')",
        ),
        Table(
            "grade",
            letter="g",
            # One that is announced for a later day is not in force, and never was.
            in_use=f"{_GRADE_IN_TERM} AND {_LATEST_CLASS}",
        ),
        # Told by live sources alone; there is no such table in the store.
        Table("anomaly", letter="x", in_use="({t}.valid_to IS NULL OR {t}.valid_to >= {today})"),
        Table(
            "archive",
            letter="a",
            # Platforms name their reports after themselves (hub.casework.platforms.machine); no other archive has a party.
            party="({t}.source = 'ECOMMERCE_PLATFORM' AND starts_with({t}.source_record_id, {partner} || ':'))",
        ),
        Table("registration", data_class=""),
        Table("identifier", fact=False, since="recorded_at"),
        Table(
            "list_definition",
            letter="d",
            fact=False,
            data_class="CASE {t}.color WHEN 'BLACK' THEN 'D10' WHEN 'WATCH' THEN 'D12' ELSE 'D13' END",
            subject="",
        ),
        Table(
            "case_file",
            letter="c",
            fact=False,
            since="opened_at",
            in_use=_CASE_IN_USE,
            ended=_CASE_ENDED,
            # Not even auditors: what was never disclosed is its unit's alone.
            audited="({t}.mechanism <> 'CASE_DISCLOSURE' OR {t}.state IN ('DISCLOSED', 'ENDED'))",
            kind="mechanism",
            mixed=True,
            regional=True,
            party=_PARTY,
            sent=_SENT,
            told=_CASE_TOLD,
        ),
        Table("case_event", fact=False, since="at", data_class="", subject=""),
        Table("delivery_out", fact=False, data_class="", subject=""),
    )
}

# Fields of cases whose details name subjects that the case is not about: SQL over `{t}`, the case's row, of their ids. Where
# such a field is asked, the ledger has them beside the subjects of the rows.
_ATTENDED = (
    "SELECT y.subject_id FROM jsonb_array_elements({t}.details->'attendances') x"
    " JOIN subject y ON y.uscc = x->>'subject_code'"
)
# A plan names commitments, which everybody may look up by their ids.
_IN_FRAME = (
    "SELECT y.subject_id FROM regexp_matches({t}.details->>'frame', '^object\\t.\\tc([0-9a-f]{{32}})$', 'gn') x"
    " JOIN case_file y ON y.public_id = x[1]::uuid"
)
_DRAWN = (
    "SELECT y.subject_id FROM jsonb_array_elements({t}.details->'drawn') x"
    " JOIN case_file y ON y.public_id = substr(x->>'object', 2)::uuid"
)
_AGENT = "SELECT y.subject_id FROM subject y WHERE y.uscc = {t}.details->>'agent'"
NAMED = {
    "Training.attendances": _ATTENDED,
    "InspectionPlan.frame": _IN_FRAME,
    "InspectionPlan.drawn": _DRAWN,
    "RepairCase.agent": _AGENT,
    "ObjectionCase.agent": _AGENT,
}
# Fields of cases that show the record or entry which a case is about: its table, and which row of it, SQL over `{y}`, the row,
# and `{t}`, the case's. Whose it is may have been corrected since (5.4), and then is told beside whose the case is.
_TARGET = "{y}.public_id = {t}.target_public_id"
# A nomination is about no entry, but shows the case that is.
_LISTED = (
    "{y}.public_id IN ({t}.target_public_id,"
    " (SELECT l.target_public_id FROM case_file l WHERE l.number = {t}.details->>'listing'))"
)
TARGETS = {
    "RepairCase.record": ("record", _TARGET),
    "CaseDisclosure.penalty": ("record", _TARGET),
    "RepairCase.entry": ("list_entry", _TARGET),
    "MeasureApplication.entry": ("list_entry", _TARGET),
    "ListingCase.entry": ("list_entry", _LISTED),
}


@dataclass(frozen=True)
class Relation:
    """Rows of `table` that belong to a row of the parent."""

    table: str
    # SQL over `{t}` (the row) and `{p}` (the parent's row).
    join: str
    # Columns of the order, all in one direction but where one says its own, as those of pages never do; the last is unique.
    order: tuple[str, ...] = ()
    descending: bool = True
    # Coordinates that rows in this order tell of: where one of them is not shown, they come in the order of `blind`.
    tells: tuple[str, ...] = ()
    # SQL over `{t}`: unique, and says nothing of the row.
    blind: str = "{t}.public_id"
    # Its own join says which versions count; elsewhere the current one does.
    former: bool = False
    # Column and coordinate: rows that agree in it are one, the first of them in the order, for whoever is shown it in full.
    # To others the equality of two masked values would be told.
    once: tuple[str, str] | None = None


RELATIONS = {
    "subject.records": Relation(
        "record",
        "{t}.subject_id = {p}.subject_id",
        ("decided_on", "public_id"),
        tells=("CreditRecord.decidedOn",),
    ),
    "subject.list_entries": Relation(
        "list_entry",
        "{t}.subject_id = {p}.subject_id",
        ("recognized_on", "public_id"),
        tells=("ListEntry.recognizedOn",),
    ),
    "subject.identifiers": Relation(
        "identifier",
        "{t}.subject_id = {p}.subject_id",
        ("scheme", "value"),
        descending=False,
        tells=("Identifier.scheme", "Identifier.value"),
        blind="md5({t}.identifier_id::text)",
    ),
    "subject.former_names": Relation(
        "registration",
        "{t}.subject_id = {p}.subject_id AND {t}.superseded_at IS NOT NULL AND {t}.display_name <> {p}.display_name",
        ("recorded_at", "version_id"),
        former=True,
        # What else a registration says changes, too: a name is borne by many versions.
        once=("display_name", "FormerName.name"),
        tells=("FormerName.provenance", "Provenance.recordedAt"),
        blind="md5({t}.version_id::text)",
    ),
    "subject.contact": Relation(
        "registration", "{t}.subject_id = {p}.subject_id", ("recorded_at", "version_id")
    ),
    "subject.registration": Relation(
        "registration", "{t}.subject_id = {p}.subject_id", ("recorded_at", "version_id")
    ),
    "subject.grades": Relation(
        "grade",
        "{t}.subject_id = {p}.subject_id",
        ("effective_from", "scheme", "public_id"),
        tells=("ExternalGrade.effectiveFrom", "ExternalGrade.scheme"),
    ),
    "subject.anomalies": Relation(
        "anomaly",
        "{t}.subject_id = {p}.subject_id",
        ("decided_on", "public_id"),
        tells=("PublicAnomaly.enteredOn",),
    ),
    "subject.archives": Relation(
        "archive",
        "{t}.subject_id = {p}.subject_id",
        ("archive_type", "last_updated_on DESC NULLS LAST", "public_id"),
        descending=False,
        tells=("CreditArchive.archiveType", "CreditArchive.lastUpdatedOn"),
    ),
    "subject.tiers": Relation(
        "case_file",
        "{t}.subject_id = {p}.subject_id",
        ("opened_on", "public_id"),
        descending=False,
        tells=("Case.openedAt",),
    ),
    "subject.commitments": Relation(
        "case_file", "{t}.subject_id = {p}.subject_id", ("opened_at", "public_id"), tells=("Case.openedAt",)
    ),
    "fact.subject": Relation("subject", "{t}.subject_id = {p}.subject_id"),
    "candidate.subject": Relation("subject", "{t}.subject_id = {p}.subject_id"),
    "list_entry.list": Relation("list_definition", "{t}.code = {p}.list_code"),
    "records": Relation("record", "", ("decided_on", "public_id"), tells=("CreditRecord.decidedOn",)),
    "list_entries": Relation(
        "list_entry",
        "{t}.recognized_on IS NOT NULL",
        ("recognized_on", "public_id"),
        tells=("ListEntry.recognizedOn",),
    ),
    "credit_lists": Relation(
        "list_definition", "", ("code",), descending=False, tells=("CreditListDefinition.code",)
    ),
    "case": Relation("case_file", ""),
    "cases": Relation("case_file", "", ("opened_on", "public_id"), tells=("Case.openedAt",)),
    # Work by its day: what is due first comes first, and what is closed is not due. The filter that leads here tests both
    # days already, so nobody asks who is not shown them.
    "cases.due": Relation("case_file", "{t}.closed_at IS NULL", ("due_on", "public_id"), descending=False),
    "command.case": Relation("case_file", "{t}.public_id = {p}.case_public_id"),
    # The cases about a case, a record or a list entry.
    "case.targeting": Relation(
        "case_file",
        "{t}.target_public_id = {p}.public_id",
        ("opened_at", "case_id"),
        descending=False,
        tells=("Case.openedAt",),
    ),
    # The red list's own case that a nomination led to.
    "honest.listing": Relation("case_file", "{t}.number = {p}.details->>'listing'"),
    "case.list_entry": Relation("list_entry", "{t}.public_id = {p}.target_public_id"),
    "case.record": Relation("record", "{t}.public_id = {p}.target_public_id"),
    "case.deliveries": Relation(
        "delivery_out", "{t}.case_id = {p}.case_id", ("delivery_id",), descending=False
    ),
    "case.events": Relation(
        "case_event",
        "{t}.case_id = {p}.case_id",
        ("event_id",),
        descending=False,
        tells=("CaseEvent.at",),
        blind="md5({t}.event_id::text)",
    ),
}
# Relation and column of a filter → the relation that is meant where that filter is given.
SOUGHT = {("cases", "due_on"): "cases.due"}
