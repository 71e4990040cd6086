/* Runs the WebAssembly program that is linked into it, as an object that mochi-rules made. */
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

/* Defined by the object: where the artifact begins, and where it ends. */
extern const uint8_t program_start[], program_end[];

/* As much of Wasmtime 48's C API as is used. <wasmtime.h> declares the same; the Python wheel has
 * the library, and not the headers. */
typedef struct wasm_engine_t wasm_engine_t;
typedef struct wasm_trap_t wasm_trap_t;
typedef struct wasi_config_t wasi_config_t;
typedef struct wasmtime_context wasmtime_context_t;
typedef struct wasmtime_error wasmtime_error_t;
typedef struct wasmtime_linker wasmtime_linker_t;
typedef struct wasmtime_module wasmtime_module_t;
typedef struct wasmtime_store wasmtime_store_t;
typedef struct { size_t size; char *data; } wasm_byte_vec_t;
typedef struct { uint64_t store_id; void *private_; } wasmtime_func_t;

wasm_engine_t *wasm_engine_new(void);
wasmtime_error_t *wasmtime_module_deserialize(
    wasm_engine_t *, const uint8_t *, size_t, wasmtime_module_t **);
wasmtime_store_t *wasmtime_store_new(wasm_engine_t *, void *, void (*)(void *));
wasmtime_context_t *wasmtime_store_context(wasmtime_store_t *);
wasi_config_t *wasi_config_new(void);
void wasi_config_inherit_argv(wasi_config_t *);
void wasi_config_inherit_stdin(wasi_config_t *);
void wasi_config_inherit_stdout(wasi_config_t *);
void wasi_config_inherit_stderr(wasi_config_t *);
wasmtime_error_t *wasmtime_context_set_wasi(wasmtime_context_t *, wasi_config_t *);
wasmtime_linker_t *wasmtime_linker_new(wasm_engine_t *);
wasmtime_error_t *wasmtime_linker_define_wasi(wasmtime_linker_t *);
wasmtime_error_t *wasmtime_linker_module(
    wasmtime_linker_t *, wasmtime_context_t *, const char *, size_t, const wasmtime_module_t *);
wasmtime_error_t *wasmtime_linker_get_default(
    wasmtime_linker_t *, wasmtime_context_t *, const char *, size_t, wasmtime_func_t *);
wasmtime_error_t *wasmtime_func_call(wasmtime_context_t *, const wasmtime_func_t *, const void *,
    size_t, void *, size_t, wasm_trap_t **);
bool wasmtime_error_exit_status(const wasmtime_error_t *, int *);
void wasmtime_error_message(const wasmtime_error_t *, wasm_byte_vec_t *);
void wasm_trap_message(const wasm_trap_t *, wasm_byte_vec_t *);

static void check(wasmtime_error_t *error)
{
    int status;
    if (!error)
        return;
    if (wasmtime_error_exit_status(error, &status))
        exit(status);
    wasm_byte_vec_t text;
    wasmtime_error_message(error, &text);
    fprintf(stderr, "host: %.*s\n", (int)text.size, text.data);
    exit(1);
}

int main(void)
{
    printf("host: %zu bytes of machine code and data\n", (size_t)(program_end - program_start));
    fflush(stdout); /* the program does not know what we have buffered */

    /* The engine's settings must be those of the artifact, or it is refused here. */
    wasm_engine_t *engine = wasm_engine_new();
    wasmtime_module_t *module;
    check(wasmtime_module_deserialize(
        engine, program_start, program_end - program_start, &module));

    wasmtime_context_t *context = wasmtime_store_context(wasmtime_store_new(engine, NULL, NULL));
    wasi_config_t *wasi = wasi_config_new();
    wasi_config_inherit_argv(wasi);
    wasi_config_inherit_stdin(wasi);
    wasi_config_inherit_stdout(wasi);
    wasi_config_inherit_stderr(wasi);
    check(wasmtime_context_set_wasi(context, wasi));

    wasmtime_linker_t *linker = wasmtime_linker_new(engine);
    check(wasmtime_linker_define_wasi(linker));
    check(wasmtime_linker_module(linker, context, "", 0, module));
    wasmtime_func_t start;
    check(wasmtime_linker_get_default(linker, context, "", 0, &start));

    wasm_trap_t *trap = NULL;
    check(wasmtime_func_call(context, &start, NULL, 0, NULL, 0, &trap));
    if (trap) {
        wasm_byte_vec_t text;
        wasm_trap_message(trap, &text);
        fprintf(stderr, "host: %.*s\n", (int)text.size, text.data);
        return 1;
    }
    puts("host: the program has ended");
    return 0;
}
