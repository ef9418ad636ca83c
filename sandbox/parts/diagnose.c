#include "sandbox/parts/diagnose.h"

#include "base/cleanup.h"
#include "base/text.h"
#include "doc/json.h"

#include <fcntl.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#define TAIL_MAX ((size_t)64 << 10)

enum rank { RANK_ANY, RANK_PLAIN, RANK_ERROR, RANK_FATAL };

static bool has_word(const char *line, size_t len, const char *word)
{
	size_t n = strlen(word);

	for (size_t i = 0; i + n <= len; i++)
		if (!strncasecmp(line + i, word, n))
			return true;
	return false;
}

static const char *cause_of(const json_node *attr)
{
	const json_node *error = json_get(attr, "error");
	const char *text = json_string(error);

	if (!text)
		text = json_string(json_get(error, "errmsg"));
	if (!text)
		text = json_string(json_get(attr, "msg"));
	return text;
}

static void put(const char *text, size_t len, char ret_line[static DIAGNOSE_LINE_MAX])
{
	BUF_CLEANUP struct buf clean = BUF_INIT(16 * DIAGNOSE_LINE_MAX);
	size_t used;

	if (len > DIAGNOSE_LINE_MAX)
		len = DIAGNOSE_LINE_MAX;
	if (!text_neutral(&clean, text, len, false, NULL))
		return;
	used = clean.len < DIAGNOSE_LINE_MAX - 1 ? clean.len : DIAGNOSE_LINE_MAX - 1;
	memcpy(ret_line, buf_str(&clean), used);
	ret_line[used] = '\0';
}

static enum rank rank_json(const char *line, size_t len, struct buf *ret)
{
	static const struct json_limits limits = {.max_bytes = 32 << 10, .max_depth = 32};
	CLEANUP(json) struct json *doc = NULL;
	const char *severity, *message, *cause;
	const json_node *root;

	if (!json_parse(line, len, &limits, &doc, NULL))
		return RANK_ANY;
	root = json_root(doc);
	severity = json_string(json_get(root, "s"));
	message = json_string(json_get(root, "msg"));
	if (!severity || !message || !buf_add_str(ret, message, NULL))
		return RANK_ANY;
	cause = cause_of(json_get(root, "attr"));
	if (cause)
		buf_printf(ret, NULL, ": %s", cause);
	return *severity == 'F' ? RANK_FATAL : *severity == 'E' ? RANK_ERROR : RANK_ANY;
}

static enum rank rank_plain(const char *line, size_t len)
{
	static const char *const words[] = {"error", "fatal", "fail", "panic", "cannot", "refused", "denied"};

	for (size_t i = 0; i < sizeof words / sizeof *words; i++)
		if (has_word(line, len, words[i]))
			return RANK_ERROR;
	return RANK_PLAIN;
}

/*
 * mongod writes some "F" lines that only frame the cause ("Now exiting", "aborting after fassert() failure"): the
 * first fatal line with a cause is the better one, so a later line replaces an earlier one of the same rank only if
 * it carries a cause, or none has been seen.
 */
void diagnose_log(const char *text, size_t len, char ret_line[static DIAGNOSE_LINE_MAX])
{
	enum rank best = RANK_ANY;
	bool best_cause = false, any = false;

	ret_line[0] = '\0';
	for (const char *line = text, *end = text + len, *next; line < end; line = next) {
		const char *newline = memchr(line, '\n', (size_t)(end - line));
		size_t n = (size_t)((newline ? newline : end) - line);
		BUF_CLEANUP struct buf said = BUF_INIT(32 << 10);
		enum rank rank;
		bool cause;

		next = newline ? newline + 1 : end;
		while (n && (line[n - 1] == '\r' || line[n - 1] == ' '))
			n--;
		if (!n)
			continue;
		rank = *line == '{' ? rank_json(line, n, &said) : rank_plain(line, n);
		cause = said.len && strchr(buf_str(&said), ':');
		if (any && (rank < best || (rank == best && best_cause && !cause)))
			continue;
		any = true;
		best = rank;
		best_cause = cause;
		put(said.len ? buf_str(&said) : line, said.len ? said.len : n, ret_line);
	}
}

static void read_tail(const char *log_path, int64_t from, struct buf *tail)
{
	CLEANUP(fd) int fd = open(log_path, O_RDONLY | O_CLOEXEC);
	char chunk[8192];
	struct stat st;
	ssize_t got;

	if (fd < 0 || fstat(fd, &st))
		return;
	if (st.st_size - from > (int64_t)TAIL_MAX)
		from = st.st_size - (int64_t)TAIL_MAX;
	while ((got = pread(fd, chunk, sizeof chunk, from)) > 0 && buf_add(tail, chunk, (size_t)got, NULL))
		from += got;
}

void diagnose_exit(
    const char *part, const struct proc_exit *ex, const char *log_path, int64_t log_start, struct err *err)
{
	BUF_CLEANUP struct buf tail = BUF_INIT(2 * TAIL_MAX);
	char line[DIAGNOSE_LINE_MAX], how[64];

	read_tail(log_path, log_start, &tail);
	diagnose_log(buf_str(&tail), tail.len, line);
	*err = (struct err)ERR_INIT;
	err_set(err, ERR_CHILD, "part \"%s\" ended with %s%s%s%s", part, proc_exit_text(ex, how),
	    line[0] ? ": \"" : " and wrote nothing to its log", line, line[0] ? "\"" : "");
	err_hint(err, "see its log \"%s\"", log_path);
}
