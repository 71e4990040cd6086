/* The C API of Wasmtime 48, as much of it as is used: a pointer for each function, and a table of
 * their names to fill the pointers from. Opaque types are `void`.
 *
 * A program that defines COMPILES gets the functions that compile, else it gets those that run. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct { size_t size; void *data; } vec_t; /* every wasm_*_vec_t */
typedef struct { uint64_t store_id; void *private_; } func_t;
typedef struct { uint64_t store_id; size_t private_; } instance_t;
typedef struct { uint8_t kind; union { func_t func; uint64_t space[8]; } of; } extern_t;
typedef struct { uint8_t kind; union { int32_t i32; uint64_t align[2]; } of; } val_t;
typedef void *(*callback_t)(void *env, void *caller, const val_t *args, size_t, val_t *, size_t);

#define SHARED_FUNCTIONS(F) \
    F(void *, wasm_config_new, (void)) \
    F(void *, wasm_engine_new_with_config, (void *)) \
    F(void, wasmtime_config_strategy_set, (void *, uint8_t)) \
    F(void, wasmtime_config_debug_info_set, (void *, bool)) \
    F(void, wasmtime_config_consume_fuel_set, (void *, bool)) \
    F(void, wasmtime_config_epoch_interruption_set, (void *, bool)) \
    F(void, wasmtime_config_signals_based_traps_set, (void *, bool)) \
    F(void, wasmtime_config_memory_reservation_set, (void *, uint64_t)) \
    F(void, wasmtime_config_memory_guard_size_set, (void *, uint64_t)) \
    F(void, wasmtime_error_message, (void *, vec_t *))

#ifdef COMPILES
#define OWN_FUNCTIONS(F) \
    F(void *, wasmtime_config_target_set, (void *, const char *)) \
    F(void, wasmtime_config_cranelift_flag_enable, (void *, const char *)) \
    F(void, wasmtime_config_cranelift_opt_level_set, (void *, uint8_t)) \
    F(void, wasmtime_config_cranelift_nan_canonicalization_set, (void *, bool)) \
    F(void, wasmtime_config_parallel_compilation_set, (void *, bool)) \
    F(void *, wasmtime_module_new, (void *, const uint8_t *, size_t, void **)) \
    F(void *, wasmtime_module_serialize, (void *, vec_t *)) \
    F(void *, wasmtime_component_new, (void *, const uint8_t *, size_t, void **)) \
    F(void *, wasmtime_component_serialize, (void *, vec_t *))
#else
#define OWN_FUNCTIONS(F) \
    F(void, wasmtime_config_max_wasm_stack_set, (void *, size_t)) \
    F(void, wasmtime_config_async_stack_size_set, (void *, size_t)) \
    F(void *, wasmtime_module_deserialize, (void *, const uint8_t *, size_t, void **)) \
    F(void *, wasmtime_store_new, (void *, void *, void (*)(void *))) \
    F(void *, wasmtime_store_context, (void *)) \
    F(void, wasmtime_store_limiter, (void *, int64_t, int64_t, int64_t, int64_t, int64_t)) \
    F(void *, wasmtime_context_set_fuel, (void *, uint64_t)) \
    F(void, wasmtime_context_set_epoch_deadline, (void *, uint64_t)) \
    F(void, wasmtime_engine_increment_epoch, (void *)) \
    F(void *, wasi_config_new, (void)) \
    F(bool, wasi_config_set_argv, (void *, size_t, char **)) \
    F(void, wasi_config_inherit_env, (void *)) \
    F(void, wasi_config_inherit_stdin, (void *)) \
    F(void, wasi_config_inherit_stdout, (void *)) \
    F(void, wasi_config_inherit_stderr, (void *)) \
    F(bool, wasi_config_preopen_dir, (void *, const char *, const char *, bool)) \
    F(void *, wasmtime_context_set_wasi, (void *, void *)) \
    F(void *, wasmtime_linker_new, (void *)) \
    F(void *, wasmtime_linker_define_wasi, (void *)) \
    F(void, wasmtime_linker_allow_shadowing, (void *, bool)) \
    F(void *, wasmtime_linker_define_func, (void *, const char *, size_t, const char *, size_t, \
        const void *, callback_t, void *, void (*)(void *))) \
    F(void *, wasm_valtype_new, (uint8_t)) \
    F(void, wasm_valtype_vec_new, (vec_t *, size_t, void *const *)) \
    F(void *, wasm_functype_new, (vec_t *, vec_t *)) \
    F(void *, wasmtime_linker_instantiate, (void *, void *, void *, instance_t *, void **)) \
    F(bool, wasmtime_instance_export_get, (void *, instance_t *, const char *, size_t, \
        extern_t *)) \
    F(uint8_t *, wasmtime_memory_data, (void *, const void *)) \
    F(size_t, wasmtime_memory_data_size, (void *, const void *)) \
    F(void *, wasmtime_func_call, (void *, func_t *, void *, size_t, void *, size_t, void **)) \
    F(bool, wasmtime_error_exit_status, (void *, int *)) \
    F(void, wasmtime_error_wasm_trace, (void *, vec_t *)) \
    F(void, wasm_trap_message, (void *, vec_t *)) \
    F(void, wasm_trap_trace, (void *, vec_t *)) \
    F(const vec_t *, wasmtime_frame_func_name, (void *)) \
    F(uint32_t, wasm_frame_func_index, (void *)) \
    F(size_t, wasm_frame_module_offset, (void *))
#endif

#define FUNCTIONS(F) SHARED_FUNCTIONS(F) OWN_FUNCTIONS(F)
#define DECLARE(type, name, arguments) static type(*name) arguments;
FUNCTIONS(DECLARE)
#define ROW(type, name, arguments) { #name, (void **)&name },
static const struct { const char *name; void **place; } TABLE[] = { FUNCTIONS(ROW) };
