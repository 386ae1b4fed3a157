"""What a driver may raise, and what a deletion may leave."""

from dataclasses import dataclass
from typing import ClassVar

from .words import Actor


@dataclass(frozen=True, slots=True)
class Leftover:
    """Something of a bay that is still in the cloud though the bay is to go.

    ``service`` is the type in the service catalogue (``compute``), ``kind`` the service's word for it (``server``).
    """

    service: str
    kind: str
    ident: str
    name: str = ""


class DriverError(Exception):
    """Base of what a driver raises. ``text`` is for the user, ``operator_text`` for the operator; no secret in them."""

    code: ClassVar[str] = "DRIVER_ERROR"
    actor: ClassVar[Actor] = Actor.OPERATOR

    def __init__(self, text: str, operator_text: str = "") -> None:
        super().__init__(operator_text or text)
        self.text = text
        self.operator_text = operator_text or text


class NotSupported(DriverError):
    """This driver does not have the verb, or not in this form."""

    code = "NOT_SUPPORTED"
    actor = Actor.USER


class InvalidOption(DriverError):
    """An option of the bay or baymodel cannot be used; the text names it.

    ``option`` is the name alone, as the contract's views or the driver's schema have it: answers point at it.
    """

    code = "INVALID_OPTION"
    actor = Actor.USER

    def __init__(self, text: str, operator_text: str = "", option: str = "") -> None:
        super().__init__(text, operator_text)
        self.option = option


class BuildError(DriverError):
    """The cluster could not be built or changed, and asking again would not help."""

    code = "BUILD_FAILED"
    actor = Actor.USER


class DeleteFailed(DriverError):
    """Something would not go away, such as ``leftovers``. The deletion is tried again until its deadline."""

    code = "DELETE_FAILED"

    def __init__(
        self, text: str, operator_text: str = "", leftovers: tuple[Leftover, ...] = ()
    ) -> None:
        super().__init__(text, operator_text)
        self.leftovers = leftovers


class NotFound(DriverError):
    """What the verb works on is not there any more."""

    code = "STACK_GONE"
    actor = Actor.USER


class StackChanged(DriverError):
    """Somebody else has changed the cluster: it is not what was last made of it. Raised by ``observe``."""

    code = "STACK_CHANGED"
    actor = Actor.USER


class QuotaExceeded(DriverError):
    """The project's quota has no room. The operation waits, and goes on once there is room."""

    code = "QUOTA_EXCEEDED"
    actor = Actor.USER


class CloudUnavailable(DriverError):
    """The cloud did not answer, or not sensibly. Transient: the operation goes on until its deadline."""

    code = "CLOUD_UNAVAILABLE"
