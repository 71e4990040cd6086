"""A release as a build file declares it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mochi_rules.base.dataclass import dataclass

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mochi_rules.project.label import Label


@dataclass(frozen=True, slots=True)
class DeclaredRelease:
    """A release: the values of its attributes, and nodes.

    `files` are what every archive holds besides the programs, `programs` the executables for each
    configuration by name, and `lock` is None where there is none.
    """

    label: Label
    values: Mapping[str, Any]
    files: tuple[Any, ...]
    programs: Mapping[str, list[Any]]
    lock: Any
