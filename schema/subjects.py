"""Credit subjects: organizations, individual businesses and natural persons."""

from typing import Annotated

import strawberry

from schema.anomalies import PublicAnomaly
from schema.archives import CreditArchive
from schema.commitments import Commitment
from schema.enums import (
    GradeScheme,
    IdentifierScheme,
    ListColor,
    MatchClass,
    OriginClass,
    RecordOrder,
    SourceSystem,
    SubjectKind,
    Tristate,
)
from schema.fields import PLANNED, filters, governed, orders, parameter
from schema.governance import OPEN, ROW, Mask, Need, Shape, entity
from schema.grades import ExternalGrade
from schema.lists import ListEntry
from schema.node import Node
from schema.origin import Provenance, Source
from schema.records import RecordConnection, RecordFilter
from schema.scalars import USCC, Date
from schema.tiers import SupervisionTier

# Data classes a natural person's own row is decided by: the records that mention the person.
PERSON = ("D5", "D8", "D11")
# The classes of a person's facts, where the summary names those of organizations.
OF_PERSONS = {"D4": "D5", "D6": "D8", "D10": "D11"}
# Classes of facts that are never kept of a natural person: no row of the tax bureau about one gets here, since none has a key
# but the person's number, which the connector drops. That nothing is known of them denies nothing.
NEVER_OF_PERSONS = frozenset({"D17", "D18"})


@strawberry.type(
    description="标识；自然人证件号码永不返回 · An identifier; numbers of persons are never returned"
)
@entity("identifier", "D1")
class Identifier:
    scheme: IdentifierScheme = governed("类型", "scheme", ROW, target="scheme", mask=Mask.KEEP)
    value: str | None = governed("值", "value", ROW, target="value")


@strawberry.type(description="曾用名 · A name the subject was known by")
@entity("former_name", "D1")
class FormerName:
    name: str | None = governed("名称", "name", ROW, target="display_name", mask=Mask.NAME)
    provenance: Provenance | None = governed(
        "来源信息", "provenance", ROW, shape=Shape.EMBEDDED, mask=Mask.KEEP
    )


@strawberry.type(description="联系方式 · Contact details")
@entity("contact", "D2")
class Contact:
    address: str | None = governed("地址", "address", ROW, target="address", mask=Mask.ADDRESS)
    phone: str | None = governed("电话", "telephone", ROW, target="phone", mask=Mask.PHONE)
    provenance: Provenance | None = governed(
        "来源信息", "provenance", ROW, shape=Shape.EMBEDDED, mask=Mask.KEEP
    )


@strawberry.type(
    description="信用摘要：三值，来源不全，或者其送来的该主体数据在隔离区等待时，不说“否”；查询过去某一时刻时也不说“否”，因为当时的来源状态未留存"
    " · Three-valued summary: NO only when every required source answered, and nothing that it sent of the subject waits in quarantine;"
    " never of an earlier moment (asOf), for how sources stood then is not kept"
)
class CreditSummary:
    has_serious_dishonesty_entry: Tristate | None = governed(
        "现列入严重失信主体名单；重大税收违法失信主体名单另见 hasTaxViolationEntry",
        "on a serious dishonesty list in force, but for that of serious tax violations, which hasTaxViolationEntry tells of",
        "D10",
        shape=Shape.COMPUTED,
        target="on_list:BLACK",
        need=Need.YES_NO,
    )
    has_tax_violation_entry: Tristate | None = governed(
        "现列入重大税收违法失信主体名单；自然人为空：税务部门送来的数据不含自然人",
        "on the list of serious tax violations, in force; null of a natural person: the tax bureau's data tell of none",
        "D18",
        shape=Shape.COMPUTED,
        target="on_list:TAX",
        need=Need.YES_NO,
    )
    has_watch_list_entry: Tristate | None = governed(
        "现列入重点关注名单",
        "on a watch list in force",
        "D12",
        shape=Shape.COMPUTED,
        target="on_list:WATCH",
        need=Need.YES_NO,
    )
    is_honest_model: Tristate | None = governed(
        "诚信典型：现列入红名单",
        "on a red list in force",
        "D13",
        shape=Shape.COMPUTED,
        target="on_list:RED",
        need=Need.YES_NO,
    )
    has_public_penalty: Tristate | None = governed(
        "有公示期内的行政处罚",
        "has a penalty in publicity",
        "D6",
        shape=Shape.COMPUTED,
        target="has_penalty",
        need=Need.YES_NO,
    )
    public_penalty_count: int | None = governed(
        "公示期内行政处罚数：同一机关同一决定书文号计为一件；有来源未答复或者数据在隔离区等待时、查询过去某一时刻时为空",
        "penalties in publicity, one for each authority's number of a decision;"
        " null while a source of them does not answer or its data wait in quarantine, and of an earlier moment",
        "D6",
        shape=Shape.COMPUTED,
        target="penalty_count",
        need=Need.FULL,
    )
    tax_grade_is_d: Tristate | None = governed(
        "现行纳税缴费信用级别为D级，且其后无其他级别；自然人为空",
        "tax grade D in force, and no grade after it; null of a natural person",
        "D17",
        shape=Shape.COMPUTED,
        target="tax_grade_is_d",
        need=Need.YES_NO,
    )
    incomplete_sources: list[SourceSystem] | None = governed(
        "未能答复的必查来源，以及其送来的该主体数据在隔离区等待的来源；查询过去某一时刻时为空",
        "required sources that could not answer, or of which a row about the subject waits in quarantine;"
        " null of an earlier moment",
        OPEN,
        shape=Shape.COMPUTED,
        target="incomplete_sources",
        mask=Mask.KEEP,
    )


