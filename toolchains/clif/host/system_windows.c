/* Windows. Programs contain no C library: the functions here are those of the system. */

#include "host.h"

#define WIN32_LEAN_AND_MEAN
#include <windows.h>

#include <stdlib.h>
#include <string.h>

enum { FRAMES = 64 };

static HANDLE streams[3];
static int is_closed;

int mochi_system_start(void) {
    streams[0] = GetStdHandle(STD_INPUT_HANDLE);
    streams[1] = GetStdHandle(STD_OUTPUT_HANDLE);
    streams[2] = GetStdHandle(STD_ERROR_HANDLE);
    SetConsoleOutputCP(CP_UTF8);
    return 1;
}

uint8_t *mochi_system_memory(void) {
    return VirtualAlloc(NULL, MEMORY_SIZE + GUARD_SIZE, MEM_RESERVE, PAGE_NOACCESS);
}

int mochi_system_commit(uint8_t *start, uint64_t size) {
    return VirtualAlloc(start, size, MEM_COMMIT, PAGE_READWRITE) != NULL;
}

intptr_t mochi_system_write(int stream, const void *data, size_t size) {
    DWORD done = 0;
    DWORD part = size < (1u << 30) ? (DWORD)size : 1u << 30;
    if (stream < 0 || stream > 2 || !WriteFile(streams[stream], data, part, &done, NULL)) {
        DWORD error = GetLastError();
        is_closed = error == ERROR_BROKEN_PIPE || error == ERROR_NO_DATA;
        return -1;
    }
    return (intptr_t)done;
}

intptr_t mochi_system_read(int stream, void *data, size_t size) {
    DWORD done = 0;
    DWORD part = size < (1u << 30) ? (DWORD)size : 1u << 30;
    if (stream != 0 || !ReadFile(streams[0], data, part, &done, NULL)) {
        return GetLastError() == ERROR_BROKEN_PIPE ? 0 : -1; /* the end of a pipe */
    }
    return (intptr_t)done;
}

int mochi_system_is_terminal(int stream) {
    DWORD mode;
    return stream >= 0 && stream <= 2 && GetConsoleMode(streams[stream], &mode);
}

int mochi_system_is_closed_pipe(void) { return is_closed; }

uint64_t mochi_system_nanoseconds(void) {
    FILETIME now; /* in 100 ns since 1601 */
    GetSystemTimePreciseAsFileTime(&now);
    uint64_t ticks = (uint64_t)now.dwHighDateTime << 32 | now.dwLowDateTime;
    return (ticks - 116444736000000000) * 100;
}

#ifdef MOCHI_LIBRARY
char **mochi_system_environment(void) { return _environ; }
#else
/* Not those that begin with `=`: the system keeps the directories of its drives in them. */
char **mochi_system_environment(void) {
    char *first = GetEnvironmentStringsA();
    size_t count = 1; /* with the end */
    for (char *at = first; at != NULL && *at != '\0'; at += strlen(at) + 1) {
        count += *at != '=';
    }
    static char *none;
    size_t size = count * sizeof none;
    char **found = VirtualAlloc(NULL, size, MEM_RESERVE | MEM_COMMIT, PAGE_READWRITE);
    if (found == NULL) {
        return &none;
    }
    size_t index = 0;
    for (char *at = first; index < count - 1; at += strlen(at) + 1) {
        if (*at != '=') {
            found[index++] = at;
        }
    }
    return found;
}

_Noreturn void mainCRTStartup(void);

/* The start of the process. The command line begins with the name of the program. */
void mainCRTStartup(void) {
    static char name[MAX_PATH];
    const char *line = GetCommandLineA();
    char end = *line == '"' ? *line++ : ' ';
    for (size_t at = 0; at < MAX_PATH - 1 && line[at] != '\0' && line[at] != end; at++) {
        name[at] = line[at];
    }
    mochi_main(name);
}
#endif

_Noreturn void mochi_system_exit(int status) {
    ExitProcess((UINT)status);
    __builtin_unreachable();
}

/* Windows calls handlers in another thread, while the program goes on. */
void mochi_system_catch_interrupts(void) {}

static const char *message(DWORD code) {
    switch (code) {
    case EXCEPTION_STACK_OVERFLOW:
        return "call stack exhausted";
    case EXCEPTION_ACCESS_VIOLATION:
        return "memory access out of bounds";
    case EXCEPTION_INT_DIVIDE_BY_ZERO:
    case EXCEPTION_INT_OVERFLOW:
        return "integer divide by zero";
    case EXCEPTION_ILLEGAL_INSTRUCTION:
        return "unreachable code reached";
    default:
        return NULL;
    }
}

static volatile int is_running;

static LONG WINAPI trapped(EXCEPTION_POINTERS *found) {
    const char *text = message(found->ExceptionRecord->ExceptionCode);
    if (text == NULL || !is_running) {
        return EXCEPTION_CONTINUE_SEARCH;
    }
    uintptr_t addresses[FRAMES];
    size_t count = 0;
#if defined(_M_X64) || defined(__x86_64__)
    uintptr_t frame = found->ContextRecord->Rbp;
    addresses[count++] = found->ContextRecord->Rip;
#else
    uintptr_t frame = found->ContextRecord->Fp;
    addresses[count++] = found->ContextRecord->Pc;
#endif
    ULONG_PTR low, high;
    GetCurrentThreadStackLimits(&low, &high);
    while (count < FRAMES && frame >= low && frame < high - 16 && frame % sizeof frame == 0) {
        const uintptr_t *words = (const uintptr_t *)frame;
        addresses[count++] = words[1];
        if (words[0] <= frame) {
            break;
        }
        frame = words[0];
    }
    mochi_report_trap(text, addresses, count);
}

/* The linker reserves the stack. */
void mochi_guard(uint8_t *handler_stack) {
    (void)handler_stack;
    ULONG reserve = 64 << 10; /* for the report of an overflow */
    SetThreadStackGuarantee(&reserve);
    AddVectoredExceptionHandler(1, trapped);
}

void mochi_run(mochi_function *function, uint64_t *words) {
    is_running = 1;
    function(words);
    is_running = 0;
}
