#include "evidence/record.h"

#include "evidence/record_line.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

#define READ_BYTES 65536
#define PREFIX_LEN (sizeof RECORD_LOG_PREFIX - 1)
#define WINDOW (RECORD_LINE_MAX + PREFIX_LEN)

struct record_reader {
	int fd;	    /* -1: memory, or fed */
	char *name; /* for messages */
	char *own;  /* READ_BYTES + WINDOW bytes; NULL: memory */
	const char *bytes;
	size_t begin, end;
	bool prefixed, fed, eof;
	bool skipping; /* inside an ordinary line that is too long to be held */
	uint64_t line_no;
	struct record_head head;
	char first_chain[RECORD_CHAIN_TEXT_MAX]; /* "" before the first record */
	struct sha256 *hash;
	struct record_envelope envelope;
	struct json *doc;
	struct json_flat flat;
	enum record_state final; /* RECORD_OK: not reached */
	struct err final_err;
	void (*other)(void *ctx, const char *line, size_t len);
	void *other_ctx;
};

void record_reader_close(struct record_reader *r)
{
	if (!r)
		return;
	if (r->fd > STDIN_FILENO)
		close(r->fd);
	json_free(r->doc);
	sha256_free(r->hash);
	free(r->name);
	free(r->own);
	free(r);
}

static bool reader_new(const char *name, bool prefixed, bool buffered, struct record_reader **ret, struct err *err)
{
	CLEANUP(record_reader) struct record_reader *r = calloc(1, sizeof *r);

	if (!r)
		return err_nomem(err);
	r->fd = -1;
	r->prefixed = prefixed;
	record_head_init(&r->head);
	r->hash = sha256_new();
	r->name = strdup(name);
	if (buffered)
		r->bytes = r->own = malloc(READ_BYTES + WINDOW);
	if (!r->hash || !r->name || (buffered && !r->own))
		return err_nomem(err);
	*ret = TAKE(r);
	return true;
}

bool record_reader_open(const char *path, bool prefixed, struct record_reader **ret, struct err *err)
{
	CLEANUP(record_reader) struct record_reader *r = NULL;
	bool standard = !strcmp(path, "-");

	if (!reader_new(standard ? "standard input" : path, prefixed, true, &r, err))
		return false;
	r->fd = standard ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC);
	if (r->fd < 0)
		return err_errno(err, errno == ENOENT ? ERR_NOT_FOUND : ERR_IO, errno, "open \"%s\"", path);
	*ret = TAKE(r);
	return true;
}

bool record_reader_memory(const char *bytes, size_t len, bool prefixed, struct record_reader **ret, struct err *err)
{
	struct record_reader *r;

	if (!reader_new("memory", prefixed, false, &r, err))
		return false;
	r->bytes = bytes;
	r->end = len;
	r->eof = true;
	*ret = r;
	return true;
}

bool record_reader_feed_new(
    const struct record_head *after, const char *first_chain, struct record_reader **ret, struct err *err)
{
	struct record_reader *r;

	if (!reader_new("log", true, true, &r, err))
		return false;
	r->fed = true;
	r->head = *after;
	if (first_chain)
		snprintf(r->first_chain, sizeof r->first_chain, "%s", first_chain);
	*ret = r;
	return true;
}

static void compact(struct record_reader *r)
{
	if (r->begin)
		memmove(r->own, r->own + r->begin, r->end - r->begin);
	r->end -= r->begin;
	r->begin = 0;
}

void record_reader_feed(struct record_reader *r, const char *bytes, size_t len)
{
	compact(r);
	if (len > RECORD_FEED_MAX || len > READ_BYTES + WINDOW - r->end)
		abort(); /* the contract in the header */
	if (len)
		memcpy(r->own + r->end, bytes, len);
	r->end += len;
}

void record_reader_on_other(struct record_reader *r, void (*other)(void *ctx, const char *line, size_t len), void *ctx)
{
	r->other = other;
	r->other_ctx = ctx;
}

