"""Errors that reach a caller: a stable code, a status of HTTP, a text for the user and one for the operator.

Every floor raises these; only ``magnum.api.errors`` turns them into bodies. A code is never changed and never reused.
Texts hold no secret. The meaning of each status follows the REST contract, section 1.5.
"""


class MagnumError(Exception):
    """Base of all errors meant for a caller.

    :param text: one or two sentences for the user; the most telling word stands before the first full stop, because
        clients show only that part (contract 1.5).
    :param operator_text: what the operator should read in the log; the user's text where there is no more to say.
    :param field: JSON pointer into the request's body (``/node_count``) or the name of a query parameter.
    """

    code: str = "INTERNAL"
    status: int = 500

    def __init__(self, text: str, operator_text: str = "", field: str | None = None) -> None:
        super().__init__(operator_text or text)
        self.text = text
        self.operator_text = operator_text or text
        self.field = field


class BadRequest(MagnumError):
    """The request cannot be carried out as it is written."""

    code = "BAD_REQUEST"
    status = 400


class InvalidField(BadRequest):
    """A field has a value that cannot be used; ``field`` names it."""

    code = "INVALID_FIELD"


class InUse(BadRequest):
    """The thing is referred to by another, which stands in the way."""

    code = "IN_USE"


class WrongStatus(BadRequest):
    """The bay's status does not allow this now."""

    code = "WRONG_STATUS"


class Forbidden(MagnumError):
    """Policy says no."""

    code = "FORBIDDEN"
    status = 403


class QuotaExceeded(Forbidden):
    """The project holds as many bays as it may."""

    code = "PROJECT_QUOTA_EXCEEDED"


class NotFound(MagnumError):
    """There is no such thing, or it is another project's, which must look the same."""

    code = "NOT_FOUND"
    status = 404


class MethodNotAllowed(MagnumError):
    """The path exists, the method on it does not."""

    code = "METHOD_NOT_ALLOWED"
    status = 405


class NotAcceptable(MagnumError):
    """No such representation or microversion."""

    code = "NOT_ACCEPTABLE"
    status = 406


class Conflict(MagnumError):
    """The request contradicts what is there: a name that fits several things, a duplicate."""

    code = "CONFLICT"
    status = 409


class UnsupportedMediaType(MagnumError):
    """The body is of a type that is not read here."""

    code = "UNSUPPORTED_MEDIA_TYPE"
    status = 415


class Unavailable(MagnumError):
    """Something that the request needs does not answer; asking again later may help."""

    code = "UNAVAILABLE"
    status = 503
