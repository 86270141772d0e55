/*
 * Loaded before libc (LD_PRELOAD): counts the calls of a process that concern files below MILLRACE_FAULT_ROOT, and lets some of them fail.
 *
 *   MILLRACE_FAULT_COUNTS   a file that is mapped: uint32 fired, then uint32 counts[call][kind]
 *   MILLRACE_FAULT_PLAN     "call kind first times errno": indexes into the lists of call-counts.ts; errno 0 is a short write or read
 *   MILLRACE_FAULT_DISK     a directory that keeps account of what a disk would have, by inode number:
 *                             data/INODE   a file's bytes as of its last force
 *                             names/INODE  a directory's names as of its last force, each as "INODE TYPE NAME\0"
 *                             lost/INODE   a file's bytes when a force of it failed: such pages are clean, and no later force writes them
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

enum call { C_OPEN, C_READ, C_WRITE, C_FSYNC, C_FDATASYNC, C_MSYNC, C_FTRUNCATE, C_FALLOCATE, C_MMAP, C_UNLINK, C_RMDIR, C_RENAME,
            C_MKDIR, C_SCANDIR, C_LOCK, C_STAT, C_STATFS, CALLS };
enum kind { K_ROOT, K_COMMITLOG, K_CONSUMEQUEUE, K_INDEX, K_CONFIG, K_MARKS, K_ROCKETMQ, KINDS };
enum { FIRED_OTHER = 1, FIRED_FORCE_OF_LOG = 2, SHORT = -2 };

enum { PAGE = 4096 };

static const char *root, *disk;
static int has_lost;
static pthread_mutex_t disk_mutex = PTHREAD_MUTEX_INITIALIZER;
static size_t root_length;
static volatile uint32_t *words;
static int plan_call = -1, plan_kind, plan_errno;
static uint32_t plan_first, plan_times;

/* What the name means further down the line of libraries. */
#define REAL(name)                                                       \
  (*({                                                                   \
    static __typeof__(&name) next;                                       \
    if (next == NULL) next = (__typeof__(&name))real(#name);             \
    next;                                                                \
  }))

static void *real(const char *name) {
  void *found = dlsym(RTLD_NEXT, name);
  if (found == NULL) abort();
  return found;
}

__attribute__((constructor)) static void start(void) {
  const char *path = getenv("MILLRACE_FAULT_COUNTS");
  const char *plan = getenv("MILLRACE_FAULT_PLAN");
  const char *below = getenv("MILLRACE_FAULT_ROOT");
  if (path == NULL || below == NULL) return;
  int fd = (int)syscall(SYS_openat, AT_FDCWD, path, O_RDWR, 0);
  if (fd < 0) return;
  void *mapped = (void *)syscall(SYS_mmap, NULL, 4 * (CALLS * KINDS + 1), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  syscall(SYS_close, fd);
  if (mapped == MAP_FAILED) return;
  if (plan != NULL && sscanf(plan, "%d %d %u %u %d", &plan_call, &plan_kind, &plan_first, &plan_times, &plan_errno) != 5) abort();
  words = mapped;
  disk = getenv("MILLRACE_FAULT_DISK");
  has_lost = disk != NULL; /* A life before this one may have lost something. */
  root_length = strlen(below);
  root = below;
}

/* The disk's own files are reached past the calls below. */
static int disk_open(const char *kind, ino_t inode, int flags) {
  char path[PATH_MAX];
  snprintf(path, sizeof path, "%s/%s/%llu", disk, kind, (unsigned long long)inode);
  return (int)syscall(SYS_openat, AT_FDCWD, path, flags, 0644);
}

static ssize_t disk_read(int fd, void *bytes, size_t length, off_t offset) { return syscall(SYS_pread64, fd, bytes, length, offset); }
static ssize_t disk_write(int fd, const void *bytes, size_t length, off_t offset) {
  return syscall(SYS_pwrite64, fd, bytes, length, offset);
}
static void disk_close(int fd) {
  if (fd >= 0) syscall(SYS_close, fd);
}

/* Pages of a file that was forced; those that a failed force has lost stay lost until they are written again. */
static void keep_data(int fd, const struct stat *file, const char *kind, off_t from, off_t to) {
  char now[PAGE], was[PAGE], lost[PAGE];
  char link[64];
  snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
  int source = (int)syscall(SYS_openat, AT_FDCWD, link, O_RDONLY, 0);
  int target = disk_open(kind, file->st_ino, O_RDWR | O_CREAT);
  int gone = strcmp(kind, "data") == 0 ? disk_open("lost", file->st_ino, O_RDONLY) : -1;
  if (source < 0 || target < 0) abort();
  syscall(SYS_ftruncate, target, file->st_size);
  for (off_t at = from - from % PAGE; at < file->st_size && at < to; at += PAGE) {
    ssize_t length = disk_read(source, now, PAGE, at);
    if (length <= 0) break;
    if (disk_read(target, was, length, at) == length && memcmp(now, was, length) == 0) continue;
    if (gone >= 0 && disk_read(gone, lost, length, at) == length && memcmp(now, lost, length) == 0) continue;
    disk_write(target, now, length, at);
  }
  disk_close(source);
  disk_close(target);
  disk_close(gone);
}

static void keep_names(const struct stat *directory, const char *path) {
  char list[PATH_MAX], old[PATH_MAX];
  snprintf(old, sizeof old, "%s/names/%llu.new", disk, (unsigned long long)directory->st_ino);
  snprintf(list, sizeof list, "%s/names/%llu", disk, (unsigned long long)directory->st_ino);
  FILE *names = fopen(old, "w");
  DIR *listing = REAL(opendir)(path);
  if (names == NULL || listing == NULL) abort();
  for (struct dirent *entry; (entry = readdir(listing)) != NULL;) {
    if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0) continue;
    fprintf(names, "%llu %c %s%c", (unsigned long long)entry->d_ino, entry->d_type == DT_DIR ? 'd' : 'f', entry->d_name, 0);
  }
  closedir(listing);
  fclose(names);
  REAL(rename)(old, list);
}

static int path_of_fd(int fd, char *path) {
  char link[64];
  snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
  ssize_t length = syscall(SYS_readlink, link, path, PATH_MAX - 1);
  if (length <= 0) return 0;
  path[length] = 0;
  return 1;
}

/* After a force of a range: what the disk has now. After one that failed: what it has lost. */
static void keep(int fd, int is_lost, off_t from, off_t to) {
  struct stat found;
  char path[PATH_MAX];
  if (disk == NULL || fstat(fd, &found) != 0 || !path_of_fd(fd, path) || strncmp(path, root, root_length) != 0) return;
  pthread_mutex_lock(&disk_mutex);
  if (S_ISREG(found.st_mode)) {
    keep_data(fd, &found, is_lost ? "lost" : "data", from, to);
    if (is_lost) has_lost = 1;
  } else if (S_ISDIR(found.st_mode) && !is_lost) {
    keep_names(&found, path);
  }
  pthread_mutex_unlock(&disk_mutex);
}

/* A page that is written is dirty, whatever it held: it differs from what was lost. */
static void written(int fd, size_t length, off_t offset) {
  struct stat found;
  if (!has_lost || length == 0 || fstat(fd, &found) != 0) return;
  int gone = disk_open("lost", found.st_ino, O_RDWR);
  if (gone < 0) return;
  char page[PAGE];
  for (off_t at = offset - offset % PAGE; at < offset + (off_t)length; at += PAGE) {
    ssize_t count = disk_read(gone, page, PAGE, at);
    if (count <= 0) break;
    for (ssize_t i = 0; i < count; i++) page[i] = ~page[i];
    disk_write(gone, page, count, at);
  }
  disk_close(gone);
}

/* Of a path below the root; -1 for any other. */
static int kind_of(const char *path) {
  if (root == NULL || path == NULL || strncmp(path, root, root_length) != 0) return -1;
  const char *rest = path + root_length;
  if (*rest == 0) return K_ROOT;
  if (*rest++ != '/') return -1;
  if (strncmp(rest, "commitlog", 9) == 0 && (rest[9] == 0 || rest[9] == '/')) return K_COMMITLOG;
  if (strncmp(rest, "consumequeue", 12) == 0) return K_CONSUMEQUEUE;
  if (strncmp(rest, "index", 5) == 0) return K_INDEX;
  if (strncmp(rest, "config", 6) == 0) return K_CONFIG;
  /* A file without a name yet, NAME.new, is our own too. */
  return strncmp(rest, "millrace.", 9) == 0 || strstr(rest, ".new") != NULL ? K_MARKS : K_ROCKETMQ;
}

static int kind_of_fd(int fd) {
  char path[PATH_MAX];
  return root != NULL && fd >= 0 && path_of_fd(fd, path) ? kind_of(path) : -1;
}

/* Counts a call. 0: it goes on; SHORT: half of it; otherwise errno is set and it has failed. */
static int fails(enum call call, int kind) {
  if (kind < 0 || words == NULL) return 0;
  uint32_t count = __atomic_fetch_add((uint32_t *)&words[1 + call * KINDS + kind], 1, __ATOMIC_SEQ_CST);
  if ((int)call != plan_call || kind != plan_kind || count < plan_first || count - plan_first >= plan_times) return 0;
  int is_force = (call == C_FSYNC || call == C_FDATASYNC || call == C_MSYNC) && kind == K_COMMITLOG;
  /* A full disk has lost nothing, and libuv asks again after an interruption. */
  words[0] = is_force && plan_errno != ENOSPC && plan_errno != EINTR ? FIRED_FORCE_OF_LOG : FIRED_OTHER;
  if (plan_errno == 0) return SHORT;
  errno = plan_errno;
  return -1;
}

static size_t half(int verdict, size_t length) {
  return verdict == SHORT && length > 1 ? length / 2 : length;
}

#define OPEN(name)                                                       \
  int name(const char *path, int flags, ...) {                           \
    va_list rest;                                                        \
    va_start(rest, flags);                                               \
    mode_t mode = va_arg(rest, mode_t);                                  \
    va_end(rest);                                                        \
    return fails(C_OPEN, kind_of(path)) == -1 ? -1 : REAL(name)(path, flags, mode); \
  }
OPEN(open)
OPEN(open64)

#define ON_FD(type, call, name, parameters, arguments)                   \
  type name parameters {                                                 \
    return fails(call, kind_of_fd(fd)) == -1 ? -1 : REAL(name) arguments; \
  }
#define MOVES(call, name, buffer, parameters, arguments, at)             \
  ssize_t name(int fd, buffer, size_t length parameters) {               \
    int kind = kind_of_fd(fd);                                           \
    int verdict = fails(call, kind);                                     \
    if (verdict == -1) return -1;                                        \
    length = half(verdict, length);                                      \
    if (call == C_WRITE && kind >= 0) written(fd, length, at);           \
    return REAL(name)(fd, bytes, length arguments);                      \
  }
#define COMMA_OFFSET(type) , type offset
MOVES(C_READ, read, void *bytes, , , 0)
MOVES(C_READ, pread, void *bytes, COMMA_OFFSET(off_t), COMMA_OFFSET(), offset)
MOVES(C_READ, pread64, void *bytes, COMMA_OFFSET(off64_t), COMMA_OFFSET(), offset)
MOVES(C_WRITE, write, const void *bytes, , , 0)
MOVES(C_WRITE, pwrite, const void *bytes, COMMA_OFFSET(off_t), COMMA_OFFSET(), offset)
MOVES(C_WRITE, pwrite64, const void *bytes, COMMA_OFFSET(off64_t), COMMA_OFFSET(), offset)
ON_FD(ssize_t, C_READ, preadv64, (int fd, const struct iovec *parts, int count, off64_t offset), (fd, parts, count, offset))
ON_FD(ssize_t, C_WRITE, pwritev64, (int fd, const struct iovec *parts, int count, off64_t offset), (fd, parts, count, offset))
ON_FD(ssize_t, C_WRITE, writev, (int fd, const struct iovec *parts, int count), (fd, parts, count))
#define FORCE(call, name)                                                \
  int name(int fd) {                                                     \
    int kind = kind_of_fd(fd);                                           \
    int result = fails(call, kind) == -1 ? -1 : REAL(name)(fd);          \
    int error = errno;                                                   \
    if (kind >= 0) keep(fd, result != 0, 0, LONG_MAX);                   \
    errno = error;                                                       \
    return result;                                                       \
  }
FORCE(C_FSYNC, fsync)
FORCE(C_FDATASYNC, fdatasync)
ON_FD(int, C_FTRUNCATE, ftruncate, (int fd, off_t length), (fd, length))
ON_FD(int, C_FTRUNCATE, ftruncate64, (int fd, off64_t length), (fd, length))
ON_FD(int, C_FALLOCATE, fallocate, (int fd, int mode, off_t offset, off_t length), (fd, mode, offset, length))
ON_FD(int, C_FALLOCATE, fallocate64, (int fd, int mode, off64_t offset, off64_t length), (fd, mode, offset, length))

#define MAP(name, type)                                                  \
  void *name(void *at, size_t length, int protection, int flags, int fd, type offset) { \
    if ((flags & MAP_ANONYMOUS) == 0 && fails(C_MMAP, kind_of_fd(fd)) == -1) return MAP_FAILED; \
    return REAL(name)(at, length, protection, flags, fd, offset);        \
  }
MAP(mmap, off_t)
MAP(mmap64, off64_t)

/* The file that is mapped at an address, and where in it that is; -1: none below the root. */
static int mapped_file(const void *at, off_t *position) {
  char line[PATH_MAX + 200], path[PATH_MAX];
  int fd = -1;
  FILE *maps = fopen("/proc/self/maps", "r");
  if (maps == NULL) abort();
  while (fd < 0 && fgets(line, sizeof line, maps) != NULL) {
    unsigned long start, end;
    unsigned long long offset;
    if (sscanf(line, "%lx-%lx %*s %llx %*s %*s %[^\n]", &start, &end, &offset, path) != 4) continue;
    if ((unsigned long)at < start || (unsigned long)at >= end) continue;
    if (kind_of(path) >= 0) fd = (int)syscall(SYS_openat, AT_FDCWD, path, O_RDONLY, 0);
    *position = (off_t)offset + (off_t)((unsigned long)at - start);
  }
  fclose(maps);
  return fd;
}

/* A force of a range. */
int msync(void *at, size_t length, int flags) {
  off_t position = 0;
  int fd = root == NULL || (flags & MS_SYNC) == 0 ? -1 : mapped_file(at, &position);
  int result = fails(C_MSYNC, kind_of_fd(fd)) == -1 ? -1 : REAL(msync)(at, length, flags);
  int error = errno;
  if (fd >= 0) keep(fd, result != 0, position, position + (off_t)length);
  disk_close(fd);
  errno = error;
  return result;
}

#define ON_PATH(call, name, parameters, arguments)                       \
  int name parameters {                                                  \
    return fails(call, kind_of(path)) == -1 ? -1 : REAL(name) arguments; \
  }
ON_PATH(C_UNLINK, unlink, (const char *path), (path))
ON_PATH(C_RMDIR, rmdir, (const char *path), (path))
ON_PATH(C_MKDIR, mkdir, (const char *path, mode_t mode), (path, mode))
ON_PATH(C_STATFS, statfs64, (const char *path, struct statfs64 *found), (path, found))

/* A new name decides: what is replaced is what matters. */
int rename(const char *from, const char *to) {
  return fails(C_RENAME, kind_of(to)) == -1 ? -1 : REAL(rename)(from, to);
}

int scandir64(const char *path, struct dirent64 ***names, int (*filter)(const struct dirent64 *),
              int (*compare)(const struct dirent64 **, const struct dirent64 **)) {
  return fails(C_SCANDIR, kind_of(path)) == -1 ? -1 : REAL(scandir64)(path, names, filter, compare);
}

DIR *opendir(const char *path) {
  return fails(C_SCANDIR, kind_of(path)) == -1 ? NULL : REAL(opendir)(path);
}

#define CONTROL(name)                                                    \
  int name(int fd, int command, ...) {                                   \
    va_list rest;                                                        \
    va_start(rest, command);                                             \
    void *argument = va_arg(rest, void *);                               \
    va_end(rest);                                                        \
    int is_lock = command == F_OFD_SETLK || command == F_SETLK;          \
    if (is_lock && fails(C_LOCK, kind_of_fd(fd)) == -1) return -1;       \
    return REAL(name)(fd, command, argument);                            \
  }
CONTROL(fcntl)
CONTROL(fcntl64)

/* libuv asks for statx in this way. */
long syscall(long number, ...) {
  va_list rest;
  va_start(rest, number);
  long a = va_arg(rest, long), b = va_arg(rest, long), c = va_arg(rest, long), d = va_arg(rest, long), e = va_arg(rest, long),
       f = va_arg(rest, long);
  va_end(rest);
  if (number == SYS_statx && root != NULL) {
    const char *path = (const char *)b;
    int kind = path != NULL && *path != 0 ? kind_of(path) : kind_of_fd((int)a);
    if (fails(C_STAT, kind) == -1) return -1;
  }
  return REAL(syscall)(number, a, b, c, d, e, f);
}
