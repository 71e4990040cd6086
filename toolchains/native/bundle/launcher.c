/* Runs the WebAssembly program that is attached to it, with the libwasmtime that lies beside it.
 *
 * The fallback for platforms without the Rust launcher: same layout, settings, messages and
 * statuses, see ../README.md. The library is that of the platform's Python wheel of Wasmtime 48,
 * as `libwasmtime.so`, `libwasmtime.dylib` or `wasmtime.dll` in the directory of the executable.
 * Neither its headers nor a library is needed to build it:  cc -O2 launcher.c -o launcher
 */
#define _GNU_SOURCE
#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "system.h"

#include "lines.h"
#include "message.h"
#include "sha256.h"
#include "wasmtime48.h"

#include "app.h"

enum { FUNCTION = 0, MEMORY = 3 }; /* kinds of exports */
enum { ENGINE_SECTION = 64, HOST_STACK = 4 << 20 };

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
