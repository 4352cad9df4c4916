"""Foreign trade and investment (对外经济, article 十三): adverse behaviours abroad, and performance of investment contracts."""

from typing import Annotated

import strawberry

from schema.casework import Case
from schema.declaring import (
    CaseNumber,
    DocumentNumber,
    Reason,
    SubjectCode,
    commands_of,
    detail,
    member,
    rows,
    withheld,
)
from schema.enums import Seriousness
from schema.fields import PLANNED, parameter, supplied
from schema.governance import Capability, Shape, entity
from schema.scalars import USCC, Date


@strawberry.type(description="陈述申辩 · What the subject said to it")
class OutboundDefence:
    at: Date = member("日期", "day", "at")
    by: str = member(
        "提出方：SUBJECT（主体本人）或登记单位", "SUBJECT, or the partner that recorded it", "by"
    )
    statement: str = member("内容", "statement", "statement")


@strawberry.type(
    description="本部门的认定及所成记录（R13.3） · The department's finding and the record it made (R13.3)"
)
class OutboundFinding:
    document_number: str = member("文号", "number of the decision", "document_number")
    decided_on: Date = member("决定日期", "day of the decision", "decided_on")
    reason: str = member("理由", "reason", "reason")
    record: strawberry.ID = member("记录标识", "opaque id of the record", "record")


@strawberry.type(
    description=(
        "对外投资合作不良行为案件（商合发〔2013〕248号） · "
        "An adverse behaviour abroad, on its way to a finding (商合发〔2013〕248号)"
    )
)
@entity("case_file", "D38", only=("mechanism", ("OUTBOUND_ADVERSE",)))
class OutboundAdverseCase(Case):
    behaviour: str = detail("行为代码", "code of the behaviour", "behaviour")
    behaviour_name: str = detail("行为", "behaviour", "behaviour_name")
    seriousness: Seriousness = detail(
        "认定后所成记录的严重程度", "class of the record it would make", "seriousness"
    )
    subject_code: USCC = detail("统一社会信用代码", "code of the subject", "subject_code")
    certificate_number: str | None = detail("境外投资证书号", "certificate", "certificate_number")
    country: str | None = detail("国家（地区）", "country", "country")
    conducted_on: Date = detail("行为日期", "day of the conduct", "conducted_on")
    facts: str = detail("事实", "facts", "facts")
    notice_number: str = detail("告知书文号", "number of the notice", "notice_number")
    served_on: Date = detail("送达日期，申辩期开始", "day of service: the days for defence run", "served_on")
    defences: list[OutboundDefence] = rows("陈述申辩", "defences", "defences")
    finding: OutboundFinding | None = rows("认定；尚未认定的为空", "finding; null: none yet", "finding")


@strawberry.type(description="合同义务 · An obligation of a contract")
class ContractObligation:
    text: str = member("内容", "what was promised", "text")
    due_on: Date = member("期限，即最后一日", "last day", "due_on")
    performed_on: Date | None = member("履行日期；未履行的为空", "performed on; null: open", "performed_on")


@strawberry.type(
    description="生效的判决或裁决及所成记录（R13.3） · The judgment or award in force, and the record it made (R13.3)"
)
class ContractAdjudication:
    adjudicator: str = member("裁判机构", "court or arbitral body", "adjudicator")
    document_number: str = member("文书号", "number of the judgment", "document_number")
    effective_on: Date = member("生效日期", "in force since", "effective_on")
    record: strawberry.ID = member("记录标识", "opaque id of the record", "record")


@strawberry.type(
    description="招商引资合同履约；裁判认定违约前保密 · Performance of an investment contract: confidential until a breach is adjudicated"
)
@entity("case_file", "D41", only=("mechanism", ("INVESTMENT_CONTRACT",)))
class InvestmentContract(Case):
    contract_number: str | None = withheld("合同编号", "number of the contract", "contract_number")
    subject_code: USCC = detail("统一社会信用代码", "code of the firm", "subject_code")
    parties: list[str] | None = withheld("合同各方", "parties", "parties")
    signed_on: Date | None = withheld("签订日期", "signed on", "signed_on")
    obligations: list[ContractObligation] | None = withheld("义务", "obligations", "obligations", Shape.ROWS)
    alleged: str | None = withheld(
        "所主张的违约；没有的为空", "breach that is alleged; null: none", "alleged"
    )
    adjudication: ContractAdjudication | None = withheld(
        "裁判认定", "adjudication", "adjudication", Shape.ROWS
    )


@strawberry.input(description="合同义务 · An obligation of a contract")
class ContractObligationInput:
    text: str = supplied("内容", "what was promised")
    due_on: Date = supplied("期限，即最后一日", "last day")


_Statement = Annotated[str, parameter("内容", "statement")]
_outbound = commands_of("outbound")
_contract = commands_of("contract")


