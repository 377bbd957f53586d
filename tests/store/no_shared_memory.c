/* A file system that cannot share memory (9p and many network mounts): files cannot be mapped to be written. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <sys/mman.h>
#include <sys/types.h>

#define MAPPING(name, offset_type) \
    void *name(void *where, size_t length, int protection, int flags, int descriptor, offset_type offset) { \
        static __typeof__(name) *real; \
        if (!real) real = (__typeof__(name) *)dlsym(RTLD_NEXT, #name); \
        if (descriptor >= 0 && (flags & MAP_SHARED) && (protection & PROT_WRITE)) { \
            errno = ENODEV; \
            return MAP_FAILED; \
        } \
        return real(where, length, protection, flags, descriptor, offset); \
    }
MAPPING(mmap, off_t)
MAPPING(mmap64, off64_t)
