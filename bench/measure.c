// `measure DESCRIPTOR PROGRAM` runs a program, and writes its CPU time in microseconds, its peak of
// resident memory in KiB and its status.
// The peak of a process counts what it was before `exec`: a fork of Python is larger than most kernels.
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

static long micros(struct timeval time) { return time.tv_sec * 1000000L + time.tv_usec; }

int main(int argc, char **argv) {
    if (argc != 3) return 2;
    int report = atoi(argv[1]);
    pid_t child = fork();
    if (child < 0) return 3;
    if (child == 0) {
        close(report);
        execv(argv[2], argv + 2);
        _exit(127);
    }
    int status;
    struct rusage usage;
    if (wait4(child, &status, 0, &usage) < 0) return 3;
    dprintf(report, "%ld %ld %d\n", micros(usage.ru_utime) + micros(usage.ru_stime), usage.ru_maxrss, status);
    return 0;
}
