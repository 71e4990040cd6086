/* Compiles a file of WebAssembly with a libwasmtime:  aot LIBRARY INPUT OUTPUT KEY=VALUE...
 *
 * A library compiles for the machine it is made for; with an emulator, that is another machine. The
 * library is that of the platform's Python wheel of Wasmtime 48. The keys are those of a worker's
 * request; `flag` may come several times. Switches are 0 or 1, sizes are bytes, and what is left
 * out is as Wasmtime has it.
 *
 * Status 0, or 1 with the reason on standard error; Wasmtime aborts for what it does not expect.
 * Neither its headers nor a library is needed to build it:  cc -O2 aot.c -o aot -ldl
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define COMPILES
#include "wasmtime48.h"

#define FAIL(...) (fprintf(stderr, __VA_ARGS__), fputc('\n', stderr), exit(1))
#define LENGTH(array) (sizeof(array) / sizeof *(array))

static bool is_component;

static const struct { const char *key; void (**set)(void *, bool); } SWITCHES[] = {
    { "debug_info", &wasmtime_config_debug_info_set },
    { "consume_fuel", &wasmtime_config_consume_fuel_set },
    { "epoch_interruption", &wasmtime_config_epoch_interruption_set },
    { "signals_based_traps", &wasmtime_config_signals_based_traps_set },
    { "nan_canonicalization", &wasmtime_config_cranelift_nan_canonicalization_set },
};

static const struct { const char *key; void (**set)(void *, uint64_t); } SIZES[] = {
    { "memory_reservation", &wasmtime_config_memory_reservation_set },
    { "memory_guard_size", &wasmtime_config_memory_guard_size_set },
};

static const struct { const char *text; void (**set)(void *, uint8_t); uint8_t value; } CHOICES[] = {
    { "compiler=cranelift", &wasmtime_config_strategy_set, 1 },
    { "compiler=winch", &wasmtime_config_strategy_set, 2 },
    { "opt_level=none", &wasmtime_config_cranelift_opt_level_set, 0 },
    { "opt_level=speed", &wasmtime_config_cranelift_opt_level_set, 1 },
    { "opt_level=speed_and_size", &wasmtime_config_cranelift_opt_level_set, 2 },
};

static void check(void *error)
{
    if (error) {
        vec_t message;
        wasmtime_error_message(error, &message);
        FAIL("%.*s", (int)message.size, (const char *)message.data);
    }
}

static void load(const char *path)
{
    void *library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    if (!library)
        FAIL("cannot load `%s`: %s", path, dlerror());
    for (size_t i = 0; i < LENGTH(TABLE); i++)
        if (!(*TABLE[i].place = dlsym(library, TABLE[i].name)))
            FAIL("`%s` is not of Wasmtime 48: it has no `%s`", path, TABLE[i].name);
}

/* The value in KEY=VALUE, or nothing when the key is another one. */
static const char *value_of(const char *key, const char *text)
{
    size_t size = strlen(key);
    return strncmp(text, key, size) || text[size] != '=' ? NULL : text + size + 1;
}

static uint64_t number_of(const char *value)
{
    char *end;
    uint64_t number = strtoull(value, &end, 10);
    if (end == value || *end)
        FAIL("`%s` is no number", value);
    return number;
}

static void set(void *config, const char *text)
{
    const char *value;
    bool is_known = false;
    if ((value = value_of("target", text)))
        check(wasmtime_config_target_set(config, value));
    else if ((value = value_of("flag", text)))
        wasmtime_config_cranelift_flag_enable(config, value);
    else if (!strcmp(text, "kind=component"))
        is_component = true;
    else if (strcmp(text, "kind=module")) {
        for (size_t i = 0; i < LENGTH(CHOICES); i++)
            if (!strcmp(CHOICES[i].text, text))
                (*CHOICES[i].set)(config, CHOICES[i].value), is_known = true;
        for (size_t i = 0; i < LENGTH(SWITCHES); i++)
            if ((value = value_of(SWITCHES[i].key, text)))
                (*SWITCHES[i].set)(config, number_of(value)), is_known = true;
        for (size_t i = 0; i < LENGTH(SIZES); i++)
            if ((value = value_of(SIZES[i].key, text)))
                (*SIZES[i].set)(config, number_of(value)), is_known = true;
        if (!is_known)
            FAIL("`%s` is no setting", text);
    }
}

static vec_t read_file(const char *path)
{
    FILE *file = fopen(path, "rb");
    if (!file)
        FAIL("cannot read `%s`", path);
    vec_t bytes = { 0, NULL };
    size_t capacity = 0, count;
    do {
        if (bytes.size == capacity && !(bytes.data = realloc(bytes.data, capacity += 1 << 20)))
            FAIL("no memory for `%s`", path);
        count = fread((char *)bytes.data + bytes.size, 1, capacity - bytes.size, file);
        bytes.size += count;
    } while (count);
    if (ferror(file))
        FAIL("cannot read `%s`", path);
    fclose(file);
    return bytes;
}

static void write_file(const char *path, vec_t bytes)
{
    FILE *file = fopen(path, "wb");
    if (!file || fwrite(bytes.data, 1, bytes.size, file) != bytes.size || fclose(file))
        FAIL("cannot write `%s`", path);
}

int main(int argc, char **argv)
{
    if (argc < 4)
        FAIL("aot LIBRARY INPUT OUTPUT KEY=VALUE...");
    unsetenv("WASMTIME_BACKTRACE_DETAILS"); /* it would change the artifact */
    load(argv[1]);
    vec_t wasm = read_file(argv[2]);
    void *config = wasm_config_new();
    /* The bytes are the same, and with threads an emulator may never come to an end. */
    wasmtime_config_parallel_compilation_set(config, false);
    for (int i = 4; i < argc; i++)
        set(config, argv[i]);
    void *engine = wasm_engine_new_with_config(config), *compiled;
    vec_t artifact;
    if (is_component) {
        check(wasmtime_component_new(engine, wasm.data, wasm.size, &compiled));
        check(wasmtime_component_serialize(compiled, &artifact));
    } else {
        check(wasmtime_module_new(engine, wasm.data, wasm.size, &compiled));
        check(wasmtime_module_serialize(compiled, &artifact));
    }
    write_file(argv[3], artifact);
    return 0;
}
