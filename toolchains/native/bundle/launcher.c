/* Runs the WebAssembly program that is attached to it, with the libwasmtime that lies beside it.
 *
 * The fallback for platforms without the Rust launcher: same layout, settings, messages and
 * statuses, see ../README.md. The library is that of the platform's Python wheel of Wasmtime 48,
 * as `libwasmtime.so`, `libwasmtime.dylib` or `wasmtime.dll` in the directory of the executable.
 * Neither its headers nor a library is needed to build it:  cc -O2 launcher.c -o launcher
 */
#define _GNU_SOURCE
#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lines.h"
#include "sha256.h"
#include "wasmtime48.h"

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

enum { FUNCTION = 0, MEMORY = 3 }; /* kinds of exports */
enum { MAX_LINE = 2000, CANNOT_EXECUTE = 126, FOOTER = 64, ENGINE_SECTION = 64, HOST_STACK = 4 << 20 };

/* ---- state and failure ---- */

static struct {
    char **argv;
    const uint8_t *artifact;
    size_t artifact_size, settings_size;
    char *settings, *lines;
    bool winch, debug_info, fueled, timed, no_signals;
    uint64_t fuel, deadline_ms, memory_reservation, memory_guard_size, memory_limit, stack;
    void *engine, *wasi, *context;
    extern_t memory;
    bool has_memory; /* and it is large enough for `find_output` */
} app = {
    .memory_reservation = -1,
    .memory_guard_size = -1,
    .memory_limit = INT64_MAX,
    .stack = 128 << 20,
    .lines = (char[]){ "" },
};

/* The last part of a path. */
static char *name_of(char *path)
{
    for (char *at = path; *at; at++)
        if (strchr(SLASHES, *at))
            path = at + 1;
    return path;
}

/* Print text. What would steer a terminal or is not UTF-8 is escaped, and what is endless cut, as
   by `printable` in ../launcher/src/main.rs: C0, C1, and what turns the direction of a line. */
static void print_text(const void *text, size_t size)
{
    for (const uint8_t *at = text, *end = at + (size < MAX_LINE ? size : MAX_LINE); at < end;) {
        uint32_t code = *at;
        int more = code < 0x80 ? 0 : code >> 5 == 6 ? 1 : code >> 4 == 14 ? 2 : code >> 3 == 30 ? 3 : -1;
        bool valid = more >= 0 && end - at > more;
        if (valid && more)
            code &= 0x3f >> more;
        for (int i = 1; valid && i <= more; i++) {
            valid = at[i] >> 6 == 2;
            code = code << 6 | (at[i] & 0x3f);
        }
        if (!valid)
            code = *at, more = 0;
        bool turns = code == 0x200e || code == 0x200f || (code >= 0x2028 && code <= 0x202e)
            || (code >= 0x2066 && code <= 0x2069);
        if (!valid || code < ' ' || (code >= 0x7f && code < 0xa0))
            fprintf(stderr, "\\x%02x", (unsigned)code);
        else if (turns)
            fprintf(stderr, "\\u%04x", (unsigned)code);
        else
            fwrite(at, 1, (size_t)more + 1, stderr);
        at += more + 1;
    }
}

/* As fprintf to standard error, by `print_text`. */
static void say(const char *format, ...)
{
    va_list arguments, again;
    va_start(arguments, format);
    va_copy(again, arguments);
    int size = vsnprintf(NULL, 0, format, arguments);
    char *text = size < 0 ? NULL : malloc((size_t)size + 1);
    if (text) {
        vsnprintf(text, (size_t)size + 1, format, again);
        print_text(text, (size_t)size);
        free(text);
    }
    va_end(again);
    va_end(arguments);
}

#define REFUSE(...) (say("error: `%s`: ", app.argv[0]), say(__VA_ARGS__), fputc('\n', stderr), \
    exit(CANNOT_EXECUTE))

/* The lines of an error as one. */
static const char *text_of(void *error)
{
    vec_t message;
    wasmtime_error_message(error, &message);
    char *text = calloc(1, message.size + 1), *to = text;
    for (const char *at = message.data, *end = at + message.size; at < end; at++) {
        if (*at != '\n')
            *to++ = *at;
        else if (to > text && to[-1] != ' ')
            *to++ = ' ';
    }
    return text;
}

static void check(void *error, const char *what)
{
    if (error)
        REFUSE("%s: %s", what, text_of(error));
}

/* ---- what every system does in its own way ---- */

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

/* ---- the payload: digest, footer, settings ---- */

