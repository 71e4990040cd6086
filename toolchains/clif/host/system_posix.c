/* Linux and macOS. */

#define _GNU_SOURCE
#define _DARWIN_C_SOURCE

#include "host.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>
#ifdef __APPLE__
#include <sys/ucontext.h>
#else
#include <ucontext.h>
#endif

enum { FRAMES = 64, SIGNAL_STACK = 32 << 10, STACK_GUARD = 1 << 20 };

extern char **environ;

static uint8_t *stack;

int mochi_system_start(void) {
    /* Open what the parent has closed. */
    for (int stream = 0; stream <= 2; stream++) {
        if (fcntl(stream, F_GETFD) < 0 && errno == EBADF && open("/dev/null", O_RDWR) < 0) {
            return 0;
        }
    }
    return signal(SIGPIPE, SIG_IGN) != SIG_ERR;
}

static uint8_t *map(uint64_t size, int access) {
    void *start = mmap(NULL, size, access, MAP_PRIVATE | MAP_ANON | MAP_NORESERVE, -1, 0);
    return start == MAP_FAILED ? NULL : start;
}

uint8_t *mochi_system_reserve(uint64_t size) { return map(size, PROT_NONE); }

int mochi_system_commit(uint8_t *start, uint64_t size) {
    return mprotect(start, size, PROT_READ | PROT_WRITE) == 0;
}

/* Whether a call that failed is to be repeated; where a stream would block, it waits. */
static int is_again(int stream, short event) {
    if (errno == EAGAIN || errno == EWOULDBLOCK) {
        struct pollfd ready = {.fd = stream, .events = event};
        poll(&ready, 1, -1);
        return 1;
    }
    return errno == EINTR;
}

intptr_t mochi_system_write(int stream, const void *data, size_t size) {
    ssize_t done;
    do {
        done = write(stream, data, size);
    } while (done < 0 && is_again(stream, POLLOUT));
    return done;
}

intptr_t mochi_system_read(int stream, void *data, size_t size) {
    ssize_t done;
    do {
        done = read(stream, data, size);
    } while (done < 0 && is_again(stream, POLLIN));
    return done;
}

int mochi_system_is_closed_pipe(void) { return errno == EPIPE; }

