#include "scenarios/follower.h"

#include "base/file.h"
#include "base/text.h"
#include "evidence/journal.h"
#include "scenarios/run_dir.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>

#define SECOND_NS INT64_C(1000000000)
#define PENDING_MAX ((size_t)1 << 20)

struct follower {
	const struct clock *clock;
	char timeline[PATH_MAX], path[PATH_MAX];
	int fd, log_fd;
	int64_t log_bytes;
	off_t size;	    /* of the journal: whole records only */
	bool dirty;	    /* written since the last sync */
	struct buf pending; /* records of this feed, not yet written */
	struct record_reader *reader;
	struct record_head head; /* the last record taken in */
	struct record_head kept; /* the last one written */
	bool write_failed;
	char first_chain[RECORD_CHAIN_TEXT_MAX];
	bool opened, sealed;
	struct journal_open open;
	struct timeline_acked acked[JOURNAL_STREAMS_MAX];
	int64_t due_ns;
	struct err failed, log_failed;
};

void follower_free(struct follower *f)
{
	if (!f)
		return;
	record_reader_close(f->reader);
	buf_clear(&f->pending);
	if (f->fd >= 0)
		close(f->fd);
	if (f->log_fd >= 0)
		close(f->log_fd);
	free(f);
}

struct record_head follower_head(const struct follower *f)
{
	return f->kept;
}

bool follower_sealed(const struct follower *f)
{
	return f->sealed;
}

int64_t follower_due_ns(const struct follower *f)
{
	return f->due_ns;
}

bool follower_acked(const struct follower *f, uint32_t stream, struct timeline_acked *ret)
{
	if (stream >= f->open.stream_count)
		return false;
	*ret = f->acked[stream];
	return true;
}

static bool all_acked(const struct follower *f)
{
	for (uint32_t i = 0; i < f->open.stream_count; i++)
		if (!f->acked[i].seq)
			return false;
	return true;
}

/* Takes the record's content in; whether it follows was checked by the record reader. */
static bool accept(struct follower *f, const struct record *rec, struct err *err)
{
	struct journal_record j;

	if (f->sealed)
		return err_set(
		    err, ERR_BROKEN, "record %llu stands behind the journal's end", (unsigned long long)rec->n);
	if (!f->opened) {
		if (!journal_parse_open(rec, &f->open, err))
			return false;
		f->opened = true;
		memcpy(f->first_chain, rec->chain, sizeof f->first_chain);
		for (uint32_t i = 0; i < f->open.stream_count; i++)
			f->acked[i].stream = i;
	} else if (!journal_parse(rec, &f->open, &j, err)) {
		return false;
	} else if (j.type == JOURNAL_OPEN) {
		return err_set(err, ERR_BROKEN, "record %llu is a second open record", (unsigned long long)rec->n);
	} else if (j.type == JOURNAL_ACKED) {
		struct timeline_acked *a = &f->acked[j.stream];
		bool first = !a->seq;

		a->seq = j.last > a->seq ? j.last : a->seq;
		a->hi = optime_max(a->hi, j.hi);
		/* who waits for the beginning learns it at once */
		if (first && all_acked(f))
			f->due_ns = clock_mono_ns(f->clock);
	} else if (j.type == JOURNAL_END) {
		f->sealed = true;
	}
	f->head.n = rec->n;
	memcpy(f->head.chain, rec->chain, sizeof f->head.chain);
	return true;
}

/* What an earlier follower has copied. */
static bool resume(struct follower *f, struct err *err)
{
	CLEANUP(record_reader) struct record_reader *r = NULL;
	enum record_state state;
	struct record rec;

	if (!record_reader_open(f->path, false, &r, err))
		return false;
	while ((state = record_next_flat(r, &rec, err)) == RECORD_OK) {
		if (!accept(f, &rec, err))
			return err_wrap(err, "\"%s\"", f->path);
		f->size += (off_t)rec.line_len + 1;
	}
	if (state == RECORD_BROKEN)
		err_hint(err, "move the damaged copy away, and follow the log from its beginning");
	if (state == RECORD_BROKEN || state == RECORD_FAILED)
		return false;
	if (state == RECORD_TORN && ftruncate(f->fd, f->size))
		return err_errno(err, ERR_IO, errno, "cut off the torn last line of \"%s\"", f->path);
	/* its writer may have been killed before it synced */
	f->dirty = f->size > 0;
	return true;
}

