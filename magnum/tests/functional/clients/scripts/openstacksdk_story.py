"""What a program does with openstacksdk: every function of its proxy for our service, on one template and one cluster.

``python openstacksdk_story.py '{"name": "a", "template": {...}, "cluster_template": null, "microversion": null}'`` with
the ``OS_*`` variables of a member. Runs in an environment that holds openstacksdk and nothing of ours. The last line
that it prints is JSON: the functions that there are, those that were called, and the cluster's uuid.
"""

import importlib
import json
import sys
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

PATIENCE = 600  # seconds for one change of the cluster

openstack: Any = importlib.import_module("openstack")
exceptions: Any = openstack.exceptions


class Called:
    """The proxy, and what was called of it."""

    def __init__(self, proxy: Any) -> None:
        self._proxy = proxy
        own = vars(type(proxy)).items()
        self.functions = {name for name, it in own if callable(it) and not name.startswith("_")}
        self.called: set[str] = set()

    def __getattr__(self, name: str) -> Any:
        self.called.add(name)
        return getattr(self._proxy, name)


def story(
    name: str, template: dict[str, Any], cluster_template: str | None, microversion: str | None
) -> dict[str, Any]:
    """All of it; an ``AssertionError`` or an exception of the SDK ends it.

    :param name: of the cluster; the template's is made from it.
    :param template: what the template is made of.
    :param cluster_template: of the cluster; None for the one that was made.
    :param microversion: default microversion of the connection; None asks for none.
    """
    options = {"container_infrastructure_management_default_microversion": microversion}
    cloud = openstack.connect(**{key: value for key, value in options.items() if value})
    coe = Called(cloud.container_infrastructure_management)
    made = templates(coe, cloud, f"{name}-template", template)
    services(coe)
    cluster = cluster_life(coe, cloud, name, cluster_template or made, microversion)
    coe.delete_cluster_template(made)
    assert coe.find_cluster_template(made) is None
    coe.delete_cluster_template(made)  # one that is gone is not an error, unless asked for
    refused(exceptions.NotFoundException, coe.delete_cluster_template, made, ignore_missing=False)
    functions, called = sorted(coe.functions), sorted(coe.called & coe.functions)
    return {"functions": functions, "called": called, "cluster": cluster}


def templates(coe: Any, cloud: Any, name: str, wanted: dict[str, Any]) -> str:
    """Make a template, change it in all its ways and find it in all of them; returns its uuid."""
    made = coe.create_cluster_template(name=name, labels={"old": "1", "kept": "2"}, **wanted)
    assert made.id and made.id == made.uuid
    assert made.labels == {"old": "1", "kept": "2"} and made.is_floating_ip_enabled is True
    assert made.created_at.endswith("+00:00") and made.updated_at is None

    second = cloud.create_cluster_template(f"{name}-second", **wanted)
    found = {one.id for one in coe.cluster_templates(limit=1)}  # by their links from page to page
    assert {made.id, second.id} <= found
    assert [one.id for one in cloud.search_cluster_templates(second.name)] == [second.id]
    renamed = cloud.update_cluster_template(second.id, name=f"{name}-renamed")
    assert renamed.name == f"{name}-renamed"
    assert cloud.delete_cluster_template(renamed.name) is True
    assert cloud.delete_cluster_template(second.id) is False

    changes = {"labels": {"kept": "3", "new": "4"}, "is_floating_ip_enabled": False}
    coe.update_cluster_template(made, name=f"{name}-new", dns_nameserver="8.8.4.4", **changes)
    seen = coe.get_cluster_template(made.id)
    assert (seen.name, seen.dns_nameserver) == (f"{name}-new", "8.8.4.4")
    assert (seen.labels, seen.is_floating_ip_enabled) == (changes["labels"], False)
    coe.update_cluster_template(made.id, name=name)
    assert coe.find_cluster_template(name).uuid == made.id  # its id stays the name
    assert coe.find_cluster_template("no-such") is None
    refused(
        exceptions.NotFoundException, coe.find_cluster_template, "no-such", ignore_missing=False
    )
    refused(exceptions.BadRequestException, coe.create_cluster_template, coe="no-such")
    return str(made.id)


