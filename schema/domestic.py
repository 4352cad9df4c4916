"""Domestic workers (R12.1, R12.2): told once, with the worker's own authorisation; nothing of it is kept."""

from typing import Annotated, Any

import strawberry

from schema.declaring import commands_of
from schema.enums import Tristate
from schema.fields import PLANNED, governed, parameter
from schema.governance import OPEN, Capability, Mask, Need, entity

_WORKER = "D29"


def _flag(zh: str, en: str, target: str) -> Any:
    return governed(zh, en, _WORKER, target=target, need=Need.YES_NO)


@strawberry.type(
    description=(
        "家政服务员档案：凭本人一次性授权实时查询，从不留存（R12.1） · A domestic worker's "
        "archive, asked live with the worker's own authorisation, never kept (R12.1)"
    )
)
@entity("rows:domestic_worker", OPEN)
class DomesticWorker:
    name: str | None = governed("姓名", "name", _WORKER, target="name", mask=Mask.NAME)
    certificate_number: str | None = governed(
        "居家上门服务证号",
        "number of the service certificate",
        _WORKER,
        target="certificate_number",
        mask=Mask.KEEP,
    )
    agency_name: str | None = governed(
        "所属家政企业", "agency", _WORKER, target="agency_name", mask=Mask.KEEP
    )
    criminal_background: Tristate | None = _flag(
        "五年内有犯罪记录：是、否或无法确定，从不含细节（R12.2）",
        "criminal record within five years: yes, no or indeterminate, never detail (R12.2)",
        "criminal_background",
    )
    health_checked: Tristate | None = _flag("体检在有效期内", "health check in force", "health_checked")
    trained: Tristate | None = _flag("经过培训", "trained", "trained")
    insured: Tristate | None = _flag("已投保", "insured", "insured")


_command = commands_of("domestic", Capability.LOOKUP)


@strawberry.type(description="家政服务员查询（R12.1） · Asking about a domestic worker (R12.1)")
class DomesticCommands:
    @_command(
        "凭本人一次性授权查询家政服务员；授权只用一次，故为操作（R12.1）",
        "ask about the worker who authorised the caller; an authorisation holds once, so this is no query (R12.1)",
        "query",
    )
    def query_domestic_worker(
        self,
        authorization: Annotated[
            # It is never kept, and chance may put any figures into it.
            str,
            parameter(
                "一次性授权码，由家政服务员的应用给出",
                "one-time authorisation, as the worker's app gave it",
                screened=True,
            ),
        ],
    ) -> DomesticWorker | None:
        return PLANNED
