// Preloaded into the program by the fault suite: a disk that is slow or fails, a wall clock that jumps,
// and a copy of the data folder as it would be after a power cut.
//
// FAULTS_CONTROL names a file of the numbers in `struct control`, which a test changes while the program
// runs. FAULTS_FOLDER is the folder whose files are meant; FAULTS_SHADOW, where it is set, gets what a
// disk has for certain: of each file the bytes that a sync has covered, and names as they are now.
// FAULTS_SYNCS, where it is set, gets a line for each sync of a mapped file that has ended well: when its
// thread woke up for it and when it ended, in nanoseconds of the monotonic clock.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

struct control {
  int64_t delay_ms;       // of each sync
  int64_t sync_error;     // errno of each sync; 0 = none
  int64_t write_error;    // errno of each write
  int64_t clock_seconds;  // added to the wall clock
};

static const struct control *control;
static char folder[PATH_MAX], shadow[PATH_MAX];

#define REAL(name) ((__typeof__(&name))real(#name))
static void *real(const char *name) {
  void *found = dlsym(RTLD_NEXT, name);
  if (!found) abort();
  return found;
}

__attribute__((constructor)) static void begin(void) {
  static const struct control none;
  control = &none;
  const char *path = getenv("FAULTS_CONTROL");
  if (!path) return;
  const int fd = open(path, O_RDONLY | O_CLOEXEC);
  if (fd < 0) abort();
  void *map = REAL(mmap)(NULL, sizeof *control, PROT_READ, MAP_SHARED, fd, 0);
  if (map == MAP_FAILED) abort();
  close(fd);
  control = map;
  if (getenv("FAULTS_FOLDER")) snprintf(folder, sizeof folder, "%s", getenv("FAULTS_FOLDER"));
  if (getenv("FAULTS_SHADOW")) snprintf(shadow, sizeof shadow, "%s", getenv("FAULTS_SHADOW"));
}

// The path of a descriptor below the folder, without it; NULL for others.
static const char *inside(int fd, char *path) {
  char link[64];
  snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
  const ssize_t size = readlink(link, path, PATH_MAX - 1);
  const size_t length = strlen(folder);
  if (size <= 0 || length == 0) return NULL;
  path[size] = 0;
  return strncmp(path, folder, length) == 0 && path[length] == '/' ? path + length : NULL;
}

// --- what a power cut leaves

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static void write_out(int to, const char *bytes, size_t count, off_t at) {
  if (REAL(pwrite)(to, bytes, count, at) != (ssize_t)count) abort();
}

// Never truncates and begins anew: bytes that were synced before stay synced at every moment.
static int open_kept(int from, const char *name) {
  char path[PATH_MAX * 2];
  snprintf(path, sizeof path, "%s%s", shadow, name);
  struct stat status;
  const int to = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
  if (to < 0 || fstat(from, &status) != 0) abort();
  if (ftruncate(to, status.st_size) != 0) abort();
  return to;
}

static void keep(int from, const char *name, off_t at, size_t bytes) {
  if (!*shadow) return;
  const int to = open_kept(from, name);
  static __thread char piece[65536];
  for (const off_t end = at + (off_t)bytes; at < end;) {
    const size_t want = (size_t)(end - at) < sizeof piece ? (size_t)(end - at) : sizeof piece;
    const ssize_t got = pread(from, piece, want, at);
    if (got <= 0) break;
    write_out(to, piece, (size_t)got, at);
    at += got;
  }
  close(to);
}

static struct mapping {
  char *begin;
  size_t bytes;
  int fd;
  char name[512];
} mappings[64];

void *mmap(void *hint, size_t bytes, int protection, int flags, int fd, off_t offset) {
  void *map = REAL(mmap)(hint, bytes, protection, flags, fd, offset);
  char path[PATH_MAX];
  const char *name = NULL;
  if (map == MAP_FAILED || fd < 0 || !(flags & MAP_SHARED) || !(protection & PROT_WRITE)) return map;
  if (!*shadow || !(name = inside(fd, path)) || strstr(name, "-shm")) return map;
  pthread_mutex_lock(&lock);
  for (size_t i = 0; i < sizeof mappings / sizeof *mappings; ++i) {
    if (mappings[i].begin) continue;
    mappings[i] = (struct mapping){map, bytes, dup(fd), ""};
    snprintf(mappings[i].name, sizeof mappings[i].name, "%s", name);
    break;
  }
  pthread_mutex_unlock(&lock);
  return map;
}
void *mmap64(void *, size_t, int, int, int, off_t) __attribute__((alias("mmap")));

int munmap(void *begin, size_t bytes) {
  pthread_mutex_lock(&lock);
  for (size_t i = 0; i < sizeof mappings / sizeof *mappings; ++i) {
    if (mappings[i].begin != begin || !begin) continue;
    close(mappings[i].fd);
    mappings[i].begin = NULL;
  }
  pthread_mutex_unlock(&lock);
  return REAL(munmap)(begin, bytes);
}

static int slow_and_failing(void) {
  if (control->delay_ms) usleep((useconds_t)control->delay_ms * 1000);
  if (!control->sync_error) return 0;
  errno = (int)control->sync_error;
  return -1;
}

static int64_t monotonic(void) {
  struct timespec now;
  REAL(clock_gettime)(CLOCK_MONOTONIC, &now);
  return now.tv_sec * 1000000000LL + now.tv_nsec;
}

