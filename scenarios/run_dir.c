#include "scenarios/run_dir.h"

#include "base/file.h"
#include "base/text.h"
#include "evidence/journal.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

bool run_path(const char *dir, const char *name, char ret[static PATH_MAX], struct err *err)
{
	if (!dir[0] || snprintf(ret, PATH_MAX, "%s/%s", dir, name) >= PATH_MAX)
		return err_set(
		    err, ERR_LIMIT, "run directory \"%.64s\" is empty or longer than %d bytes", dir, PATH_MAX);
	return true;
}

void run_stamp(const struct clock *clock, struct timeline_record *ret)
{
	ret->at_ms = clock_wall_ms(clock);
	ret->mono_ms = clock_mono_ms(clock);
}

static bool is_empty(const char *dir, bool *ret, struct err *err)
{
	DIR *d = opendir(dir);
	const struct dirent *entry;

	if (!d)
		return err_errno(err, ERR_IO, errno, "open run directory \"%s\"", dir);
	*ret = true;
	while ((entry = readdir(d)))
		if (strcmp(entry->d_name, ".") && strcmp(entry->d_name, ".."))
			*ret = false;
	closedir(d);
	return true;
}

static bool make_dir(const char *dir, struct err *err)
{
	bool empty = false;

	if (!file_make_dirs(dir, 0700, err) || !is_empty(dir, &empty, err))
		return false;
	if (!empty) {
		err_set(err, ERR_EXISTS, "run directory \"%s\" is not empty", dir);
		return err_hint(err, "each run has a directory of its own: choose another one");
	}
	/* one that was there may be open to others */
	if (chmod(dir, 0700))
		return err_errno(err, ERR_IO, errno, "make run directory \"%s\" private", dir);
	return true;
}

bool run_create(const char *dir, const char *scenario, const struct clock *clock, struct err *err)
{
	struct timeline_open open = {.by = "psmdb-drill " PSMDB_DRILL_VERSION};
	struct timeline_record start = {.name = "drill.start"};
	char path[PATH_MAX];

	if (strlen(scenario) >= sizeof open.scenario || !text_is_utf8(scenario, strlen(scenario)))
		return err_set(
		    err, ERR_USAGE, "scenario name is longer than %zu bytes, or no UTF-8", sizeof open.scenario - 1);
	snprintf(open.scenario, sizeof open.scenario, "%s", scenario);
	timeline_boot_id(open.boot);
	run_stamp(clock, &start);
	open.at_ms = start.at_ms;
	return uuid_random(&open.drill, err) && run_path(dir, RUN_TIMELINE, path, err) && make_dir(dir, err) &&
	       timeline_create(path, &open, err) && timeline_put(&start, "scenario", scenario, err) &&
	       timeline_append(path, &start, err);
}

/* The follower may not have got to it yet, and what the timeline names must be there after a power cut. */
static bool sync_journal(const char *path, struct err *err)
{
	CLEANUP(fd) int fd = open(path, O_RDONLY | O_CLOEXEC);

	return (fd >= 0 && !fdatasync(fd)) || err_errno(err, ERR_IO, errno, "sync \"%s\"", path);
}

bool run_newest_journal(const char *dir, struct timeline_journal *ret, struct err *err)
{
	struct timeline_journal j = {.known = true};
	struct record_head head;
	char path[PATH_MAX];
	struct stat st;

	if (!run_path(dir, RUN_JOURNAL, path, err))
		return false;
	if (stat(path, &st) ? errno == ENOENT : !st.st_size) {
		*ret = (struct timeline_journal){.known = false};
		return true;
	}
	if (!journal_tail(path, &j.run, &head, err) || !sync_journal(path, err))
		return false;
	j.n = head.n;
	memcpy(j.chain, head.chain, sizeof j.chain);
	*ret = j;
	return true;
}

