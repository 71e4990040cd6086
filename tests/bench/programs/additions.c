#include <stdio.h>
int main(void) {
    volatile long limit = 10000000; /* else the compiler knows the sum */
    long total = 0;
    for (long i = 0; i < limit; i++) total += i;
    printf("%ld\n", total);
}
