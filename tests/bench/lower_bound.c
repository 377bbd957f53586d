/*
 * How little it can cost to thread an mbox: what a plain C program needs for the steps that no program can leave out.
 *
 *   lower_bound read FILE...     read() every byte
 *   lower_bound search FILE...   map, and find every "\nFrom "
 *   lower_bound thread FILE...   map, split, find three headers, intern the ids, link each to a parent
 *
 * `thread` prints "MESSAGES messages, HELD ids, GHOSTS ghosts, EDGES edges", and splits as Weft does: a message begins
 * at a line "From " at the start of the file or after an empty line, if a header field comes next.  It does nothing
 * for hostile mail: no comments, no quotes, no caps, no cycles, no dates or subjects, and it prints no threads.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

enum { NONE = -1, MOST_REFERENCES = 100 };

struct node {
    const char *id;
    uint64_t hash;
    uint32_t length;
    int32_t parent;
    int held;
};

static struct node *nodes;
static uint32_t *table; /* places in `nodes`, plus one; 0 is free */
static uint32_t used, room, mask;
static uint64_t messages, unnamed;

static void fail(const char *what)
{
    perror(what);
    exit(1);
}

static void *checked(void *memory)
{
    if (!memory)
        fail("memory");
    return memory;
}

static uint64_t hash_of(const char *text, size_t length)
{
    uint64_t hash = 0x9e3779b97f4a7c15u ^ length, word;
    for (; length >= 8; text += 8, length -= 8) {
        memcpy(&word, text, 8);
        hash = (hash ^ word) * 0xff51afd7ed558ccdu;
        hash ^= hash >> 32;
    }
    word = 0;
    memcpy(&word, text, length);
    hash = (hash ^ word) * 0xc4ceb9fe1a85ec53u;
    return hash ^ hash >> 29;
}

static void grow(void)
{
    room = room ? 2 * room : 1 << 16;
    nodes = checked(realloc(nodes, room * sizeof *nodes));
    free(table);
    table = checked(calloc(2 * (size_t)room, sizeof *table));
    mask = 2 * room - 1;
    for (uint32_t node = 0; node < used; node++) {
        uint32_t slot = nodes[node].hash & mask;
        while (table[slot])
            slot = (slot + 1) & mask;
        table[slot] = node + 1;
    }
}

static int32_t intern(const char *id, size_t length)
{
    uint64_t hash = hash_of(id, length);
    if (used == room)
        grow();
    uint32_t slot = hash & mask;
    for (; table[slot]; slot = (slot + 1) & mask) {
        struct node *node = &nodes[table[slot] - 1];
        if (node->hash == hash && node->length == length && !memcmp(node->id, id, length))
            return (int32_t)(table[slot] - 1);
    }
    nodes[used] = (struct node){id, hash, (uint32_t)length, NONE, 0};
    table[slot] = ++used;
    return (int32_t)(used - 1);
}

static int is_white(char byte)
{
    return byte == ' ' || byte == '\t' || byte == '\n' || byte == '\r';
}

/* An id with white space in it, without. */
static int32_t intern_folded(const char *id, size_t length)
{
    char *kept = checked(malloc(length));
    size_t size = 0;
    for (size_t at = 0; at < length; at++)
        if (!is_white(id[at]))
            kept[size++] = id[at];
    return intern(kept, size);
}

/* The ids in a header value, at most `most`. */
static int ids_in(const char *at, const char *end, int32_t *found, int most)
{
    int count = 0;
    while (count < most && (at = memchr(at, '<', (size_t)(end - at)))) {
        const char *close = ++at;
        int white = 0, sign = 0;
        for (; close < end && *close != '>'; close++) {
            white |= is_white(*close);
            sign |= *close == '@';
        }
        if (close == end)
            break;
        if (sign) {
            size_t length = (size_t)(close - at);
            found[count++] = white ? intern_folded(at, length) : intern(at, length);
        }
        at = close;
    }
    return count;
}

/* Where the value of a field begins if the line at `at` is that field, else NULL. */
static const char *value_of(const char *at, const char *end, const char *name, size_t length)
{
    if ((size_t)(end - at) <= length || strncasecmp(at, name, length))
        return NULL;
    for (at += length; at < end && (*at == ' ' || *at == '\t'); at++)
        ;
    return at < end && *at == ':' ? at + 1 : NULL;
}

struct headers {
    int32_t own, reply, references[MOST_REFERENCES];
    int count;
};

