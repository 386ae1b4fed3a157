"""``openstack coe cluster config`` for Mesos: what it writes opens a fake master that its bay's CA has certified.

For Swarm and Kubernetes the real ones are opened, in ``functional/cloud/test_swarm_cluster.py`` and
``test_kubernetes_cluster.py``.
"""

from collections.abc import Callable
from ipaddress import IPv4Address
from pathlib import Path

import pytest
import requests

from magnum.tests.functional.clients import commands
from magnum.tests.functional.clients.configured import NEWEST
from magnum.tests.functional.clients.conftest import Place
from magnum.tests.functional.clients.environments import Account, Shell
from magnum.tests.functional.clients.fake_mesos import fake_mesos_master
from magnum.tests.functional.clients.pki import request_file
from magnum.tests.functional.clients.tls import Written
from magnum.tests.functional.cloud import client
from magnum.tests.functional.cloud.client import Tenant

pytestmark = pytest.mark.timeout(2 * client.PATIENCE)


def test_what_it_writes_opens_a_fake_master_of_the_bay(
    shell: Callable[..., Shell],
    place: Place,
    tenant: Tenant,
    reporting: dict[str, str],
    tmp_path: Path,
) -> None:
    api = place.api(tenant.session)
    model = api.baymodel(coe="mesos", image_id="ubuntu", **reporting)
    uuid = api.make("/bays", name="m1", baymodel_id=model)["uuid"]
    bay = api.settled(uuid, "CREATE_COMPLETE")

    coe = commands.openstack(shell(NEWEST, Account.of_tenant(tenant)))
    folder = coe.shell.folder
    said = coe("cluster config", "m1", "--output-certs")
    assert said.strip() == "None", "the client has no words for Mesos, only files"
    Written(bay["api_address"], folder).belong_to(api, uuid)

    request = request_file(tmp_path, "master", IPv4Address("127.0.0.1"))
    signed = api.make("/certificates", cluster_uuid=uuid, csr=request.read_text())["pem"]
    certificate = tmp_path / "master.pem"
    certificate.write_text(signed)
    with fake_mesos_master(certificate, tmp_path / "master.key", folder / "ca.pem") as port:
        url = f"https://127.0.0.1:{port}/version"
        keys = (str(folder / "cert.pem"), str(folder / "key.pem"))
        trusted = str(folder / "ca.pem")
        answer = requests.get(url, cert=keys, verify=trusted, timeout=60)
        assert answer.json() == {"version": "1.0.0"}
        with pytest.raises(requests.ConnectionError):
            requests.get(url, verify=trusted, timeout=60)
        with pytest.raises(requests.exceptions.SSLError):
            requests.get(url, cert=keys, timeout=60)
    api.delete(uuid)
