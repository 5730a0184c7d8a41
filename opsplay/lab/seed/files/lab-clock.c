/* Shifts the wall clock of every program that is started with this library by the seconds in /etc/lab-clock.
 * Raw system calls only: the image has a compiler (tcc), but no headers. The monotonic clock stays true, so that
 * sleeps and timeouts are right; sshd in its sandbox may not open the file, and then sees the true time.
 */
typedef long time_t;
struct pair { long sec; long part; };
long syscall(long number, ...);
#if defined(__x86_64__)
enum { READ = 0, CLOSE = 3, CLOCK_GETTIME = 228, OPENAT = 257 };
#else
enum { OPENAT = 56, CLOSE = 57, READ = 63, CLOCK_GETTIME = 113 };
#endif
static long shift(void) {
    char text[32];
    long sum = 0, length, i = 0, sign = 1;
    long file = syscall(OPENAT, -100, "/etc/lab-clock", 02000000);
    if (file < 0) return 0;
    length = syscall(READ, file, text, sizeof text);
    syscall(CLOSE, file);
    if (length > 0 && (text[0] == '-' || text[0] == '+')) { sign = text[0] == '-' ? -1 : 1; i = 1; }
    for (; i < length && text[i] >= '0' && text[i] <= '9'; i++) sum = sum * 10 + (text[i] - '0');
    return sign * sum;
}
int clock_gettime(int clock, struct pair *now) {
    long failed = syscall(CLOCK_GETTIME, clock, now);
    if (!failed && (clock == 0 || clock == 5)) now->sec += shift();
    return failed;
}
int gettimeofday(struct pair *now, void *zone) {
    int failed = clock_gettime(0, now);
    now->part /= 1000;
    return failed;
}
time_t time(time_t *where) {
    struct pair now;
    clock_gettime(0, &now);
    if (where) *where = now.sec;
    return now.sec;
}
