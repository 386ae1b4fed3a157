"""The driver itself: identity, capabilities, and the verbs that a subclass overrides."""

from typing import ClassVar, NoReturn

from .errors import NotSupported
from .extension import Endpoint
from .outcomes import Done, Facts, Outcome, Preview
from .running import Monitor, Scaler
from .words import CONTRACT_VERSION, Provides, Verb
from .work import Work


class Driver:
    """Base of all drivers: identity, capabilities and the verbs.

    A subclass sets ``name`` (the directory's and entry point's name, ``swarm_atomic_v1``), ``version``,
    ``template_version`` and ``provides``, and overrides the verbs it has. Rules for a verb:

    * it does not block: start something, answer :class:`Wait`, look again when called again;
    * it is repeatable: names derive from the bay's uuid, and "already there" means adopt it;
    * it answers :class:`Done` only for what it has observed.

    ``services`` are the cloud services that it cannot build without, by their types in the service catalogue
    (``orchestration``): while one does not answer, new bays go to other drivers. ``node_groups`` says whether a bay may
    have groups of nodes beside the default ones, which an update then brings into being, changes and takes away;
    ``node_labels`` whether it can give the nodes of such a group labels and taints. ``endpoints`` come from the
    driver's ``api.py``, ``monitor`` from its ``monitor.py`` and ``scaler`` from its ``scale.py``.
    """

    name: ClassVar[str]
    version: ClassVar[str]
    template_version: ClassVar[str] = "0"
    contract: ClassVar[tuple[int, int]] = CONTRACT_VERSION
    provides: ClassVar[frozenset[Provides]] = frozenset()
    services: ClassVar[frozenset[str]] = frozenset()
    node_groups: ClassVar[bool] = False
    node_labels: ClassVar[bool] = False
    endpoints: ClassVar[tuple[Endpoint, ...]] = ()
    monitor: ClassVar[Monitor | None] = None
    scaler: ClassVar[Scaler | None] = None

    @classmethod
    def verbs(cls) -> frozenset[Verb]:
        """The verbs this driver has written."""
        written = {
            verb
            for verb in Verb
            if getattr(cls, f"bay_{verb}", None) is not getattr(Driver, f"bay_{verb}")
        }
        return frozenset(written if cls.observe is Driver.observe else written | {Verb.CHECK})

    def _not_supported(self, verb: Verb) -> NoReturn:
        raise NotSupported(f"The driver {self.name} cannot do '{verb}' on a bay.")

    def refuse(self, work: Work) -> None:
        """Refuse a new bay whose fields and options do not go together, before it is accepted.

        It looks at values alone and comes back at once: there is no cloud, there are no secrets, and the bay has no
        site. What it lets pass may still be refused by ``bay_create``. Raises InvalidOption.
        """

    def bay_create(self, work: Work) -> Outcome:
        """Build the bay's cluster."""
        self._not_supported(Verb.CREATE)

    def bay_update(self, work: Work) -> Outcome:
        """Bring the cluster to the bay's present specification.

        With ``node_groups``, groups that are new in the work are made, and what is there of others goes.
        """
        self._not_supported(Verb.UPDATE)

    def bay_delete(self, work: Work) -> Outcome:
        """Remove all that belongs to the cluster, and prove it gone."""
        self._not_supported(Verb.DELETE)

    def bay_rebuild(self, work: Work) -> Outcome:
        """Make every node anew from its image; uuid, network and addresses stay."""
        self._not_supported(Verb.REBUILD)

    def bay_reset(self, work: Work) -> Outcome:
        """Bring the cluster back to its state right after creation."""
        self._not_supported(Verb.RESET)

    def bay_soft_reboot(self, work: Work) -> Outcome:
        """Restart nodes in order, one after the other, waiting for each."""
        self._not_supported(Verb.SOFT_REBOOT)

    def bay_hard_reboot(self, work: Work) -> Outcome:
        """Power-cycle nodes."""
        self._not_supported(Verb.HARD_REBOOT)

    def bay_scale(self, work: Work) -> Outcome:
        """Change the number of nodes of one group; ``parameters`` may name the nodes that go."""
        self._not_supported(Verb.SCALE)

    def bay_rotate_ca(self, work: Work) -> Outcome:
        """Replace the bay's certificate authority without an outage."""
        self._not_supported(Verb.ROTATE_CA)

    def bay_rotate_credentials(self, work: Work) -> Outcome:
        """Replace the credential that the nodes hold."""
        self._not_supported(Verb.ROTATE_CREDENTIALS)

    def bay_adjust_storage(self, work: Work) -> Outcome:
        """Change the nodes' storage."""
        self._not_supported(Verb.ADJUST_STORAGE)

    def bay_upgrade(self, work: Work) -> Outcome:
        """Move the bay to another version of its software or driver."""
        self._not_supported(Verb.UPGRADE)

    def bay_check(self, work: Work) -> Outcome:
        """Look whether the cluster is there and as it was made. A driver that can observe can do this."""
        return Done(self.observe(work))

    def observe(self, work: Work) -> Facts:
        """What can be seen of the cluster now, without changing anything.

        Raises NotFound where it is gone, StackChanged where it is not what it was made to be.
        """
        raise NotSupported(f"The driver {self.name} cannot observe a bay.")

    def preview(self, work: Work) -> Preview:
        """What an update to the bay's present specification would change in the cloud. Changes nothing itself.

        ``parameters`` has ``template``: ``own`` for the template that the bay was launched from, ``current`` for the
        driver's present one; and ``node_counts``: the present size of each group, by its name.
        """
        raise NotSupported(f"The driver {self.name} cannot say what a change would do.")
