#include "sandbox/parts/pbm.h"

#include "base/file.h"
#include "base/text.h"
#include "doc/json.h"
#include "doc/json_writer.h"
#include "sandbox/parts/secrets.h"
#include "sandbox/parts/set.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define COMMAND_LIMIT_MS 30000
#define POLL_MS 200

bool pbm_command_make(
    const struct pbm *pbm, const char *const *args, size_t count, struct pbm_command *ret, struct err *err)
{
	BUF_CLEANUP struct buf uri = BUF_INIT(4096);
	bool ok;

	memset(ret, 0, sizeof *ret);
	ret->proc = (struct proc_spec)PROC_SPEC_INIT;
	ok = strings_add(&ret->argv, err, "%s", pbm->binary) &&
	     part_environment(pbm->home, &ret->env_set, &ret->env_unset, err);
	for (size_t i = 0; ok && i < count; i++)
		ok = strings_add(&ret->argv, err, "%s", args[i]);
	ok = ok && buf_add_str(&uri, "PBM_MONGODB_URI=mongodb://", err) && uri_encode(&uri, pbm->user, err) &&
	     buf_add_char(&uri, ':', err) && uri_encode(&uri, pbm->password, err) && buf_add_char(&uri, '@', err);
	for (int i = 0; ok && i < pbm->members; i++)
		ok = buf_printf(&uri, err, "%s%s", i ? "," : "", pbm->hosts[i]);
	ok = ok && buf_printf(&uri, err, "/?replicaSet=%s&authSource=admin", pbm->set_name) &&
	     strings_add(&ret->env_set, err, "%s", buf_str(&uri));
	if (uri.data)
		explicit_bzero(uri.data, uri.len);
	if (!ok) {
		pbm_command_clear(ret);
		return false;
	}
	ret->proc.argv = (const char *const *)ret->argv.items;
	ret->proc.env_set = (const char *const *)ret->env_set.items;
	ret->proc.env_unset = (const char *const *)ret->env_unset.items;
	return true;
}

void pbm_command_clear(struct pbm_command *command)
{
	strings_clear(&command->argv);
	strings_clear(&command->env_set);
	strings_clear(&command->env_unset);
}

/* For people; a log that cannot be written must not fail a restore. */
static void keep_log(const struct pbm *pbm, const char *const *args, size_t count, const char *output, const char *how)
{
	CLEANUP(fd)
	int fd = pbm->log_path ? open(pbm->log_path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600) : -1;
	BUF_CLEANUP struct buf text = BUF_INIT(PBM_OUTPUT_MAX + 65536);
	char time[TIME_TEXT_MAX];

	if (fd < 0 || !buf_printf(&text, NULL, "%s pbm", time_format(clock_wall_ms(pbm->clock), time)))
		return;
	for (size_t i = 0; i < count; i++)
		buf_printf(&text, NULL, " %s", args[i]);
	buf_printf(&text, NULL, " -> %s\n%s\n", how, output);
	fd_write_all(fd, text.data, text.len, NULL);
}

static bool run_with(const struct pbm *pbm, const char *const *args, size_t count, int stdin_fd, int64_t timeout_ms,
    struct buf *out, struct proc_exit *ret_exit, struct err *err)
{
	struct pbm_command command;
	struct proc_exit ex = {0};
	char how[64];
	bool ok;

	if (pbm->stop && *pbm->stop)
		return err_set(err, ERR_INTERRUPTED, "interrupted");
	if (!pbm_command_make(pbm, args, count, &command, err))
		return false;
	command.proc.stop = pbm->stop;
	command.proc.stdin_fd = stdin_fd;
	ok = proc_run(pbm->clock, &command.proc, timeout_ms, out, &ex, err);
	pbm_command_clear(&command);
	keep_log(pbm, args, count, buf_str(out), ok ? proc_exit_text(&ex, how) : "not finished");
	if (ok)
		*ret_exit = ex;
	return ok;
}

bool pbm_run(const struct pbm *pbm, const char *const *args, size_t count, int64_t timeout_ms, struct buf *out,
    struct proc_exit *ret_exit, struct err *err)
{
	return run_with(pbm, args, count, PROC_NULL, timeout_ms, out, ret_exit, err);
}

