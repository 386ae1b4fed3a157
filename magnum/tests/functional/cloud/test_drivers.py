"""Every driver of the tree on a real Heat, Nova and Neutron: its default bay is built by our API and leaves nothing."""

import pytest
from keystoneauth1.session import Session

from magnum.tests.drivers import tree
from magnum.tests.functional.cloud import client
from magnum.tests.functional.cloud.client import Magnum, Tenant
from magnum.tests.functional.cloud.conftest import CLOUDS_OWN_PORT

# By the service of the cloud itself: it is the one that real nodes find in the catalogue.
pytestmark = pytest.mark.timeout(3 * client.PATIENCE)

#: Whose default bay becomes a real cluster where the cloud boots nodes; swarm_atomic_v1 and k8s_fedora_v1 have tests of
#: real clusters of their own. Of the others, nodes lack the programs and images (Mesos, DC/OS) or the system (Ignition,
#: Ironic). Nodes of all these only report.
REAL = ("swarm_atomic_v2",)


@pytest.mark.parametrize("name", tree.HEAT)
def test_the_default_bay_is_built_and_leaves_nothing(
    name: str, tenant: Tenant, admin: Session, reporting: dict[str, str]
) -> None:
    before = client.holdings(admin, tenant)
    magnum = Magnum(tenant.session, CLOUDS_OWN_PORT)
    kind = tree.provided(name)
    model = magnum.baymodel(
        driver=name,
        coe=kind.coe,
        server_type=kind.server_type,
        image_id=kind.os_distro,
        **({} if name in REAL else reporting),
    )
    bay = magnum.make("/bays", name=name, baymodel_id=model, node_count=1)["uuid"]
    made = magnum.settled(bay, "CREATE_COMPLETE")
    assert made["driver"] == name
    assert made["api_address"]
    assert len(made["master_addresses"]) == len(made["node_addresses"]) == 1
    magnum.delete(bay)
    assert client.holdings(admin, tenant) == before
