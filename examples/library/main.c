/* Calls functions in Mochi; stats.h says who owns what. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "stats.h"

static void print_and_free(stats_string text) {
    puts(text.data);
    stats_free(text.data);
}

int main(void) {
    const double seconds[] = {1.5, 0.25, 4.0};
    const int64_t counts[] = {3, 4, 5};
    const char *name = "C";

    printf("mean: %g\n", stats_mean(seconds, 3));

    stats_ints totals = stats_totals(counts, 3);
    for (size_t at = 0; at < totals.size; at++) {
        printf("total: %" PRId64 "\n", totals.data[at]);
    }
    stats_free(totals.data);

    stats_Summary *summary = stats_summarize(name, strlen(name), seconds, 3);
    stats_Range *range = stats_Summary_range(summary);
    print_and_free(stats_describe(summary));
    stats_Summary_release(summary);
    printf("2 is %s\n", stats_is_within(2.0, range) ? "inside" : "outside");
    stats_Range_release(range); /* a reference of its own, so it outlived the summary */
    return 0;
}
