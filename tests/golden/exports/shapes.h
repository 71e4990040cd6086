/* shapes: functions in Mochi, made by mochi-rules.
 *
 * The first call runs the top level of the library. Only one thread at a time may call it. An
 * error in Mochi ends the process, as it ends a program: with a message and status 1.
 *
 * Strings and lists are passed as a pointer and a size, which is in bytes for strings. They are
 * copied, so the caller keeps what it passes. Strings are UTF-8.
 * The `data` of a result belongs to the caller, who gives it to `shapes_free`. That of a string
 * ends in a zero byte, which `size` does not count.
 * A pointer to a struct is a handle, which is never null; who passes one keeps it. Each handle that
 * is a result belongs to the caller, who gives it to the `_release` of its struct, once.
 */

#ifndef SHAPES_H
#define SHAPES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct { char *data; size_t size; } shapes_string;
typedef struct { int64_t *data; size_t size; } shapes_ints;
typedef struct { double *data; size_t size; } shapes_floats;
typedef struct shapes_Segment shapes_Segment;
typedef struct shapes_Point shapes_Point;

int64_t shapes_area(int64_t width, int64_t height);
int64_t shapes_count(void);
bool shapes_is_even(int64_t number);
shapes_string shapes_greet(const char *name, size_t name_size, int64_t times);
int64_t shapes_total(const int64_t *xs, size_t xs_size);
shapes_floats shapes_halves(const double *xs, size_t xs_size);
shapes_ints shapes_powers(int64_t count);
shapes_Segment *shapes_segment(double x, double y);
double shapes_length(shapes_Segment *double_);
int64_t shapes_at(const int64_t *xs, size_t xs_size, int64_t index);
int64_t shapes_deep(int64_t depth);
void shapes_say(const char *text, size_t text_size);
shapes_Segment *shapes_Segment_new(shapes_Point *from, shapes_Point *to);
void shapes_Segment_release(shapes_Segment *self);
shapes_Point *shapes_Segment_from(shapes_Segment *self);
shapes_Point *shapes_Segment_to(shapes_Segment *self);
void shapes_Point_release(shapes_Point *self);
double shapes_Point_x(shapes_Point *self);
double shapes_Point_y(shapes_Point *self);
void shapes_free(void *data);

#ifdef __cplusplus
}
#endif

#endif
