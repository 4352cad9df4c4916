"""Random inspection (双随机、一公开, R6.3) and the way to an established breach (R6.4)."""

from enum import Enum
from typing import Annotated

import strawberry

from schema.casework import Case
from schema.commitments import BreachKind, InspectionOutcome
from schema.declaring import CaseNumber, DocumentNumber, Reason, commands_of, detail, member, rows
from schema.enums import term
from schema.fields import PLANNED, filters, governed, parameter, supplied
from schema.governance import OPEN, Capability, Shape, entity
from schema.scalars import USCC, Date, Moment, SM3Digest


@strawberry.enum(
    description="抽查等级；N为未定级，监管分类不公开期间均为N · Tier in a draw; N: not tiered, as all while tiers are not public"
)
class DrawTier(Enum):
    A = term("A", "A级")
    B = term("B", "B级")
    C = term("C", "C级")
    D = term("D", "D级")
    N = term("N", "未定级")


@strawberry.enum(description="检查来源 · How an inspection came about")
class InspectionOrigin(Enum):
    RANDOM = term("RANDOM", "随机抽取")
    HINT = term("HINT", "线索核查")
    TOLERANCE = term("TOLERANCE", "容缺逾期未补")


@strawberry.type(description="某一等级的抽查比例 · The share of a tier that is drawn")
class DrawRate:
    tier: DrawTier = member("等级", "tier", "tier")
    percent: str = member(
        "百分比，整数或分数，如 5/2", "per cent, a whole number or a fraction such as 5/2", "percent"
    )


@strawberry.type(description="抽中的对象 · A commitment that was drawn")
class DrawnObject:
    object: strawberry.ID = member("承诺标识", "opaque id of the commitment", "object")
    tier: DrawTier = member("等级", "tier", "tier")
    place: int = member("在本等级中的顺位，自1起", "place in the order of its tier, from 1", "place")
    inspectors: list[str] = member("派出的检查人员", "inspectors sent", "inspectors")


@strawberry.type(
    description=(
        "双随机抽查计划：任何人可凭公开内容重算（R6.3） · "
        "A random inspection: whoever has what is published can draw it again (R6.3)"
    )
)
@entity("case_file", "D33", only=("mechanism", ("INSPECTION_PLAN",)))
class InspectionPlan(Case):
    title: str = detail("名称", "title", "title")
    type: str | None = detail("承诺类型代码；为空即全部", "type of the commitments; null: all", "type")
    region: str | None = detail("行政区划前缀；为空即全部", "prefix of their region; null: all", "region")
    rates: list[DrawRate] = rows("各等级抽查比例", "shares by tier", "rates")
    per_object: int = detail("每个对象的检查人数", "inspectors to an object", "per_object")
    frame: str | None = detail(
        "抽样框：全部可抽取者，每行一个，以制表符分隔；对象为 object、等级、标识，检查人员为 "
        "inspector、标识、应回避的主体",
        "all that may be drawn: a line each, object TAB tier TAB id, inspector TAB id TAB conflicts",
        "frame",
    )
    frame_digest: SM3Digest | None = detail(
        "抽样框的 SM3 摘要，抽取前公布", "SM3 of the frame, published before", "frame_digest"
    )
    frame_count: int = detail("抽样框对象数", "objects in the frame", "frame_count")
    seed_commitment: SM3Digest | None = detail(
        "种子的 SM3 摘要，抽取前公布", "SM3 of the seed, published before", "seed_commitment"
    )
    committed_at: Moment | None = detail(
        "两项摘要的公布时间", "when both digests were published", "committed_at"
    )
    drawn_on: Date | None = detail("抽取日期", "drawn on", "drawn_on")
    drawn_count: int = detail("抽中数", "objects drawn", "drawn_count")
    seed: str | None = detail(
        "种子，32字节，十六进制；公开前为空", "32 bytes in hexadecimal; null before it is published", "seed"
    )
    drawn: list[DrawnObject] = rows(
        "抽取结果；公开前为空列表", "what was drawn; empty before it is published", "drawn"
    )
    published_on: Date | None = detail("公开日期", "published on", "published_on")
    published_late: int = detail(
        "逾期工作日数，第七个工作日之后起算", "working days after the seventh", "published_late"
    )
    abandoned_reason: str | None = detail("终止原因", "why it was abandoned", "abandoned_reason")


@strawberry.type(description="检查记录 · What an inspector saw")
class InspectionNote:
    noted_on: Date = member("日期", "day", "noted_on")
    officer: str = member("记录人", "officer", "officer")
    text: str = member("内容", "what was seen", "text")


