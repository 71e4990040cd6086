/* Calls every function of tests/golden/exports/shapes.mochi, or with an argument one that fails. */

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "shapes.h"

static int is(const char *wanted, shapes_string found) {
    int same = strlen(wanted) == found.size && strcmp(wanted, found.data) == 0;
    shapes_free(found.data);
    return same;
}

#define CHECK(condition)                                                                           \
    if (!(condition)) {                                                                            \
        printf("line %d: %s\n", __LINE__, #condition);                                             \
    }

int main(int count, char **arguments) {
    const int64_t ints[] = {1, -2, INT64_C(1) << 40};
    const double floats[] = {1.0, -0.5, INFINITY};
    CHECK(shapes_area(6, -7) == -42)
    CHECK(shapes_count() == 1)
    CHECK(shapes_is_even(4) && !shapes_is_even(5))
    CHECK(is("hello Zo\xc3\xab Zo\xc3\xab", shapes_greet("Zo\xc3\xab", 4, 2)))
    CHECK(is("hello ", shapes_greet(NULL, 0, 1)))
    CHECK(shapes_total(ints, 3) == (INT64_C(1) << 40) - 1)
    CHECK(shapes_total(NULL, 0) == 0)
    shapes_floats halves = shapes_halves(floats, 3);
    CHECK(halves.size == 3 && halves.data[0] == 0.5 && halves.data[1] == -0.25)
    CHECK(isinf(halves.data[2]))
    shapes_free(halves.data);
    shapes_ints powers = shapes_powers(4);
    CHECK(powers.size == 4 && powers.data[0] == 1 && powers.data[3] == 4096)
    shapes_free(powers.data);
    shapes_Segment *segment = shapes_segment(3, 4);
    shapes_Point *to = shapes_Segment_to(segment);
    CHECK(shapes_Point_x(to) == 3 && shapes_Point_y(to) == 4)
    shapes_Segment *back = shapes_Segment_new(to, shapes_Segment_from(segment));
    shapes_Segment_release(segment);
    CHECK(shapes_length(back) == 25)
    shapes_Segment_release(back);
    CHECK(shapes_Point_x(to) == 3)
    shapes_Point_release(to);
    for (int round = 0; round < 10000; round++) {
        shapes_free(shapes_greet("again", 5, 100).data);
    }
    shapes_say("said", 4);
    if (count > 1 && strcmp(arguments[1], "index") == 0) {
        shapes_at(ints, 3, 3);
    }
    if (count > 1 && strcmp(arguments[1], "deep") == 0) {
        shapes_deep(INT64_C(1) << 40);
    }
    return 0;
}
