// Preloaded into a process: its wall clock alone is off by as many seconds as the eight bytes of the file say that
// WALL_CLOCK_OFFSET names. Allocates nothing, for an allocator may be the first to ask for the time.
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static int64_t offset_s(void) {
  static const volatile int64_t* shared;
  if (!shared) {
    const int file = open(getenv("WALL_CLOCK_OFFSET"), O_RDONLY | O_CLOEXEC);
    shared = mmap(NULL, sizeof *shared, PROT_READ, MAP_SHARED, file, 0);
    if (file < 0 || shared == MAP_FAILED) abort();
    close(file);
  }
  return *shared;
}

int clock_gettime(clockid_t clock, struct timespec* now) {
  const int result = (int)syscall(SYS_clock_gettime, clock, now);
  if (result == 0 && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE)) now->tv_sec += offset_s();
  return result;
}