static bool made_of(const char *text, const char *others)
{
	for (; *text; text++)
		if (!((*text >= 'a' && *text <= 'z') || (*text >= 'A' && *text <= 'Z') ||
			(*text >= '0' && *text <= '9') || strchr(others, *text)))
			return false;
	return true;
}

bool run_check_event(const char *name, struct err *err)
{
	static const size_t size = sizeof((struct timeline_record *)0)->name;

	if (timeline_event_known(name))
		return true;
	if (!strncmp(name, "x-", 2) && name[2] && strlen(name) < size && made_of(name, ".-_"))
		return true;
	err_set(err, ERR_USAGE, "event \"%.64s\" is not known", name);
	return err_hint(err, "put \"x-\" in front of a name of your own; the known ones are in docs/formats.md");
}

bool run_put_pair(struct timeline_record *rec, const char *pair, struct err *err)
{
	const char *equals = strchr(pair, '='), *value = equals ? equals + 1 : "";
	char key[sizeof rec->data[0].key];

	if (!equals || equals == pair || (size_t)(equals - pair) >= sizeof key)
		return err_set(
		    err, ERR_USAGE, "\"%.64s\" is not key=value with a key of 1 to %zu bytes", pair, sizeof key - 1);
	memcpy(key, pair, (size_t)(equals - pair));
	key[equals - pair] = '\0';
	if (!made_of(key, ".-_"))
		return err_set(err, ERR_USAGE, "key \"%s\" is not made of letters, digits, '.', '-' and '_'", key);
	if (timeline_data(rec, key))
		return err_set(err, ERR_USAGE, "key \"%s\" is given twice", key);
	if (strlen(value) >= sizeof rec->data[0].value || !text_is_utf8(value, strlen(value)))
		return err_set(err, ERR_USAGE, "the value of \"%s\" is longer than %zu bytes, or no UTF-8", key,
		    sizeof rec->data[0].value - 1);
	return timeline_put(rec, key, value, err);
}

bool run_lock(const char *dir, int *ret_fd, struct err *err)
{
	CLEANUP(fd) int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0) {
		err_errno(err, errno == ENOENT ? ERR_NOT_FOUND : ERR_IO, errno, "open run directory \"%s\"", dir);
		return err_hint(err, "give the directory that \"psmdb-drill run\" has printed");
	}
	if (flock(fd, LOCK_EX | LOCK_NB)) {
		if (errno != EWOULDBLOCK)
			return err_errno(err, ERR_IO, errno, "lock run directory \"%s\"", dir);
		err_set(err, ERR_STATE, "another psmdb-drill is at work on run \"%s\"", dir);
		return err_hint(err, "wait until it has ended, or end it with Ctrl-C");
	}
	*ret_fd = fd;
	fd = -1;
	return true;
}

/* file_write_atomic's own names */
static bool is_half_written(const char *name)
{
	static const char *const files[] = {RUN_STATE, RUN_RECEIVE_STRING};

	for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
		size_t len = strlen(files[i]);

		if (!strncmp(name, files[i], len) && name[len] == '.' && strlen(name + len) == 7)
			return true;
	}
	return false;
}

void run_sweep(const char *dir)
{
	CLEANUP(dir) DIR *d = opendir(dir);
	struct dirent *e;

	while (d && (e = readdir(d)))
		if (is_half_written(e->d_name))
			unlinkat(dirfd(d), e->d_name, 0);
}

void run_sign(int lock_fd, int64_t now_wall_ms)
{
	const struct timespec now = {.tv_sec = now_wall_ms / 1000, .tv_nsec = now_wall_ms % 1000 * 1000000};

	/* without it the rest looks longer, and the report says how long it was taken for */
	(void)futimens(lock_fd, (const struct timespec[]){now, now});
}

bool run_last_sign_ms(int lock_fd, int64_t *ret_wall_ms)
{
	struct stat st;

	if (fstat(lock_fd, &st))
		return false;
	*ret_wall_ms = (int64_t)st.st_mtim.tv_sec * 1000 + st.st_mtim.tv_nsec / 1000000;
	return true;
}
