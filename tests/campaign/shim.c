/* Between a process and the kernel: records what it writes and says, breaks its disk, moves its wall clock.
 *
 *     cc -shared -fPIC -O1 -o shim.so shim.c -ldl        (tests/campaign/_shim.py does it)
 *     LD_PRELOAD=shim.so SHIM_NAME=/gateway.db SHIM_LOG=log SHIM_CONTROL=control python -m gateway
 *
 * SHIM_NAME     only regular files whose path holds these letters are recorded and broken
 * SHIM_LOG      everything that happens, in its order, is appended here: struct head, the file's name, the bytes
 * SHIM_CONTROL  a file of 32 numbers (64 bit, mapped): what is to break, set while the process runs; see enum below
 *
 * One thread of the gateway writes its notebook and says "written": the log's order is the order in which it happened.
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
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

enum {
    WALL_OFFSET_NS,                            /* added to the wall clock */
    SYNC_ERRNO, SYNC_SKIP, SYNC_FAIL,          /* this error, after so many that succeed, so often (-1: always) */
    WRITE_ERRNO, WRITE_SKIP, WRITE_FAIL,
    READ_ERRNO, READ_SKIP, READ_FAIL,
    SYNCS, SYNCS_FAILED, WRITES, WRITES_FAILED, READS, READS_FAILED,
    WRITE_TORN,                                /* a failing write leaves its first half behind */
    NUMBERS = 32
};

struct head {
    uint8_t kind; /* W write, T truncate, S synced, D a folder synced, F sync failed, U unlink,
                     R rename (data: new name), > sent, < received */
    uint8_t pad;
    uint16_t name_length;
    int32_t fd;
    int64_t offset, length, time_ns;
};

static volatile int64_t own_numbers[NUMBERS];
static volatile int64_t *numbers = own_numbers;
static int log_fd = -1;
static const char *only = "/gateway.db";
static pthread_mutex_t turn = PTHREAD_MUTEX_INITIALIZER;

