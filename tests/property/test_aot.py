"""Properties of configurations, frames, objects and the resolution of toolchains."""

from __future__ import annotations

import io

from elftools.elf.elffile import ELFFile
from hypothesis import given
from hypothesis import strategies as st

from mochi_rules.aot.config import EngineConfig, canonical, engine_config
from mochi_rules.aot.engine_options import BY_NAME
from mochi_rules.aot.objects.writer import ALIGNMENTS, write_object
from mochi_rules.aot.probe import engine_section
from mochi_rules.aot.problems import refusal
from mochi_rules.base.diagnostic import MochiError
from mochi_rules.platforms.cpu import find_cpu_level
from mochi_rules.platforms.platform import PLATFORMS, find_platform
from mochi_rules.platforms.toolchain import Toolchain, ToolchainType, resolve
from mochi_rules.workers.protocol import ProtocolError, read_answer, read_frame, write_answer

platforms = st.sampled_from(PLATFORMS)
anything = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=8),
    st.binary(max_size=4), st.integers(0, 1 << 25).map(lambda count: count << 16),
    st.sampled_from(["none", "speed", "speed_and_size", "cranelift", "winch"]),
    st.lists(st.integers(), max_size=2),
)  # fmt: skip
constraints = platforms.map(lambda row: row.constraints) | st.just(frozenset())
toolchains = st.builds(
    Toolchain,
    st.sampled_from(ToolchainType),
    st.text(max_size=4),
    st.just("here"),
    constraints,
    constraints,
    st.sampled_from(["", "it is broken"]),
)


def outcome(function, *arguments):
    """Return what a function returns, or the MochiError it raises."""
    try:
        return function(*arguments)
    except MochiError as error:
        return error


@given(platforms, st.dictionaries(st.sampled_from(sorted(BY_NAME)) | st.text(max_size=8), anything))
def test_settings_are_valid_or_refused(platform, settings):
    """Whatever a user writes is a valid configuration or a MochiError, never another exception."""
    found = outcome(engine_config, platform, "", settings)
    if isinstance(found, MochiError):
        assert all(item.help for item in found.diagnostics)
        return
    for name, value in settings.items():
        assert getattr(found, name) == value


@given(platforms, platforms)
def test_canonical_forms_of_platforms_differ(one, other):
    """Two platforms never share a key."""
    forms = [canonical(EngineConfig(row, find_cpu_level(row))) for row in (one, other)]
    assert (forms[0] == forms[1]) == (one is other)


@given(st.text(max_size=40))
def test_platform_is_found_or_refused(text):
    """Any text is a platform or a MochiError."""
    found = outcome(find_platform, text)
    if isinstance(found, MochiError):
        assert found.exit_status == 2
        return
    assert text in (found.name, found.triple)


@given(st.none() | st.text(), st.binary(max_size=100), st.integers(0, 200))
def test_cut_answer_is_refused(error, artifact, size):
    """An answer is read back whole, and refused when any of its end is missing."""
    stream = io.BytesIO()
    write_answer(stream, error, artifact)
    data = stream.getvalue()
    assert read_answer(io.BytesIO(data)) == (error, artifact)
    try:
        read_answer(io.BytesIO(data[: min(size, len(data) - 1)]))
    except ProtocolError:
        return
    raise AssertionError("a cut answer was read")


@given(st.binary(max_size=60))
def test_any_bytes_are_a_frame_or_refused(data):
    """Reading any bytes gives a frame within the limit, the end, or a ProtocolError."""
    try:
        frame = read_frame(io.BytesIO(data), 40)
    except ProtocolError:
        return
    assert (frame is None) == (data == b"")
    assert frame is None or (len(frame) <= 40 and frame in data)


@given(st.text(max_size=60))
def test_any_words_of_wasmtime_become_a_diagnostic(text):
    """Whatever a worker says is one diagnostic with a code of refusals."""
    host = find_platform("x86_64-linux")
    error = refusal(text, engine_config(host))
    assert error.diagnostics[0].code in ("A066", "A067", "A068", "A069")


@given(st.binary(max_size=200).map(lambda rest: b"\x7fELF\x02\x01" + rest))
def test_random_elf_has_no_engine_section(data):
    """Looking for the engine section in random bytes fails with A064 and nothing else."""
    assert str(outcome(engine_section, data)).startswith("A064")


@given(
    st.sampled_from([row for row in PLATFORMS if row.system.object_format == "elf"]),
    st.from_regex(r"\A[A-Za-z_][A-Za-z0-9_]{0,20}\Z"),
    st.binary(max_size=300).map(lambda data: data + data),
    st.sampled_from(ALIGNMENTS),
)
def test_payload_comes_back_from_elf(platform, base, payload, alignment):
    """What pyelftools finds between the symbols of an object is what was put in."""
    elf = ELFFile(io.BytesIO(write_object(platform, base, payload, alignment)))
    symbols = elf.get_section_by_name(".symtab")
    [start], [end] = (symbols.get_symbol_by_name(f"{base}_{name}") for name in ("start", "end"))
    section = elf.get_section(start["st_shndx"])
    assert section.data()[start["st_value"] : end["st_value"]] == payload


@given(st.lists(toolchains, max_size=6), st.lists(toolchains, max_size=3), platforms, platforms)
def test_later_toolchains_never_change_the_answer(first, later, target, host):
    """A resolution that has chosen is the same whatever is registered behind it."""
    found = resolve(first, ToolchainType.AOT, target, host)
    if found.chosen is None:
        assert len(found.rejected) == sum(item.type is ToolchainType.AOT for item in first)
        return
    assert found.chosen.exec <= host.constraints
    assert found.chosen.target <= target.constraints
    assert not found.chosen.missing
    assert resolve([*first, *later], ToolchainType.AOT, target, host) == found
