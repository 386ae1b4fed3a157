"""What a client's ``config`` command has written, and whether it opens the doors that it is for."""

import base64
import re
from dataclasses import dataclass
from pathlib import Path

import yaml
from cryptography import x509
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from magnum.tests.functional.cloud.client import Magnum


@dataclass(frozen=True)
class Written:
    """Key, certificate and CA as files, and the address that they are for."""

    address: str
    folder: Path

    def file(self, name: str) -> Path:
        """``ca``, ``cert`` or ``key``."""
        return self.folder / f"{name}.pem"

    def belong_to(self, api: Magnum, uuid: str) -> None:
        """Fails unless this is the address of a bay, its CA, and a certificate by that CA for the key."""
        assert self.address == api.bay(uuid)["api_address"]
        authority = api.call("GET", f"/certificates/{uuid}").json()["pem"]
        assert self.file("ca").read_text() == authority
        signed = x509.load_pem_x509_certificate(self.file("cert").read_bytes())
        signed.verify_directly_issued_by(x509.load_pem_x509_certificate(authority.encode()))
        key = load_pem_private_key(self.file("key").read_bytes(), None)
        assert key.public_key() == signed.public_key()


def kubernetes_settings(folder: Path) -> Written:
    """What kubectl finds in a file of settings that a command has written; the parts are put beside it."""
    settings = yaml.safe_load((folder / "config").read_text())
    (cluster,) = (one["cluster"] for one in settings["clusters"])
    (user,) = (one["user"] for one in settings["users"])
    written = Written(cluster["server"], folder)
    parts = {
        "ca": cluster["certificate-authority-data"],
        "cert": user["client-certificate-data"],
        "key": user["client-key-data"],
    }
    for name, data in parts.items():
        written.file(name).write_bytes(base64.b64decode(data))
    return written


def swarm_settings(said: str, folder: Path) -> Written:
    """What a shell has after it has taken up the lines for Docker that a command said."""
    lines = re.findall(r"^export (\w+)=(.*)$", said, re.MULTILINE)
    variables = dict(lines)
    assert variables["DOCKER_TLS_VERIFY"] == "True", said
    assert variables["DOCKER_CERT_PATH"] == str(folder), said
    return Written(variables["DOCKER_HOST"], folder)
