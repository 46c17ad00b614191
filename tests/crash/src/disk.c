/* A disk that keeps only what was synced.
 *
 * Preloaded into a process, it watches the calls by which SQLite changes a store: the database and its write-ahead log,
 * not the shared-memory index, which no disk keeps. What is written goes to the file as always, so the process sees it;
 * into the image of the file it goes when the process syncs. After a kill the image is what a power cut would have left
 * in the worst case: nothing that was written since the last sync.
 *
 * DRAWBRIDGE_DISK_IMAGE names the directory of the images. Nothing here returns another answer than the real call.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define STORE "drawbridge.db"
#define FILES_MAX 4
#define FDS_MAX 65536
#define REAL(name) ((__typeof__(&name))real(#name))

struct range { off_t at; size_t length; };

struct file {
    char name[NAME_MAX + 1];
    struct range *unsynced;
    size_t count, room;
};

static pthread_mutex_t turn = PTHREAD_MUTEX_INITIALIZER;
static struct file files[FILES_MAX];
static struct file *open_as[FDS_MAX];

static void *real(const char *name) {
    void *found = dlsym(RTLD_NEXT, name);
    if (!found) abort();
    return found;
}

static const char *base(const char *path) {
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

/* Whoever cuts the power wants to know that there was something to cut. */
static void tell_that_watched(void) {
    char path[PATH_MAX];
    snprintf(path, sizeof path, "%s/watched", getenv("DRAWBRIDGE_DISK_IMAGE"));
    int fd = REAL(open)(path, O_WRONLY | O_CREAT, 0600);
    if (fd >= 0) REAL(close)(fd);
}

/* The file of the store that a path names, or none. */
static struct file *watched(const char *path) {
    const char *name = base(path);
    size_t length = strlen(name);
    if (!getenv("DRAWBRIDGE_DISK_IMAGE") || strncmp(name, STORE, strlen(STORE)) != 0) return NULL;
    if (length > 4 && strcmp(name + length - 4, "-shm") == 0) return NULL;
    for (struct file *file = files; file < files + FILES_MAX; file++) {
        if (file->name[0] == 0) {
            strncpy(file->name, name, NAME_MAX);
            tell_that_watched();
        }
        if (strcmp(file->name, name) == 0) return file;
    }
    abort();
}

static void image_of(const struct file *file, char *path) {
    snprintf(path, PATH_MAX, "%s/%s", getenv("DRAWBRIDGE_DISK_IMAGE"), file->name);
}

static int opened(int fd, const char *path) {
    if (fd < 0 || fd >= FDS_MAX) return fd;
    pthread_mutex_lock(&turn);
    open_as[fd] = watched(path);
    pthread_mutex_unlock(&turn);
    return fd;
}

static void wrote(int fd, off_t at, ssize_t length) {
    if (length <= 0 || fd < 0 || fd >= FDS_MAX || !open_as[fd]) return;
    pthread_mutex_lock(&turn);
    struct file *file = open_as[fd];
    if (file->count == file->room) {
        file->room = file->room ? 2 * file->room : 1024;
        file->unsynced = realloc(file->unsynced, file->room * sizeof(struct range));
        if (!file->unsynced) abort();
    }
    file->unsynced[file->count++] = (struct range){at, (size_t)length};
    pthread_mutex_unlock(&turn);
}

static void copy(int from, int to, struct range range) {
    static char buffer[1 << 16];
    while (range.length > 0) {
        size_t wanted = range.length < sizeof buffer ? range.length : sizeof buffer;
        ssize_t got = pread(from, buffer, wanted, range.at);
        /* What was cut off again since is no part of the file. */
        if (got <= 0) return;
        if (REAL(pwrite)(to, buffer, (size_t)got, range.at) != got) abort();
        range.at += got;
        range.length -= (size_t)got;
    }
}

/* The image becomes the file. True if the file is one of the store's, and so not the real disk's business. */
static int synced(int fd) {
    if (fd < 0 || fd >= FDS_MAX || !open_as[fd]) return 0;
    pthread_mutex_lock(&turn);
    struct file *file = open_as[fd];
    char path[PATH_MAX];
    struct stat now;
    image_of(file, path);
    int image = REAL(open)(path, O_WRONLY | O_CREAT, 0600);
    if (image < 0 || fstat(fd, &now) != 0) abort();
    /* Read through the same descriptor: to close another one would give up the locks of the whole process. */
    for (size_t at = 0; at < file->count; at++) copy(fd, image, file->unsynced[at]);
    if (REAL(ftruncate)(image, now.st_size) != 0) abort();
    file->count = 0;
    REAL(close)(image);
    pthread_mutex_unlock(&turn);
    return 1;
}

#define OPEN(name)                                                     \
    int name(const char *path, int flags, ...) {                       \
        va_list more;                                                  \
        va_start(more, flags);                                         \
        mode_t mode = va_arg(more, mode_t);                            \
        va_end(more);                                                  \
        return opened(REAL(name)(path, flags, mode), path);            \
    }
OPEN(open)
OPEN(open64)

#define OPENAT(name)                                                   \
    int name(int folder, const char *path, int flags, ...) {           \
        va_list more;                                                  \
        va_start(more, flags);                                         \
        mode_t mode = va_arg(more, mode_t);                            \
        va_end(more);                                                  \
        return opened(REAL(name)(folder, path, flags, mode), path);    \
    }
OPENAT(openat)
OPENAT(openat64)

int close(int fd) {
    if (fd >= 0 && fd < FDS_MAX) open_as[fd] = NULL;
    return REAL(close)(fd);
}

ssize_t write(int fd, const void *bytes, size_t length) {
    int is_watched = fd >= 0 && fd < FDS_MAX && open_as[fd];
    off_t at = is_watched ? lseek(fd, 0, SEEK_CUR) : 0;
    ssize_t done = REAL(write)(fd, bytes, length);
    wrote(fd, at, done);
    return done;
}

#define PWRITE(name, offset)                                           \
    ssize_t name(int fd, const void *bytes, size_t length, offset at) {\
        ssize_t done = REAL(name)(fd, bytes, length, at);              \
        wrote(fd, at, done);                                           \
        return done;                                                   \
    }
PWRITE(pwrite, off_t)
PWRITE(pwrite64, off64_t)

int fsync(int fd) { return synced(fd) ? 0 : REAL(fsync)(fd); }

int fdatasync(int fd) { return synced(fd) ? 0 : REAL(fdatasync)(fd); }

int unlink(const char *path) {
    int done = REAL(unlink)(path);
    pthread_mutex_lock(&turn);
    struct file *file = done == 0 ? watched(path) : NULL;
    if (file) {
        char image[PATH_MAX];
        image_of(file, image);
        REAL(unlink)(image);
        file->count = 0;
    }
    pthread_mutex_unlock(&turn);
    return done;
}
