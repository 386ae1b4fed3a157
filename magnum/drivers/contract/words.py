"""The words of the contract: verbs, whose move it is, roles of nodes, and what a driver provides."""

import enum
from dataclasses import dataclass

#: Version of this contract. The first number changes when a driver has to change with it, the second when something
#: was added that a driver may ignore.
CONTRACT_VERSION = (1, 4)


class Actor(enum.StrEnum):
    """Whose move it is when an operation cannot go on by itself."""

    USER = "user"
    OPERATOR = "operator"
    NOBODY = "nobody"


class Verb(enum.StrEnum):
    """What can be asked of a bay. The driver's method is ``bay_<verb>``."""

    CREATE = "create"
    UPDATE = "update"
    DELETE = "delete"
    REBUILD = "rebuild"
    RESET = "reset"
    SOFT_REBOOT = "soft_reboot"
    HARD_REBOOT = "hard_reboot"
    SCALE = "scale"
    ROTATE_CA = "rotate_ca"
    ROTATE_CREDENTIALS = "rotate_credentials"
    ADJUST_STORAGE = "adjust_storage"
    UPGRADE = "upgrade"
    CHECK = "check"


MASTER = "master"
WORKER = "worker"


#: Stands for every distribution, in what a driver provides that does not care what its nodes boot.
ANY_DISTRO = "*"


@dataclass(frozen=True, slots=True)
class Provides:
    """One kind of cluster a driver builds: a baymodel's server type, image distribution and engine."""

    server_type: str
    os_distro: str
    coe: str

    def boots(self, os_distro: str) -> bool:
        """Whether nodes of this kind can be made from an image of a distribution."""
        return self.os_distro in (os_distro, ANY_DISTRO)
