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

enum { FRAMES = 64, STREAMS = 3, STACK_GUARD = 1 << 20 };
enum { FIRST = 15 << 16 }; /* bytes that are usable from the start, above STACK_SIZE: no large page */
enum { TOP = 1 << 10 };   /* bytes of the stack in the page in which the memory begins */

extern char **environ;

/* A guard, the stack, the memory and a guard lie side by side. A small program uses one page of
 * stack and memory: to get one takes longer than all calls of the system at the start. */
static uint8_t *stack;

int mochi_system_start(void) {
    /* Open what the parent has closed. */
    struct pollfd streams[STREAMS] = {{.fd = 0}, {.fd = 1}, {.fd = 2}};
    int are_open = poll(streams, STREAMS, 0) == 0;
    for (int stream = 0; stream < STREAMS && !are_open; stream++) {
        if (fcntl(stream, F_GETFD) < 0 && errno == EBADF && open("/dev/null", O_RDWR) < 0) {
            return 0;
        }
    }
    return signal(SIGPIPE, SIG_IGN) != SIG_ERR;
}

uint8_t *mochi_system_memory(void) { return stack + STACK_SIZE + TOP; }

/* Maps memory at an address, if nothing is there. */
static int map_at(uint8_t *start, uint64_t size, int access) {
    void *found = mmap(start, size, access, MAP_PRIVATE | MAP_ANON | MAP_NORESERVE, -1, 0);
    if (found != start && found != MAP_FAILED) {
        munmap(found, size);
    }
    return found == start;
}

static int is_reserved; /* whether the addresses of all of the memory are */

/* No page of a system is larger than one of the memory. */
int mochi_system_commit(uint8_t *start, uint64_t size) {
    uint8_t *rest = stack + STACK_SIZE + FIRST;
    start += PAGE_SIZE_OF_MEMORY - TOP; /* what is before is usable */
    uint8_t *end = start + size;
    if (end <= rest) {
        return 1;
    }
    start = start < rest ? rest : start;
    size = (uint64_t)(end - start);
    return is_reserved ? mprotect(start, size, PROT_READ | PROT_WRITE) == 0
                       : map_at(start, size, PROT_READ | PROT_WRITE);
}

/* Maps the stack and the first of the memory. A program has them where systems place nothing, so
 * what follows stays free until it is needed: a small one makes one mapping, and not four. */