struct record_head record_reader_head(const struct record_reader *r)
{
	return r->head;
}

static enum record_state finish(struct record_reader *r, enum record_state state, struct err *err)
{
	if (state == RECORD_BROKEN)
		r->final_err.code = ERR_BROKEN;
	if (r->final_err.code)
		err_wrap(&r->final_err, "\"%s\" line %llu", r->name, (unsigned long long)r->line_no);
	r->final = state;
	if (err && r->final_err.code)
		*err = r->final_err;
	return state;
}

static bool refill(struct record_reader *r)
{
	ssize_t got;

	compact(r);
	do
		got = read(r->fd, r->own + r->end, READ_BYTES);
	while (got < 0 && errno == EINTR);
	if (got < 0)
		return err_errno(&r->final_err, ERR_IO, errno, "read");
	r->end += (size_t)got;
	r->eof = got == 0;
	return true;
}

static void hand_over(struct record_reader *r, const char *line, size_t len)
{
	if (r->other)
		r->other(r->other_ctx, line, len < RECORD_LINE_MAX ? len : RECORD_LINE_MAX);
}

/* Could these bytes, cut off by the end of what is there, be a record's line? */
static bool may_be_record(const struct record_reader *r, const char *text, size_t len)
{
	return !r->prefixed || !memcmp(text, RECORD_LOG_PREFIX, len < PREFIX_LEN ? len : PREFIX_LEN);
}

/* What is left without a newline behind it. RECORD_OK: go on reading. */
static enum record_state partial(struct record_reader *r)
{
	const char *text = r->bytes + r->begin;
	size_t len = r->end - r->begin;

	if (len >= WINDOW) {
		if (!r->skipping && may_be_record(r, text, len)) {
			r->line_no++;
			err_set(&r->final_err, ERR_BROKEN, "longer than %d bytes", RECORD_LINE_MAX);
			return RECORD_BROKEN;
		}
		if (!r->skipping)
			hand_over(r, text, len);
		r->skipping = true;
		r->begin = r->end;
	}
	if (!r->eof)
		return r->fed ? RECORD_END : refill(r) ? RECORD_OK : RECORD_FAILED;
	len = r->end - r->begin;
	if (!len || r->skipping)
		return RECORD_END;
	if (may_be_record(r, r->bytes + r->begin, len))
		return RECORD_TORN;
	hand_over(r, r->bytes + r->begin, len);
	r->begin = r->end;
	return RECORD_END;
}

/* The next line that is a record's, without prefix and newline. */
static enum record_state next_line(struct record_reader *r, const char **ret, size_t *ret_len)
{
	for (;;) {
		const char *text = r->bytes ? r->bytes + r->begin : NULL;
		const char *newline = r->end > r->begin ? memchr(text, '\n', r->end - r->begin) : NULL;
		size_t len;

		if (!newline) {
			enum record_state state = partial(r);

			if (state != RECORD_OK)
				return state;
			continue;
		}
		len = (size_t)(newline - text);
		r->begin += len + 1;
		r->line_no++;
		if (r->skipping) {
			r->skipping = false;
			continue;
		}
		if (r->prefixed && (len < PREFIX_LEN || memcmp(text, RECORD_LOG_PREFIX, PREFIX_LEN))) {
			hand_over(r, text, len);
			continue;
		}
		*ret = text + (r->prefixed ? PREFIX_LEN : 0);
		*ret_len = len - (r->prefixed ? PREFIX_LEN : 0);
		return RECORD_OK;
	}
}

/* A followed log that was read from an earlier place again. Only the first and the last record can be compared; that
 * tells another run's journal. */
