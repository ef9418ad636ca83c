#include "base/cleanup.h"
#include "base/file.h"
#include "base/log.h"
#include "base/cli.h"
#include "base/stop.h"
#include "verifier/collect.h"
#include "verifier/commands.h"

#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PROGRAM "psmdb-verify collect"

struct arguments {
	const char *user_file, *password_file, *out, *users;
	struct opt_list uris, namespaces, logins;
	int64_t wait_ms, batch_size, max_anomalies;
	bool no_probe_write, describe, each_member;
};

static void log_progress(void *ctx, const char *ns, int64_t documents, double rate)
{
	char count[24], per_s[24];

	snprintf(count, sizeof count, "%" PRId64, documents);
	snprintf(per_s, sizeof per_s, "%.0f", rate);
	log_line(ctx, LOG_INFO, "reading", "ns", ns, "documents", count, "per_s", per_s, NULL);
}

static void log_note(void *ctx, const char *what, const char *detail)
{
	log_line(ctx, LOG_WARN, what, "detail", detail, NULL);
}

static void log_totals(const struct log *log, const struct collection *c)
{
	struct collection_totals totals = collection_totals(c);
	char documents[24], intact[24], anomalies[24], foreign[24], orphans[24], streams[24];

	snprintf(documents, sizeof documents, "%" PRId64, totals.documents);
	snprintf(intact, sizeof intact, "%" PRId64, totals.intact);
	snprintf(anomalies, sizeof anomalies, "%" PRId64, totals.anomalies);
	snprintf(foreign, sizeof foreign, "%" PRId64, totals.foreign);
	snprintf(orphans, sizeof orphans, "%" PRId64, totals.orphans);
	snprintf(streams, sizeof streams, "%zu", totals.streams);
	log_line(log, LOG_INFO, "collected", "documents", documents, "intact", intact, "anomalies", anomalies,
	    "foreign", foreign, "orphans", orphans, "streams", streams, "truncated", totals.truncated ? "yes" : "no",
	    NULL);
}

/* --- where it goes
 * ---------------------------------------------------------------------------------------------------------------- */

static bool print_record(void *ctx, const char *line, size_t len, struct err *err)
{
	BUF_CLEANUP struct buf out = BUF_INIT(RECORD_LINE_MAX + sizeof RECORD_LOG_PREFIX);

	(void)ctx;
	/* in one write: other lines of the same log stay whole */
	return buf_add_str(&out, RECORD_LOG_PREFIX, err) && buf_add(&out, line, len, err) &&
	       (fd_write_all(STDOUT_FILENO, out.data, out.len, err) || err_wrap(err, "standard output"));
}

static bool write_line(void *ctx, const char *line, size_t len, struct err *err)
{
	return fd_write_all(*(int *)ctx, line, len, err);
}

/* A device or a pipe. */
static bool write_through(const struct collection *c, const char *path, struct err *err)
{
	CLEANUP(fd) int fd = file_open_stays(path, err);
	struct record_sink sink = {.write = write_line, .ctx = &fd};

	return fd >= 0 && (collection_write(c, &sink, err) || err_wrap(err, "write \"%s\"", path));
}

static bool write_file(const struct collection *c, const char *path, struct err *err)
{
	struct record_file *file = NULL;
	struct record_sink sink;
	char part[PATH_MAX];
	bool ok;

	if (file_stays(path))
		return write_through(c, path, err);
	if (snprintf(part, sizeof part, "%s.part-%ld", path, (long)getpid()) >= (int)sizeof part)
		return err_set(err, ERR_LIMIT, "path \"%s\" is longer than %d bytes", path, PATH_MAX);
	if (!record_file_create(part, &file, err))
		return false;
	sink = record_file_sink(file);
	ok = collection_write(c, &sink, err);
	ok = record_file_close(file, ok ? err : NULL) && ok;
	if (ok && rename(part, path))
		ok = err_errno(err, ERR_IO, errno, "rename \"%s\" to \"%s\"", part, path);
	if (!ok)
		unlink(part);
	return ok;
}

static bool write_out(const struct collection *c, const char *path, struct err *err)
{
	struct record_sink print = {.write = print_record};

	return strcmp(path, "-") ? write_file(c, path, err) : collection_write(c, &print, err);
}

/* --- the command
 * ------------------------------------------------------------------------------------------------------------------ */