static uint64_t number(const uint8_t *bytes, int size)
{
    return size ? number(bytes + 1, size - 1) << 8 | *bytes : 0;
}

/* The payload's section where there is one (see README.md), else the bytes of the running file. */
static uint8_t *own_file(size_t *size)
{
#if defined(__APPLE__)
    extern const struct mach_header_64 _mh_execute_header; /* defined by the linker */
    unsigned long length = 0;
    uint8_t *section = getsectiondata(&_mh_execute_header, "__MOCHI", "__payload", &length);
    if (section) {
        uint8_t *copy = malloc(length + 1); /* the settings are cut into strings where they are */
        if (!copy)
            REFUSE("the file cannot read itself: %s", strerror(errno));
        return *size = length, memcpy(copy, section, length);
    }
#endif
    FILE *file = fopen(own_path(), "rb");
    if (!file || fseek(file, 0, SEEK_END) != 0)
        REFUSE("the file cannot read itself: %s", strerror(errno));
    *size = (size_t)ftell(file);
    uint8_t *data = malloc(*size + 1);
    rewind(file);
    if (!data || fread(data, 1, *size, file) != *size)
        REFUSE("the file cannot read itself: %s", strerror(errno));
    fclose(file);
    return data;
}

static void find_payload(void)
{
    size_t size;
    uint8_t *data = own_file(&size), digest[32];
    const uint8_t *footer = data + size - FOOTER;
    if (size < FOOTER || memcmp(footer, "MOCHIEXE", 8) != 0)
        REFUSE("no program is attached to this launcher");
    if (number(footer + 8, 4) != 1)
        REFUSE("the program is attached in layout %u; this launcher reads layout 1",
            (unsigned)number(footer + 8, 4));
    uint64_t rest = size - FOOTER, settings = number(footer + 12, 4), artifact = number(footer + 16, 8);
    bool fits = settings <= rest && artifact <= rest - settings && number(footer + 24, 8) == 0;
    if (fits)
        sha256(footer - settings - artifact, artifact + settings, digest);
    if (!fits || memcmp(digest, footer + 32, 32) != 0)
        REFUSE("the file is damaged: its program does not have the recorded SHA-256");
    app.artifact = footer - settings - artifact;
    app.artifact_size = artifact;
    app.settings = (char *)footer - settings;
    app.settings_size = settings;
}

static void grant(const char *host, const char *guest, bool writable)
{
    if (!wasi_config_preopen_dir(app.wasi, host, guest, writable))
        REFUSE("the program cannot start: cannot open the directory `%s`", host);
}

static bool set(char **field, int count)
{
    static const struct { const char *key; uint64_t *place; bool *given; } NUMBERS[] = {
        { "fuel", &app.fuel, &app.fueled },
        { "deadline_ms", &app.deadline_ms, &app.timed },
        { "memory_reservation", &app.memory_reservation, NULL },
        { "memory_guard_size", &app.memory_guard_size, NULL },
        { "memory_limit", &app.memory_limit, NULL },
        { "stack", &app.stack, NULL },
    };
    const char *key = field[0], *value = field[1];
    if (count == 4 && !strcmp(key, "dir") && (!strcmp(value, "r") || !strcmp(value, "rw"))) {
        grant(field[2], field[3], value[1] == 'w');
        return true;
    }
    if (count != 2)
        return false;
    if (!strcmp(key, "lines"))
        return app.lines = field[1], true; /* decoded in its place after a trap */
    if (!strcmp(key, "compiler"))
        return (app.winch = !strcmp(value, "winch")) || !strcmp(value, "cranelift");
    bool one = !strcmp(value, "1"), is_switch = one || !strcmp(value, "0");
    if (!strcmp(key, "debug_info"))
        return app.debug_info = one, is_switch;
    if (!strcmp(key, "signals_based_traps"))
        return app.no_signals = !one, is_switch;
    for (size_t i = 0; i < sizeof NUMBERS / sizeof *NUMBERS; i++) {
        if (strcmp(key, NUMBERS[i].key) != 0)
            continue;
        char *end;
        *NUMBERS[i].place = strtoull(value, &end, 10);
        if (NUMBERS[i].given)
            *NUMBERS[i].given = true;
        return *value >= '0' && *value <= '9' && !*end;
    }
    return false;
}