@strawberry.type(description="违背承诺的书面认定（R6.4） · The written finding of a breach (R6.4)")
class BreachFinding:
    kind: BreachKind = member("种类", "kind", "kind")
    document_number: str = member("文号", "number of the document", "document_number")
    authority: str = member("认定机关", "authority", "authority")
    text: str = member("事实和理由", "facts and reasons", "text")
    found_on: Date = member("日期", "day", "found_on")


@strawberry.type(
    description="违背承诺认定告知书，载明陈述申辩权利（R6.4） · The notice, with the right to state and defend (R6.4)"
)
class BreachNotice:
    document_number: str = member("文号", "number of the document", "document_number")
    served_on: Date = member("送达日期", "served on", "served_on")
    defend_by: Date = member("申辩期限", "last day for the defence", "defend_by")


@strawberry.type(description="陈述申辩（R6.4） · A defence (R6.4)")
class BreachDefence:
    stated_on: Date = member("日期", "day", "stated_on")
    by: str = member(
        "陈述人：SUBJECT（主体本人）或登记单位", "SUBJECT, or the partner that recorded it", "by"
    )
    statement: str = member("内容", "what was said", "statement")


@strawberry.type(
    description="承诺检查：公众不可见，主体自告知起可见 · An inspection; the public never sees it, its subject from the notice on"
)
@entity("case_file", "D34", only=("mechanism", ("COMMITMENT_INSPECTION",)))
class CommitmentInspection(Case):
    origin: InspectionOrigin = detail("来源", "how it came about", "origin")
    commitment: str = detail("承诺编号", "number of the commitment or tolerant acceptance", "commitment")
    plan: str | None = detail("抽查计划编号", "number of the plan", "plan")
    inspectors: list[str] = detail("检查人员", "inspectors", "inspectors")
    notes: list[InspectionNote] = rows("检查记录", "notes", "notes")
    finding: BreachFinding | None = rows("书面认定", "written finding", "finding")
    notice: BreachNotice | None = rows("事先告知", "notice before the decision", "notice")
    defences: list[BreachDefence] = rows("陈述申辩", "defences", "defences")
    outcome: InspectionOutcome | None = detail("结论", "outcome", "outcome")
    concluded_on: Date | None = detail("结论日期", "concluded on", "concluded_on")
    document_number: str | None = detail("决定文号", "number of the decision", "document_number")
    defence_answer: str | None = detail("申辩答复", "answer to the defence", "defence_answer")
    published_on: Date | None = detail("公开日期", "published on", "published_on")
    published_late: int = detail(
        "逾期工作日数，第七个工作日之后起算（R7.1）",
        "working days after the seventh (R7.1)",
        "published_late",
    )


@strawberry.input(description="检查人员 · A certified inspector")
class InspectorInput:
    id: str = supplied("执法证号，不得填个人证件号码", "number of the certificate, never of a person")
    conflicts: list[USCC] = supplied(
        "应回避的主体代码", "codes of firms that would be a conflict of interest"
    )


@strawberry.input(
    description="与规则不同的抽查比例，不得超出规则的限度 · A share that differs from the rules', within their bounds"
)
class DrawRateInput:
    tier: DrawTier = supplied("等级", "tier")
    percent: str = supplied(
        "百分比，整数或分数，如 5/2", "per cent, a whole number or a fraction such as 5/2"
    )


@strawberry.type(description="抽查查询 · Queries of inspections")
class InspectionQueries:
    @governed(
        "按编号查双随机抽查计划及重新抽取所需的内容（R6.3）",
        "a random inspection with all that is needed to draw it again (R6.3)",
        OPEN,
        shape=Shape.ONE,
        target="case",
    )
    def inspection_plan(
        self, number: Annotated[str, filters("编号", "number", "InspectionPlan.number", "eq")]
    ) -> InspectionPlan | None:
        return PLANNED

    @governed("按编号查承诺检查", "an inspection by its number", OPEN, shape=Shape.ONE, target="case")
    def commitment_inspection(
        self, number: Annotated[str, filters("编号", "number", "CommitmentInspection.number", "eq")]
    ) -> CommitmentInspection | None:
        return PLANNED


_Text = Annotated[str, parameter("内容", "what was seen")]
_Statement = Annotated[str, parameter("内容", "what was said")]
_plan = commands_of("plan")
_inspection = commands_of("inspection")


