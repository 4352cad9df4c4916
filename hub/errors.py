"""Every deliberate error of the hub: its code, its HTTP status, and whether its words may leave."""

from __future__ import annotations

from json import JSONDecodeError
from typing import ClassVar


class HubError(Exception):
    """The hub could not do what was asked."""

    code: ClassVar[str] = "INTERNAL"
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


class Unauthenticated(HubError):
    """The request carries no valid token."""

    code = "UNAUTHENTICATED"
    status = 401
    safe = True


class AgreementNotInForce(HubError):
    """No data-sharing agreement of this partner is in force."""

    code = "AGREEMENT_NOT_IN_FORCE"
    status = 403
    safe = True


class PurposeRequired(HubError):
    """Declare a purpose: several are possible under this agreement."""

    code = "PURPOSE_REQUIRED"
    status = 403
    safe = True


class PurposeNotAllowed(HubError):
    """This purpose is not in the partner's agreement."""

    code = "PURPOSE_NOT_ALLOWED"
    status = 403
    safe = True


class MatterRequired(HubError):
    """This purpose needs a matter code (Hub-Matter) and, for the six check purposes, a case number (Hub-Case)."""

    code = "MATTER_REQUIRED"
    status = 403
    safe = True


class BadRequest(HubError):
    """The request is not a GraphQL request."""

    code = "BAD_REQUEST"
    status = 400
    safe = True


class MethodNotAllowed(HubError):
    """Only POST, and GET for queries, are served here."""

    code = "METHOD_NOT_ALLOWED"
    status = 405
    safe = True


class NotAcceptable(HubError):
    """None of the media types in Accept is served here."""

    code = "NOT_ACCEPTABLE"
    status = 406
    safe = True


class UnsupportedMediaType(HubError):
    """The body must be application/json in UTF-8."""

    code = "UNSUPPORTED_MEDIA_TYPE"
    status = 415
    safe = True


class BodyTooLarge(HubError):
    """The body is larger than this hub takes."""

    code = "BODY_TOO_LARGE"
    status = 413
    safe = True


class HeadersTooLarge(HubError):
    """The request line and headers are larger than this hub takes."""

    code = "HEADERS_TOO_LARGE"
    status = 431
    safe = True


class RequestTimeout(HubError):
    """The request arrived too slowly."""

    code = "REQUEST_TIMEOUT"
    status = 408
    safe = True


class SyntaxRefused(HubError):
    """The document is not GraphQL."""

    code = "GRAPHQL_PARSE_FAILED"
    status = 400
    safe = True


class ValidationFailed(HubError):
    """The document does not fit the schema of this caller."""

    code = "GRAPHQL_VALIDATION_FAILED"
    status = 400
    safe = True


class LimitExceeded(HubError):
    """The document is larger than this partner class may send."""

    code = "LIMIT_EXCEEDED"
    status = 400
    safe = True


class BadUserInput(HubError):
    """A variable or an argument has an unusable value."""

    code = "BAD_USER_INPUT"
    status = 400
    safe = True


class QuotaExceeded(HubError):
    """The partner's quota is used up."""

    code = "QUOTA"
    status = 429
    safe = True


class LedgerUnavailable(HubError):
    """The disclosure could not be recorded, so it was not made."""

    code = "LEDGER_UNAVAILABLE"
    status = 503
    safe = True


class StoreUnavailable(HubError):
    """The store did not answer in time."""

    code = "STORE_UNAVAILABLE"
    status = 503
    safe = True


class SettingInvalid(HubError):
    """A setting has an unusable value."""

    code = "SETTING_INVALID"
    safe = True


class AgreementInvalid(HubError):
    """The agreement is refused."""

    code = "AGREEMENT_INVALID"
    status = 422
    safe = True


class FileRefused(HubError):
    """The file cannot be imported."""

    code = "FILE_REFUSED"
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
    safe = True


class EngineFailed(HubError):
    """The embedded PostgreSQL did not start."""

    code = "ENGINE_FAILED"


class StoreInvalid(HubError):
    """The store is not one that this hub can serve from."""

    code = "STORE_INVALID"


class RulesInvalid(HubError):
    """The rules that come with the hub are not whole."""

    code = "RULES_INVALID"


class SourceUnknown(HubError):
    """No connected source has this name."""

    code = "SOURCE_UNKNOWN"
    safe = True


class CaseUnknown(HubError):
    """The caller has no such case."""

    code = "CASE_UNKNOWN"
    status = 404
    safe = True


class SubjectUnknown(HubError):
    """The caller has no such subject."""

    code = "SUBJECT_UNKNOWN"
    status = 404
    safe = True


class StateConflict(HubError):
    """The case is not in a state from which this can be done."""

    code = "TRANSITION_NOT_ALLOWED"
    status = 409
    safe = True


class GuardRefused(HubError):
    """A condition of this step is not met; `reason` in the extensions says which."""

    code = "GUARD_REFUSED"
    status = 409
    safe = True


class InputMissing(HubError):
    """This step needs an input that was not given."""

    code = "INPUT_MISSING"
    status = 400
    safe = True


class MatterUnknown(HubError):
    """No matter of this code is configured for the declared purpose today."""

    code = "MATTER_UNKNOWN"
    status = 403
    safe = True


class IdempotencyConflict(HubError):
    """This Idempotency-Key was used for another request."""

    code = "IDEMPOTENCY_CONFLICT"
    status = 409
    safe = True


class CommandForbidden(HubError):
    """The caller may not do this."""

    code = "FORBIDDEN"
    status = 403
    safe = True


class HarvestRunning(HubError):
    """Another process is harvesting this source."""

    code = "HARVEST_RUNNING"
    status = 409
    safe = True
