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
)