void pbm_last_words(const char *output, char *ret, size_t size)
{
	BUF_CLEANUP struct buf clean = BUF_INIT(PBM_OUTPUT_MAX);
	const char *best = "";
	size_t best_len = 0;
	bool error = false;

	for (const char *line = output; *line; line += strcspn(line, "\n"), line += *line == '\n') {
		size_t len = strcspn(line, "\n");
		bool says = len >= 5 && !strncmp(line, "Error", 5);

		if (!len || (error && !says))
			continue;
		best = line;
		best_len = len;
		error = says;
	}
	text_neutral(&clean, best, best_len, false, NULL);
	snprintf(ret, size, "%s", clean.len ? buf_str(&clean) : "(no output)");
}

static bool need_with(const struct pbm *pbm, const char *const *args, size_t count, int stdin_fd, int64_t timeout_ms,
    struct buf *out, struct err *err)
{
	struct proc_exit ex;
	char words[600], how[64];

	if (!run_with(pbm, args, count, stdin_fd, timeout_ms, out, &ex, err))
		return false;
	if (!ex.signaled && !ex.status)
		return true;
	pbm_last_words(buf_str(out), words, sizeof words);
	err_set(err, ERR_CHILD, "\"pbm %s\" ended with %s: %s", count ? args[0] : "", proc_exit_text(&ex, how), words);
	return pbm->log_path ? err_hint(err, "see \"%s\" and the agents' logs beside it", pbm->log_path) : false;
}

bool pbm_need(
    const struct pbm *pbm, const char *const *args, size_t count, int64_t timeout_ms, struct buf *out, struct err *err)
{
	BUF_CLEANUP struct buf own = BUF_INIT(PBM_OUTPUT_MAX);

	return need_with(pbm, args, count, PROC_NULL, timeout_ms, out ? out : &own, err);
}

/* YAML is what pbm reads, and JSON is YAML. */
static bool config_text(const struct pbm_storage *s, struct buf *text, struct err *err)
{
	struct json_writer w;

	json_writer_init(&w, text);
	json_object(&w, NULL);
	json_object(&w, "storage");
	json_put_string(&w, "type", "s3");
	json_object(&w, "s3");
	if (*s->endpoint)
		json_put_string(&w, "endpointUrl", s->endpoint);
	json_put_string(&w, "region", s->region);
	json_put_string(&w, "bucket", s->bucket);
	json_put_string(&w, "prefix", s->prefix);
	json_put_bool(&w, "forcePathStyle", true);
	json_put_bool(&w, "insecureSkipTLSVerify", s->insecure);
	json_object(&w, "credentials");
	json_put_string(&w, "access-key-id", s->access_key);
	json_put_string(&w, "secret-access-key", s->secret_key);
	json_end_object(&w);
	json_end_object(&w);
	json_end_object(&w);
	json_object(&w, "backup");
	if (s->compression)
		json_put_string(&w, "compression", s->compression);
	json_end_object(&w);
	json_end_object(&w);
	return json_writer_ok(&w, err) && buf_add_char(text, '\n', err);
}

bool pbm_config_file(const struct pbm_storage *storage, int *ret_fd, struct err *err)
{
	BUF_CLEANUP struct buf text = BUF_INIT(16384);
	CLEANUP(fd) int fd = memfd_create("pbm-config", MFD_CLOEXEC);
	bool ok;

	if (fd < 0)
		return err_errno(err, ERR_IO, errno, "make a file in memory");
	ok = config_text(storage, &text, err) && fd_write_all(fd, text.data, text.len, err);
	if (text.data)
		explicit_bzero(text.data, text.len);
	if (!ok || lseek(fd, 0, SEEK_SET))
		return ok ? err_errno(err, ERR_IO, errno, "rewind a file in memory") : false;
	*ret_fd = fd;
	fd = -1;
	return true;
}

bool pbm_configure(const struct pbm *pbm, const struct pbm_storage *storage, int64_t timeout_ms, struct err *err)
{
	static const char *const args[] = PBM_CONFIG_ARGS;
	BUF_CLEANUP struct buf out = BUF_INIT(PBM_OUTPUT_MAX);
	CLEANUP(fd) int fd = -1;

	return (pbm_config_file(storage, &fd, err) &&
		   need_with(pbm, args, PBM_CONFIG_ARG_COUNT, fd,
		       timeout_ms < COMMAND_LIMIT_MS ? timeout_ms : COMMAND_LIMIT_MS, &out, err)) ||
	       err_wrap(err, "configure PBM");
}

/* PBM's texts quote the S3 server's, which have line breaks. */
static void one_line(const char *text, char *ret, size_t size)
{
	BUF_CLEANUP struct buf clean = BUF_INIT(PBM_OUTPUT_MAX);
	size_t len = 0;

	text_neutral(&clean, text, strlen(text), true, NULL);
	for (const char *p = buf_str(&clean); *p && len + 1 < size; p++)
		ret[len++] = *p == '\n' ? ' ' : *p;
	ret[len] = '\0';
}

