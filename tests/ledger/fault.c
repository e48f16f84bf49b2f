/* Preloaded into a test: makes one system call of a process fail, or the process die at it.
 *
 * Only calls on files below one folder count. Built by tests/ledger/faults.py.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum call { WRITE, PWRITE, FSYNC, FDATASYNC, RENAME, FTRUNCATE, OPEN, UNLINK, MKDIR, UNLINKAT, CALLS };
enum how { COUNT, FAIL, LATE, DIE, TORN, DOWN, TWICE };

static char folder[PATH_MAX];
static int armed_call = -1, armed_at, armed_how;
static int counts[CALLS], down, stuck;

void fault_arm(const char *below, int call, int at, int how)
{
	snprintf(folder, sizeof folder, "%s/", below);
	memset(counts, 0, sizeof counts);
	down = stuck = 0;
	armed_call = call;
	armed_at = at;
	armed_how = how;
}

int fault_count(int call) { return counts[call]; }

/* What is to happen to this call; COUNT where it is let through. */
static int due(enum call call, const char *path)
{
	if (!*folder || strncmp(path, folder, strlen(folder)) != 0)
		return COUNT;
	int at = ++counts[call] == armed_at && (int)call == armed_call;
	/* A disk that is down stays down, whatever is asked of it. */
	if (at && armed_how == DOWN)
		down = 1;
	/* What failed cannot be taken back either. */
	if (stuck && call == FTRUNCATE) {
		stuck = 0;
		return FAIL;
	}
	if (at && armed_how == TWICE) {
		stuck = 1;
		return FAIL;
	}
	return down ? FAIL : at ? armed_how : COUNT;
}

static int due_at(enum call call, int handle)
{
	char link[64], path[PATH_MAX];
	snprintf(link, sizeof link, "/proc/self/fd/%d", handle);
	ssize_t length = readlink(link, path, sizeof path - 1);
	if (length < 0)
		return COUNT;
	path[length] = 0;
	return due(call, path);
}

#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

/* Runs `real`, or fails with `error` before or after it, or dies before it. */
#define FAULTY(how, error, real)                       \
	do {                                           \
		int how_ = (how);                      \
		if (how_ == DIE)                       \
			raise(SIGKILL);                \
		if (how_ == FAIL) {                    \
			errno = (error);               \
			return -1;                     \
		}                                      \
		__typeof__(real) result_ = (real);     \
		if (how_ == LATE) {                    \
			errno = (error);               \
			return -1;                     \
		}                                      \
		if (how_ == TORN)                      \
			raise(SIGKILL);                \
		return result_;                        \
	} while (0)

ssize_t write(int handle, const void *data, size_t size)
{
	int how = due_at(WRITE, handle);
	FAULTY(how, ENOSPC, REAL(write)(handle, data, how == TORN ? size / 2 : size));
}

ssize_t pwrite64(int handle, const void *data, size_t size, off64_t at)
{
	int how = due_at(PWRITE, handle);
	FAULTY(how, ENOSPC, REAL(pwrite64)(handle, data, how == TORN ? size / 2 : size, at));
}

ssize_t pwrite(int handle, const void *data, size_t size, off_t at)
{
	return pwrite64(handle, data, size, at);
}

int fsync(int handle)
{
	FAULTY(due_at(FSYNC, handle), EIO, REAL(fsync)(handle));
}

int fdatasync(int handle)
{
	FAULTY(due_at(FDATASYNC, handle), EIO, REAL(fdatasync)(handle));
}

int rename(const char *old, const char *new)
{
	FAULTY(due(RENAME, old), EIO, REAL(rename)(old, new));
}

int ftruncate64(int handle, off64_t size)
{
	FAULTY(due_at(FTRUNCATE, handle), EIO, REAL(ftruncate64)(handle, size));
}

int ftruncate(int handle, off_t size)
{
	return ftruncate64(handle, size);
}

int unlink(const char *path)
{
	FAULTY(due(UNLINK, path), EIO, REAL(unlink)(path));
}

int unlinkat(int below, const char *path, int flags)
{
	FAULTY(due_at(UNLINKAT, below), EIO, REAL(unlinkat)(below, path, flags));
}

int mkdir(const char *path, mode_t mode)
{
	FAULTY(due(MKDIR, path), ENOSPC, REAL(mkdir)(path, mode));
}

int open64(const char *path, int flags, ...)
{
	va_list rest;
	va_start(rest, flags);
	mode_t mode = va_arg(rest, mode_t);
	va_end(rest);
	FAULTY(due(OPEN, path), ENOSPC, REAL(open64)(path, flags, mode));
}

int open(const char *path, int flags, ...)
{
	va_list rest;
	va_start(rest, flags);
	mode_t mode = va_arg(rest, mode_t);
	va_end(rest);
	return open64(path, flags, mode);
}
