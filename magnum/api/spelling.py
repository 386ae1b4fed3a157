"""How a family of clients spells the two nouns. One object, one controller, one store; the words stand here alone.

Old clients know bays and baymodels, newer ones clusters and cluster templates. Another spelling
of the same things is another entry in this module.
"""

from dataclasses import dataclass
from typing import Final

from magnum.api import microversions
from magnum.api.microversions import Version


@dataclass(frozen=True, slots=True)
class Spelling:
    """The words of one family.

    ``synchronous_below`` is the version below which creating and changing a bay answers with the whole bay.
    """

    #: A cluster: the collection's name in paths and bodies, one of it, the generated name's last word.
    bays: str
    bay: str
    bay_suffix: str
    #: What it looks like, likewise.
    baymodels: str
    baymodel: str
    baymodel_suffix: str
    #: What refers to a bay.
    bay_key: str
    #: Keys of a bay's body.
    baymodel_key: str
    timeout_key: str
    faults_key: str
    synchronous_below: Version
    #: Whether its clusters have what bays never had: a keypair and no nodes where asked for, merged labels, reports of
    #: their health (contract 2.2).
    is_newer: bool

    def has_more(self, version: Version) -> bool:
        """Whether bays have that too at this version."""
        return self.is_newer or version >= microversions.OPERATIONS

    def may_be_empty(self, version: Version) -> bool:
        """Whether there may be no nodes but masters at this version."""
        return self.has_more(version) and version >= microversions.NO_NODES

    def stack_key(self, version: Version) -> str:
        """What a body calls the stack's id (contract 1.2, version 1.13)."""
        renamed = self.is_newer and version >= microversions.CLUSTER_ID
        return "cluster_id" if renamed else "stack_id"


@dataclass(frozen=True, slots=True)
class Wording:
    """How one request is answered: the words, the version, and the URL of the application for links."""

    spelling: Spelling
    version: Version
    base: str


BAYS: Final = Spelling(
    bays="bays",
    bay="bay",
    bay_suffix="bay",
    baymodels="baymodels",
    baymodel="baymodel",
    baymodel_suffix="model",
    bay_key="bay_id",
    baymodel_key="baymodel_id",
    timeout_key="bay_create_timeout",
    faults_key="bay_faults",
    synchronous_below=microversions.ASYNCHRONOUS_BAYS,
    is_newer=False,
)

CLUSTERS: Final = Spelling(
    bays="clusters",
    bay="cluster",
    bay_suffix="cluster",
    baymodels="clustertemplates",
    baymodel="clustertemplate",
    baymodel_suffix="template",
    bay_key="cluster_id",
    baymodel_key="cluster_template_id",
    timeout_key="create_timeout",
    faults_key="faults",
    synchronous_below=microversions.MINIMUM,
    is_newer=True,
)
