"""Calls functions in Mochi; stats.h says who owns what."""

import ctypes as c
from pathlib import Path

DOUBLES, INTS, HANDLE = c.POINTER(c.c_double), c.POINTER(c.c_int64), c.c_void_p


class String(c.Structure):
    """`stats_string`."""

    _fields_ = (("data", c.c_void_p), ("size", c.c_size_t))


class Ints(c.Structure):
    """`stats_ints`."""

    _fields_ = (("data", INTS), ("size", c.c_size_t))


# Without these, ctypes takes everything for a C `int`, which cuts pointers off.
SIGNATURES = {
    "mean": (c.c_double, DOUBLES, c.c_size_t),
    "totals": (Ints, INTS, c.c_size_t),
    "summarize": (HANDLE, c.c_char_p, c.c_size_t, DOUBLES, c.c_size_t),
    "describe": (String, HANDLE),
    "is_within": (c.c_bool, c.c_double, HANDLE),
    "Summary_range": (HANDLE, HANDLE),
    "Summary_release": (None, HANDLE),
    "Range_release": (None, HANDLE),
    "free": (None, c.c_void_p),
}
library = c.CDLL(str(Path(__file__).with_name("libstats.so")))
stats = {name: library[f"stats_{name}"] for name in SIGNATURES}
for name, (result, *parameters) in SIGNATURES.items():
    stats[name].restype, stats[name].argtypes = result, parameters


def take_string(result: String) -> str:
    """Return a copy of a result, and free it."""
    text = c.string_at(result.data, result.size).decode()
    stats["free"](result.data)
    return text


def take_ints(result: Ints) -> list[int]:
    """Return a copy of a result, and free it."""
    values = result.data[: result.size]
    stats["free"](result.data)
    return values


seconds = (c.c_double * 3)(1.5, 0.25, 4.0)
counts = (c.c_int64 * 3)(3, 4, 5)
label = b"Python"

print(f"mean: {stats['mean'](seconds, len(seconds)):g}")
for total in take_ints(stats["totals"](counts, len(counts))):
    print(f"total: {total}")

summary = stats["summarize"](label, len(label), seconds, len(seconds))
bounds = stats["Summary_range"](summary)
print(take_string(stats["describe"](summary)))
stats["Summary_release"](summary)
print(f"2 is {'inside' if stats['is_within'](2.0, bounds) else 'outside'}")
stats["Range_release"](bounds)  # a reference of its own, so it outlived the summary
