"""The bill of materials in CycloneDX 1.6: https://cyclonedx.org/docs/1.6/json."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Any

from mochi_rules import __version__
from mochi_rules.release.document import document, timestamp

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mochi_rules.release.bom.components import Component
    from mochi_rules.release.contents import Product

_NAMESPACE = uuid.UUID("6c0f0ac3-0e3f-5d1d-9d0c-5f0b5c2f5a51")  # of our serial numbers


def cyclonedx(product: Product, components: Sequence[Component]) -> bytes:
    """Return the document; the first of the components is the product."""
    items = [_component(item) for item in components]
    about = {**items[0], "version": product.version, **_license(product.license)}
    body: dict[str, Any] = {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {
            "timestamp": timestamp(product.time),
            "tools": {
                "components": [
                    {"type": "application", "name": "mochi-rules", "version": __version__}
                ]
            },
            "component": about,
        },
        "components": items[1:],
        "dependencies": [
            {"ref": item.ref, "dependsOn": sorted(set(item.needs))} for item in components
        ],
    }
    # Equal documents have equal serial numbers, as the same release has the same bytes.
    serial = uuid.uuid5(_NAMESPACE, document(body).decode())
    return document({**body, "serialNumber": f"urn:uuid:{serial}"})


def _component(item: Component) -> dict[str, Any]:
    found: dict[str, Any] = {"type": item.kind, "bom-ref": item.ref, "name": item.name}
    if item.version:
        found["version"] = item.version
    if item.sha256:
        found["hashes"] = [{"alg": "SHA-256", "content": item.sha256}]
    if item.purl:
        found["purl"] = item.purl
    return {**found, **_license(item.license)}


def _license(expression: str) -> dict[str, Any]:
    return {"licenses": [{"expression": expression}]} if expression else {}