// What to sync is decided between the end of a wait and the call: a machine may stop the thread there.
static __thread int64_t woke;

int pthread_cond_clockwait(pthread_cond_t *condition, pthread_mutex_t *mutex, clockid_t clock,
                           const struct timespec *until) {
  const int result = REAL(pthread_cond_clockwait)(condition, mutex, clock, until);
  woke = monotonic();
  return result;
}

static void note_sync(void) {
  static int log = -1;
  const char *path = getenv("FAULTS_SYNCS");
  if (!path) return;
  if (log < 0) log = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  char line[64];
  const int size = snprintf(line, sizeof line, "%lld %lld\n", (long long)woke, (long long)monotonic());
  if (log < 0 || REAL(write)(log, line, (size_t)size) != size) abort();
}

// What was there when the sync began is on the disk when it has ended; what came meanwhile may not be.
int msync(void *begin, size_t bytes, int flags) {
  char *copy = *shadow ? malloc(bytes) : NULL;
  if (copy) memcpy(copy, begin, bytes);
  const int result = slow_and_failing() != 0 ? -1 : REAL(msync)(begin, bytes, flags);
  pthread_mutex_lock(&lock);
  for (size_t i = 0; i < sizeof mappings / sizeof *mappings && result == 0 && copy; ++i) {
    const struct mapping *map = &mappings[i];
    if (!map->begin || (char *)begin < map->begin || (char *)begin >= map->begin + map->bytes) continue;
    const int to = open_kept(map->fd, map->name);
    write_out(to, copy, bytes, (char *)begin - map->begin);
    close(to);
    note_sync();
  }
  pthread_mutex_unlock(&lock);
  free(copy);
  return result;
}

static int synced(int fd, int result) {
  char path[PATH_MAX];
  const char *name = inside(fd, path);
  struct stat status;
  if (result == 0 && name && fstat(fd, &status) == 0 && S_ISREG(status.st_mode)) {
    pthread_mutex_lock(&lock);
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    char kept[PATH_MAX];
    name = inside(fd, kept);
    const int from = open(path, O_RDONLY | O_CLOEXEC);
    if (from < 0) abort();
    keep(from, name, 0, (size_t)status.st_size);
    close(from);
    pthread_mutex_unlock(&lock);
  }
  return result;
}

int fsync(int fd) { return slow_and_failing() != 0 ? -1 : synced(fd, REAL(fsync)(fd)); }
int fdatasync(int fd) { return slow_and_failing() != 0 ? -1 : synced(fd, REAL(fdatasync)(fd)); }

int rename(const char *from, const char *to) {
  const int result = REAL(rename)(from, to);
  const size_t length = strlen(folder);
  if (result != 0 || !*shadow || strncmp(from, folder, length) != 0 || strncmp(to, folder, length) != 0)
    return result;
  char old_path[PATH_MAX * 2], new_path[PATH_MAX * 2];
  snprintf(old_path, sizeof old_path, "%s%s", shadow, from + length);
  snprintf(new_path, sizeof new_path, "%s%s", shadow, to + length);
  (void)REAL(rename)(old_path, new_path);
  return result;
}

int unlink(const char *path) {
  const int result = REAL(unlink)(path);
  const size_t length = strlen(folder);
  if (result != 0 || !*shadow || strncmp(path, folder, length) != 0) return result;
  char gone[PATH_MAX * 2];
  snprintf(gone, sizeof gone, "%s%s", shadow, path + length);
  (void)REAL(unlink)(gone);
  return result;
}

int mkdir(const char *path, mode_t mode) {
  const int result = REAL(mkdir)(path, mode);
  const size_t length = strlen(folder);
  if (result != 0 || !*shadow || strncmp(path, folder, length) != 0) return result;
  char made[PATH_MAX * 2];
  snprintf(made, sizeof made, "%s%s", shadow, path + length);
  (void)REAL(mkdir)(made, mode);
  return result;
}

// --- a disk that takes nothing

static int refuses(int fd) {
  char path[PATH_MAX];
  if (!control->write_error || !inside(fd, path)) return 0;
  errno = (int)control->write_error;
  return 1;
}

ssize_t write(int fd, const void *data, size_t bytes) {
  return refuses(fd) ? -1 : REAL(write)(fd, data, bytes);
}
ssize_t pwrite(int fd, const void *data, size_t bytes, off_t at) {
  return refuses(fd) ? -1 : REAL(pwrite)(fd, data, bytes, at);
}
ssize_t pwrite64(int, const void *, size_t, off_t) __attribute__((alias("pwrite")));

// --- a wall clock that jumps

int clock_gettime(clockid_t clock, struct timespec *time) {
  const int result = REAL(clock_gettime)(clock, time);
  if (result == 0 && clock == CLOCK_REALTIME) time->tv_sec += control->clock_seconds;
  return result;
}
int gettimeofday(struct timeval *restrict time, void *restrict zone) {
  const int result = REAL(gettimeofday)(time, zone);
  if (result == 0) time->tv_sec += control->clock_seconds;
  return result;
}
time_t time(time_t *out) {
  struct timespec now;
  clock_gettime(CLOCK_REALTIME, &now);
  if (out) *out = now.tv_sec;
  return now.tv_sec;
}
