"""`python -m mochi_rules` is `mochi-rules`."""

from mochi_rules.cli.main import entry

if __name__ == "__main__":
    entry()