@strawberry.interface(
    description="信用主体：信用记录所涉及的各方 · A credit subject: whoever records are about"
)
class CreditSubject(Node):
    id: strawberry.ID = governed(
        "标识", "opaque id", ROW, shape=Shape.COMPUTED, target="public_id", mask=Mask.KEEP
    )
    kind: SubjectKind = governed("类别", "kind", ROW, target="kind", mask=Mask.KEEP)
    display_name: str | None = governed("名称", "name", ROW, target="display_name", mask=Mask.NAME)
    summary: CreditSummary | None = governed(
        "信用摘要", "three-valued summary", OPEN, shape=Shape.EMBEDDED, mask=Mask.KEEP
    )
    source_status: list[Source] | None = governed(
        "来源状态；查询过去某一时刻时为空",
        "the sources and how recent they are; null of an earlier moment",
        OPEN,
        shape=Shape.ROWS,
        target="sources",
        mask=Mask.KEEP,
    )

    @governed(
        "信用记录，缺省由新到旧",
        "credit records, by default newest first",
        OPEN,
        shape=Shape.CONNECTION,
        target="subject.records",
    )
    def records(
        self,
        filter: Annotated[RecordFilter | None, parameter("筛选", "filter")] = None,
        order_by: Annotated[
            RecordOrder, orders("排序", "order", "CreditRecord.decidedOn")
        ] = RecordOrder.DECIDED_ON_DESC,
        first: Annotated[int, parameter("每页条数", "rows in a page")] = 20,
        after: Annotated[str | None, parameter("起始游标，自其后继续", "cursor to go on from")] = None,
    ) -> RecordConnection | None:
        return PLANNED

    @governed(
        "有效的名单条目；审计以及办理异议、修复的主体本人，也见已中止、已退出的",
        "list entries in force; auditors, and the subject itself in an objection or a repair, see those too that are suspended "
        "or ended",
        OPEN,
        shape=Shape.MANY,
        target="subject.list_entries",
    )
    def list_entries(
        self,
        color: Annotated[ListColor | None, filters("类别", "colour", "ListEntry.color", "eq")] = None,
    ) -> list[ListEntry] | None:
        return PLANNED

    commitments: list[Commitment] | None = governed(
        "有效、已履行或已违背的信用承诺，由新到旧；主体本人、办理单位和审计也见其他状态的",
        "commitments in force, fulfilled or broken, newest first; the subject itself, the unit that handles one, and "
        "auditors see those in any other state too",
        OPEN,
        shape=Shape.MANY,
        target="subject.commitments",
        mask=Mask.KEEP,
    )


