"""What is tried with every old ``magnum``: the same steps in both eras, in the words of each.

One bay stands for all of an era's commands; what needs no bay is tried while it is built.
"""

from dataclasses import dataclass
from pathlib import Path

from cryptography import x509

from magnum.tests.functional.clients.commands import Commands
from magnum.tests.functional.clients.pki import request_file
from magnum.tests.functional.cloud.client import Magnum, until


@dataclass(frozen=True)
class Era:
    """How an era's commands and bodies call the two nouns."""

    one: str
    model: str
    ones: str
    models: str
    refers: str


BAYS = Era("bay", "baymodel", "bays", "baymodels", "baymodel_id")
CLUSTERS = Era("cluster", "cluster-template", "clusters", "clustertemplates", "cluster_template_id")

#: What 2.3.1 says on Python 3 after each change, whatever the server answers: it takes an error's text apart that there
#: is not (rest-contract.md, 3.2). The release after it does not.
BROKEN = r"for (bay|cluster) \S+ failed: list index out of range"


@dataclass(frozen=True)
class Steps:
    """The steps of one version, on one era's nouns.

    :param magnum: the program, run by an ordinary user.
    :param api: our API as the same user sees it.
    :param fields: options of a model whose nodes are reported for.
    """

    magnum: Commands
    api: Magnum
    era: Era
    fields: dict[str, str]

    def get(self, path: str) -> dict[str, object]:
        """What our API has, asked without the client."""
        answer = self.api.call("GET", path)
        assert answer.status_code == 200, answer.text
        found: dict[str, object] = answer.json()
        return found

    def make_model(self, name: str, *more: str) -> dict[str, str]:
        """Create a model of Swarm."""
        fields = {
            "--name": name,
            "--coe": "swarm",
            "--image-id": "fedora-atomic",
            "--external-network-id": "public",
            "--dns-nameserver": "8.8.8.8",
            **self.fields,
        }
        words = [word for pair in fields.items() for word in pair]
        return self.magnum.shown(f"{self.era.model}-create", *words, *more)

    def models(self) -> None:
        """All that can be done with models."""
        noun, path = self.era.model, f"/{self.era.models}"
        options = ["--labels", "a=1,b=2", "--docker-volume-size", "5", "--no-proxy", "10.0.0.1"]
        made = self.make_model(
            "spare", *options, "--http-proxy", "http://proxy:1", "--tls-disabled"
        )
        model = self.get(f"{path}/{made['uuid']}")
        assert model["labels"] == {"a": "1", "b": "2"}
        assert (model["docker_volume_size"], model["tls_disabled"]) == (5, True)

        listed = {row["uuid"]: row["name"] for row in self.magnum.rows(f"{noun}-list")}
        assert listed[made["uuid"]] == "spare"
        shown = self.magnum.shown(f"{noun}-show", "spare")
        assert (shown["uuid"], shown["http_proxy"]) == (made["uuid"], "http://proxy:1")

        self.magnum(f"{noun}-update", "spare", "replace", "http_proxy=http://p:2", "name=other")
        self.magnum(f"{noun}-update", "other", "add", "labels/c=3")
        self.magnum(f"{noun}-update", "other", "remove", "no_proxy")
        model = self.get(f"{path}/{made['uuid']}")
        assert (model["name"], model["http_proxy"], model["no_proxy"]) == (
            "other",
            "http://p:2",
            None,
        )
        assert model["labels"] == {"a": "1", "b": "2", "c": "3"}

        self.magnum(f"{noun}-delete", "other")
        assert self.api.call("GET", f"{path}/{made['uuid']}").status_code == 404

    def create(self, name: str, model: str) -> str:
        """Ask for a bay of one node; returns its uuid."""
        noun = self.era.one
        words = ("--name", name, f"--{self.era.model}", model, "--node-count", "1")
        self.magnum(f"{noun}-create", *words, "--timeout", "30", but=BROKEN)
        (row,) = self.magnum.rows(f"{noun}-list")
        assert row["name"] == name
        assert row["status"] in ("CREATE_IN_PROGRESS", "CREATE_COMPLETE")
        return row["uuid"]

    def look(self, uuid: str, name: str) -> None:
        """See a bay that is there."""
        noun = self.era.one
        shown = self.magnum.shown(f"{noun}-show", name)
        there = self.get(f"/{self.era.ones}/{uuid}")
        assert shown["uuid"] == uuid
        assert shown["status"] == there["status"] == "CREATE_COMPLETE"
        assert shown["api_address"] == there["api_address"]
        assert shown["node_addresses"] == str(there["node_addresses"])
        assert shown[self.era.refers] == there[self.era.refers]

    def look_long(self, name: str) -> None:
        """See a bay with all of its model."""
        shown = self.magnum.shown(f"{self.era.one}-show", "--long", name)
        assert "swarm" in {value for key, value in shown.items() if "coe" in key}, shown

    def certificates(self, name: str, folder: Path) -> None:
        """See the CA, and have it sign."""
        option = f"--{self.era.one}"
        authority = x509.load_pem_x509_certificate(self.magnum("ca-show", option, name).encode())
        request = request_file(folder, "somebody")
        signed = self.magnum("ca-sign", option, name, "--csr", str(request))
        x509.load_pem_x509_certificate(signed.encode()).verify_directly_issued_by(authority)

    def scale(self, uuid: str, name: str) -> None:
        """Have two nodes."""
        self.magnum(f"{self.era.one}-update", name, "replace", "node_count=2", but=BROKEN)
        settled = self.api.settled(uuid, "UPDATE_COMPLETE")
        assert (settled["node_count"], len(settled["node_addresses"])) == (2, 2)

    def delete(self, uuid: str, name: str) -> None:
        """Delete a bay and see that it goes."""
        self.magnum(f"{self.era.one}-delete", name)
        until(lambda: self.api.call("GET", f"/{self.era.ones}/{uuid}").status_code == 404)
        assert not self.magnum.rows(f"{self.era.one}-list")
