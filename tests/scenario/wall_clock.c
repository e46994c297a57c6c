// Preloaded into a program (LD_PRELOAD): a wall clock that a test sets. The first eight octets of
// the file that SLUICE_TEST_WALL_CLOCK names are added to what the kernel says, in nanoseconds of
// the machine's octet order; a test changes them while the program runs. Monotonic clocks stay what
// they are, and so does what the kernel measures itself: file times, waits for a time of the clock.
//
// It asks the kernel by system calls of its own: under a sanitizer the library's functions must not
// be called before the sanitizer is there.

#define _GNU_SOURCE
#include <fcntl.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static const int64_t kSecond = 1000000000;

static _Atomic int64_t none = 0;
static _Atomic int64_t* offset = &none;

__attribute__((constructor)) static void map_offset(void) {
  const char* const path = getenv("SLUICE_TEST_WALL_CLOCK");
  if (path == NULL) return;
  const long file = syscall(SYS_openat, (long)AT_FDCWD, path, (long)(O_RDONLY | O_CLOEXEC));
  if (file < 0) abort();  // the test would find out nothing
  // Longs: of a variadic int the upper half would be whatever was on the stack.
  const long mapped = syscall(SYS_mmap, NULL, sizeof(*offset), (long)PROT_READ, (long)MAP_SHARED,
                              file, 0L);
  if (mapped < 0) abort();
  offset = (_Atomic int64_t*)mapped;
  (void)syscall(SYS_close, file);
}

int clock_gettime(clockid_t clock, struct timespec* time) {
  const long failed = syscall(SYS_clock_gettime, (long)clock, time);
  if (failed != 0) return -1;
  if (clock != CLOCK_REALTIME && clock != CLOCK_REALTIME_COARSE) return 0;
  const int64_t moved = time->tv_sec * kSecond + time->tv_nsec + atomic_load(offset);
  time->tv_sec = moved / kSecond;  // after 1970, else a test is wrong
  time->tv_nsec = moved % kSecond;
  return 0;
}

int gettimeofday(struct timeval* restrict time, void* restrict zone) {
  (void)zone;  // Linux has none
  struct timespec now;
  if (clock_gettime(CLOCK_REALTIME, &now) != 0) return -1;
  time->tv_sec = now.tv_sec;
  time->tv_usec = now.tv_nsec / 1000;
  return 0;
}

time_t time(time_t* out) {
  struct timespec now;
  if (clock_gettime(CLOCK_REALTIME_COARSE, &now) != 0) return -1;
  if (out != NULL) *out = now.tv_sec;
  return now.tv_sec;
}
