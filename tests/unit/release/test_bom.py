"""Tests of the bills of materials, by the official schemas."""

from __future__ import annotations

import json
import subprocess
from typing import Any

import pytest

from mochi_rules import __version__
from mochi_rules.base.diagnostic import MochiError
from mochi_rules.platforms.native_files import native_directory
from mochi_rules.platforms.platform import find_platform
from mochi_rules.release.archives.reader import read_archive
from mochi_rules.release.bom import crates
from mochi_rules.release.bom.crates import own_part, third_party_text
from mochi_rules.release.build_record import Crate
from tests.e2e.project import REPOSITORY

from .samples import ARCHIVE, CRATES, files

CYCLONEDX, SPDX = "app-1.2.0.cdx.json", "app-1.2.0.spdx.json"


def document(name: str) -> dict[str, Any]:
    """Return a bill of the sample."""
    found: dict[str, Any] = json.loads(files()[name])
    return found


def test_cyclonedx_fits_its_schema() -> None:
    """The schema of CycloneDX 1.6 finds no mistake."""
    pytest.importorskip("cyclonedx.validation.json")
    from cyclonedx.schema import SchemaVersion
    from cyclonedx.validation.json import JsonStrictValidator

    validator = JsonStrictValidator(SchemaVersion.V1_6)
    assert validator.validate_str(files()[CYCLONEDX].decode()) is None


def test_spdx_is_valid(tmp_path: Any) -> None:
    """The validator of SPDX 2.3 finds no mistake."""
    pytest.importorskip("spdx_tools")
    from spdx_tools.spdx.parser.parse_anything import parse_file
    from spdx_tools.spdx.validation.document_validator import validate_full_spdx_document

    path = tmp_path / SPDX
    path.write_bytes(files()[SPDX])
    assert validate_full_spdx_document(parse_file(str(path)), "SPDX-2.3") == []


def test_crates_have_version_licence_purl_and_digest() -> None:
    """A scanner finds a vulnerable crate by its purl."""
    crate = next(item for item in document(CYCLONEDX)["components"] if item["name"] == "anyhow")
    assert crate["version"] == "1.0.0"
    assert crate["purl"] == "pkg:cargo/anyhow@1.0.0"
    assert crate["licenses"] == [{"expression": "MIT OR Apache-2.0"}]
    assert crate["hashes"] == [{"alg": "SHA-256", "content": 64 * "a"}]


def test_archive_leads_to_launcher_compilers_and_sources() -> None:
    """The graph goes from the product over archive and program to what that is made of and by."""
    needs = {item["ref"]: item["dependsOn"] for item in document(CYCLONEDX)["dependencies"]}
    assert needs["product:app"] == [f"archive:{ARCHIVE}"]
    assert needs[f"archive:{ARCHIVE}"] == ["program:x86_64-linux/app"]
    assert needs["program:x86_64-linux/app"] == [
        "launcher-x86_64-linux",
        "pkg:github/bytecodealliance/wasmtime@v48.0.0",
        f"pkg:pypi/mochi-rules@{__version__}",
        "source:app/app.mochi",
    ]
    assert "pkg:cargo/wasmtime@48.0.8" in needs["launcher-x86_64-linux"]


def test_licence_text_stands_once_below_the_names_of_all_crates_that_it_is_for() -> None:
    """A crate without a text of its own has that of others with the same licence."""
    text = third_party_text(own_part(), CRATES)
    assert text.count("Apache\n") == 1
    names = "wasmtime 48.0.8 (Apache-2.0 WITH LLVM-exception)\nwasmtime-core 48.0.8"
    assert names in text


def test_archive_has_our_licence() -> None:
    """Every program has our launcher and runtime library in it."""
    found = read_archive(ARCHIVE, files()[ARCHIVE])
    [text] = [file.data.decode() for path, file in found.items() if "THIRD-PARTY" in path]
    assert f"mochi_rules {__version__} (MIT)" in text
    assert (REPOSITORY / "LICENSE").read_text().strip() in text


def test_licence_of_ours_is_nobody_elses() -> None:
    """A crate under the same licence, but without its text, has other authors."""
    crate = Crate("x", "1.0", "MIT", "", ())
    assert "x 1.0" not in third_party_text(own_part(), [crate])


def test_cargo_is_asked_for_the_crates_of_one_target(monkeypatch: pytest.MonkeyPatch) -> None:
    """With the pinned versions, in the folder of the launcher; its errors are shown."""
    asked: list[Any] = []

    def run(command: tuple[str, ...], **options: Any) -> subprocess.CompletedProcess[bytes]:
        asked.append((" ".join(command), options["cwd"]))
        return subprocess.CompletedProcess(command, 101, b"", b"error: no network\n")

    monkeypatch.setattr(subprocess, "run", run)
    root = native_directory()
    assert root is not None
    with pytest.raises(MochiError, match="R023") as caught:
        crates._metadata(find_platform("s390x-linux"))
    words = "cargo metadata --format-version 1 --locked --filter-platform s390x-unknown-linux-gnu"
    assert asked == [(words, root / "launcher")]
    assert caught.value.diagnostics[0].notes == ("output of cargo:\n    error: no network",)
