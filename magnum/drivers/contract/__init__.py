"""What a driver is: the stable, versioned border between Magnum and the code that builds clusters.

A driver subclasses :class:`Driver` and writes the verbs it can do. Each verb takes one :class:`Work` and returns one
outcome: :class:`Done`, :class:`Wait`, :class:`Blocked` or :class:`Failed`. Everything here is frozen data; a driver
never sees the database, RPC or HTTP. This package imports nothing of ours, so that a driver outside the tree needs
nothing else to be written against (``design.md``, section 5). Import from the package, not from its modules.
"""

from .driver import Driver
from .errors import (
    BuildError,
    CloudUnavailable,
    DeleteFailed,
    DriverError,
    InvalidOption,
    Leftover,
    NotFound,
    NotSupported,
    QuotaExceeded,
    StackChanged,
)
from .extension import Endpoint, Who
from .outcomes import (
    Blocked,
    Change,
    Done,
    Facts,
    Failed,
    Fault,
    GroupFacts,
    Outcome,
    Preview,
    Progress,
    Wait,
)
from .running import Health, HealthStatus, Monitor, Scaler
from .words import ANY_DISTRO, CONTRACT_VERSION, MASTER, WORKER, Actor, Provides, Verb
from .work import (
    NO_CLOUDS,
    NO_SECRETS,
    Bay,
    BayModel,
    Clouds,
    KeyPair,
    Load,
    NodeCredential,
    NodeGroup,
    Secrets,
    Work,
)

__all__ = [
    "ANY_DISTRO",
    "CONTRACT_VERSION",
    "MASTER",
    "NO_CLOUDS",
    "NO_SECRETS",
    "WORKER",
    "Actor",
    "Bay",
    "BayModel",
    "Blocked",
    "BuildError",
    "Change",
    "CloudUnavailable",
    "Clouds",
    "DeleteFailed",
    "Done",
    "Driver",
    "DriverError",
    "Endpoint",
    "Facts",
    "Failed",
    "Fault",
    "GroupFacts",
    "Health",
    "HealthStatus",
    "InvalidOption",
    "KeyPair",
    "Leftover",
    "Load",
    "Monitor",
    "NodeCredential",
    "NodeGroup",
    "NotFound",
    "NotSupported",
    "Outcome",
    "Preview",
    "Progress",
    "Provides",
    "QuotaExceeded",
    "Scaler",
    "Secrets",
    "StackChanged",
    "Verb",
    "Wait",
    "Who",
    "Work",
]