uint64_t mochi_system_nanoseconds(void) {
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

char **mochi_system_environment(void) { return environ; }

_Noreturn void mochi_system_exit(int status) { _exit(status); }

/* Traps */

typedef struct {
    uintptr_t pc, frame;
} Registers;

static Registers registers(const ucontext_t *context) {
#if defined(__APPLE__) && defined(__x86_64__)
    return (Registers){context->uc_mcontext->__ss.__rip, context->uc_mcontext->__ss.__rbp};
#elif defined(__APPLE__)
    return (Registers){context->uc_mcontext->__ss.__pc, context->uc_mcontext->__ss.__fp};
#elif defined(__x86_64__)
    const greg_t *found = context->uc_mcontext.gregs;
    return (Registers){(uintptr_t)found[REG_RIP], (uintptr_t)found[REG_RBP]};
#elif defined(__aarch64__)
    return (Registers){context->uc_mcontext.pc, context->uc_mcontext.regs[29]};
#elif defined(__riscv)
    return (Registers){context->uc_mcontext.__gregs[0], context->uc_mcontext.__gregs[8]};
#elif defined(__s390x__)
    return (Registers){context->uc_mcontext.psw.addr, context->uc_mcontext.gregs[15]};
#endif
}

#ifdef __s390x__
enum { RETURN_ADDRESS = 14 }; /* words above the caller's stack pointer */
#else
enum { RETURN_ADDRESS = 1 }; /* words above the frame pointer */
#endif

/* Follows the chain of frames while it stays on the program's stack. */
static size_t walk(Registers at, uintptr_t *addresses) {
    uintptr_t low = (uintptr_t)stack + STACK_GUARD, high = (uintptr_t)stack + STACK_SIZE;
    size_t count = 0;
    addresses[count++] = at.pc;
    while (count < FRAMES && at.frame >= low && at.frame < high - 16 * sizeof(uintptr_t) &&
           at.frame % sizeof(uintptr_t) == 0) {
        const uintptr_t *frame = (const uintptr_t *)at.frame;
        uintptr_t next = frame[0];
#ifdef __s390x__
        if (next < low || next >= high - 16 * sizeof(uintptr_t)) {
            break;
        }
        addresses[count++] = ((const uintptr_t *)next)[RETURN_ADDRESS];
#else
        addresses[count++] = frame[RETURN_ADDRESS];
#endif
        if (next <= at.frame) {
            break;
        }
        at.frame = next;
    }
    return count;
}

static const char *message(int number, uintptr_t address) {
    if (number == SIGSEGV || number == SIGBUS) {
        int is_stack = address - (uintptr_t)stack < STACK_GUARD;
        return is_stack ? "call stack exhausted" : "memory access out of bounds";
    }
    return number == SIGFPE ? "integer divide by zero" : "unreachable code reached";
}

static void trapped(int number, siginfo_t *info, void *context) {
    uintptr_t addresses[FRAMES];
    size_t count = walk(registers(context), addresses);
    mochi_report_trap(message(number, (uintptr_t)info->si_addr), addresses, count);
}

static void call_on(uint8_t *top, void (*function)(void)) {
#if defined(__x86_64__)
    __asm__ volatile("movq %%rsp, %%rbx\n movq %0, %%rsp\n callq *%1\n movq %%rbx, %%rsp"
                     : "+r"(top), "+r"(function)
                     :
                     : "rbx", "rax", "rcx", "rdx", "rsi", "rdi", "r8", "r9", "r10", "r11", "memory",
                       "cc");
#elif defined(__aarch64__)
    __asm__ volatile("mov x19, sp\n mov sp, %0\n blr %1\n mov sp, x19"
                     : "+r"(top), "+r"(function)
                     :
                     : "x0", "x1", "x2", "x3", "x4", "x5", "x6", "x7", "x8", "x9", "x10", "x11",
                       "x12", "x13", "x14", "x15", "x16", "x17", "x19", "x30", "memory", "cc");
#elif defined(__riscv)
    __asm__ volatile("mv s1, sp\n mv sp, %0\n jalr %1\n mv sp, s1"
                     : "+r"(top), "+r"(function)
                     :
                     : "ra", "t0", "t1", "t2", "t3", "t4", "t5", "t6", "a0", "a1", "a2", "a3", "a4",
                       "a5", "a6", "a7", "s1", "memory");
#elif defined(__s390x__)
    top -= 160; /* where the callee saves registers */
    *(uintptr_t *)top = 0;
    __asm__ volatile("lgr %%r9, %%r15\n lgr %%r15, %0\n basr %%r14, %1\n lgr %%r15, %%r9"
                     : "+a"(top), "+a"(function)
                     :
                     : "r0", "r1", "r2", "r3", "r4", "r5", "r9", "r14", "memory", "cc");
#else
#error "no way to change the stack on this architecture"
#endif
}

void mochi_run_guarded(void (*function)(void)) {
    static const int signals[] = {SIGSEGV, SIGBUS, SIGILL, SIGTRAP, SIGFPE};
    static uint8_t signal_stack[SIGNAL_STACK];
    stack_t alternate = {.ss_sp = signal_stack, .ss_size = sizeof signal_stack};
    struct sigaction action = {.sa_sigaction = trapped, .sa_flags = SA_SIGINFO | SA_ONSTACK};
    stack = map(STACK_SIZE, PROT_READ | PROT_WRITE);
    if (stack == NULL || mprotect(stack, STACK_GUARD, PROT_NONE) != 0 ||
        sigaltstack(&alternate, NULL) != 0) {
        mochi_fail("the program cannot start: no address space for its stack", CANNOT_START);
    }
    for (size_t index = 0; index < sizeof signals / sizeof *signals; index++) {
        sigaction(signals[index], &action, NULL);
    }
    call_on(stack + STACK_SIZE, function);
}