def services(coe: Any) -> None:
    """They are the administrator's business."""
    refused(exceptions.ForbiddenException, lambda: list(coe.services()))


def cluster_life(coe: Any, cloud: Any, name: str, template: str, microversion: str | None) -> str:
    """Make a cluster, let it grow and shrink, and delete it; returns its uuid."""
    asked = coe.create_cluster(name=name, cluster_template_id=template, node_count=1)
    cluster = settled(coe, asked, "CREATE_COMPLETE")
    assert (cluster.name, cluster.node_count, cluster.master_count) == (name, 1, 1)
    assert len(cluster.node_addresses) == 1 and cluster.api_address
    assert cluster.id in {one.id for one in coe.clusters()}
    assert coe.find_cluster(name).uuid == cloud.get_coe_cluster(name).uuid == cluster.id
    assert coe.find_cluster("no-such") is None
    certificates(coe, cloud, cluster.id)

    coe.update_cluster(cluster, node_count=2)
    assert settled(coe, cluster, "UPDATE_COMPLETE").node_count == 2
    actions(coe, cluster, microversion)

    coe.delete_cluster(cluster)
    coe.wait_for_delete(cluster, wait=PATIENCE)
    coe.delete_cluster(cluster.id)
    refused(exceptions.NotFoundException, coe.delete_cluster, cluster.id, ignore_missing=False)
    return str(cluster.id)


def settled(coe: Any, cluster: Any, status: str) -> Any:
    """The cluster, once it has come to a status; exceptions of the SDK tell of any other end."""
    failures = ["CREATE_FAILED", "UPDATE_FAILED", "DELETE_FAILED"]
    # The SDK looks at the object first, and is content with a status from before the change.
    now = coe.get_cluster(cluster.id)
    coe.wait_for_status(now, status, failures=failures, interval=1, wait=PATIENCE)
    return coe.get_cluster(cluster.id)


def actions(coe: Any, cluster: Any, microversion: str | None) -> None:
    """Resize and upgrade. The SDK reads their answers wrongly, with any server: what counts is what comes of it."""
    if microversion is None:  # there are none before 1.7
        refused(exceptions.HttpException, cluster.resize, coe, node_count=1)
        return
    refused(TypeError, cluster.resize, coe, node_count=1)
    assert settled(coe, cluster, "UPDATE_COMPLETE").node_count == 1
    refused(TypeError, cluster.upgrade, coe, cluster_template=cluster.cluster_template_id)
    settled(coe, cluster, "UPDATE_COMPLETE")


def certificates(coe: Any, cloud: Any, cluster: str) -> None:
    """A certificate is signed, for the key that was sent, by the authority that is shown."""
    shown = coe.get_cluster_certificate(cluster)
    authority = x509.load_pem_x509_certificate(shown.pem.encode())
    assert cloud.get_coe_cluster_certificate(cluster).pem == shown.pem
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "admin")])
    request = x509.CertificateSigningRequestBuilder().subject_name(subject)
    text = request.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM).decode()
    for signed in (
        coe.create_cluster_certificate(cluster_uuid=cluster, csr=text),
        cloud.sign_coe_cluster_certificate(cluster, text),
    ):
        certificate = x509.load_pem_x509_certificate(signed.pem.encode())
        certificate.verify_directly_issued_by(authority)
        assert certificate.public_key() == key.public_key()


def refused(kind: type[Exception], function: Any, *arguments: Any, **options: Any) -> None:
    """A call that must raise this."""
    try:
        function(*arguments, **options)
    except kind:
        return
    raise AssertionError(f"{function} with {arguments} {options} raised no {kind.__name__}")


if __name__ == "__main__":
    print(json.dumps(story(**json.loads(sys.argv[1]))))