static void read_settings(void)
{
    for (char *line = app.settings, *end = line + app.settings_size, *next; line < end; line = next) {
        char *stop = memchr(line, '\n', end - line), *field[5] = { line, "", "", "", "" };
        stop = stop ? stop : end;
        next = stop + 1;
        int count = 1;
        *stop = 0; /* at the end this is the footer, which has been read */
        for (char *at = line; *at; at++)
            if (*at == '\t' && count < 5)
                *at = 0, field[count++] = at + 1;
        if (set(field, count))
            continue;
        while (--count > 0)
            field[count][-1] = '\t';
        REFUSE("the program was attached with `%s`, which this launcher does not know", line);
    }
    const char *given = getenv("MOCHI_DIRS");
    char *list = given ? strdup(given) : NULL;
    while (list) {
        char *next = strchr(list, DIRS_SEPARATOR);
        if (next)
            *next++ = 0;
        char *guest = strrchr(list, '=');
        if (guest)
            *guest++ = 0;
        if (*list)
            grant(list, guest ? guest : list, true);
        list = next;
    }
}

/* ---- what is printed and not written yet: as ../launcher/src/unwritten.rs ---- */

enum { OUTPUT = 992, OUTPUT_SIZE = 24 };

static const uint8_t *find_output(const uint8_t *memory, size_t *size)
{
    const uint8_t *place = memory + OUTPUT;
    bool is_ours = !memcmp(place, "mochiout", 8);
    *size = is_ours ? number(place + (number(place + 20, 4) ? 16 : 12), 4) : 0;
    return memory + number(place + 8, 4);
}

static void write_output(void)
{
    if (!app.has_memory)
        return;
    const uint8_t *memory = wasmtime_memory_data(app.context, &app.memory.of);
    size_t size, all = wasmtime_memory_data_size(app.context, &app.memory.of);
    const uint8_t *start = find_output(memory, &size);
    if (size <= all && (size_t)(start - memory) <= all - size) {
        fwrite(start, 1, size, stdout);
        fflush(stdout);
    }
}

#if defined(_WIN32)
/* Windows calls handlers in another thread, while the program goes on. */
static void catch_interrupts(void) {}
#else
static pthread_t program_thread;
static const uint8_t *program_memory;

/* Writes what the reader takes, then dies of the signal. A second one does that at once. */
static void interrupted(int signal)
{
    enum { PIECE = 4096 /* bytes that a ready pipe takes without a wait */, PATIENCE = 100 /* ms */ };
    if (!pthread_equal(pthread_self(), program_thread)) {
        pthread_kill(program_thread, signal);
        return;
    }
    struct sigaction fatal = { .sa_handler = SIG_DFL };
    sigaction(signal, &fatal, NULL);
    struct pollfd ready = { .fd = 1, .events = POLLOUT };
    size_t size;
    const uint8_t *data = find_output(program_memory, &size);
    while (size && poll(&ready, 1, PATIENCE) > 0) {
        ssize_t written = write(1, data, size < PIECE ? size : PIECE);
        if (written <= 0)
            break;
        data += written, size -= (size_t)written;
    }
    raise(signal);
}

static void catch_interrupts(void)
{
    static const int SIGNALS[] = { SIGINT, SIGTERM, SIGHUP };
    struct sigaction action = { .sa_handler = interrupted, .sa_flags = SA_ONSTACK | SA_NODEFER };
    if (!app.has_memory || app.memory_reservation != (uint64_t)-1)
        return; /* or the memory may move */
    program_thread = pthread_self();
    program_memory = wasmtime_memory_data(app.context, &app.memory.of);
    for (size_t i = 0; i < sizeof SIGNALS / sizeof *SIGNALS; i++) {
        struct sigaction found;
        if (sigaction(SIGNALS[i], NULL, &found) == 0 && found.sa_handler == SIG_DFL)
            sigaction(SIGNALS[i], &action, NULL);
    }
}
#endif

/* ---- run ---- */

static void load_library(void)
{
    char path[4096 + sizeof LIBRARY];
    strcpy(path, own_path());
    strcpy(name_of(path), LIBRARY);
    void *library = open_library(path);
    if (!library)
        REFUSE("cannot load `%s`, which belongs beside the program", path);
    for (size_t i = 0; i < sizeof TABLE / sizeof *TABLE; i++)
        if (!(*TABLE[i].place = find_symbol(library, TABLE[i].name)))
            REFUSE("`%s` is not of Wasmtime 48: it has no `%s`", path, TABLE[i].name);
}