#define REAL(type, name, ...) \
    static type (*real)(__VA_ARGS__); \
    if (!real) real = (type (*)(__VA_ARGS__))dlsym(RTLD_NEXT, #name)

__attribute__((constructor)) static void begin(void) {
    const char *path = getenv("SHIM_CONTROL");
    if (getenv("SHIM_NAME")) only = getenv("SHIM_NAME");
    if (path) {
        int fd = syscall(SYS_openat, AT_FDCWD, path, O_RDWR | O_CLOEXEC);
        void *mapped = fd < 0 ? MAP_FAILED : mmap(0, NUMBERS * 8, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
        if (mapped == MAP_FAILED) abort();
        numbers = mapped;
    }
    path = getenv("SHIM_LOG");
    if (path) {
        log_fd = syscall(SYS_openat, AT_FDCWD, path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
        if (log_fd < 0) abort();
    }
}

/* The name behind a descriptor, if it is one of the files we look after; else an empty one. */
static size_t name_of(int fd, char *name) {
    char link[40];
    struct stat about;
    int kept = errno;
    ssize_t length = 0;
    if (syscall(SYS_fstat, fd, &about) == 0 && S_ISREG(about.st_mode)) {
        int at = 0, number = fd, digits = 1;
        memcpy(link, "/proc/self/fd/", 14);
        while (number >= 10) { number /= 10; digits++; }
        for (number = fd, at = 14 + digits; at > 14; number /= 10) link[--at] = '0' + number % 10;
        link[14 + digits] = 0;
        length = syscall(SYS_readlink, link, name, PATH_MAX - 1);
    }
    errno = kept;
    if (length <= 0) return 0;
    name[length] = 0;
    return strstr(name, only) ? (size_t)length : 0;
}

static void record(char kind, int fd, const char *name, int64_t offset, const void *data, int64_t length) {
    struct timespec now;
    int kept = errno;
    if (log_fd < 0) return;
    syscall(SYS_clock_gettime, CLOCK_MONOTONIC, &now);
    struct head head = {(uint8_t)kind, 0, (uint16_t)strlen(name), fd, offset, length,
                        now.tv_sec * 1000000000LL + now.tv_nsec};
    struct iovec pieces[3] = {{&head, sizeof head}, {(void *)name, head.name_length},
                              {(void *)data, data ? (size_t)length : 0}};
    if (!data) head.length = 0;
    if (syscall(SYS_writev, log_fd, pieces, 3) < 0) abort();
    errno = kept;
}

/* Shall this one fail? The error, or 0. */
static int broken(int which, int seen, int failed) {
    numbers[seen]++;
    if (!numbers[which]) return 0;
    if (numbers[which + 1] > 0) { numbers[which + 1]--; return 0; }
    if (numbers[which + 2] == 0) return 0;
    if (numbers[which + 2] > 0) numbers[which + 2]--;
    numbers[failed]++;
    return (int)numbers[which];
}

static int synced(int fd, int (*real)(int)) {
    char name[PATH_MAX];
    struct stat about;
    if (!name_of(fd, name)) {
        int answer = real(fd);
        if (!answer && log_fd >= 0 && syscall(SYS_fstat, fd, &about) == 0 && S_ISDIR(about.st_mode))
            record('D', fd, "", 0, 0, 0);
        return answer;
    }
    pthread_mutex_lock(&turn);
    int error = broken(SYNC_ERRNO, SYNCS, SYNCS_FAILED), answer = -1;
    if (error) errno = error; else answer = real(fd);
    record(answer ? 'F' : 'S', fd, name, 0, 0, 0);
    pthread_mutex_unlock(&turn);
    return answer;
}

int fsync(int fd) { REAL(int, fsync, int); return synced(fd, real); }
int fdatasync(int fd) { REAL(int, fdatasync, int); return synced(fd, real); }

static ssize_t written(int fd, const void *data, size_t length, off64_t offset, int placed) {
    char name[PATH_MAX];
    if (!name_of(fd, name))
        return placed ? syscall(SYS_pwrite64, fd, data, length, offset) : syscall(SYS_write, fd, data, length);
    pthread_mutex_lock(&turn);
    if (!placed) offset = syscall(SYS_lseek, fd, 0, SEEK_CUR);
    int error = broken(WRITE_ERRNO, WRITES, WRITES_FAILED);
    size_t wanted = error ? (numbers[WRITE_TORN] ? length / 2 : 0) : length;
    ssize_t answer = 0;
    if (wanted || !error)
        answer = placed ? syscall(SYS_pwrite64, fd, data, wanted, offset) : syscall(SYS_write, fd, data, wanted);
    if (answer > 0) record('W', fd, name, offset, data, answer);
    if (error) { errno = error; answer = -1; }
    pthread_mutex_unlock(&turn);
    return answer;
}

ssize_t write(int fd, const void *data, size_t length) { return written(fd, data, length, 0, 0); }
ssize_t pwrite(int fd, const void *data, size_t length, off_t offset) { return written(fd, data, length, offset, 1); }
ssize_t pwrite64(int fd, const void *data, size_t length, off64_t offset) { return written(fd, data, length, offset, 1); }

static int truncated(int fd, off64_t length) {
    char name[PATH_MAX];
    if (!name_of(fd, name)) return syscall(SYS_ftruncate, fd, length);
    pthread_mutex_lock(&turn);
    int error = broken(WRITE_ERRNO, WRITES, WRITES_FAILED), answer = -1;
    if (error) errno = error; else answer = syscall(SYS_ftruncate, fd, length);
    if (!answer) record('T', fd, name, length, 0, 0);
    pthread_mutex_unlock(&turn);
    return answer;
}

int ftruncate(int fd, off_t length) { return truncated(fd, length); }
int ftruncate64(int fd, off64_t length) { return truncated(fd, length); }

static ssize_t reading(int fd, void *data, size_t length, off64_t offset, int placed) {
    char name[PATH_MAX];
    if (name_of(fd, name)) {
        pthread_mutex_lock(&turn);
        int error = broken(READ_ERRNO, READS, READS_FAILED);
        pthread_mutex_unlock(&turn);
        if (error) { errno = error; return -1; }
    }
    return placed ? syscall(SYS_pread64, fd, data, length, offset) : syscall(SYS_read, fd, data, length);
}

ssize_t read(int fd, void *data, size_t length) { return reading(fd, data, length, 0, 0); }
ssize_t pread(int fd, void *data, size_t length, off_t offset) { return reading(fd, data, length, offset, 1); }
ssize_t pread64(int fd, void *data, size_t length, off64_t offset) { return reading(fd, data, length, offset, 1); }

int unlink(const char *path) {
    REAL(int, unlink, const char *);
    int answer = real(path);
    if (!answer && strstr(path, only)) record('U', -1, path, 0, 0, 0);
    return answer;
}

int rename(const char *from, const char *to) {
    REAL(int, rename, const char *, const char *);
    int answer = real(from, to);
    if (!answer && strstr(from, only)) record('R', -1, from, 0, to, strlen(to));
    return answer;
}

/* ---- what it says and hears: only sockets come here */

ssize_t send(int fd, const void *data, size_t length, int flags) {
    ssize_t answer = syscall(SYS_sendto, fd, data, length, flags, 0, 0);
    if (answer > 0) record('>', fd, "", 0, data, answer);
    return answer;
}

ssize_t sendto(int fd, const void *data, size_t length, int flags, const struct sockaddr *to, socklen_t size) {
    ssize_t answer = syscall(SYS_sendto, fd, data, length, flags, to, size);
    if (answer > 0) record('>', fd, "", 0, data, answer);
    return answer;
}

ssize_t sendmsg(int fd, const struct msghdr *message, int flags) {
    ssize_t answer = syscall(SYS_sendmsg, fd, message, flags), left = answer;
    for (size_t i = 0; i < message->msg_iovlen && left > 0; i++) {
        ssize_t piece = (ssize_t)message->msg_iov[i].iov_len < left ? (ssize_t)message->msg_iov[i].iov_len : left;
        record('>', fd, "", 0, message->msg_iov[i].iov_base, piece);
        left -= piece;
    }
    return answer;
}

ssize_t recv(int fd, void *data, size_t length, int flags) {
    ssize_t answer = syscall(SYS_recvfrom, fd, data, length, flags, 0, 0);
    if (answer > 0 && !(flags & MSG_PEEK)) record('<', fd, "", 0, data, answer);
    return answer;
}

ssize_t recvfrom(int fd, void *data, size_t length, int flags, struct sockaddr *from, socklen_t *size) {
    ssize_t answer = syscall(SYS_recvfrom, fd, data, length, flags, from, size);
    if (answer > 0 && !(flags & MSG_PEEK)) record('<', fd, "", 0, data, answer);
    return answer;
}

/* ---- the wall clock */

int clock_gettime(clockid_t which, struct timespec *answer) {
    int status = syscall(SYS_clock_gettime, which, answer);
    if (!status && (which == CLOCK_REALTIME || which == CLOCK_REALTIME_COARSE)) {
        int64_t now = answer->tv_sec * 1000000000LL + answer->tv_nsec + numbers[WALL_OFFSET_NS];
        answer->tv_sec = now / 1000000000LL;
        answer->tv_nsec = now % 1000000000LL;
    }
    return status;
}

int gettimeofday(struct timeval *answer, void *zone) {
    struct timespec now;
    (void)zone;
    clock_gettime(CLOCK_REALTIME, &now);
    answer->tv_sec = now.tv_sec;
    answer->tv_usec = now.tv_nsec / 1000;
    return 0;
}

time_t time(time_t *answer) {
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    if (answer) *answer = now.tv_sec;
    return now.tv_sec;
}
