"""Every deliberate error of the hub: its code, its HTTP status, and whether its words may leave."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from json import JSONDecodeError
from typing import ClassVar


class HubError(Exception):
    """The hub could not do what was asked."""

    code: ClassVar[str] = "INTERNAL"
    # The docstring in Chinese: what the code means, whatever the message says.
    zh: ClassVar[str] = "程序未能完成请求"
    status: ClassVar[int] = 500
    # Whether the message may be shown to the caller. Unsafe messages are logged and replaced by a general one.
    safe: ClassVar[bool] = False

    def __init__(self, message: str | None = None, **extensions: object) -> None:
        """Take `message`, by default the class's docstring, and extra members of the error's `extensions`."""
        super().__init__(message or (self.__doc__ or "").strip())
        self.extensions = extensions
        # Whose request was refused, for the log; None: nobody showed a good token.
        self.partner: str | None = None

    def again(self) -> HubError:
        """The same refusal for another request: exceptions are not raised twice, for they gather tracebacks."""
        return type(self)(str(self), **self.extensions)

    @property
    def public_message(self) -> str:
        """The words a caller may read."""
        return str(self) if self.safe else (HubError.__doc__ or "")

    @property
    def meaning(self) -> dict[str, str]:
        """What the `extensions` of every error say first: its code, for programs, and what that means in Chinese."""
        return {"code": self.code, "messageZh": self.zh}


class Unauthenticated(HubError):
    """The request carries no valid token."""

    code = "UNAUTHENTICATED"
    zh = "请求没有有效令牌"
    status = 401
    safe = True


class AgreementNotInForce(HubError):
    """No data-sharing agreement of this partner is in force."""

    code = "AGREEMENT_NOT_IN_FORCE"
    zh = "该单位没有生效的共享协议"
    status = 403
    safe = True


class PurposeRequired(HubError):
    """Declare a purpose: several are possible under this agreement."""

    code = "PURPOSE_REQUIRED"
    zh = "协议允许多个目的，须声明其一"
    status = 403
    safe = True


class PurposeNotAllowed(HubError):
    """This purpose is not in the partner's agreement."""

    code = "PURPOSE_NOT_ALLOWED"
    zh = "协议不包含该目的"
    status = 403
    safe = True


class MatterRequired(HubError):
    """This purpose needs a matter code (Hub-Matter); the six check purposes and look-ups of persons need a case number (Hub-Case)."""

    code = "MATTER_REQUIRED"
    zh = "该目的需要事项编码（Hub-Matter）；六类审查和查找自然人需要办件编号（Hub-Case）"
    status = 403
    safe = True


class BadRequest(HubError):
    """The request is not a GraphQL request."""

    code = "BAD_REQUEST"
    zh = "不是 GraphQL 请求"
    status = 400
    safe = True


class PersistedQueryNotSupported(HubError):
    """A request names a document by its hash only, and no documents are kept here."""

    code = "PERSISTED_QUERY_NOT_SUPPORTED"
    zh = "请求只有文档的摘要，本系统不留存文档"
    status = 400
    safe = True


class MethodNotAllowed(HubError):
    """Only POST, and GET for queries, are served here."""

    code = "METHOD_NOT_ALLOWED"
    zh = "只接受 POST，以及用于查询的 GET"
    status = 405
    safe = True


class NotAcceptable(HubError):
    """None of the media types in Accept is served here."""

    code = "NOT_ACCEPTABLE"
    zh = "Accept 中的媒体类型均不提供"
    status = 406
    safe = True


class UnsupportedMediaType(HubError):
    """The body must be application/json in UTF-8."""

    code = "UNSUPPORTED_MEDIA_TYPE"
    zh = "请求体须为 UTF-8 的 application/json"
    status = 415
    safe = True


class BodyTooLarge(HubError):
    """The body is larger than this hub takes."""

    code = "BODY_TOO_LARGE"
    zh = "请求体过大"
    status = 413
    safe = True


class HeadersTooLarge(HubError):
    """The request line and headers are larger than this hub takes."""

    code = "HEADERS_TOO_LARGE"
    zh = "请求行和请求头过大"
    status = 431
    safe = True


class UriTooLong(HubError):
    """The request line and headers are larger than this hub takes, and most of it is the address."""

    code = "URI_TOO_LONG"
    zh = "请求地址过长"
    status = 414
    safe = True


class RequestTimeout(HubError):
    """The request arrived too slowly."""

    code = "REQUEST_TIMEOUT"
    zh = "请求到达太慢"
    status = 408
    safe = True


class SyntaxRefused(HubError):
    """The document is not GraphQL."""

    code = "GRAPHQL_PARSE_FAILED"
    zh = "文档不是 GraphQL"
    status = 400
    safe = True


class ValidationFailed(HubError):
    """The document does not fit the schema of this caller."""

    code = "GRAPHQL_VALIDATION_FAILED"
    zh = "文档不符合该单位的模式"
    status = 400
    safe = True


class LimitExceeded(HubError):
    """The document is larger than this partner class may send."""

    code = "LIMIT_EXCEEDED"
    zh = "文档超出该类单位的限度"
    status = 400
    safe = True


class BadUserInput(HubError):
    """A variable or an argument has an unusable value."""

    code = "BAD_USER_INPUT"
    zh = "变量或参数的值不可用"
    status = 400
    safe = True


class QuotaExceeded(HubError):
    """The partner's quota is used up."""

    code = "QUOTA"
    zh = "配额已用完"
    status = 429
    safe = True


