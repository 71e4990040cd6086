/* Programs for Linux have no C library. This is what they need of one: it is small, starts at once,
 * and nothing has to be built or installed for it but headers.
 */

#define _GNU_SOURCE

#include "host.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

/* The start of the process, a call of the system (its number and arguments; the result is negative
 * after an error), and what returns from the handler of a signal. */
__asm__(".text\n"
        ".globl _start\n"
#if defined(__x86_64__)
        "_start: xorl %ebp, %ebp\n"
        "movq %rsp, %rdi\n"
        "andq $-16, %rsp\n"
        "callq mochi_process\n"
        "mochi_call_system: movq %rdi, %rax\n"
        "movq %rsi, %rdi\n"
        "movq %rdx, %rsi\n"
        "movq %rcx, %rdx\n"
        "movq %r8, %r10\n"
        "movq %r9, %r8\n"
        "movq 8(%rsp), %r9\n"
        "syscall\n"
        "ret\n"
        "mochi_end_handler: movl $15, %eax\n"
        "syscall\n"
#elif defined(__aarch64__)
        "_start: mov x29, #0\n"
        "mov x30, #0\n"
        "mov x0, sp\n"
        "b mochi_process\n"
        "mochi_call_system: mov x8, x0\n"
        "mov x0, x1\n"
        "mov x1, x2\n"
        "mov x2, x3\n"
        "mov x3, x4\n"
        "mov x4, x5\n"
        "mov x5, x6\n"
        "svc #0\n"
        "ret\n"
#elif defined(__riscv)
        "_start: .option push\n"
        ".option norelax\n"
        "lla gp, __global_pointer$\n" /* where linkers shorten addresses */
        ".option pop\n"
        "mv a0, sp\n"
        "tail mochi_process\n"
        "mochi_call_system: mv a7, a0\n"
        "mv a0, a1\n"
        "mv a1, a2\n"
        "mv a2, a3\n"
        "mv a3, a4\n"
        "mv a4, a5\n"
        "mv a5, a6\n"
        "ecall\n"
        "ret\n"
#elif defined(__s390x__)
        "_start: lgr %r2, %r15\n"
        "aghi %r15, -160\n"
        "xc 0(8, %r15), 0(%r15)\n"
        "jg mochi_process\n"
        "mochi_call_system: stmg %r6, %r7, 48(%r15)\n"
        "lgr %r1, %r2\n"
        "lgr %r2, %r3\n"
        "lgr %r3, %r4\n"
        "lgr %r4, %r5\n"
        "lgr %r5, %r6\n"
        "lmg %r6, %r7, 160(%r15)\n"
        "svc 0\n"
        "lmg %r6, %r7, 48(%r15)\n"
        "br %r14\n"
#else
#error "no calls of the system on this architecture"
#endif
);

intptr_t mochi_call_system(long number, ...);

/* Of the signals that a mask may hold; the kernel has no more. */
enum { MASK = 8 };

char **environ;
static int error;

int *__errno_location(void) { return &error; }

_Noreturn void mochi_process(uintptr_t *start);

/* Takes what the kernel has put on the stack: the number of arguments, these, the environment. */
void mochi_process(uintptr_t *start) {
    char **arguments = (char **)(start + 1);
    environ = arguments + *start + 1;
    mochi_main(arguments[0]);
}

_Noreturn void _exit(int status) {
    for (;;) {
        mochi_call_system(SYS_exit_group, (long)status);
    }
}

static intptr_t result(intptr_t found) {
    if (found < 0 && found > -4096) {
        error = (int)-found;
        return -1;
    }
    return found;
}

#define CALL(name, ...) result(mochi_call_system(SYS_##name, __VA_ARGS__))

ssize_t write(int stream, const void *data, size_t size) {
    return CALL(write, (long)stream, data, size);
}

ssize_t read(int stream, void *data, size_t size) { return CALL(read, (long)stream, data, size); }

int open(const char *path, int flags, ...) {
    return (int)CALL(openat, (long)AT_FDCWD, path, (long)flags, 0L);
}

int fcntl(int stream, int command, ...) {
    return (int)CALL(fcntl, (long)stream, (long)command, 0L);
}

int isatty(int stream) {
    struct winsize size;
    return CALL(ioctl, (long)stream, (long)TIOCGWINSZ, &size) == 0;
}

int poll(struct pollfd *streams, nfds_t count, int wait) {
    struct timespec time = {.tv_sec = wait / 1000, .tv_nsec = wait % 1000 * 1000000L};
    return (int)CALL(ppoll, streams, count, wait < 0 ? NULL : &time, NULL, (long)MASK);
}

int clock_gettime(clockid_t clock, struct timespec *time) {
    return (int)CALL(clock_gettime, (long)clock, time);
}

void *mmap(void *start, size_t size, int access, int flags, int file, off_t offset) {
#ifdef __s390x__
    long arguments[] = {(long)start, (long)size, access, flags, file, offset};
    return (void *)CALL(mmap, arguments);
#else
    return (void *)CALL(mmap, start, size, (long)access, (long)flags, (long)file, offset);
#endif
}

int mprotect(void *start, size_t size, int access) {
    return (int)CALL(mprotect, start, size, (long)access);
}

int munmap(void *start, size_t size) { return (int)CALL(munmap, start, size); }

int sigaltstack(const stack_t *stack, stack_t *before) {
    return (int)CALL(sigaltstack, stack, before);
}

/* As the kernel has it: in another order than C libraries do, and with fewer signals. */
typedef struct {
    void *handler;
    unsigned long flags;
#ifdef __riscv
    uint64_t mask, unused; /* emulators write both */
#else
    void (*restorer)(void);
    uint64_t mask;
#endif
} Action;

void mochi_end_handler(void);

/* Nobody asks for what was masked before. */
int sigaction(int number, const struct sigaction *action, struct sigaction *before) {
    Action wanted = {0}, found;
    if (action != NULL) {
        wanted.handler = (void *)action->sa_handler;
        wanted.flags = (unsigned)action->sa_flags;
#ifdef __x86_64__
        enum { RESTORER = 0x04000000 };
        wanted.flags |= RESTORER;
        wanted.restorer = mochi_end_handler;
#endif
    }
    int failed = (int)CALL(rt_sigaction, (long)number, action == NULL ? NULL : &wanted,
                           before == NULL ? NULL : &found, (long)MASK);
    if (before != NULL) {
        before->sa_handler = (void (*)(int))found.handler;
    }
    return failed;
}

void (*signal(int number, void (*handler)(int)))(int) {
    struct sigaction action = {.sa_handler = handler}, before;
    return sigaction(number, &action, &before) == 0 ? before.sa_handler : SIG_ERR;
}

int raise(int number) {
    return (int)CALL(kill, mochi_call_system(SYS_getpid), (long)number);
}