static void *load_module(void)
{
    void *config = wasm_config_new(), *module;
    if (app.winch)
        wasmtime_config_strategy_set(config, 2);
    wasmtime_config_debug_info_set(config, app.debug_info);
    wasmtime_config_consume_fuel_set(config, app.fueled);
    wasmtime_config_epoch_interruption_set(config, app.timed);
    wasmtime_config_signals_based_traps_set(config, !app.no_signals);
    if (app.memory_reservation != (uint64_t)-1)
        wasmtime_config_memory_reservation_set(config, app.memory_reservation);
    if (app.memory_guard_size != (uint64_t)-1)
        wasmtime_config_memory_guard_size_set(config, app.memory_guard_size);
    if (app.stack == 0 || app.stack > SIZE_MAX / 2)
        REFUSE("the program was attached with `stack\t%llu`, which this launcher does not know",
            (unsigned long long)app.stack);
    wasmtime_config_async_stack_size_set(config, app.stack + HOST_STACK);
    wasmtime_config_max_wasm_stack_set(config, app.stack);
    app.engine = wasm_engine_new_with_config(config);
    void *error = wasmtime_module_deserialize(app.engine, app.artifact, app.artifact_size, &module);
    if (!error)
        return module;
    char version[256] = "?", target[256] = "?";
    const uint8_t *at = app.artifact + ENGINE_SECTION, *end = app.artifact + app.artifact_size;
    if (end - at > 600 && at[2 + at[1]] < 128) {
        snprintf(version, sizeof version, "%.*s", at[1], at + 2);
        at += 2 + at[1];
        snprintf(target, sizeof target, "%.*s", at[0], at + 1);
    }
    if (strstr(text_of(error), "incompatible object file format"))
        REFUSE("the program is a component, not a module");
    REFUSE("the program is for `%s` and Wasmtime %s, this launcher for `" MACHINE "-" SYSTEM
        "` and Wasmtime 48; they do not fit: %s", target, version, text_of(error));
    return NULL;
}

/* The reason of a trap: Wasmtime's own words, or else the last cause. */
static char *reason_of(char *text)
{
    for (size_t end = strlen(text); end && text[end - 1] == '\n';)
        text[--end] = 0;
    char *trap = strstr(text, "wasm trap: "), *last = strrchr(text, '\n');
    char *reason = trap ? trap : last ? last + 1 : text;
    reason[strcspn(reason, "\n")] = 0;
    return reason + strspn(reason, " 0123456789:");
}

/* As `describe` in ../launcher/src/program.rs. */
static void report_frames(vec_t frames)
{
    bytes_t lines = unpack(app.lines);
    void **frame = (void **)frames.data;
    place_t place;
    bool is_known = false;
    for (size_t i = 0; i < frames.size; i++)
        is_known |= find_place(lines, wasm_frame_module_offset(frame[i]), &place);
    for (size_t i = 0; i < frames.size; i++) {
        const vec_t *name = wasmtime_frame_func_name(frame[i]);
        bool has_place = find_place(lines, wasm_frame_module_offset(frame[i]), &place);
        if (!name && !has_place && is_known)
            continue;
        fputs("  at ", stderr);
        if (name)
            print_text(name->data, name->size);
        else if (!has_place)
            say("function %u", wasm_frame_func_index(frame[i]));
        if (has_place) {
            fputs(name ? " (" : "", stderr);
            print_text(place.file.at, place.file.end - place.file.at);
            say(":%llu%s", (unsigned long long)place.line, name ? ")" : "");
        }
        fputc('\n', stderr);
    }
}

/* The first of two threads that report the end of the program goes on. */
static void be_the_end(void)
{
    static bool is_ending;
    while (__atomic_test_and_set(&is_ending, __ATOMIC_RELAXED))
        sleep_ms(1000);
}

static void report_too_late(void)
{
    say("not done within %llu ms", (unsigned long long)app.deadline_ms);
}

static void report_trap(vec_t message, vec_t frames)
{
    be_the_end();
    write_output();
    char *text = calloc(1, message.size + 1);
    memcpy(text, message.data, message.size);
    char *reason = reason_of(text);
    say("error: `%s`: ", app.argv[0]);
    if (app.fueled && strstr(reason, "all fuel consumed"))
        say("out of fuel, which was %llu", (unsigned long long)app.fuel);
    else if (app.timed && strstr(reason, "interrupt"))
        report_too_late();
    else if (app.memory_limit != INT64_MAX && strstr(reason, "unreachable"))
        /* How programs end that are given no memory; the library does not say which they wanted. */
        say("%s (its memory is limited to %llu bytes)", reason,
            (unsigned long long)app.memory_limit);
    else
        say("%s", reason);
    fputc('\n', stderr);
    report_frames(frames);
    exit(TRAP);
}