static int map_stack(void) {
    uint64_t used = STACK_SIZE - STACK_GUARD + FIRST;
#if defined(__linux__) && !defined(MOCHI_LIBRARY)
    stack = (uint8_t *)0x20100000; /* above programs, below all that is placed by chance */
    if (map_at(stack + STACK_GUARD, used, PROT_READ | PROT_WRITE)) {
        return 1;
    }
#endif
    uint64_t size = STACK_SIZE + PAGE_SIZE_OF_MEMORY + MEMORY_SIZE + GUARD_SIZE;
    stack = mmap(NULL, size, PROT_NONE, MAP_PRIVATE | MAP_ANON | MAP_NORESERVE, -1, 0);
    is_reserved = stack != MAP_FAILED;
    return is_reserved && mprotect(stack + STACK_GUARD, used, PROT_READ | PROT_WRITE) == 0;
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

int mochi_system_is_terminal(int stream) { return isatty(stream); }

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
    uintptr_t low = (uintptr_t)stack + STACK_GUARD;
    uintptr_t high = (uintptr_t)mochi_system_memory() - RETURN_ADDRESS * sizeof(uintptr_t);
    size_t count = 0;
    addresses[count++] = at.pc;
    while (count < FRAMES && at.frame >= low && at.frame < high &&
           at.frame % sizeof(uintptr_t) == 0) {
        const uintptr_t *frame = (const uintptr_t *)at.frame;
        uintptr_t next = frame[0];
#ifdef __s390x__
        if (next < low || next >= high) {
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

static const int signals[] = {SIGSEGV, SIGBUS, SIGILL, SIGTRAP, SIGFPE};
enum { SIGNALS = sizeof signals / sizeof *signals };
#ifdef MOCHI_LIBRARY
static struct sigaction before[SIGNALS];
#define EARLIER(index) &before[index]
#else
#define EARLIER(index) NULL /* a program has no handlers but these */
#endif
static volatile sig_atomic_t is_running;

/* Has the instruction run again under the handler from before: it is not ours. */
static void pass_on(int number) {
    signal(number, SIG_DFL);
    for (size_t index = 0; index < SIGNALS; index++) {
        if (signals[index] == number) {
            sigaction(number, EARLIER(index), NULL);
        }
    }
}

static void trapped(int number, siginfo_t *info, void *context) {
    if (!is_running) {
        pass_on(number);
        return;
    }
    uintptr_t addresses[FRAMES];
    size_t count = walk(registers(context), addresses);
    mochi_report_trap(message(number, (uintptr_t)info->si_addr), addresses, count);
}

/* Writes what the reader takes, then dies of the signal. A second one does that at once. */
static void interrupted(int number) {
    enum { PIECE = 4096, PATIENCE = 100 }; /* what a ready pipe takes without a wait; ms */
    struct pollfd ready = {.fd = 1, .events = POLLOUT};
    size_t size;
    const uint8_t *data = mochi_unwritten(&size);
    while (size > 0 && poll(&ready, 1, PATIENCE) > 0) {
        ssize_t written = write(1, data, size < PIECE ? size : PIECE);
        if (written <= 0) {
            break;
        }
        data += written;
        size -= (size_t)written;
    }
    raise(number);
}

void mochi_system_catch_interrupts(void) {
    static const int interrupts[] = {SIGINT, SIGTERM, SIGHUP};
    struct sigaction action = {.sa_handler = interrupted,
                               .sa_flags = SA_ONSTACK | SA_RESETHAND | SA_NODEFER};
    for (size_t index = 0; index < sizeof interrupts / sizeof *interrupts; index++) {
        struct sigaction found;
        if (sigaction(interrupts[index], NULL, &found) == 0 && found.sa_handler == SIG_DFL) {
            sigaction(interrupts[index], &action, NULL);
        }
    }
}

/* mochi_call_on(top, function, words) calls function(words) on the stack that ends at `top`. */
void mochi_call_on(uint8_t *top, mochi_function *function, uint64_t *words);

#define NAME_OF(prefix, name) NAME_IN(prefix, name)
#define NAME_IN(prefix, name) #prefix #name
#define CALL_ON NAME_OF(__USER_LABEL_PREFIX__, mochi_call_on)

__asm__(".text\n"
        ".p2align 4\n"
        ".globl " CALL_ON "\n" CALL_ON ":\n"
#if defined(__x86_64__)
        "pushq %rbp\n"
        "movq %rsp, %rbp\n"
        "movq %rdi, %rsp\n"
        "movq %rdx, %rdi\n"
        "callq *%rsi\n"
        "movq %rbp, %rsp\n"
        "popq %rbp\n"
        "ret\n"
#elif defined(__aarch64__)
        "stp x29, x30, [sp, #-16]!\n"
        "mov x29, sp\n"
        "mov sp, x0\n"
        "mov x0, x2\n"
        "blr x1\n"
        "mov sp, x29\n"
        "ldp x29, x30, [sp], #16\n"
        "ret\n"
#elif defined(__riscv)
        "addi sp, sp, -16\n"
        "sd ra, 8(sp)\n"
        "sd s0, 0(sp)\n"
        "mv s0, sp\n"
        "mv sp, a0\n"
        "mv a0, a2\n"
        "jalr a1\n"
        "mv sp, s0\n"
        "ld s0, 0(sp)\n"
        "ld ra, 8(sp)\n"
        "addi sp, sp, 16\n"
        "ret\n"
#elif defined(__s390x__)
        "stmg %r6, %r15, 48(%r15)\n"
        "lgr %r11, %r15\n"
        "lay %r15, -160(%r2)\n" /* where the callee saves registers */
        "xc 0(8, %r15), 0(%r15)\n"
        "lgr %r2, %r4\n"
        "basr %r14, %r3\n"
        "lgr %r15, %r11\n"
        "lmg %r6, %r15, 48(%r15)\n"
        "br %r14\n"
#else
#error "no way to change the stack on this architecture"
#endif
);

void mochi_guard(uint8_t *handler_stack) {
    int is_mapped = map_stack();
    stack_t alternate = {.ss_sp = handler_stack, .ss_size = HANDLER_STACK_SIZE};
    if (!is_mapped || sigaltstack(&alternate, NULL) != 0) {
        mochi_fail("the program cannot start: no address space for its memory", CANNOT_START);
    }
    struct sigaction action = {.sa_sigaction = trapped, .sa_flags = SA_SIGINFO | SA_ONSTACK};
    for (size_t index = 0; index < SIGNALS; index++) {
        sigaction(signals[index], &action, EARLIER(index));
    }
}

void mochi_run(mochi_function *function, uint64_t *words) {
    is_running = 1;
    mochi_call_on(mochi_system_memory(), function, words);
    is_running = 0;
}
