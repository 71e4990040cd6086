#include <stdio.h>
#include <stdlib.h>
int main(void) {
    long *xs = NULL, n = 0, room = 0;
    for (long i = 0; i < 1000000; i++) {
        if (n == room) xs = realloc(xs, (room = room ? room * 2 : 4) * sizeof *xs);
        xs[n++] = i;
    }
    printf("%ld %ld\n", n, xs[999999]);
}