static bool load_login(const char *files, struct mongo_credentials *ret, struct err *err)
{
	const char *comma = strchr(files, ',');
	char user_file[PATH_MAX];

	if (!comma || comma == files || !comma[1] || (size_t)(comma - files) >= sizeof user_file) {
		err_set(err, ERR_USAGE, "option \"--login\": \"%s\" is not two files", files);
		return err_hint(err, "write --login USERFILE,PASSWORDFILE");
	}
	memcpy(user_file, files, (size_t)(comma - files));
	user_file[comma - files] = '\0';
	return mongo_credentials_load(user_file, comma + 1, ret, err);
}

/* A mounted Secret of users as Percona's operator has it: MONGODB_..._USER beside MONGODB_..._PASSWORD. */
static bool is_user_file(const char *name)
{
	size_t len = strlen(name), prefix = strlen("MONGODB_"), suffix = strlen("_USER");

	return len > prefix + suffix && !strncmp(name, "MONGODB_", prefix) && !strcmp(name + len - suffix, "_USER");
}

static int by_name(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

static int wanted(const struct dirent *entry)
{
	return is_user_file(entry->d_name);
}

static bool load_users(const char *dir, struct mongo_credentials *logins, size_t *count, struct err *err)
{
	struct dirent **entries;
	int found = scandir(dir, &entries, wanted, by_name);
	bool ok = true;

	if (found < 0)
		return err_errno(err, ERR_IO, errno, "list the users in \"%s\"", dir);
	for (int i = 0; i < found; i++) {
		char user[PATH_MAX], password[PATH_MAX];
		int len = (int)(strlen(entries[i]->d_name) - strlen("_USER"));

		snprintf(user, sizeof user, "%s/%s", dir, entries[i]->d_name);
		snprintf(password, sizeof password, "%s/%.*s_PASSWORD", dir, len, entries[i]->d_name);
		/* without a password it is no user that could log in */
		if (ok && file_exists(password) && *count == COLLECT_LOGINS_MAX)
			ok = err_set(err, ERR_LIMIT, "more than %d users to try to log in as", COLLECT_LOGINS_MAX);
		if (ok && file_exists(password)) {
			ok = mongo_credentials_load(user, password, &logins[*count], err);
			*count += ok;
		}
		free(entries[i]);
	}
	free(entries);
	return ok;
}

static bool collect(const struct arguments *a, const struct log *log, struct mongo_credentials *credentials,
    struct mongo_credentials *logins, struct err *err)
{
	static const char *const usual[] = {"admin.ticker", "drill.ticker"};
	CLEANUP(collection) struct collection *c = NULL;
	struct collect_options o = {
	    .uris = a->uris.items,
	    .uri_count = a->uris.count,
	    .namespaces = a->namespaces.count ? a->namespaces.items : usual,
	    .namespace_count = a->namespaces.count ? a->namespaces.count : sizeof usual / sizeof *usual,
	    .logins = logins,
	    .login_count = a->logins.count,
	    .wait_ms = a->wait_ms,
	    .write_probe = !a->no_probe_write,
	    .each_member = a->each_member,
	    .batch_size = a->batch_size,
	    .max_anomalies = a->max_anomalies,
	    .describe = a->describe,
	    .progress = {log_progress, log_note, (void *)log},
	};

	if (!mongo_credentials_load(a->user_file, a->password_file, credentials, err))
		return false;
	for (size_t i = 0; i < a->logins.count; i++)
		if (!load_login(a->logins.items[i], &logins[i], err))
			return false;
	if (a->users && !load_users(a->users, logins, &o.login_count, err))
		return false;
	if (credentials->given) {
		o.user = credentials->user;
		o.password = credentials->password;
	}
	if (!collect_gather(&o, clock_system(), stop_flag(), &c, err) || !write_out(c, a->out, err))
		return false;
	log_totals(log, c);
	return true;
}

static bool run(const struct arguments *a, struct err *err)
{
	struct log log = {.least = LOG_INFO, .program = PROGRAM};
	struct mongo_credentials credentials = {0};
	struct mongo_credentials *logins;
	bool ok;

	if (!stop_install(err))
		return false;
	logins = calloc(COLLECT_LOGINS_MAX, sizeof *logins);
	if (!logins)
		return err_nomem(err);
	mongo_init();
	ok = collect(a, &log, &credentials, logins, err);
	mongo_cleanup();
	mongo_credentials_clear(&credentials);
	for (size_t i = 0; i < COLLECT_LOGINS_MAX; i++)
		mongo_credentials_clear(&logins[i]);
	free(logins);
	return ok;
}

int cmd_collect(int argc, char **argv)
{
	struct arguments a = {
	    .out = "-", .wait_ms = 60000, .batch_size = 10000, .max_anomalies = OBSERVED_ANOMALIES_MAX};
	const struct opt opts[] = {
	    {"uri", OPT_LIST, &a.uris, "URI",
		"mongodb://HOST:PORT,.../?replicaSet=NAME, without user and password; given again for each replica set "
		"of one sharded cluster (config server and shards), which is read directly then",
		0, 0, true},
	    {"user-file", OPT_STRING, &a.user_file, "FILE", "file with the user name (default: MONGODB_USER)", 0, 0,
		false},
	    {"password-file", OPT_STRING, &a.password_file, "FILE",
		"file with the password (default: MONGODB_PASSWORD)", 0, 0, false},
	    {"ns", OPT_LIST, &a.namespaces, "NAMESPACE",
		"what to read, may be repeated (default: admin.ticker and drill.ticker)", 0, 0, false},
	    {"out", OPT_STRING, &a.out, "FILE", "file to write, or - for log lines on standard output (default: -)", 0,
		0, false},
	    {"login", OPT_LIST, &a.logins, "USERFILE,PASSWORDFILE", "another user to try to log in as, may be repeated",
		0, 0, false},
	    {"logins", OPT_STRING, &a.users, "DIR",
		"the same for each MONGODB_..._USER and _PASSWORD in it: a Secret of users, mounted", 0, 0, false},
	    {"wait", OPT_DURATION, &a.wait_ms, "TIME",
		"how long the first login, read and write together may take (default: 60s)", 0, 86400000, false},
	    {"no-probe-write", OPT_FLAG, &a.no_probe_write, NULL, "write nothing, not even the document in drill.probe",
		0, 0, false},
	    {"describe", OPT_FLAG, &a.describe, NULL,
		"read no document and write none: indexes and options of the namespaces, users and roles, to be "
		"compared after a restore (psmdb-verify judge --before)",
		0, 0, false},
	    {"each-member", OPT_FLAG, &a.each_member, NULL,
		"read the other members of each replica set, too, and compare them with the primary", 0, 0, false},
	    {"batch-size", OPT_INT, &a.batch_size, "NUMBER", "documents a reply of the server (default: 10000)", 2,
		100000, false},
	    {"max-anomalies", OPT_INT, &a.max_anomalies, "NUMBER",
		"anomalies told one by one, all are counted (default: 10000)", 0, OBSERVED_ANOMALIES_MAX, false},
	    {0},
	};
	const struct opt_command command = {
	    .program = PROGRAM,
	    .args = "",
	    .about = "Reads the ticks in a database and writes what is there: intact sequences with their digests, "
		     "every damaged, "
		     "doubled or foreign document, and what PBM recorded. It judges nothing.",
	    .opts = opts,
	    .more = "The user needs to read the namespaces, to write drill.probe, and clusterMonitor; with read on "
		    "admin, PBM's records "
		    "come too. Of a sharded cluster stop the balancer first: that is not checked here. With several "
		    "--uri what a shard does not own, by the chunks in the config server, is left out and counted.\n\n"
		    "A reading that is broken off (lost connection, killed cursor) goes on behind the last batch if "
		    "the same primary answers; after an election, a restart, or behind a mongos it starts again from "
		    "the first document, four times at most. "
		    "The file appears only when it is complete.\n\n"
		    "With --describe the user needs no right to write; users and roles are seen by whoever of it and "
		    "of the --login users may (userAdmin), and left out if nobody may.\n\n"
		    "Exit status: 0 written, 2 usage, 3 unreachable, refused or failed, 130 interrupted.",
	};
	struct err err = ERR_INIT;
	int status;

	if (!cli_options(&command, argc, argv, NULL, NULL, &status))
		return status;
	if (a.describe && a.each_member) {
		err_set(&err, ERR_USAGE, "options \"--describe\" and \"--each-member\" exclude each other");
		return err_print(PROGRAM, &err);
	}
	return run(&a, &err) ? EXIT_PASS : err_print(PROGRAM, &err);
}
