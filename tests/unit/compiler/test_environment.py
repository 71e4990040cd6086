"""Environments: versions of a map that share what they have in common."""

from __future__ import annotations

import pytest

from mochi_rules.compiler.ir.environment import Environment
from mochi_rules.compiler.ir.function import Value
from mochi_rules.compiler.ir.types import INT

ONE, TWO, THREE = (Value("const", (), INT, number) for number in (1, 2, 3))


def _environment(count: int) -> Environment:
    environment = Environment()
    for number in range(count):
        environment[f"v{number}"] = ONE
    return environment


def test_a_version_keeps_its_own_values() -> None:
    """What happens to one version afterwards does not show in another."""
    first = _environment(2)
    second = Environment(first)
    first["v0"] = TWO
    second["new"] = THREE
    assert (first["v0"], second["v0"]) == (TWO, ONE)
    assert "new" not in first


@pytest.mark.parametrize("count", [1, 32, 33, 1024, 1025, 40_000])
def test_every_variable_is_found_at_any_size(count) -> None:
    """A tree of any height gives back what was put in, and nothing else."""
    environment = _environment(count)
    assert all(f"v{number}" in environment for number in range(count))
    assert environment.get("none") is None


def test_differences_are_what_changed_in_order_of_declaration() -> None:
    """A variable that one version changed, forgot or has alone is a difference."""
    first = _environment(2000)
    second = Environment(first)
    second["v1500"] = TWO
    second.pop("v7")
    second["new"] = THREE
    first["v3"] = first["v3"]
    assert list(first.differences([second])) == ["v7", "v1500", "new"]


def test_versions_of_different_heights_compare() -> None:
    """A version that has grown by many variables differs from its origin by just these."""
    first = _environment(3)
    second = Environment(first)
    for number in range(100):
        second[f"w{number}"] = ONE
    assert list(first.differences([second])) == [f"w{number}" for number in range(100)]


def test_a_forgotten_variable_is_missing() -> None:
    """`pop` returns the value, and what is not there is a KeyError."""
    environment = _environment(1)
    assert environment.pop("v0") is ONE
    with pytest.raises(KeyError):
        environment["v0"]
