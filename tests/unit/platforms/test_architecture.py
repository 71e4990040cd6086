"""The table of architectures."""

from __future__ import annotations

import pytest
from elftools.elf.enums import ENUM_E_MACHINE

from mochi_rules.platforms.architecture import ARCHITECTURES


@pytest.mark.parametrize("row", ARCHITECTURES, ids=lambda row: row.name)
def test_name_and_number_of_a_machine_agree(row):
    """The name and the number of e_machine are those of the ELF specification."""
    assert ENUM_E_MACHINE[row.elf_name] == row.elf_machine


@pytest.mark.parametrize("row", ARCHITECTURES, ids=lambda row: row.name)
def test_levels_have_only_settings_of_the_architecture(row):
    """Every flag of a CPU level, and every baseline flag, is one of Cranelift's settings."""
    flags = {flag for level in row.cpu_levels for flag in level.flags}
    assert flags | row.baseline_flags <= set(row.isa_flags)


@pytest.mark.parametrize("row", ARCHITECTURES, ids=lambda row: row.name)
def test_default_level_is_one_of_the_levels(row):
    """A row names its default among its own levels."""
    assert row.default_cpu_level in [level.name for level in row.cpu_levels]
