"""Container images from a few files, as archives for ``docker load``: no registry, no daemon, no build.

The format is that of ``docker save``: one layer, its configuration, and a manifest that names both.
"""

import hashlib
import io
import json
import tarfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

_DATE = "2020-01-01T00:00:00Z"  # the same content shall give the same image id


def write(
    archive: Path,
    name: str,
    files: Mapping[str, Path],
    *,
    links: Mapping[str, str] | None = None,
    folders: Sequence[str] = (),
    command: Sequence[str] = (),
    entrypoint: Sequence[str] = (),
    architecture: str = "amd64",
) -> None:
    """Write an archive that ``docker load`` takes.

    :param name: repository and tag, such as ``magnum/busybox:1``.
    :param files: what lies where in the image, each with mode 0755.
    :param links: symbolic links and what they point to.
    :param folders: empty folders.
    """
    layer = _layer(files, links or {}, folders)
    configuration = {
        "architecture": architecture,
        "os": "linux",
        "created": _DATE,
        "config": {
            "Env": ["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"],
            "Cmd": [*command] or None,
            "Entrypoint": [*entrypoint] or None,
        },
        "rootfs": {"type": "layers", "diff_ids": [f"sha256:{hashlib.sha256(layer).hexdigest()}"]},
        "history": [{"created": _DATE}],
    }
    text = _json(configuration)
    config_name = f"{hashlib.sha256(text).hexdigest()}.json"
    manifest = [{"Config": config_name, "RepoTags": [name], "Layers": ["layer.tar"]}]
    archive.parent.mkdir(parents=True, exist_ok=True)
    with tarfile.open(archive, "w") as tar:
        for entry, data in (
            ("layer.tar", layer),
            (config_name, text),
            ("manifest.json", _json(manifest)),
        ):
            info = tarfile.TarInfo(entry)
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))


def _layer(files: Mapping[str, Path], links: Mapping[str, str], folders: Sequence[str]) -> bytes:
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w") as tar:
        names = [*files, *links, *(f"{folder}/." for folder in folders)]
        parents = {str(parent) for name in names for parent in Path(name.lstrip("/")).parents}
        wanted = {folder.lstrip("/") for folder in folders} | parents - {"."}
        for folder in sorted(wanted):
            info = tarfile.TarInfo(folder)
            info.type, info.mode = tarfile.DIRTYPE, 0o1777 if folder == "tmp" else 0o755
            tar.addfile(info)
        for name, source in sorted(files.items()):
            info = tarfile.TarInfo(name.lstrip("/"))
            info.size, info.mode = source.stat().st_size, 0o755
            with source.open("rb") as content:
                tar.addfile(info, content)
        for name, target in sorted(links.items()):
            info = tarfile.TarInfo(name.lstrip("/"))
            info.type, info.linkname = tarfile.SYMTYPE, target
            tar.addfile(info)
    return stream.getvalue()


def _json(value: Any) -> bytes:
    return json.dumps(value, sort_keys=True).encode()
