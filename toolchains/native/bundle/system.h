/* What every system does in its own way: headers, names, files of programs, threads. */
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>

#if defined(_WIN32)
#include <windows.h>
enum { TRAP = 3 };
#define LIBRARY "wasmtime.dll"
#define SYSTEM "windows"
#define SLASHES "/\\"
#define DIRS_SEPARATOR ';'
#else
#include <dlfcn.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <time.h>
#include <unistd.h>
enum { TRAP = 134 };
#define SLASHES "/"
#define DIRS_SEPARATOR ':'
#if defined(__APPLE__)
#include <mach-o/dyld.h>
#include <mach-o/getsect.h>
#define LIBRARY "libwasmtime.dylib"
#define SYSTEM "macos"
#else
#define LIBRARY "libwasmtime.so"
#define SYSTEM "linux"
#endif
#endif

#if defined(__aarch64__)
#define MACHINE "aarch64"
#elif defined(__x86_64__)
#define MACHINE "x86_64"
#elif defined(__riscv)
#define MACHINE "riscv64"
#elif defined(__s390x__)
#define MACHINE "s390x"
#endif

#if defined(_WIN32)
static char *own_path(void)
{
    static char path[4096];
    GetModuleFileNameA(NULL, path, sizeof path - 1);
    return path;
}
static void open_standard_streams(void) {}
static void *open_library(const char *path) { return (void *)LoadLibraryA(path); }
static void *find_symbol(void *library, const char *name)
{
    return (void *)GetProcAddress((HMODULE)library, name);
}
static void sleep_ms(uint64_t ms) { Sleep((DWORD)ms); }
static DWORD WINAPI thread_main(void *body) { ((void (*)(void))body)(); return 0; }
static void in_thread(void (*body)(void), size_t stack, bool wait)
{
    HANDLE thread = CreateThread(NULL, stack, thread_main, (void *)body,
        STACK_SIZE_PARAM_IS_A_RESERVATION, NULL);
    if (wait && thread)
        WaitForSingleObject(thread, INFINITE);
}
#else
static char *own_path(void)
{
    static char path[4096];
#if defined(__APPLE__)
    char unresolved[4096];
    uint32_t size = sizeof unresolved;
    if (_NSGetExecutablePath(unresolved, &size) != 0 || !realpath(unresolved, path))
        path[0] = 0;
#else
    if (readlink("/proc/self/exe", path, sizeof path - 1) < 0)
        path[0] = 0;
#endif
    return path;
}
static void *open_library(const char *path) { return dlopen(path, RTLD_NOW | RTLD_LOCAL); }
static void *find_symbol(void *library, const char *name) { return dlsym(library, name); }
/* Open what the parent has closed, or another file would be a stream of the program. */
static void open_standard_streams(void)
{
    for (int stream = 0; stream < 3; stream++)
        if (fcntl(stream, F_GETFD) < 0)
            open("/dev/null", O_RDWR);
}
static void sleep_ms(uint64_t ms)
{
    nanosleep(&(struct timespec){ (time_t)(ms / 1000), (long)(ms % 1000) * 1000000 }, NULL);
}
static void *thread_main(void *body) { ((void (*)(void))body)(); return NULL; }
static void in_thread(void (*body)(void), size_t stack, bool wait)
{
    pthread_t thread;
    pthread_attr_t attributes;
    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, stack);
    if (pthread_create(&thread, &attributes, thread_main, (void *)body) == 0 && wait)
        pthread_join(thread, NULL);
}
#endif