static void *proc_exit(void *env, void *caller, const val_t *args, size_t n, val_t *out, size_t m)
{
    (void)env, (void)caller, (void)n, (void)out, (void)m;
    exit(args[0].of.i32);
}

/* Wasmtime's own accepts no status above 125. */
static void define_proc_exit(void *linker)
{
    vec_t parameters, results = { 0, NULL };
    void *i32 = wasm_valtype_new(0);
    wasm_valtype_vec_new(&parameters, 1, &i32);
    void *type = wasm_functype_new(&parameters, &results);
    wasmtime_linker_allow_shadowing(linker, true);
    check(wasmtime_linker_define_func(linker, "wasi_snapshot_preview1", 22, "proc_exit", 9, type,
        proc_exit, NULL, NULL), "the program cannot start");
}

static void *call_start(instance_t *instance, void **trap)
{
    extern_t start;
    if (!wasmtime_instance_export_get(app.context, instance, "_start", 6, &start)
        || start.kind != FUNCTION)
        REFUSE("the program cannot start: it has no function `_start`");
    app.has_memory = wasmtime_instance_export_get(app.context, instance, "memory", 6, &app.memory)
        && app.memory.kind == MEMORY
        && wasmtime_memory_data_size(app.context, &app.memory.of) >= OUTPUT + OUTPUT_SIZE;
    catch_interrupts();
    return wasmtime_func_call(app.context, &start.of.func, NULL, 0, NULL, 0, trap);
}

static void run(void)
{
    void *module = load_module(), *store = wasmtime_store_new(app.engine, NULL, NULL), *trap = NULL;
    void *context = app.context = wasmtime_store_context(store);
    void *linker = wasmtime_linker_new(app.engine), *error;
    vec_t message, frames = { 0, NULL };
    instance_t instance;
    wasmtime_store_limiter(store, (int64_t)app.memory_limit, -1, -1, -1, -1);
    if (app.fueled)
        check(wasmtime_context_set_fuel(context, app.fuel), "the program cannot start");
    if (app.timed)
        wasmtime_context_set_epoch_deadline(context, 1);
    check(wasmtime_context_set_wasi(context, app.wasi), "the program cannot start");
    check(wasmtime_linker_define_wasi(linker), "the program cannot start");
    define_proc_exit(linker);
    error = wasmtime_linker_instantiate(linker, context, module, &instance, &trap);
    if (!error && !trap)
        error = call_start(&instance, &trap);
    if (trap) {
        wasm_trap_message(trap, &message);
        wasm_trap_trace(trap, &frames);
        report_trap(message, frames);
    }
    if (error) {
        wasmtime_error_wasm_trace(error, &frames);
        if (!frames.size)
            check(error, "the program cannot start");
        wasmtime_error_message(error, &message);
        report_trap(message, frames);
    }
    exit(0);
}

/* How many ms a program whose time is up may take to its next look at the clock; in a call of the
   host it never looks. */
enum { GRACE = 500 };

static void end_in_time(void)
{
    sleep_ms(app.deadline_ms);
    while (!*(void *volatile *)&app.engine)
        sleep_ms(1);
    wasmtime_engine_increment_epoch(app.engine);
    sleep_ms(GRACE);
    be_the_end();
    say("error: `%s`: ", app.argv[0]);
    report_too_late();
    fputc('\n', stderr);
    _Exit(TRAP);
}

int main(int argc, char **argv)
{
    static char *no_arguments[] = { "", NULL };
    app.argv = argc > 0 ? argv : no_arguments;
    app.argv[0] = name_of(app.argv[0]);
    if (!*app.argv[0])
        app.argv[0] = "program";
    open_standard_streams();
    find_payload();
    load_library();
    app.wasi = wasi_config_new();
    if (!wasi_config_set_argv(app.wasi, argc > 0 ? (size_t)argc : 1, app.argv))
        REFUSE("the program cannot start: an argument is not UTF-8");
    wasi_config_inherit_env(app.wasi);
    wasi_config_inherit_stdin(app.wasi);
    wasi_config_inherit_stdout(app.wasi);
    wasi_config_inherit_stderr(app.wasi);
    read_settings();
    if (app.deadline_ms)
        in_thread(end_in_time, 1 << 20, false);
    /* The stack of the main thread is too small for deep recursion. */
    in_thread(run, app.stack + HOST_STACK, true);
    REFUSE("the program cannot start: no memory for its stack");
}
