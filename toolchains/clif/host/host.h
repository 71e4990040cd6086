/* What a program, the functions that it imports and the report of a trap share. */

#ifndef MOCHI_HOST_H
#define MOCHI_HOST_H

#include <stddef.h>
#include <stdint.h>

#ifdef _WIN32
#define TRAP_STATUS 3
#else
#define TRAP_STATUS 134 /* what a shell says of a process that aborted */
#endif
#define CANNOT_START 126 /* what a shell says of a file that it finds and cannot execute */
#define STACK_SIZE ((size_t)128 << 20) /* as of the launcher; only what is used is taken */
#define HANDLER_STACK_SIZE ((size_t)64 << 10)
#define MEMORY_SIZE ((uint64_t)1 << 32)
#define GUARD_SIZE ((uint64_t)1 << 16)
#define PAGE_SIZE_OF_MEMORY ((uint64_t)1 << 16)
#define OUTPUT 992 /* where the memory says what is printed and not written yet */

/* What C calls of what Cranelift has compiled: arguments and result are words in memory. */
typedef void mochi_function(uint64_t *words);
mochi_function mochi_program;
extern const uint8_t mochi_lines[];
extern const char mochi_files[];

/* The memory, and how many pages of it are usable. */
extern uint8_t *mochi_memory;
extern uint32_t mochi_pages;

/* What messages call the program. */
extern const char *mochi_name;

/* Says `error: `NAME`: MESSAGE`, and ends the process. */
_Noreturn void mochi_fail(const char *message, int status);

/* Begins such a message, and goes on with it. */
void mochi_begin(const char *message);
void mochi_put(const char *text, size_t size);

/* Runs the program, which was called by a name, or by none. */
_Noreturn void mochi_main(const char *called);

/* Finds what is printed and not written yet; writes it. */
const uint8_t *mochi_unwritten(size_t *size);
void mochi_write_unwritten(void);

/* Makes a stack of STACK_SIZE, and has traps in what runs on it reported, on another stack. */
void mochi_guard(uint8_t *handler_stack);

/* Calls a function on that stack. */
void mochi_run(mochi_function *function, uint64_t *words);

/* Says where the program was: the address of the instruction, and those of the callers. */
_Noreturn void mochi_report_trap(const char *message, const uintptr_t *addresses, size_t count);

/* system_*.c */
int mochi_system_start(void);
uint8_t *mochi_system_memory(void); /* MEMORY_SIZE and GUARD_SIZE, to be committed */
void mochi_system_catch_interrupts(void);
int mochi_system_commit(uint8_t *start, uint64_t size);
intptr_t mochi_system_write(int stream, const void *data, size_t size);
int mochi_system_is_terminal(int stream);
intptr_t mochi_system_read(int stream, void *data, size_t size);
int mochi_system_is_closed_pipe(void);
uint64_t mochi_system_nanoseconds(void);
char **mochi_system_environment(void);
_Noreturn void mochi_system_exit(int status);

#endif