@strawberry.interface(
    description="有统一社会信用代码的信用主体：法人、非法人组织、个体工商户"
    " · A credit subject with a unified social credit code: an organization or an individual business"
)
class RegisteredSubject(CreditSubject):
    uscc: USCC | None = governed(
        "统一社会信用代码", "unified social credit code", "D1", target="uscc", mask=Mask.KEEP
    )
    registration_status: str | None = governed(
        "登记状态", "registration status", "D1", target="registration_status", mask=Mask.KEEP
    )
    region_code: str | None = governed(
        "行政区划（GB/T 2260），查询过去某一时刻时也是现在的",
        "region (GB/T 2260), today's also where an earlier moment is asked for",
        "D1",
        target="region_code",
        mask=Mask.KEEP,
    )
    established_on: Date | None = governed(
        "成立日期", "established on", "D1", target="established_on", mask=Mask.KEEP
    )
    identifiers: list[Identifier] | None = governed(
        "标识", "identifiers", "D1", shape=Shape.MANY, target="subject.identifiers"
    )

    supervision_tiers: list[SupervisionTier] | None = governed(
        "有效的监管分类，分领域；限监管单位、主体本人和审计；审计以及办理异议、修复的主体本人，也见已停用或过期的（R10.1）",
        "supervision tiers in force, by sector; for supervising units, the subject itself and auditors; auditors, and the subject"
        " in an objection or a repair, see those too that ended or expired (R10.1)",
        OPEN,
        shape=Shape.MANY,
        target="subject.tiers",
        mask=Mask.KEEP,
    )

    @governed(
        "外部等级，仅在有效期内的；外汇分类一户一类，后一分类生效即取代前一分类，期满也不恢复；其他等级，后来的不使"
        "其来源仍作为有效送来的先前等级失效，先后见生效日期；查询过去某一时刻时不含实时查询的海关等级",
        "grades issued by others, in force; of the classes of foreign exchange the one that began last, none once that is over; another"
        " grade does not end an earlier one that its source still delivers as in force: effectiveFrom tells which is newer; of an earlier"
        " moment none of customs, which is asked live",
        OPEN,
        shape=Shape.MANY,
        target="subject.grades",
    )
    def grades(
        self,
        scheme: Annotated[GradeScheme | None, filters("体系", "scheme", "ExternalGrade.scheme", "eq")] = None,
    ) -> list[ExternalGrade] | None:
        return PLANNED

    anomalies: list[PublicAnomaly] | None = governed(
        "有效的公开异常信息，实时查询；有来源未完整答复时、查询过去某一时刻时为空",
        "public anomalies in force, asked live; null where a source did not answer in full, and of an earlier moment",
        OPEN,
        shape=Shape.MANY,
        target="subject.anomalies",
    )

    @governed(
        "其他单位保管的信用档案，按档案类别排列，同类的最近更新的在前",
        "archives kept by others, by type; of one type those updated last first",
        OPEN,
        shape=Shape.MANY,
        target="subject.archives",
    )
    def archives(
        self,
        archive_type: Annotated[
            str | None, filters("档案类别", "type of archive", "CreditArchive.archiveType", "eq")
        ] = None,
        origin_class: Annotated[
            OriginClass | None,
            filters(
                "信息性质：公共信用信息或市场信用信息（R14.1）",
                "public or market section (R14.1)",
                "CreditArchive.originClass",
                "eq",
            ),
        ] = None,
    ) -> list[CreditArchive] | None:
        return PLANNED


@strawberry.type(description="法人或非法人组织 · A legal person or unincorporated organization")
@entity("subject", "D1", only=("kind", ("LEGAL_PERSON", "UNINCORPORATED_ORGANIZATION")))
class Organization(RegisteredSubject):
    industry_code: str | None = governed(
        "行业（GB/T 4754）", "industry (GB/T 4754)", "D1", target="industry_code", mask=Mask.KEEP
    )
    legal_representative_name: str | None = governed(
        "法定代表人", "legal representative", "D1", target="legal_representative_name", mask=Mask.NAME
    )
    former_names: list[FormerName] | None = governed(
        "曾用名，每个名称一次；来源信息为该名称首次登记时的",
        "names recorded earlier, each once, with the provenance of when it was first recorded",
        "D1",
        shape=Shape.MANY,
        target="subject.former_names",
    )
    contact: Contact | None = governed(
        "联系方式", "contact details", OPEN, shape=Shape.ONE, target="subject.contact"
    )
    registration: Provenance | None = governed(
        "登记信息来源",
        "provenance of the registration",
        "D1",
        shape=Shape.ONE,
        target="subject.registration",
        mask=Mask.KEEP,
    )


@strawberry.type(
    description="个体工商户：有统一社会信用代码，经营者是自然人 · An individual business: it has a code, its operator is a natural person"
)
@entity("subject", "D1", only=("kind", ("INDIVIDUAL_BUSINESS",)))
class IndividualBusiness(RegisteredSubject):
    operator_name: str | None = governed(
        "经营者", "operator", "D1", target="legal_representative_name", mask=Mask.NAME
    )


@strawberry.type(
    description=(
        "自然人：不可按姓名查找，只能经授权按证件号码精确匹配 · A natural person: never found by "
        "name, only by exact match of a number, as far as authorized"
    )
)
@entity("subject", *PERSON, only=("kind", ("NATURAL_PERSON",)), renamed=OF_PERSONS)
class NaturalPerson(CreditSubject):
    identity_verified: Tristate | None = governed(
        "身份已核验：已与身份证件匹配",
        "an identity document was matched",
        "D3",
        shape=Shape.COMPUTED,
        target="identity_verified",
        need=Need.YES_NO,
    )


@strawberry.type(
    description="名称候选：只供人工核对，绝不据此合并主体 · A candidate for a name, for a person to judge; never merges subjects"
)
@entity("rows:candidates", "D1")
class SubjectCandidate:
    subject: CreditSubject | None = governed(
        "信用主体", "subject", "D1", shape=Shape.ONE, target="candidate.subject", mask=Mask.KEEP
    )
    score: float = governed("得分，0至1", "score, 0 to 1", "D1", target="score", mask=Mask.KEEP)
    match_class: MatchClass = governed(
        "匹配等级", "class of the match", "D1", target="match_class", mask=Mask.KEEP
    )
    why: list[str] = governed(
        "理由；FORMER_NAME 表示按曾用名找到",
        "why this class; FORMER_NAME: found by a name that it bore earlier",
        "D1",
        target="why",
        mask=Mask.KEEP,
    )
