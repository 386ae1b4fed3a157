"""What a node finds when it boots: the content of an OpenStack config drive, in a folder of its own disk.

This kernel cannot mount the ISO that a config drive is, but cloud-init also takes its content from a folder
(``/var/lib/cloud/seed/config_drive``). The rest is as on a server of Nova.
"""

import json
import uuid
from pathlib import Path
from typing import Any

from tools.node_run.plan import Spec

_FOLDER = "var/lib/cloud/seed/config_drive/openstack/latest"


def meta_data(spec: Spec) -> dict[str, Any]:
    """``meta_data.json``. A node that is no server's gets an id from its key."""
    try:
        identity = str(uuid.UUID(spec.key))
    except ValueError:
        identity = str(uuid.uuid5(uuid.NAMESPACE_DNS, spec.key))
    return {
        "uuid": identity,
        "name": spec.name,
        "hostname": spec.name,
        "launch_index": 0,
        "availability_zone": "nova",
        **spec.facts,
    }


def write(root: Path, spec: Spec) -> None:
    """Put the seed and the host name into the (not yet mounted) upper folder of a node's disk."""
    folder = root / _FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "meta_data.json").write_text(json.dumps(meta_data(spec), indent=1))
    (folder / "vendor_data.json").write_text("{}")
    (folder / "user_data").write_bytes(spec.user_data)
    (folder / "user_data").chmod(0o600)
    (root / "etc").mkdir(exist_ok=True)
    (root / "etc/hostname").write_text(f"{spec.name}\n")