static bool check_repeat(const struct record_reader *r, struct err *err)
{
	const struct record_envelope *e = &r->envelope;

	if (e->n == r->head.n && strcmp(e->chain, r->head.chain))
		return err_set(
		    err, ERR_BROKEN, "record %llu comes again with another content", (unsigned long long)e->n);
	if (e->n == 1 && r->first_chain[0] && strcmp(e->chain, r->first_chain)) {
		err_set(err, ERR_BROKEN, "a second journal begins behind record %llu", (unsigned long long)r->head.n);
		return err_hint(err, "the writer was started again: follow its new journal into a file of its own");
	}
	return true;
}

static bool check_chain(struct record_reader *r, const char *line, struct err *err)
{
	const struct record_envelope *e = &r->envelope;
	char chain[RECORD_CHAIN_TEXT_MAX];

	if (e->n != r->head.n + 1) {
		err_set(err, ERR_BROKEN, "record %llu stands where %llu is expected", (unsigned long long)e->n,
		    (unsigned long long)r->head.n + 1);
		return err_hint(
		    err, "records %s are missing or out of order", e->n > r->head.n ? "in between" : "before it");
	}
	record_chain_next(r->hash, r->head.chain, line, e->hashed, chain);
	if (memcmp(chain, e->chain, sizeof chain)) {
		err_set(err, ERR_BROKEN, "record %llu: its chain value is %s, but its bytes give %s",
		    (unsigned long long)e->n, e->chain, chain);
		return err_hint(err, "this record or the one before it was altered");
	}
	return true;
}

static bool parse_body(
    struct record_reader *r, const char *line, size_t len, bool flat, struct record *ret, struct err *err)
{
	static const struct json_limits limits = {.max_bytes = RECORD_LINE_MAX, .max_depth = 8, .unique_keys = true};

	*ret = (struct record){
	    .n = r->envelope.n, .type = r->envelope.type, .chain = r->envelope.chain, .line = line, .line_len = len};
	if (flat && json_flat_parse(line, len, &r->flat)) {
		ret->flat = &r->flat;
		return true;
	}
	json_free(r->doc);
	r->doc = NULL;
	if (!json_parse(line, len, &limits, &r->doc, err))
		return err_wrap(err, "record %llu", (unsigned long long)r->envelope.n);
	ret->body = json_root(r->doc);
	return true;
}

static enum record_state failure(const struct err *err)
{
	return err->code == ERR_NOMEM ? RECORD_FAILED : RECORD_BROKEN;
}

static enum record_state next(struct record_reader *r, bool flat, struct record *ret, struct err *err)
{
	struct err *e = &r->final_err;
	const char *line;
	size_t len;

	if (r->final != RECORD_OK) {
		if (err && e->code)
			*err = *e;
		return r->final;
	}
	for (;;) {
		enum record_state state = next_line(r, &line, &len);
		struct record record;

		if (state == RECORD_END && r->fed)
			return state;
		if (state != RECORD_OK)
			return finish(r, state, err);
		if (len >= RECORD_LINE_MAX) {
			err_set(e, ERR_BROKEN, "longer than %d bytes", RECORD_LINE_MAX);
			return finish(r, RECORD_BROKEN, err);
		}
		if (!record_envelope_parse(line, len, &r->envelope, e))
			return finish(r, RECORD_BROKEN, err);
		if (r->prefixed && r->envelope.n <= r->head.n) {
			if (!check_repeat(r, e))
				return finish(r, RECORD_BROKEN, err);
			continue;
		}
		if (!check_chain(r, line, e) || !parse_body(r, line, len, flat, &record, e))
			return finish(r, failure(e), err);
		r->head.n = r->envelope.n;
		memcpy(r->head.chain, r->envelope.chain, sizeof r->head.chain);
		if (r->head.n == 1)
			memcpy(r->first_chain, r->envelope.chain, sizeof r->first_chain);
		*ret = record;
		return RECORD_OK;
	}
}

enum record_state record_next(struct record_reader *r, struct record *ret, struct err *err)
{
	return next(r, false, ret, err);
}

enum record_state record_next_flat(struct record_reader *r, struct record *ret, struct err *err)
{
	return next(r, true, ret, err);
}