static enum pbm_readiness agent_state(const json_node *node, char *ret_why, size_t size)
{
	const char *host = json_string(json_get(node, "host"));
	const char *error = json_string(json_first(json_get(node, "errors")));
	char text[400];

	if (json_bool(json_get(node, "ok"), false))
		return PBM_IDLE;
	one_line(error ? error : "", text, sizeof text);
	snprintf(ret_why, size, "the agent of \"%.100s\" is not ready%s%s", host ? host : "?", *text ? ": " : "", text);
	return !strncmp(text, "storage: ", 9) ? PBM_STORAGE : PBM_NOT_YET;
}

static enum pbm_readiness agents_state(const json_node *status, int members, char *ret_why, size_t size)
{
	enum pbm_readiness worst = PBM_IDLE;
	int found = 0;

	for (const json_node *rs = json_first(json_get(status, "cluster")); rs; rs = json_next(rs)) {
		for (const json_node *node = json_first(json_get(rs, "nodes")); node; node = json_next(node)) {
			enum pbm_readiness state = agent_state(node, ret_why, size);

			if (state == PBM_NOT_YET)
				return state;
			if (state == PBM_STORAGE)
				worst = state;
			found++;
		}
	}
	if (found == members)
		return worst;
	snprintf(ret_why, size, "%d of %d members have an agent", found, members);
	return PBM_NOT_YET;
}

enum pbm_readiness pbm_status_read(const char *output, int members, char *ret_why, size_t size)
{
	CLEANUP(json) struct json *doc = NULL;
	struct json_limits limits = JSON_LIMITS_DEFAULT;
	const char *start = strchr(output, '{'), *type;

	if (!start || !json_parse(start, strlen(start), &limits, &doc, NULL)) {
		pbm_last_words(output, ret_why, size);
		return PBM_NOT_YET;
	}
	type = json_string(json_get(json_get(json_root(doc), "running"), "type"));
	if (!type)
		return agents_state(json_root(doc), members, ret_why, size);
	snprintf(ret_why, size, "operation \"%.100s\" is running", type);
	return PBM_NOT_YET;
}

struct idle_arg {
	const struct pbm *pbm;
	char last[500];
};

static bool is_idle(void *arg, struct err *err)
{
	static const char *const args[] = PBM_STATUS_ARGS;
	struct idle_arg *a = arg;
	BUF_CLEANUP struct buf out = BUF_INIT(PBM_OUTPUT_MAX);
	struct proc_exit ex;

	if (!pbm_run(a->pbm, args, PBM_STATUS_ARG_COUNT, COMMAND_LIMIT_MS, &out, &ex, err))
		return false;
	if (ex.signaled || ex.status) {
		pbm_last_words(buf_str(&out), a->last, sizeof a->last);
		return false;
	}
	return pbm_status_read(buf_str(&out), a->pbm->members, a->last, sizeof a->last) == PBM_IDLE;
}

bool pbm_wait_idle(const struct pbm *pbm, int64_t timeout_ms, struct err *err)
{
	struct idle_arg arg = {.pbm = pbm};

	if (wait_for(pbm->clock, "idle PBM agents", timeout_ms, POLL_MS, pbm->stop, is_idle, &arg, err))
		return true;
	if (err && err->code == ERR_TIMEOUT)
		err_hint(err, "last: %s; see the agents' logs%s%s", arg.last, pbm->log_path ? " beside " : "",
		    pbm->log_path ? pbm->log_path : "");
	return false;
}

bool pbm_resync(const struct pbm *pbm, int64_t timeout_ms, struct err *err)
{
	const char *const args[] = {"config", "--force-resync", "--wait"};

	return pbm_need(pbm, args, 3, timeout_ms, NULL, err) && pbm_wait_idle(pbm, timeout_ms, err);
}

bool pbm_backup_name(const char *output, char ret[static PBM_NAME_MAX])
{
	/* "Starting backup '2026-11-23T06:00:00Z'" */
	for (const char *p = strchr(output, '\''); p; p = strchr(p + 1, '\'')) {
		size_t len = strcspn(p + 1, "'\n");
		char name[PBM_NAME_MAX];
		int64_t when;

		if (len >= PBM_NAME_MAX || p[1 + len] != '\'')
			continue;
		memcpy(name, p + 1, len);
		name[len] = '\0';
		if (time_parse(name, &when)) {
			memcpy(ret, name, len + 1);
			return true;
		}
	}
	return false;
}
