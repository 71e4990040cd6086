/* All of the host in one piece, for one call of the compiler. */

#if defined(__linux__) && !defined(MOCHI_LIBRARY)
#include "linux.c"
#endif

#if !defined(__APPLE__) && !defined(MOCHI_LIBRARY)
#include "memory.c"
#endif

#ifdef _WIN32
#include "system_windows.c"
#else
#include "system_posix.c"
#endif

#include "host.c"
#include "trap.c"

#ifdef MOCHI_LIBRARY
#include "library.c"
#else
#include "main.c"
#endif