class LedgerUnavailable(HubError):
    """The disclosure could not be recorded, so it was not made."""

    code = "LEDGER_UNAVAILABLE"
    zh = "披露无法记录，因此没有应答"
    status = 503
    safe = True


class StoreUnavailable(HubError):
    """The store did not answer in time."""

    code = "STORE_UNAVAILABLE"
    zh = "数据库未及时应答"
    status = 503
    safe = True


class SettingInvalid(HubError):
    """A setting has an unusable value."""

    code = "SETTING_INVALID"
    zh = "设置的值不可用"
    safe = True


class AgreementInvalid(HubError):
    """The agreement is refused."""

    code = "AGREEMENT_INVALID"
    zh = "协议被拒绝"
    status = 422
    safe = True


class FileRefused(HubError):
    """The file cannot be imported."""

    code = "FILE_REFUSED"
    zh = "文件无法导入"
    status = 422
    safe = True


def unread(error: Exception) -> str:
    """Why a file could not be read, in words for people: what the operating system, a decoder or a parser found."""
    if isinstance(error, FileNotFoundError):
        return "no such file"
    if isinstance(error, OSError):
        return f"cannot be read: {error.strerror or type(error).__name__}"
    if isinstance(error, UnicodeDecodeError):
        return "is no UTF-8 text"
    if isinstance(error, JSONDecodeError):
        return f"is no JSON: {error.msg}, line {error.lineno}, column {error.colno}"
    return "cannot be read"


class LedgerBroken(HubError):
    """The hash chain of the disclosure ledger does not hold."""

    code = "LEDGER_BROKEN"
    zh = "披露台账的哈希链不成立"
    safe = True


class EngineFailed(HubError):
    """The embedded PostgreSQL did not start."""

    code = "ENGINE_FAILED"
    zh = "内嵌 PostgreSQL 未能启动"


class StoreInvalid(HubError):
    """The store is not one that this hub can serve from."""

    code = "STORE_INVALID"
    zh = "数据库不能供本程序使用"


class RulesInvalid(HubError):
    """The rules that come with the hub are not whole."""

    code = "RULES_INVALID"
    zh = "随程序提供的规则不完整"


class SourceUnknown(HubError):
    """No connected source has this name."""

    code = "SOURCE_UNKNOWN"
    zh = "没有这个名称的已接入来源"
    safe = True


class CaseUnknown(HubError):
    """The caller has no such case."""

    code = "CASE_UNKNOWN"
    zh = "该单位没有这个案件"
    status = 404
    safe = True


class SubjectUnknown(HubError):
    """The caller has no such subject."""

    code = "SUBJECT_UNKNOWN"
    zh = "该单位看不到这个主体"
    status = 404
    safe = True


class StateConflict(HubError):
    """The case is not in a state from which this can be done."""

    code = "TRANSITION_NOT_ALLOWED"
    zh = "案件当前状态不允许这一步"
    status = 409
    safe = True


@dataclass(frozen=True)
class Refusal:
    """What a reason of GUARD_REFUSED means, in both languages."""

    en: str
    zh: str


@cache
def refusals() -> Mapping[str, Refusal]:
    """Every reason of GUARD_REFUSED, as refusals.toml explains it; one that ends in a colon tells more behind it."""
    rows = tomllib.loads(files("hub").joinpath("refusals.toml").read_text(encoding="utf-8"))
    return {reason: Refusal(**row) for reason, row in rows.items()}


class GuardRefused(HubError):
    """A condition of this step is not met; `reason` in the extensions says which, the message what it means."""

    code = "GUARD_REFUSED"
    zh = "这一步的条件未满足，`extensions.reason` 说明是哪一项，提示写明其含义"
    status = 409
    safe = True

    def __init__(self, message: str | None = None, *, reason: str, **extensions: object) -> None:
        """Take the reason's code; without a `message` the reason is told in words, as every caller may read them."""
        known, colon, about = reason.partition(":")
        self.refusal = refusals().get(known + colon)
        if message is None and self.refusal is not None:
            message = f"{self.refusal.en.removesuffix('.')}: {about}" if colon else self.refusal.en
        super().__init__(message, reason=reason, **extensions)

    @property
    def meaning(self) -> dict[str, str]:
        """The code, and the reason in Chinese."""
        return super().meaning if self.refusal is None else {"code": self.code, "messageZh": self.refusal.zh}


class InputMissing(HubError):
    """This step needs an input that was not given."""

    code = "INPUT_MISSING"
    zh = "这一步缺少输入"
    status = 400
    safe = True


class MatterUnknown(HubError):
    """No matter of this code is configured for the declared purpose today."""

    code = "MATTER_UNKNOWN"
    zh = "今日该目的下没有配置这个事项编码"
    status = 403
    safe = True


class IdempotencyConflict(HubError):
    """This Idempotency-Key was used for another request."""

    code = "IDEMPOTENCY_CONFLICT"
    zh = "该 Idempotency-Key 已用于另一请求"
    status = 409
    safe = True


class CommandForbidden(HubError):
    """The caller may not do this."""

    code = "FORBIDDEN"
    zh = "该单位不可这样做"
    status = 403
    safe = True


class HarvestRunning(HubError):
    """Another process is harvesting this source."""

    code = "HARVEST_RUNNING"
    zh = "另一进程正在归集该来源"
    status = 409
    safe = True