static bool open_journal(struct follower *f, struct err *err)
{
	f->fd = open(f->path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
	if (f->fd < 0)
		return err_errno(err, ERR_IO, errno, "open \"%s\"", f->path);
	if (flock(f->fd, LOCK_EX | LOCK_NB)) {
		if (errno != EWOULDBLOCK)
			return err_errno(err, ERR_IO, errno, "lock \"%s\"", f->path);
		err_set(err, ERR_STATE, "journal \"%s\" is being followed already", f->path);
		return err_hint(err, "stop the other \"psmdb-drill follow\", or choose another --journal");
	}
	return resume(f, err);
}

static bool open_log(struct follower *f, const char *dir, struct err *err)
{
	char path[PATH_MAX];
	struct stat st;

	if (!run_path(dir, RUN_LOGS, path, err) || !file_make_dirs(path, 0700, err) ||
	    !run_path(dir, RUN_TICKER_LOG, path, err))
		return false;
	f->log_fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
	if (f->log_fd < 0 || fstat(f->log_fd, &st))
		return err_errno(err, ERR_IO, errno, "open \"%s\"", path);
	f->log_bytes = st.st_size;
	return true;
}

static void log_other(void *ctx, const char *line, size_t len)
{
	BUF_CLEANUP struct buf text = BUF_INIT(4 * RECORD_LINE_MAX);
	struct follower *f = ctx;

	if (f->log_failed.code || f->log_bytes > FOLLOWER_LOG_BYTES_MAX)
		return;
	if (!text_neutral(&text, line, len, false, &f->log_failed) || !buf_add_char(&text, '\n', &f->log_failed))
		return;
	f->log_bytes += (int64_t)text.len;
	if (f->log_bytes > FOLLOWER_LOG_BYTES_MAX) {
		buf_reset(&text);
		if (!buf_printf(&text, &f->log_failed, "(the log is longer than %lld bytes; the rest is not kept)\n",
			(long long)FOLLOWER_LOG_BYTES_MAX))
			return;
	}
	fd_write_all(f->log_fd, text.data, text.len, &f->log_failed);
}

bool follower_new(
    const char *dir, const char *journal_name, const struct clock *clock, struct follower **ret, struct err *err)
{
	CLEANUP(follower) struct follower *f = calloc(1, sizeof *f);

	if (!f)
		return err_nomem(err);
	f->clock = clock;
	f->fd = f->log_fd = -1;
	buf_init(&f->pending, PENDING_MAX);
	record_head_init(&f->head);
	if (!run_path(dir, RUN_TIMELINE, f->timeline, err) || !run_path(dir, journal_name, f->path, err))
		return false;
	if (!file_exists(f->timeline)) {
		err_set(err, ERR_NOT_FOUND, "\"%s\" is not there", f->timeline);
		return err_hint(err, "make the run directory with \"psmdb-drill init --run %s\"", dir);
	}
	if (!open_journal(f, err) || !open_log(f, dir, err) ||
	    !record_reader_feed_new(&f->head, f->opened ? f->first_chain : NULL, &f->reader, err))
		return false;
	f->kept = f->head;
	record_reader_on_other(f->reader, log_other, f);
	f->due_ns = clock_mono_ns(clock) + SECOND_NS;
	*ret = TAKE(f);
	return true;
}

bool follower_again(struct follower *f, struct err *err)
{
	struct record_reader *fresh;

	if (f->failed.code) {
		if (err)
			*err = f->failed;
		return false;
	}
	if (!record_reader_feed_new(&f->head, f->opened ? f->first_chain : NULL, &fresh, err))
		return false;
	record_reader_close(f->reader);
	f->reader = fresh;
	record_reader_on_other(f->reader, log_other, f);
	return true;
}

static bool flush(struct follower *f, struct err *err)
{
	if (!f->pending.len || f->write_failed)
		return !f->write_failed;
	if (!fd_write_all(f->fd, f->pending.data, f->pending.len, err)) {
		/* what stays behind is a torn line, which the next follower cuts off */
		f->write_failed = true;
		if (ftruncate(f->fd, f->size))
			err_hint(err, "free some space on the disk, and follow again");
		return err_wrap(err, "write \"%s\"", f->path);
	}
	f->size += (off_t)f->pending.len;
	f->dirty = true;
	f->kept = f->head;
	buf_reset(&f->pending);
	return true;
}

static bool copy(struct follower *f, struct err *err)
{
	enum record_state state;
	struct record rec;

	while ((state = record_next_flat(f->reader, &rec, err)) == RECORD_OK) {
		if (!accept(f, &rec, err)) {
			if (err->code != ERR_NOMEM)
				err->code = ERR_BROKEN;
			return err_wrap(err, "journal in the log, record %llu", (unsigned long long)rec.n);
		}
		if (!buf_add(&f->pending, rec.line, rec.line_len, err) || !buf_add_char(&f->pending, '\n', err))
			return false;
	}
	if (state == RECORD_END)
		return true;
	err_wrap(err, "the copy ends at record %llu", (unsigned long long)f->head.n);
	return err_hint(err, "read the log again from before the missing record");
}

/* Writes what is good also when what comes after it is not. */
static bool feed_piece(struct follower *f, const char *bytes, size_t len, struct err *err)
{
	struct err write_err = ERR_INIT;
	bool ok;

	record_reader_feed(f->reader, bytes, len);
	ok = copy(f, err);
	if (!flush(f, ok ? err : &write_err))
		return false;
	if (ok && f->log_failed.code) {
		*err = f->log_failed;
		return err_wrap(err, "keep the ticker's log");
	}
	return ok;
}

bool follower_feed(struct follower *f, const char *bytes, size_t len, struct err *err)
{
	while (len && !f->failed.code) {
		size_t piece = len < RECORD_FEED_MAX ? len : RECORD_FEED_MAX;

		feed_piece(f, bytes, piece, &f->failed);
		bytes += piece;
		len -= piece;
	}
	if (f->failed.code && err)
		*err = f->failed;
	return !f->failed.code;
}

static bool write_head(struct follower *f, struct err *err)
{
	struct timeline_record rec = {.is_head = true};

	/* after a failed write acked is ahead of the file */
	if (!f->opened || f->write_failed)
		return true;
	run_stamp(f->clock, &rec);
	rec.journal = (struct timeline_journal){.known = true, .run = f->open.run, .n = f->kept.n};
	memcpy(rec.journal.chain, f->kept.chain, sizeof rec.journal.chain);
	for (size_t i = 0; i < f->open.stream_count; i++)
		if (f->acked[i].seq)
			rec.acked[rec.acked_count++] = f->acked[i];
	return timeline_append(f->timeline, &rec, err);
}

bool follower_finish(struct follower *f, struct err *err)
{
	if (f->dirty && fdatasync(f->fd))
		return err_errno(err, ERR_IO, errno, "sync \"%s\"", f->path);
	f->dirty = false;
	return write_head(f, err);
}

bool follower_tick(struct follower *f, struct err *err)
{
	int64_t now = clock_mono_ns(f->clock);

	if (now < f->due_ns)
		return true;
	/* from one due time to the next, so that the heads do not drift; but none is made up for */
	f->due_ns += SECOND_NS * ((now - f->due_ns) / SECOND_NS + 1);
	return follower_finish(f, err);
}
