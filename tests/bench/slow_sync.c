/* A card that takes its time: every fsync, fdatasync and sync_file_range takes SLOW_SYNC_MS longer.
 *
 * For one process, by LD_PRELOAD (tests/bench/disk.py compiles and loads it):
 *     cc -O2 -shared -fPIC -o slow_sync.so slow_sync.c -ldl
 * The time is spent before the real call, so that the data is on the disk when it returns, as with a slow card.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <stdlib.h>
#include <time.h>

static void take_time(void)
{
    static long slow_us = -1;
    if (slow_us < 0) {
        const char *said = getenv("SLOW_SYNC_MS");
        slow_us = said ? (long)(atof(said) * 1000) : 0;
    }
    struct timespec left = {slow_us / 1000000, slow_us % 1000000 * 1000};
    while (nanosleep(&left, &left) != 0)
        ; /* a signal must not make the card faster */
}

int fsync(int file)
{
    static int (*real)(int);
    if (!real)
        *(void **)&real = dlsym(RTLD_NEXT, "fsync");
    take_time();
    return real(file);
}

int fdatasync(int file)
{
    static int (*real)(int);
    if (!real)
        *(void **)&real = dlsym(RTLD_NEXT, "fdatasync");
    take_time();
    return real(file);
}

int sync_file_range(int file, off64_t from, off64_t bytes, unsigned int flags)
{
    static int (*real)(int, off64_t, off64_t, unsigned int);
    if (!real)
        *(void **)&real = dlsym(RTLD_NEXT, "sync_file_range");
    take_time();
    return real(file, from, bytes, flags);
}
