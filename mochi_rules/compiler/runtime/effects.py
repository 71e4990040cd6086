"""The effects of functions of the runtime library that a program can observe.

Their code does not show them: all of it works on memory, most of which no program sees. A function
that is not listed may do anything but set a program's variables.
"""

from __future__ import annotations

from mochi_rules.compiler.ir.ops import COUNTS, HEAP, OUTSIDE, Effects

_LOOKS = Effects(HEAP, traps=True)
_MAKES = Effects(HEAP, COUNTS, traps=True, allocates=True)
_EXTENDS = Effects(HEAP, COUNTS, traps=True, frees=True, allocates=True)  # what it takes over
_PRINTS = Effects(HEAP, OUTSIDE, traps=True)
_NAMES = {
    _LOOKS: """
        any_equal any_exists any_in any_len any_truthy cast_bool cast_float cast_int float_cos
        float_exp float_log float_pow float_rem float_sin float_tan hash_pair int_abs
        int_of_string list_avg_float list_avg_int list_contains list_contains_bool
        list_contains_float list_contains_int list_contains_string list_index_of
        list_index_of_bool list_index_of_float list_index_of_int list_index_of_string
        list_max_float list_max_int list_min_float list_min_int list_sum_float list_sum_int
        map_find_any mul_slow parse_int_base pow_int round_float string_compare string_contains
        string_ends_with string_index_of string_next string_size string_starts_with
        """,
    _MAKES: """
        any_add any_div any_field any_index any_keys any_max any_min any_mul any_neg any_rem
        any_slice any_sub any_sum any_avg any_values build_info cast_field cast_string key_text
        list_cast list_copy list_view list_distinct list_element list_except list_intersect
        list_max_string list_min_string list_of_any list_range list_reverse list_sort
        list_sort_by_keys list_union list_union_all map_copy map_keys map_values string_at
        string_char_at_offset string_chars string_join string_lower string_of_any string_of_bool
        string_of_float string_of_int string_pad_start string_repeat string_reverse string_slice
        string_split string_trim string_upper text_of_any
        """,
    _EXTENDS: "any_append list_concat list_slice string_concat",
    _PRINTS: """
        json_print print_any print_bool print_float print_int print_newline print_space
        print_string print_trimmed
        """,
}
LIBRARY_EFFECTS = {name: effects for effects, names in _NAMES.items() for name in names.split()}
