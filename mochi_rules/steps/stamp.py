"""Stamping: a version and a commit reach a compiled program, and no step before this one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mochi_rules.base.diagnostic import fail
from mochi_rules.formats.build_info import SIZE, build_info_place, find_place
from mochi_rules.steps.step import Made, Step

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mochi_rules.steps.engines.engines import Engines


def stamp_step(name: str, values: Mapping[str, str]) -> Step:
    """Fill in the build information of an artifact or an object, which is the input `name`.

    The values are ASCII without control characters, together at most 200.

    Emits: A121 (not compiled for it).
    """

    def make(_engines: Engines, inputs: Mapping[str, bytes]) -> Made:
        data = inputs[name]
        place = find_place(data)
        if place < 0:
            message = "the program has no place for build information, or more than one"
            raise fail("A121", message, help="write `stamp = True` in its rule")
        filled = data[:place] + build_info_place(values) + data[place + SIZE :]
        return Made(filled, " ".join(filter(None, values.values())))

    arguments = tuple(f"--{key}={value}" for key, value in values.items())
    return Step("stamp", arguments, ("stamp",), name, make, is_stored=False)
