#include "sandbox/parts/leftovers.h"

#include "base/buf.h"
#include "base/file.h"
#include "base/num.h"

#include <errno.h>
#include <limits.h>
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
	for (size_t word = 0, at = 0; word < 3 && at < text.len; word++, at += strlen(text.data + at) + 1)
		if (!strcmp(text.data + at, program))
			return true;
	return false;
}

/* Through a pidfd, so that the process that was looked at is the one that is killed. */
bool process_kill(const struct clock *clock, pid_t pid, uint64_t start_ticks, const char *program, struct err *err)
{
	int64_t deadline = clock_mono_ms(clock) + GONE_LIMIT_MS;
	int fd = (int)syscall(SYS_pidfd_open, pid, 0);

	if (fd < 0)
		return errno == ESRCH || errno == EINVAL ||
		       err_errno(err, ERR_CHILD, errno, "open process %d", (int)pid);
	if (!process_is(pid, start_ticks, program)) {
		close(fd);
		return true;
	}
	syscall(SYS_pidfd_send_signal, fd, SIGKILL, NULL, 0);
	close(fd);
	while (process_is(pid, start_ticks, program)) {
		if (clock_mono_ms(clock) > deadline)
			return err_set(err, ERR_TIMEOUT, "process %d is still there %d s after SIGKILL", (int)pid,
			    GONE_LIMIT_MS / 1000);
		clock_sleep_until(clock, clock_mono_ns(clock) + 5000000, NULL);
	}
	return true;
}