@strawberry.type(description="抽查操作 · Commands of inspections")
class InspectionCommands:
    @_plan("拟定信用承诺双随机抽查计划（R6.3）", "plan a random inspection of commitments (R6.3)", "open")
    def plan_inspection(
        self,
        title: Annotated[str, parameter("名称", "title")],
        inspectors: Annotated[list[InspectorInput], parameter("持执法证的检查人员", "certified inspectors")],
        commitment_type: Annotated[
            str | None, parameter("承诺类型代码，只查此类承诺", "only commitments of this type")
        ] = None,
        region: Annotated[
            str | None,
            parameter(
                "行政区划代码或其前缀，只查此区划，含下辖区划",
                "only of this region, by its code or the digits it begins with",
            ),
        ] = None,
        rates: Annotated[
            list[DrawRateInput] | None, parameter("与规则不同的抽查比例", "shares other than the rules'")
        ] = None,
    ) -> InspectionPlan | None:
        return PLANNED

    @_plan(
        "固定抽样框，公布抽样框和种子的摘要（R6.3）",
        "fix the frame and publish the digests of frame and seed (R6.3)",
        "commit",
    )
    def commit_draw(self, number: CaseNumber) -> InspectionPlan | None:
        return PLANNED

    @_plan(
        "随机抽取，逐个立案检查（R6.3）", "draw, and open an inspection of each object drawn (R6.3)", "draw"
    )
    def draw_inspection(self, number: CaseNumber) -> InspectionPlan | None:
        return PLANNED

    @_plan("公开抽查的种子和抽取结果（R6.3）", "publish the seed and what it drew (R6.3)", "publish")
    def publish_draw(self, number: CaseNumber) -> InspectionPlan | None:
        return PLANNED

    @_plan(
        "抽取之前终止抽查计划，理由公开", "abandon a plan before its draw; the reason is public", "abandon"
    )
    def abandon_inspection_plan(self, number: CaseNumber, reason: Reason) -> InspectionPlan | None:
        return PLANNED

    @_inspection(
        "凭线索立案检查涉嫌违背承诺", "open an inspection on a hint that a commitment is broken", "suspect"
    )
    def suspect_breach(
        self, commitment: Annotated[str, parameter("承诺编号", "number of the commitment")], text: _Text
    ) -> CommitmentInspection | None:
        return PLANNED

    @_inspection(
        "记录承诺检查发现的问题，涉嫌违背承诺",
        "note a problem that an inspection found: a breach is suspected",
        "note",
    )
    def note_inspection_problem(self, number: CaseNumber, text: _Text) -> CommitmentInspection | None:
        return PLANNED

    @_inspection(
        "承诺检查未发现问题、线索不成立，或违背承诺已另案认定",
        "an inspection found nothing, its suspicion did not hold, or another one established the breach",
        "clear",
    )
    def clear_inspection(self, number: CaseNumber, text: _Text) -> CommitmentInspection | None:
        return PLANNED

    @_inspection(
        "七个工作日内公开抽查结果（R6.3）", "publish the result within seven working days (R6.3)", "publish"
    )
    def publish_inspection_result(self, number: CaseNumber) -> CommitmentInspection | None:
        return PLANNED

    @_inspection("书面认定违背承诺（R6.4）", "find a breach in writing (R6.4)", "find")
    def find_breach(
        self,
        number: CaseNumber,
        kind: Annotated[BreachKind, parameter("种类", "kind")],
        document_number: DocumentNumber,
        authority: Annotated[str, parameter("认定机关", "authority")],
        text: Annotated[str, parameter("事实和理由", "facts and reasons")],
    ) -> CommitmentInspection | None:
        return PLANNED

    @_inspection(
        "登记送达违背承诺认定告知书，申辩期开始（R6.4）",
        "the notice was served: time for the defence begins (R6.4)",
        "notify",
    )
    def serve_breach_notice(
        self,
        number: CaseNumber,
        document_number: DocumentNumber,
        served_on: Annotated[Date, parameter("送达日期", "served on")],
        right_to_defend: Annotated[
            bool, parameter("已告知陈述申辩权利", "it tells the right to state and defend")
        ],
    ) -> CommitmentInspection | None:
        return PLANNED

    @_inspection(
        "对违背承诺的认定陈述申辩",
        "defend oneself against a finding of breach",
        "state_defence",
        Capability.APPLY,
    )
    def state_breach_defence(self, number: CaseNumber, statement: _Statement) -> CommitmentInspection | None:
        return PLANNED

    @_inspection(
        "登记违背承诺案件的书面申辩",
        "record a defence against a finding of breach that was made on paper",
        "record_defence",
    )
    def record_breach_defence(self, number: CaseNumber, statement: _Statement) -> CommitmentInspection | None:
        return PLANNED

    @_inspection(
        "书面认定、告知、申辩之后由第二人认定违背承诺成立，纳入信用记录（R6.4）",
        "establish a breach after finding, notice and defence, by a second person; a record is filed (R6.4)",
        "establish",
        Capability.REVIEW,
    )
    def establish_breach(
        self,
        number: CaseNumber,
        document_number: DocumentNumber,
        defence_answer: Annotated[str | None, parameter("申辩答复", "answer to the defence")] = None,
    ) -> CommitmentInspection | None:
        return PLANNED
