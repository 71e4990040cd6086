"""The bill of materials in SPDX 2.3: https://spdx.github.io/spdx-spec/v2.3."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from mochi_rules import __version__
from mochi_rules.base.digest import digest_bytes
from mochi_rules.release.document import document, timestamp

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mochi_rules.release.bom.components import Component
    from mochi_rules.release.contents import Product

_DOCUMENT = "SPDXRef-DOCUMENT"
_PURPOSES = {"application": "APPLICATION", "library": "LIBRARY", "file": "FILE"}
_NONE = "NOASSERTION"
_DIGITS = 8  # hexadecimal, which keep two names apart that differ in signs alone


def spdx(product: Product, components: Sequence[Component]) -> bytes:
    """Return the document; the first of the components is the product."""
    packages = [_package(item) for item in components]
    packages[0] |= {"versionInfo": product.version, "licenseDeclared": product.license or _NONE}
    name = f"{product.name}-{product.version}"
    body: dict[str, Any] = {
        "spdxVersion": "SPDX-2.3",
        "dataLicense": "CC0-1.0",
        "SPDXID": _DOCUMENT,
        "name": name,
        "creationInfo": {
            "created": timestamp(product.time),
            "creators": [f"Tool: mochi_rules-{__version__}"],
        },
        "packages": packages,
        "relationships": [
            _relation(_DOCUMENT, "DESCRIBES", _id(components[0].ref)),
            *(
                _relation(_id(item.ref), "CONTAINS", _id(need))
                for item in components
                for need in sorted(set(item.needs))
            ),
        ],
    }
    digest = digest_bytes(document(body)).hash
    return document({**body, "documentNamespace": f"https://spdx.org/spdxdocs/{name}-{digest}"})


def _package(item: Component) -> dict[str, Any]:
    package: dict[str, Any] = {
        "SPDXID": _id(item.ref),
        "name": item.name,
        "downloadLocation": _NONE,
        "filesAnalyzed": False,
        "licenseConcluded": _NONE,
        "licenseDeclared": item.license or _NONE,
        "copyrightText": _NONE,
        "primaryPackagePurpose": _PURPOSES[item.kind],
    }
    if item.version:
        package["versionInfo"] = item.version
    if item.sha256:
        package["checksums"] = [{"algorithm": "SHA256", "checksumValue": item.sha256}]
    if item.purl:
        package["externalRefs"] = [
            {
                "referenceCategory": "PACKAGE-MANAGER",
                "referenceType": "purl",
                "referenceLocator": item.purl,
            }
        ]
    return package


def _relation(one: str, kind: str, other: str) -> dict[str, str]:
    return {"spdxElementId": one, "relationshipType": kind, "relatedSpdxElement": other}


def _id(ref: str) -> str:
    digest = digest_bytes(ref.encode()).hash[:_DIGITS]
    return f"SPDXRef-{re.sub('[^0-9A-Za-z.-]', '-', ref)}-{digest}"
