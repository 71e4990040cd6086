/* How a program starts. */

#include "host.h"

_Noreturn void mochi_main(const char *called) {
    if (called != NULL) { /* the name by which it was called, and not where it lies */
        mochi_name = called;
        for (const char *at = called; *at != '\0'; at++) {
            if (*at == '/' || *at == '\\') {
                mochi_name = at + 1;
            }
        }
    }
    if (!mochi_system_start()) {
        mochi_fail("the program cannot start", CANNOT_START);
    }
    /* Programs have a stack of their own: nothing uses this one but calls that return, above. */
    mochi_guard((uint8_t *)__builtin_frame_address(0) - 2 * HANDLER_STACK_SIZE);
    mochi_system_catch_interrupts();
    mochi_run(mochi_program, NULL);
    mochi_system_exit(0);
}

#ifdef __APPLE__ /* elsewhere, the system starts a function that calls it */
int main(int count, char **arguments) { mochi_main(count > 0 ? arguments[0] : NULL); }
#endif
