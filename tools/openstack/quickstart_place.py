"""Where a quickstart keeps its things and on which ports it listens. Needs only the standard library."""

from dataclasses import dataclass
from pathlib import Path

KEYSTONE = "keystone"
HEAT = "heat"  # its process also holds the CFN API
API = "magnum-api"
CONDUCTOR = "magnum-conductor"


@dataclass(frozen=True)
class Ports:
    """Loopback TCP ports.

    :param offset: added to every port; room for several quickstarts on one machine.
    """

    offset: int = 0

    @property
    def keystone(self) -> int:
        """Keystone's API."""
        return 5100 + self.offset

    @property
    def heat(self) -> int:
        """Heat's API."""
        return 8104 + self.offset

    @property
    def heat_cfn(self) -> int:
        """Heat's CloudFormation-compatible API, where nodes report."""
        return 8100 + self.offset

    @property
    def magnum(self) -> int:
        """Our API."""
        return 9611 + self.offset

    def by_process(self) -> tuple[tuple[str, int], ...]:
        """Every port with the name of the process that listens on it."""
        return (
            (KEYSTONE, self.keystone),
            (HEAT, self.heat),
            (HEAT, self.heat_cfn),
            (API, self.magnum),
        )


@dataclass(frozen=True)
class Place:
    """The folders of the quickstart of one checkout."""

    checkout: Path

    @property
    def state(self) -> Path:
        """Everything that a quickstart makes; ``--clean`` removes it."""
        return self.checkout / ".state" / "quickstart"

    @property
    def venv(self) -> Path:
        """The environment that holds this checkout, Keystone and Heat."""
        return self.state / "venv"

    @property
    def requirements(self) -> Path:
        """What is installed there besides this checkout, and the versions of everything."""
        return self.checkout / "tools" / "openstack" / "quickstart-requirements.txt"

    @property
    def drivers(self) -> Path:
        """Where a driver's directory is dropped; the service has it in ``[drivers] paths``."""
        return self.state / "drivers"

    @property
    def lock(self) -> Path:
        """Held while a quickstart is at work."""
        return self.state / "lock"
