"""The roots: where a document starts."""

from typing import Annotated

import strawberry

from schema.access import Explanation, Me
from schema.casework import Case, CaseConnection, Mechanism
from schema.catalogue import CatalogueQueries
from schema.commitments import CommitmentQueries
from schema.credit_checks import CreditCheck, CreditCheckVerification
from schema.enums import IdentifierScheme, ListColor, Purpose, RecordOrder
from schema.fields import PLANNED, filters, governed, orders, parameter
from schema.governance import OPEN, Capability, Shape
from schema.inspections import InspectionQueries
from schema.lists import CreditListDefinition, ListEntryConnection
from schema.node import Node
from schema.origin import Source
from schema.publicity import PublicityTimeliness
from schema.records import RecordConnection, RecordFilter
from schema.repair import RepairQueries
from schema.scalars import USCC, Date, Moment
from schema.subjects import CreditSubject, SubjectCandidate


@strawberry.type(description="查询 · Queries")
class Query(
    RepairQueries,
    CatalogueQueries,
    CommitmentQueries,
    InspectionQueries,
):
    @governed(
        "按标识精确查找信用主体；不明或不可见时为 null",
        "a subject by exact identifier; null when unknown or not visible",
        OPEN,
        shape=Shape.ONE,
        target="subject",
        capability=Capability.LOOKUP,
    )
    def subject(
        self,
        value: Annotated[str, parameter("标识值", "value of the identifier")],
        scheme: Annotated[IdentifierScheme, parameter("标识类型", "scheme")] = IdentifierScheme.USCC,
        as_of: Annotated[
            Moment | None,
            parameter("以该时刻所知为准", "what the hub knew at that moment", Capability.HISTORY),
        ] = None,
    ) -> CreditSubject | None:
        return PLANNED

    @governed(
        "批量按代码查找信用主体，至多 500 个；次序不变，查不到的为 null",
        "subjects by code, in the order asked, null for unknown; at most 500",
        OPEN,
        shape=Shape.MANY,
        target="subjects",
        capability=Capability.BULK,
    )
    def subjects(
        self,
        codes: Annotated[list[USCC], parameter("统一社会信用代码", "unified social credit codes")],
        as_of: Annotated[
            Moment | None,
            parameter("以该时刻所知为准", "what the hub knew at that moment", Capability.HISTORY),
        ] = None,
    ) -> list[CreditSubject | None] | None:
        return PLANNED

    @governed(
        "按名称或其中至少三字查找候选（组织也按曾用名），由近似到不近似；限组织和个体工商户",
        "candidates for a name, or for three characters or more of one, of organizations a former one too, best first;"
        " organizations and individual businesses only",
        OPEN,
        shape=Shape.ROWS,
        target="candidates",
        capability=Capability.SEARCH,
    )
    def match_subjects(
        self,
        name: Annotated[
            str,
            filters(
                "名称",
                "name",
                "Organization.displayName",
                "similar",
                also=("IndividualBusiness.displayName",),
            ),
        ],
        region: Annotated[
            str | None,
            filters(
                "行政区划前缀；旧代码按现代码查找",
                "prefix of the region code; a former code counts as today's",
                "Organization.regionCode",
                "prefix",
                also=("IndividualBusiness.regionCode",),
            ),
        ] = None,
        first: Annotated[int, parameter("候选条数", "candidates")] = 5,
    ) -> list[SubjectCandidate] | None:
        return PLANNED

    @governed(
        "信用记录，缺省由新到旧",
        "credit records, by default newest first",
        OPEN,
        shape=Shape.CONNECTION,
        target="records",
        capability=Capability.BROWSE,
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
        "某名单的有效条目，由新到旧；审计也见已中止、已退出的",
        "entries in force of a list, newest first; auditors see those too that are suspended or ended",
        OPEN,
        shape=Shape.CONNECTION,
        target="list_entries",
        capability=Capability.BROWSE,
    )
    def list_entries(
        self,
        list_code: Annotated[
            str | None,
            filters(
                "名单代码",
                "code of the list",
                "CreditListDefinition.code",
                "eq",
                column="list_code",
                also=("ListEntry.list",),
            ),
        ] = None,
        color: Annotated[ListColor | None, filters("类别", "colour", "ListEntry.color", "eq")] = None,
        first: Annotated[int, parameter("每页条数", "rows in a page")] = 20,
        after: Annotated[str | None, parameter("起始游标，自其后继续", "cursor to go on from")] = None,
    ) -> ListEntryConnection | None:
        return PLANNED

    @governed("名单定义", "definitions of the lists", OPEN, shape=Shape.MANY, target="credit_lists")
    def credit_lists(
        self,
        color: Annotated[
            ListColor | None, filters("类别", "colour", "CreditListDefinition.color", "eq")
        ] = None,
    ) -> list[CreditListDefinition] | None:
        return PLANNED

    @governed(
        "按标识再次获取主体、记录或名单条目；不明或不可见时为 null",
        "a subject, record or list entry by its opaque id; null when unknown or not visible",
        OPEN,
        shape=Shape.ONE,
        target="node",
    )
    def node(self, id: Annotated[strawberry.ID, parameter("标识", "opaque id")]) -> Node | None:
        return PLANNED

    @governed("按编号查案件", "a case by its number", OPEN, shape=Shape.ONE, target="case")
    def case(self, number: Annotated[str, filters("编号", "number", "Case.number", "eq")]) -> Case | None:
        return PLANNED

    @governed(
        "与本单位有关的案件，按立案日由近及远，同日不分先后；限定期限时按到期日先后",
        "the cases the caller has to do with, by the day they were opened, newest first; those of one day in no order;"
        " with dueBy, by the day they are due, earliest first",
        OPEN,
        shape=Shape.CONNECTION,
        target="cases",
    )
    def cases(
        self,
        mechanism: Annotated[Mechanism | None, filters("机制", "mechanism", "Case.mechanism", "eq")] = None,
        state: Annotated[str | None, filters("状态", "state", "Case.state", "eq")] = None,
        due_by: Annotated[
            Date | None,
            filters(
                "期限不晚于；只列未办结的，先到期的在前",
                "deadline on or before; of open cases alone, those due first come first",
                "Case.dueOn",
                "lte",
                also=("Case.closedAt",),
            ),
        ] = None,
        counted_in: Annotated[
            str | None,
            filters(
                "季报指标的追溯标识（R18.3）",
                "counted in this figure of a quarterly report (R18.3)",
                "QuarterlyReport.number",
                "counted_in",
                also=("QuarterlyReport.figures", "ReportFigure.drill"),
            ),
        ] = None,
        first: Annotated[int, parameter("每页条数", "rows in a page")] = 20,
        after: Annotated[str | None, parameter("起始游标，自其后继续", "cursor to go on from")] = None,
    ) -> CaseConnection | None:
        return PLANNED

    @governed("按编号查信用审查", "a credit check by its number", OPEN, shape=Shape.ONE, target="case")
    def credit_check(
        self, number: Annotated[str, filters("审查编号", "number", "CreditCheck.number", "eq")]
    ) -> CreditCheck | None:
        return PLANNED

    @governed(
        "核验审查编号对某主体、某事项是否有效，持编号者均可（R5.1）",
        "whether a check number holds for a subject and a matter; for anyone it is shown to (R5.1)",
        OPEN,
        shape=Shape.ROWS,
        target="check_verification",
    )
    def verify_credit_check(
        self,
        number: Annotated[str, parameter("审查编号", "number of the check")],
        subject: Annotated[USCC, parameter("统一社会信用代码", "subject it is said to be about")],
        matter: Annotated[str, parameter("事项编码", "matter it is said to be for")],
        at: Annotated[
            Moment | None, parameter("时刻，缺省为现在", "when it must have been in force; by default now")
        ] = None,
    ) -> CreditCheckVerification | None:
        return PLANNED

    @governed(
        "按单位和决定月份统计的公示及时率，限办理单位和审计（R7.1）",
        "timeliness of publicity by unit and month of decision (R7.1); for handling units and auditors",
        OPEN,
        shape=Shape.ROWS,
        target="publicity_timeliness",
        capability=Capability.LINEAGE,
    )
    def publicity_timeliness(
        self,
        decided_from: Annotated[Date, parameter("决定日期起", "first day of decision")],
        decided_to: Annotated[Date, parameter("决定日期止", "last day of decision")],
    ) -> list[PublicityTimeliness] | None:
        return PLANNED

    sources: list[Source] | None = governed(
        "数据来源及状态", "the sources and their state", OPEN, shape=Shape.ROWS, target="sources"
    )
    me: Me | None = governed(
        "当前调用方及其可见范围", "the caller, and what it may see", OPEN, shape=Shape.ROWS, target="me"
    )

    @governed(
        "解释某坐标对某一使用目的和主体为何可见或不可见",
        "why a coordinate is visible or not, for a purpose and a subject",
        OPEN,
        shape=Shape.ROWS,
        target="explanations",
    )
    def explain(
        self,
        coordinate: Annotated[str, parameter("坐标，如 Organization.contact", "schema coordinate")],
        subject: Annotated[USCC | None, parameter("信用主体", "subject")] = None,
        purpose: Annotated[
            Purpose | None, parameter("使用目的，缺省为本次目的", "purpose, by default this request's")
        ] = None,
    ) -> list[Explanation] | None:
        return PLANNED
