#include "sandbox/parts/leftovers.h"

#include "base/buf.h"
#include "base/file.h"
#include "base/num.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#define GONE_LIMIT_MS 10000

bool process_start_ticks(pid_t pid, uint64_t *ret)
{
	BUF_CLEANUP struct buf text = BUF_INIT(4096);
	char path[64], *field;

	snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
	if (!file_read(path, &text, NULL))
		return false;
	/* The command's name, field 2, may hold blanks and parentheses: count from its last ')'. */
	field = strrchr(buf_str(&text), ')');
	for (int i = 2; field && i < 22; i++) {
		field = strchr(field, ' ');
		field = field ? field + 1 : NULL;
	}
	return field && num_parse_u64(field, strcspn(field, " "), UINT64_MAX, ret);
}

void process_boot_id(char ret[static BOOT_ID_MAX])
{
	BUF_CLEANUP struct buf text = BUF_INIT(256);

	ret[0] = '\0';
	if (file_read("/proc/sys/kernel/random/boot_id", &text, NULL))
		snprintf(ret, BOOT_ID_MAX, "%.*s", (int)strcspn(buf_str(&text), "\n"), buf_str(&text));
}

bool process_is(pid_t pid, uint64_t start_ticks, const char *program)
{
	BUF_CLEANUP struct buf text = BUF_INIT(1 << 20);
	char path[64];
	uint64_t ticks;

	if (pid <= 1 || !process_start_ticks(pid, &ticks) || ticks != start_ticks)
		return false;
	snprintf(path, sizeof path, "/proc/%d/cmdline", (int)pid);
	if (!file_read(path, &text, NULL))
		return false;
	/* While it dies its command line is empty, and its ports are still taken. */
	if (!text.len)
		return true;
	for (size_t word = 0, at = 0; word < 3 && at < text.len; word++, at += strlen(text.data + at) + 1)
		if (!strcmp(text.data + at, program))
			return true;
	return false;
}

/*
 * Through a pidfd, so that the process that was looked at is the one that is killed. It becomes readable when the
 * last thread has ended: the first one may be a zombie while others still hold the files and sockets.
 */
bool process_kill(pid_t pid, uint64_t start_ticks, const char *program, struct err *err)
{
	struct pollfd gone = {.fd = (int)syscall(SYS_pidfd_open, pid, 0), .events = POLLIN};
	int ready = 1;

	if (gone.fd < 0)
		return errno == ESRCH || errno == EINVAL ||
		       err_errno(err, ERR_CHILD, errno, "open process %d", (int)pid);
	if (process_is(pid, start_ticks, program)) {
		syscall(SYS_pidfd_send_signal, gone.fd, SIGKILL, NULL, 0);
		do {
			ready = poll(&gone, 1, GONE_LIMIT_MS);
		} while (ready < 0 && errno == EINTR);
	}
	close(gone.fd);
	return ready == 1 || err_set(err, ERR_TIMEOUT, "process %d is still there %d s after SIGKILL", (int)pid,
				 GONE_LIMIT_MS / 1000);
}
