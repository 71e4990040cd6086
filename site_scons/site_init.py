"""Lets SCons find mochi_rules in this checkout, where it is not installed."""  # noqa: INP001 - SCons runs it

import sys
from pathlib import Path

_CHECKOUT = str(Path(__file__).resolve().parents[1])
if _CHECKOUT not in sys.path:
    sys.path.append(_CHECKOUT)
