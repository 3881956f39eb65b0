/*
 * Loaded before the C library (LD_PRELOAD): lets the disk under the store fail or hang, and the machine's clock jump, as
 * the control file says that DISK_CONTROL names. Linux.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <sys/statfs.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

struct control {
  int32_t error;    /* errno of every write and flush of the store; 0: they work */
  int32_t stalled;  /* 1: they hang until it is 0 again */
  int64_t clock_ms; /* added to the time of day */
  int32_t full;     /* 1: file systems say that nothing is free */
  int32_t unused;
};
static volatile struct control *control;

__attribute__((constructor)) static void begin(void) {
  const char *path = getenv("DISK_CONTROL");
  int fd = path ? open(path, O_RDONLY) : -1;
  if (fd < 0) return;
  void *mapped = mmap(NULL, sizeof(struct control), PROT_READ, MAP_SHARED, fd, 0);
  if (mapped != MAP_FAILED) control = mapped;
  close(fd);
}

static int is_store(int fd) {
  char link[64], path[4096];
  snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
  ssize_t length = readlink(link, path, sizeof path - 1);
  if (length < 0) return 0;
  path[length] = 0;
  return strstr(path, "/data.mdb") != NULL || strstr(path, "/ingest/") != NULL || strstr(path, "/linecrew.probe") != NULL;
}

static int fails(int fd) {
  if (!control || (!control->error && !control->stalled) || !is_store(fd)) return 0;
  while (control->stalled) usleep(5000);
  if (!control->error) return 0;
  errno = control->error;
  return 1;
}

#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

ssize_t pwrite(int fd, const void *data, size_t size, off_t at) { return fails(fd) ? -1 : REAL(pwrite)(fd, data, size, at); }
ssize_t pwrite64(int fd, const void *data, size_t size, off64_t at) { return fails(fd) ? -1 : REAL(pwrite64)(fd, data, size, at); }
ssize_t pwritev(int fd, const struct iovec *parts, int count, off_t at) { return fails(fd) ? -1 : REAL(pwritev)(fd, parts, count, at); }
ssize_t pwritev64(int fd, const struct iovec *parts, int count, off64_t at) { return fails(fd) ? -1 : REAL(pwritev64)(fd, parts, count, at); }
ssize_t write(int fd, const void *data, size_t size) { return fails(fd) ? -1 : REAL(write)(fd, data, size); }
ssize_t writev(int fd, const struct iovec *parts, int count) { return fails(fd) ? -1 : REAL(writev)(fd, parts, count); }
int fdatasync(int fd) { return fails(fd) ? -1 : REAL(fdatasync)(fd); }
int fsync(int fd) { return fails(fd) ? -1 : REAL(fsync)(fd); }
int ftruncate(int fd, off_t size) { return fails(fd) ? -1 : REAL(ftruncate)(fd, size); }

int access(const char *path, int mode) {
  if (control && control->error == EROFS && (mode & W_OK)) {
    errno = EROFS;
    return -1;
  }
  return REAL(access)(path, mode);
}

int statfs(const char *path, struct statfs *out) {
  int result = REAL(statfs)(path, out);
  if (result == 0 && control && control->full) out->f_bavail = out->f_bfree = 0;
  return result;
}

int statfs64(const char *path, struct statfs64 *out) {
  int result = REAL(statfs64)(path, out);
  if (result == 0 && control && control->full) out->f_bavail = out->f_bfree = 0;
  return result;
}

int clock_gettime(clockid_t id, struct timespec *out) {
  static __typeof__(&clock_gettime) real;
  if (!real) real = REAL(clock_gettime);
  int result = real(id, out);
  if (result == 0 && control && (id == CLOCK_REALTIME || id == CLOCK_REALTIME_COARSE)) {
    int64_t ns = (int64_t)out->tv_sec * 1000000000 + out->tv_nsec + control->clock_ms * 1000000;
    out->tv_sec = ns / 1000000000;
    out->tv_nsec = ns % 1000000000;
  }
  return result;
}

int gettimeofday(struct timeval *restrict out, void *restrict zone) {
  (void)zone;
  struct timespec now;
  int result = clock_gettime(CLOCK_REALTIME, &now);
  if (result == 0) {
    out->tv_sec = now.tv_sec;
    out->tv_usec = now.tv_nsec / 1000;
  }
  return result;
}
