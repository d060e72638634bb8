/* What a power cut would leave of the service's files: preloaded into the service, it keeps beside them a copy of what was synced.
 *
 * A process that is killed leaves all that it wrote, since the kernel has it; a machine that loses its power leaves what it was asked
 * to bring to the disk, and of the rest anything. Only the syncs have to be seen to tell the two apart: after each fsync and fdatasync
 * of a file below POWER_DATA its bytes as they were before the call are written to POWER_KEPT/<inode>, and those of a folder (its
 * names) to POWER_KEPT/names-<inode>. At the kill the live files less these copies are what was not synced; `power.rs` draws from it.
 *
 * A system-call trace (strace) would see the same and more, but stops the process twice at each call and has to be read back by the
 * gigabyte; a block device with a log needs a kernel module. fallocate goes past the C library and need not be seen: the size is a
 * part of what the next sync of the file copies. sync_file_range, which sled calls a flush, is no sync and is not counted as one.
 *
 * POWER_SLOW_US makes each sync so slow, as an old disk is: the window between writing and having is then wide enough to be hit.
 *
 * Build: cc -shared -fPIC -O2 -o power.so power.c -ldl -lpthread */

#define _GNU_SOURCE
#include <dirent.h>
#include <dlfcn.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* One sync at a time, so that no older copy comes to stand over a newer one. */
static pthread_mutex_t one = PTHREAD_MUTEX_INITIALIZER;

static int (*the_real(const char *name))(int) { return (int (*)(int))dlsym(RTLD_NEXT, name); }

/* Whether the file lies in the folder that is watched. */
static int watched(int fd) {
    const char *data = getenv("POWER_DATA");
    char link[64], path[PATH_MAX + 1];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t length = data && getenv("POWER_KEPT") ? readlink(link, path, PATH_MAX) : -1;
    if (length < 0) return 0;
    path[length] = 0;
    size_t prefix = strlen(data);
    return strncmp(path, data, prefix) == 0 && (path[prefix] == 0 || path[prefix] == '/');
}

static void kept_path(char *path, const char *what, ino_t inode) {
    snprintf(path, PATH_MAX, "%s/%s%lu", getenv("POWER_KEPT"), what, (unsigned long)inode);
}

static void give_up(const char *why) {
    perror(why);
    _exit(70);
}

/* All bytes of a file as they are now. */
static char *bytes_of(int fd, off_t size) {
    char link[64], *bytes = malloc(size + 1);
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    int own = open(link, O_RDONLY | O_CLOEXEC); /* the given one may be for writing only */
    if (!bytes || own < 0) give_up("power: read");
    memset(bytes, 0, size + 1);
    for (off_t at = 0; at < size;) {
        ssize_t got = pread(own, bytes + at, size - at, at);
        if (got < 0) give_up("power: read");
        if (got == 0) break;
        at += got;
    }
    close(own);
    return bytes;
}

static void keep_bytes(int fd, ino_t inode, const char *bytes, off_t size) {
    char path[PATH_MAX];
    kept_path(path, "", inode);
    int kept = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    /* A number that has been seen is never given to another file: this one stays open until the process ends. */
    if (kept >= 0) fcntl(fd, F_DUPFD_CLOEXEC, 0);
    else kept = open(path, O_WRONLY | O_CLOEXEC);
    if (kept < 0 || pwrite(kept, bytes, size, 0) != size || ftruncate(kept, size)) give_up("power: keep");
    close(kept);
}

/* The names in a folder as they are now, into a passing file. */
static void draft_names(int fd, ino_t inode) {
    char path[PATH_MAX], link[64];
    kept_path(path, "draft-", inode);
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    FILE *out = fopen(path, "we");
    DIR *dir = opendir(link);
    if (!out || !dir) give_up("power: names");
    for (struct dirent *entry; (entry = readdir(dir));)
        if (strcmp(entry->d_name, ".") && strcmp(entry->d_name, ".."))
            fprintf(out, "%lu %s\n", (unsigned long)entry->d_ino, entry->d_name);
    closedir(dir);
    fclose(out);
}

static void keep_names(ino_t inode) {
    char from[PATH_MAX], to[PATH_MAX];
    kept_path(from, "draft-", inode);
    kept_path(to, "names-", inode);
    if (rename(from, to)) give_up("power: names");
}

static int synced(int fd, const char *name) {
    struct stat file;
    int (*real)(int) = the_real(name);
    if (!watched(fd) || fstat(fd, &file)) return real(fd);
    pthread_mutex_lock(&one);
    char *bytes = NULL;
    if (S_ISDIR(file.st_mode)) draft_names(fd, file.st_ino);
    else bytes = bytes_of(fd, file.st_size);
    const char *slow = getenv("POWER_SLOW_US");
    if (slow) usleep(atoi(slow));
    int result = real(fd);
    if (result == 0 && bytes) keep_bytes(fd, file.st_ino, bytes, file.st_size);
    else if (result == 0) keep_names(file.st_ino);
    free(bytes);
    pthread_mutex_unlock(&one);
    return result;
}

int fsync(int fd) { return synced(fd, "fsync"); }
int fdatasync(int fd) { return synced(fd, "fdatasync"); }
