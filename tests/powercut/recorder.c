/* Records what a process writes below one folder, and in what order it is synced; loaded with LD_PRELOAD.
 *
 * A record is a header, a path and, where there is one, a second path or data.  Files are told apart by the number
 * that they got when they were opened: an inode may be used again, a path may be renamed.
 *
 * One write or sync can be made to fail: the recorder counts them from `recorder_begin` on.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

enum { DESCRIPTORS = 4096, WRITES = 1, SYNCS = 2 };

struct header {
    uint8_t kind;
    uint32_t path;   /* bytes of the path */
    uint32_t length; /* bytes of what follows it */
    int64_t offset;
    uint64_t inode;
} __attribute__((packed));

static char *opened[DESCRIPTORS]; /* the path of each descriptor that counts */
static int record = -1;
static char root[PATH_MAX];
static size_t root_length;
static int failing, countdown, failure;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

#define REAL(name) \
    static __typeof__(name) *real; \
    if (!real) real = (__typeof__(name) *)dlsym(RTLD_NEXT, #name)

static int counts(const char *path) {
    if (record < 0 || !path || strncmp(path, root, root_length)) return 0;
    size_t length = strlen(path);
    if (path[root_length] && path[root_length] != '/') return 0;
    /* shared memory: SQLite makes it again */
    return length < 4 || strcmp(path + length - 4, "-shm");
}

static void put(char kind, const char *path, const void *data, size_t length, int64_t offset, uint64_t inode) {
    REAL(writev);
    struct header header = {kind, strlen(path), length, offset, inode};
    struct iovec parts[3] = {{&header, sizeof header}, {(void *)path, header.path}, {(void *)data, length}};
    int before = errno;
    if (real(record, parts, 3) < 0) abort();
    errno = before;
}

static const char *path_of(int descriptor) {
    return record >= 0 && descriptor >= 0 && descriptor < DESCRIPTORS ? opened[descriptor] : NULL;
}

static uint64_t inode_of(int descriptor) {
    struct stat status;
    return fstat(descriptor, &status) ? 0 : status.st_ino;
}

static int fails(int kind) {
    if (failing != kind || !countdown || --countdown) return 0;
    errno = failure;
    return 1;
}

/* Begin to record below a folder; `kind` and `nth` say which write or sync fails, 0 for none. */
int recorder_begin(const char *log, const char *folder, int kind, int nth, int code) {
    record = -1;
    int made = open(log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    strncpy(root, folder, sizeof root - 1);
    root_length = strlen(root);
    failing = kind, countdown = nth, failure = code;
    return record = made;
}

/* End it; whether what was to fail did. */
int recorder_end(void) {
    int before = record;
    record = -1;
    close(before);
    return failing && !countdown;
}

/* Something was acknowledged. */
void recorder_mark(const char *text) {
    if (record >= 0) put('!', "", text, strlen(text), 0, 0);
}

static void keep(int descriptor, const char *path, int created, int flags) {
    if (descriptor < 0 || descriptor >= DESCRIPTORS || !counts(path)) return;
    pthread_mutex_lock(&lock);
    free(opened[descriptor]);
    opened[descriptor] = strdup(path);
    if (created) put('c', path, NULL, 0, 0, inode_of(descriptor));
    else if (flags & O_TRUNC) put('t', path, NULL, 0, 0, inode_of(descriptor));
    pthread_mutex_unlock(&lock);
}

static int creates(const char *path, int flags) {
    return (flags & O_CREAT) && counts(path) && access(path, F_OK);
}

#define OPENING(name, parameters, arguments) \
    int name parameters { \
        REAL(name); \
        va_list rest; \
        va_start(rest, flags); \
        mode_t mode = flags & (O_CREAT | O_TMPFILE) ? va_arg(rest, mode_t) : 0; \
        va_end(rest); \
        int before = errno, created = creates(path, flags); \
        errno = before; \
        int descriptor = real arguments; \
        if ((flags & O_TMPFILE) != O_TMPFILE) keep(descriptor, path, created, flags); \
        return descriptor; \
    }
OPENING(open, (const char *path, int flags, ...), (path, flags, mode))
OPENING(open64, (const char *path, int flags, ...), (path, flags, mode))
OPENING(openat, (int folder, const char *path, int flags, ...), (folder, path, flags, mode))
OPENING(openat64, (int folder, const char *path, int flags, ...), (folder, path, flags, mode))

int close(int descriptor) {
    REAL(close);
    if (descriptor >= 0 && descriptor < DESCRIPTORS && opened[descriptor]) {
        pthread_mutex_lock(&lock);
        free(opened[descriptor]);
        opened[descriptor] = NULL;
        pthread_mutex_unlock(&lock);
    }
    return real(descriptor);
}

ssize_t write(int descriptor, const void *data, size_t length) {
    REAL(write);
    const char *path = path_of(descriptor);
    if (!path) return real(descriptor, data, length);
    if (fails(WRITES)) return -1;
    ssize_t written = real(descriptor, data, length);
    if (written > 0) {
        off_t end = lseek(descriptor, 0, SEEK_CUR);
        put('w', path, data, written, end - written, inode_of(descriptor));
    }
    return written;
}

#define WRITING(name, offset_type) \
    ssize_t name(int descriptor, const void *data, size_t length, offset_type offset) { \
        REAL(name); \
        const char *path = path_of(descriptor); \
        if (!path) return real(descriptor, data, length, offset); \
        if (fails(WRITES)) return -1; \
        ssize_t written = real(descriptor, data, length, offset); \
        if (written > 0) put('w', path, data, written, offset, inode_of(descriptor)); \
        return written; \
    }
WRITING(pwrite, off_t)
WRITING(pwrite64, off64_t)

#define CUTTING(name, offset_type) \
    int name(int descriptor, offset_type length) { \
        REAL(name); \
        int done = real(descriptor, length); \
        const char *path = path_of(descriptor); \
        if (!done && path) put('t', path, NULL, 0, length, inode_of(descriptor)); \
        return done; \
    }
CUTTING(ftruncate, off_t)
CUTTING(ftruncate64, off64_t)

#define SYNCING(name) \
    int name(int descriptor) { \
        REAL(name); \
        const char *path = path_of(descriptor); \
        if (path && fails(SYNCS)) return -1; \
        int done = real(descriptor); \
        if (!done && path) put('s', path, NULL, 0, 0, inode_of(descriptor)); \
        return done; \
    }
SYNCING(fsync)
SYNCING(fdatasync)

#define MOVING(name, kind, parameters, arguments) \
    int name parameters { \
        REAL(name); \
        int done = real arguments; \
        if (!done && counts(new)) put(kind, old, new, strlen(new), 0, 0); \
        return done; \
    }
MOVING(rename, 'r', (const char *old, const char *new), (old, new))
MOVING(renameat, 'r', (int from, const char *old, int to, const char *new), (from, old, to, new))
MOVING(link, 'l', (const char *old, const char *new), (old, new))
MOVING(linkat, 'l', (int from, const char *old, int to, const char *new, int flags), (from, old, to, new, flags))

#define REMOVING(name, parameters, arguments) \
    int name parameters { \
        REAL(name); \
        int done = real arguments; \
        if (!done && counts(path)) put('u', path, NULL, 0, 0, 0); \
        return done; \
    }
REMOVING(unlink, (const char *path), (path))
REMOVING(unlinkat, (int folder, const char *path, int flags), (folder, path, flags))

#define MAKING(name, parameters, arguments) \
    int name parameters { \
        REAL(name); \
        int done = real arguments; \
        if (!done && counts(path)) put('m', path, NULL, 0, 0, 0); \
        return done; \
    }
MAKING(mkdir, (const char *path, mode_t mode), (path, mode))
MAKING(mkdirat, (int folder, const char *path, mode_t mode), (folder, path, mode))
