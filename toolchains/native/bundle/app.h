/* The program: what is attached to the launcher, how it is to run, and why it cannot. */
enum { CANNOT_EXECUTE = 126, FOOTER = 64 };

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
