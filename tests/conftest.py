"""How `pytest` chooses tests, what CI forbids, and golden files.

`pytest` runs what needs nothing but Python, on all cores. `pytest --all` runs everything; a test is
skipped when its tool is missing, with the tool's name. Files and tests that are named always run.
"""

from __future__ import annotations

import os
import signal
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, TypeVar

import hypothesis
import pytest

from tests.needs import need

if TYPE_CHECKING:
    from collections.abc import Callable, Generator
    from pathlib import Path

    Report = TypeVar("Report", pytest.TestReport, pytest.CollectReport)

# What the machine of CI cannot have. It has every tool, so no other skip passes there.
ALLOWED_SKIPS = ("a processor ", "an x86_64 machine ", "root is missing")
WITH_NATIVE_TOOLS = {"e2e", "native"}  # folders of tests that use what cargo builds
SLOW_IS_LEFT_OUT = """\
left out {} slow tests (native tools, other platforms, faults): `pytest --all` runs them"""
left_out = pytest.StashKey[int]()
# The extra `test` does without gRPC; `dev` has it.
collect_ignore_glob = [] if find_spec("grpc") else ["unit/remote", "e2e/test_remote*.py"]


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add our options."""
    parser.addoption("--all", action="store_true", help="also run the slow tests")
    parser.addoption("--bless", action="store_true", help="rewrite the golden files")


def pytest_configure(config: pytest.Config) -> None:
    """Refuse `--bless` in CI: a golden is blessed by a person who reads the difference.

    Sets what tests need of their process.
    """
    if config.getoption("--bless") and os.environ.get("CI"):
        raise pytest.UsageError("--bless is not for CI")
    # How long an example takes says more about the machine than about the program. CI tries the
    # same examples each time: who changes nothing breaks nothing.
    is_ci = bool(os.environ.get("CI"))
    hypothesis.settings.register_profile("ours", deadline=None, derandomize=is_ci)
    hypothesis.settings.load_profile("ours")
    _handle_ignored_signals()


def _handle_ignored_signals() -> None:
    """Let what tests start have default signals, also in a job in the background or of `nohup`.

    An ignored signal is inherited, a handled one is not; a program that a test interrupts would
    go on forever.
    """
    if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    if os.name == "posix" and signal.getsignal(signal.SIGHUP) == signal.SIG_IGN:
        signal.signal(signal.SIGHUP, lambda *_: None)


@pytest.hookimpl(tryfirst=True)  # before pytest-xdist reads its options
def pytest_cmdline_main(config: pytest.Config) -> None:
    """Use all cores, unless few tests are asked for or a debugger needs the terminal."""
    option = config.option
    if hasattr(config, "workerinput"):  # a worker starts no workers of its own
        return
    if getattr(option, "numprocesses", 0) is None and not (_is_named(config) or option.usepdb):
        option.numprocesses, option.dist = os.cpu_count(), "worksteal"


def _is_named(config: pytest.Config) -> bool:
    """Return whether the command line names files or tests, not only folders."""
    return bool(config.args) and all(".py" in argument for argument in config.args)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what is slow; of all, run last what may wait for cargo."""
    if config.option.all:
        _spread(items, getattr(config, "workerinput", {}).get("workercount", 1))
    if config.option.all or config.option.markexpr or _is_named(config):
        return
    slow = [item for item in items if item.get_closest_marker("slow")]
    items[:] = [item for item in items if not item.get_closest_marker("slow")]
    config.hook.pytest_deselected(items=slow)
    config.stash[left_out] = len(slow)


def _spread(items: list[pytest.Item], count: int) -> None:
    """Order tests so that each of `count` stretches, one for a process, ends with native ones."""
    late = [item for item in items if WITH_NATIVE_TOOLS.intersection(item.path.parts)]
    waiting = set(late)
    early = [item for item in items if item not in waiting]
    items[:] = [
        item
        for i in range(count)
        for group in (early, late)
        for item in group[len(group) * i // count : len(group) * (i + 1) // count]
    ]


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, Report, Report]:
    """Let a skipped test fail in CI."""
    return _without_skips((yield))


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report() -> Generator[None, Report, Report]:
    """Let a skipped file fail in CI."""
    return _without_skips((yield))


def _without_skips(report: Report) -> Report:
    """Change a skip to a failure in CI, where a missing tool must not hide."""
    if os.environ.get("CI") and report.skipped and not hasattr(report, "wasxfail"):
        reason = str(report.longrepr[2]).removeprefix("Skipped: ")
        if not reason.startswith(ALLOWED_SKIPS):
            report.outcome, report.longrepr = "failed", f"skipped, but CI has all tools: {reason}"
    return report


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Skip a test whose marker names a tool that is missing."""
    for marker in item.iter_markers("needs"):
        need(*marker.args)


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Hand over from a parallel process how many tests it left out."""
    if hasattr(session.config, "workeroutput"):
        session.config.workeroutput["left out"] = session.config.stash.get(left_out, 0)


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """Take over how many tests a parallel process left out: each the same."""
    node.config.stash[left_out] = getattr(node, "workeroutput", {}).get("left out", 0)


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    """Report what was left out, and how to run it."""
    if count := config.stash.get(left_out, 0):
        terminalreporter.write_line(SLOW_IS_LEFT_OUT.format(count))


@pytest.fixture
def golden(request: pytest.FixtureRequest) -> Callable[[Path, str], None]:
    """Compare a string with a golden file, or rewrite the file under `--bless`."""

    def check(path: Path, got: str) -> None:
        if request.config.getoption("--bless"):
            path.write_text(got, encoding="utf-8")
            return
        assert path.exists(), f"no golden file {path}; review and run with --bless"
        assert got == path.read_text(encoding="utf-8")

    return check
