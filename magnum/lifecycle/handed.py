"""What is handed to a driver: its work on a bay, and clients that are reached for when they are needed."""

from collections.abc import Callable, Iterable
from typing import Any, Final

from magnum.db.models import Bay, BayModel, NodeGroup
from magnum.drivers.contract import NO_CLOUDS, Clouds, Secrets, Work
from magnum.lifecycle import frozen
from magnum.lifecycle.clouds import Access

#: Codes of what may be due to our own token or roles; both are got anew before the next try.
REFUSALS: Final = ("CLOUD_REFUSED", "PERMISSION_LOST")


class LateClouds:
    """Clouds that are reached for at the first use: a driver without a cloud needs no Keystone."""

    def __init__(
        self, access: Callable[[], Access], project_id: str, request_id: str | None
    ) -> None:
        self._access = access
        self._project_id = project_id
        self._request_id = request_id
        self._used = False

    def heat(self) -> Any:
        """See :class:`magnum.drivers.contract.Clouds`."""
        self._used = True
        return self._access().heat(self._project_id, self._request_id)

    def rest(self, service_type: str) -> Any:
        """See :class:`magnum.drivers.contract.Clouds`."""
        self._used = True
        return self._access().rest(self._project_id, service_type, self._request_id)

    def doubt_after(self, code: str | None) -> None:
        """Something went wrong: where the cloud was asked, its answer may have been due to our token or roles."""
        if self._used and code in REFUSALS:
            self._access().doubt(self._project_id)


def work(bay: Bay, clouds: Clouds, secrets: Secrets, **more: Any) -> Work:
    """The work on a bay as it is stored. ``more`` are further fields of it."""
    return Work(
        bay=frozen.bay(bay),
        baymodel=frozen.baymodel(bay.baymodel),
        node_groups=tuple(frozen.group(group) for group in bay.node_groups if not group.unwanted),
        clouds=clouds,
        secrets=secrets,
        **more,
    )


def asked(bay: Bay, baymodel: BayModel, groups: Iterable[NodeGroup]) -> Work:
    """A bay that is asked for and not stored yet, for a look at its values: without a cloud and secrets."""
    return Work(
        bay=frozen.bay(bay),
        baymodel=frozen.baymodel(baymodel),
        node_groups=tuple(frozen.group(group) for group in groups),
        clouds=NO_CLOUDS,
    )
