"""What e-commerce platforms report of their own merchants (R11.1-R11.3), and the case that keeps it."""

from typing import Annotated

import strawberry

from schema.archives import CreditArchive
from schema.casework import Case
from schema.declaring import CaseNumber, Reason, SubjectCode, commands_of, detail
from schema.fields import PLANNED, parameter, supplied
from schema.governance import Capability, entity
from schema.scalars import Date, Yuan


@strawberry.type(
    description="平台经营者建档（R11.1） · A merchant's shop whose archive a platform keeps (R11.1)"
)
@entity("case_file", "D27", only=("mechanism", ("MERCHANT_ARCHIVE",)))
class MerchantArchiveCase(Case):
    platform_name: str = detail("平台", "platform", "platform_name")
    shop_id: str = detail("店铺编号", "the shop's id at the platform", "shop_id")
    shop_name: str | None = detail(
        "店铺名称；尚未建档的为空", "name of the shop; null: no archive yet", "shop_name"
    )


@strawberry.input(
    description="平台对经营者的处置（电子商务法第三十六条） · A sanction that the platform imposed on a merchant (E-Commerce Law 36)"
)
class PlatformSanctionInput:
    kind: str = supplied("处置种类", "kind of sanction")
    decided_on: Date = supplied("处置日期", "day of the decision")


_Shop = Annotated[str, parameter("店铺编号", "the shop's id at the platform")]
_command = commands_of("merchant", Capability.MERCHANT_WORK)


@strawberry.type(
    description="平台报送（R11.1、R11.2） · Commands of platforms, for their own merchants only (R11.1, R11.2)"
)
class MerchantCommands:
    @_command(
        "报送本平台经营者的档案，不收自然人",
        "report the archive of one of one's merchants; natural persons are refused",
        "report",
    )
    def report_merchant_archive(
        self,
        subject: SubjectCode,
        shop_id: _Shop,
        shop_name: Annotated[str, parameter("店铺名称", "name of the shop")],
        verified_on: Annotated[Date, parameter("核验日期", "day on which its identity was verified")],
        next_verification_on: Annotated[
            Date | None, parameter("下次核验日期", "day of the next verification")
        ] = None,
        categories: Annotated[list[str] | None, parameter("经营类目", "categories of goods")] = None,
        deposit: Annotated[Yuan | None, parameter("保证金（元）", "deposit in yuan")] = None,
        sanctions: Annotated[
            list[PlatformSanctionInput] | None, parameter("平台处置", "sanctions of the platform")
        ] = None,
        exempt: Annotated[
            bool,
            parameter(
                "零星小额免登记；属自然人，不予接收",
                "exempt small seller: refused, for it is a natural person",
            ),
        ] = False,
    ) -> CreditArchive | None:
        return PLANNED

    @_command(
        "报送一个时期的评价汇总，同一时期重报即更正",
        "report reviews of a period as aggregates; repeated for the same period it corrects",
        "summarize",
    )
    def report_review_summary(
        self,
        subject: SubjectCode,
        shop_id: _Shop,
        period_from: Annotated[Date, parameter("统计期间首日", "first day")],
        period_to: Annotated[Date, parameter("统计期间末日", "last day")],
        reviews: Annotated[int, parameter("评价数", "reviews")],
        average: Annotated[float, parameter("平均分（1至5）", "average, 1 to 5")],
        negative_reviews: Annotated[int, parameter("差评数", "negative reviews")],
        complaints: Annotated[int, parameter("投诉数", "complaints")],
        resolved: Annotated[int, parameter("已解决投诉数", "complaints resolved")],
        response_hours: Annotated[
            int | None, parameter("平均响应时间（小时）", "average time to respond, hours")
        ] = None,
    ) -> CreditArchive | None:
        return PLANNED

    @_command(
        "经营者退出平台，不再报送其档案", "a merchant left the platform: nothing more is reported", "close"
    )
    def close_merchant_archive(
        self,
        number: CaseNumber,
        reason: Reason,
    ) -> MerchantArchiveCase | None:
        return PLANNED