static void take_field(struct headers *headers, const char *at, const char *end)
{
    const char *value;
    int32_t one;
    if ((value = value_of(at, end, "message-id", 10))) {
        if (headers->own == NONE && ids_in(value, end, &one, 1))
            headers->own = one;
    } else if ((value = value_of(at, end, "in-reply-to", 11))) {
        if (headers->reply == NONE && ids_in(value, end, &one, 1))
            headers->reply = one;
    } else if ((value = value_of(at, end, "references", 10))) {
        headers->count += ids_in(value, end, headers->references + headers->count, MOST_REFERENCES - headers->count);
    }
}

static void link_ids(const struct headers *headers)
{
    messages++;
    int32_t before = NONE;
    for (int at = 0; at < headers->count; at++) {
        struct node *node = &nodes[headers->references[at]];
        if (!node->held && node->parent == NONE && before != headers->references[at])
            node->parent = before;
        before = headers->references[at];
    }
    if (headers->own == NONE) {
        unnamed++;
        return;
    }
    struct node *node = &nodes[headers->own];
    node->held = 1;
    int32_t parent = before != NONE ? before : headers->reply;
    node->parent = parent == headers->own ? NONE : parent;
}

/* Read the header block at `at`; where it ends: at the line feed of its last line. */
static const char *take_headers(const char *at, const char *end)
{
    struct headers headers = {.own = NONE, .reply = NONE, .count = 0};
    while (at < end && *at != '\n' && !(*at == '\r' && at + 1 < end && at[1] == '\n')) {
        const char *stop = at;
        do {
            stop = memchr(stop, '\n', (size_t)(end - stop));
            stop = stop ? stop + 1 : end;
        } while (stop < end && (*stop == ' ' || *stop == '\t'));
        if (strchr("MmIiRr", *at))
            take_field(&headers, at, stop);
        at = stop;
    }
    link_ids(&headers);
    return at - 1;
}

static int is_field(const char *at, const char *end)
{
    const char *start = at;
    while (at < end && *at > ' ' && *at < 127 && *at != ':')
        at++;
    if (at == start)
        return 0;
    while (at < end && (*at == ' ' || *at == '\t'))
        at++;
    return at < end && *at == ':';
}

/* The header block of the message whose separator is at `at`; NULL: it is none. */
static const char *after_separator(const char *at, const char *end)
{
    if (end - at < 5 || memcmp(at, "From ", 5))
        return NULL;
    const char *line = memchr(at, '\n', (size_t)(end - at));
    return line && is_field(line + 1, end) ? line + 1 : NULL;
}

static void thread(const char *data, size_t size)
{
    const char *end = data + size, *headers = after_separator(data, end), *at = data;
    for (;;) {
        if (headers)
            at = take_headers(headers, end);
        if (at >= end || !(at = memmem(at, (size_t)(end - at), "\nFrom ", 6)))
            return;
        int after_empty = at > data && (at[-1] == '\n' || (at[-1] == '\r' && at - 1 > data && at[-2] == '\n'));
        headers = after_empty ? after_separator(at + 1, end) : NULL;
        at++;
    }
}

static void search(const char *at, size_t size)
{
    const char *end = at + size;
    while ((at = memmem(at, (size_t)(end - at), "\nFrom ", 6))) {
        messages++;
        at++;
    }
}

static void read_all(int file)
{
    static char buffer[1 << 20];
    ssize_t got;
    while ((got = read(file, buffer, sizeof buffer)) > 0)
        messages += (uint64_t)got;
    if (got < 0)
        fail("read");
}

int main(int count, char **arguments)
{
    if (count < 3)
        return 2;
    char mode = arguments[1][0];
    for (int at = 2; at < count; at++) {
        int file = open(arguments[at], O_RDONLY);
        struct stat known;
        if (file < 0 || fstat(file, &known))
            fail(arguments[at]);
        size_t size = (size_t)known.st_size;
        if (mode == 'r') {
            read_all(file);
        } else if (size) {
            /* The pages stay mapped: the ids are where they were read. */
            const char *data = mmap(NULL, size, PROT_READ, MAP_PRIVATE | MAP_POPULATE, file, 0);
            if (data == MAP_FAILED)
                fail("mmap");
            madvise((void *)data, size, MADV_SEQUENTIAL);
            (mode == 's' ? search : thread)(data, size);
        }
        close(file);
    }
    if (mode == 't') {
        uint64_t held = 0, edges = 0;
        for (uint32_t node = 0; node < used; node++) {
            held += (uint64_t)nodes[node].held;
            edges += nodes[node].parent != NONE;
        }
        printf("%lu messages, %lu ids, %lu ghosts, %lu edges\n", messages, held + unnamed, used - held, edges);
    } else {
        printf("%lu %s\n", messages, mode == 'r' ? "octets" : "lines");
    }
    return 0;
}