@strawberry.type(description="对外经济操作 · Commands of foreign trade and investment")
class ForeignTradeCommands:
    @_outbound(
        "立案并告知对外投资合作不良行为",
        "open the case of an adverse behaviour abroad, with the notice served",
        "propose",
    )
    def propose_outbound_adverse(
        self,
        subject: SubjectCode,
        behaviour: Annotated[str, parameter("行为代码，如 OUT-01", "code of the behaviour, such as OUT-01")],
        conducted_on: Annotated[Date, parameter("行为日期", "day of the conduct")],
        facts: Annotated[str, parameter("事实", "facts")],
        notice_number: Annotated[str, parameter("告知书文号", "number of the notice")],
        served_on: Annotated[Date, parameter("送达日期", "day of service")],
        certificate_number: Annotated[str | None, parameter("境外投资证书号", "certificate")] = None,
        country: Annotated[str | None, parameter("国家（地区）", "country")] = None,
    ) -> OutboundAdverseCase | None:
        return PLANNED

    @_outbound(
        "对对外投资合作不良行为的认定陈述申辩",
        "state one's defence against the finding of an adverse behaviour abroad",
        "state_defence",
        Capability.APPLY,
    )
    def state_outbound_defence(self, number: CaseNumber, statement: _Statement) -> OutboundAdverseCase | None:
        return PLANNED

    @_outbound(
        "登记对外投资合作不良行为的书面申辩",
        "record a defence against the finding of an adverse behaviour abroad",
        "record_defence",
    )
    def record_outbound_defence(
        self, number: CaseNumber, statement: _Statement
    ) -> OutboundAdverseCase | None:
        return PLANNED

    @_outbound(
        "第二人认定对外投资合作不良行为并纳入信用记录（R13.3）",
        "find an adverse behaviour abroad, by a second person, and file the record (R13.3)",
        "file",
        Capability.REVIEW,
    )
    def file_outbound_adverse(
        self,
        number: CaseNumber,
        document_number: DocumentNumber,
        reason: Reason,
        defence_answer: Annotated[str | None, parameter("申辩答复", "answer to the defences")] = None,
    ) -> OutboundAdverseCase | None:
        return PLANNED

    @_outbound("不予认定对外投资合作不良行为", "drop the case of an adverse behaviour abroad", "drop")
    def drop_outbound_adverse(self, number: CaseNumber, reason: Reason) -> OutboundAdverseCase | None:
        return PLANNED

    @_contract("登记招商引资合同及其义务", "enter an investment contract and its obligations", "register")
    def register_investment_contract(
        self,
        subject: SubjectCode,
        contract_number: Annotated[str, parameter("合同编号", "number of the contract")],
        parties: Annotated[list[str], parameter("合同各方", "parties")],
        signed_on: Annotated[Date, parameter("签订日期", "day of signature")],
        obligations: Annotated[list[ContractObligationInput], parameter("义务", "obligations")],
    ) -> InvestmentContract | None:
        return PLANNED

    @_contract(
        "记录招商引资合同义务的履行", "an obligation of an investment contract was performed", "perform"
    )
    def perform_contract_obligation(
        self,
        number: CaseNumber,
        obligation: Annotated[int, parameter("第几项义务，自1起", "which obligation, from 1")],
        performed_on: Annotated[Date, parameter("履行日期", "day")],
    ) -> InvestmentContract | None:
        return PLANNED

    @_contract("招商引资合同全部履行完毕", "all of an investment contract is performed", "complete")
    def complete_investment_contract(self, number: CaseNumber) -> InvestmentContract | None:
        return PLANNED

    @_contract(
        "提出招商引资合同违约，予以保密",
        "allege a breach of an investment contract: it stays confidential",
        "allege",
    )
    def allege_contract_breach(self, number: CaseNumber, reason: Reason) -> InvestmentContract | None:
        return PLANNED

    @_contract("撤销招商引资合同的违约主张", "give up the allegation of a breach of contract", "dismiss")
    def dismiss_contract_breach(self, number: CaseNumber, reason: Reason) -> InvestmentContract | None:
        return PLANNED

    @_contract(
        "将生效裁判认定的合同违约纳入信用记录（R13.3）",
        "file a breach that a judgment in force establishes (R13.3)",
        "adjudicate",
        Capability.REVIEW,
    )
    def file_adjudicated_breach(
        self,
        number: CaseNumber,
        adjudicator: Annotated[str, parameter("裁判机构", "court or arbitral body")],
        document_number: DocumentNumber,
        effective_on: Annotated[Date, parameter("生效日期", "in force since")],
        conduct_ended_on: Annotated[
            Date | None, parameter("行为终止日期，已知的填写", "end of the conduct, where it is known")
        ] = None,
    ) -> InvestmentContract | None:
        return PLANNED

    @_contract("招商引资合同以其他方式终止", "an investment contract ended otherwise", "terminate")
    def terminate_investment_contract(self, number: CaseNumber, reason: Reason) -> InvestmentContract | None:
        return PLANNED
