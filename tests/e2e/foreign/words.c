#include <stdio.h>
#include <string.h>
#include <stdlib.h>
static int compare(const void *a, const void *b) { return strcmp(*(char **)a, *(char **)b); }
int main(int argc, char **argv) {
    char line[256]; char *words[100]; int n = 0;
    while (fgets(line, sizeof line, stdin))
        for (char *w = strtok(line, " \n"); w; w = strtok(NULL, " \n")) words[n++] = strdup(w);
    qsort(words, n, sizeof *words, compare);
    for (int i = 0; i < n; i++) printf("%s%s", i ? " " : "", words[i]);
    printf("\n%d words, %.3f, argc %d\n", n, n / 7.0, argc);
    return n == 0;
}
