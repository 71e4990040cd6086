"""Images of containers, as an OCI image layout in a tar archive, which `docker load` takes too.

https://github.com/opencontainers/image-spec
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mochi_rules.base.digest import digest_bytes
from mochi_rules.release.archives.tarball import tar
from mochi_rules.release.contents import File
from mochi_rules.release.document import line, timestamp

if TYPE_CHECKING:
    from mochi_rules.release.contents import Contents

_CONFIG = "application/vnd.oci.image.config.v1+json"
_LAYER = "application/vnd.oci.image.layer.v1.tar"
_MANIFEST = "application/vnd.oci.image.manifest.v1+json"
_INDEX = "application/vnd.oci.image.index.v1+json"


def oci(contents: Contents) -> bytes:
    """Return an image that has nothing but the files; it runs its program, if there is one."""
    product = contents.product
    layer = tar(contents.all_files, product.time)
    config = line(_config(contents, digest_bytes(layer).hash))
    manifest = line(
        {
            "schemaVersion": 2,
            "mediaType": _MANIFEST,
            "config": _descriptor(_CONFIG, config),
            "layers": [_descriptor(_LAYER, layer)],
        }
    )
    name = f"{product.name.lower()}:{product.version}"
    references = {"org.opencontainers.image.ref.name": product.version,
                  "io.containerd.image.name": f"docker.io/library/{name}"}  # fmt: skip
    index = {
        "schemaVersion": 2,
        "mediaType": _INDEX,
        "manifests": [{**_descriptor(_MANIFEST, manifest), "annotations": references}],
    }
    blobs = [File(_path(data), data) for data in (layer, config, manifest)]
    # Docker before version 25 reads this in place of the index.
    docker = [{"Config": _path(config), "RepoTags": [name], "Layers": [_path(layer)]}]
    files = [
        File("oci-layout", line({"imageLayoutVersion": "1.0.0"})),
        File("index.json", line(index)),
        File("manifest.json", line(docker)),
        *blobs,
    ]
    return tar(files, product.time)


def _config(contents: Contents, layer: str) -> dict[str, Any]:
    created = timestamp(contents.product.time)
    programs = contents.programs
    return {
        "architecture": contents.platform.architecture.package_name,
        "os": "linux",
        "created": created,
        "config": {"Entrypoint": [f"/{programs[0].path}"]} if len(programs) == 1 else {},
        "rootfs": {"type": "layers", "diff_ids": [f"sha256:{layer}"]},
        "history": [{"created": created, "created_by": "mochi_rules"}],
    }


def _descriptor(kind: str, data: bytes) -> dict[str, Any]:
    return {"mediaType": kind, "digest": f"sha256:{digest_bytes(data).hash}", "size": len(data)}


def _path(data: bytes) -> str:
    return f"blobs/sha256/{digest_bytes(data).hash}"
