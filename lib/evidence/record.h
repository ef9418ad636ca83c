/*
 * The envelope of journal, timeline and observed: one JSON object a line, numbered and hash-chained.
 *
 *   {"n":1,"type":"open",...,"chain":"<32 hex digits>"}\n
 *
 * n and type come first, without blanks, so that a repeat is known before anything else is looked at; type is 1 to 31
 * letters. n counts from 1 without gaps. chain is the first 16 bytes of SHA-256 over: the previous record's 32 chain
 * digits (32 zeros for the first record), then this line's bytes from '{' up to and without the text ,"chain": -- the
 * chain member is always the last one and always 32 lower-case hex digits, so that it can be checked on bytes,
 * without a canonical form. A line is at most RECORD_LINE_MAX bytes with its newline (a kubelet splits pod log lines
 * at 16 KiB).
 *
 * A chain shows edits, re-ordering, and cuts in the middle. It cannot show a cut tail: the timeline's "head" records
 * do that.
 *
 * In a pod log (stdout) a record's line has the prefix RECORD_LOG_PREFIX in front; lines without it are ordinary log.
 */
#ifndef EVIDENCE_RECORD_H
#define EVIDENCE_RECORD_H

#include "base/buf.h"
#include "base/digest.h"
#include "doc/json.h"
#include "doc/json_flat.h"
#include "doc/json_writer.h"

#include <stdint.h>

#define RECORD_LINE_MAX 15360
#define RECORD_CHAIN_TEXT_MAX 33
#define RECORD_LOG_PREFIX "@psmdb-drill "

/* Number and chain value of the last record; {0, "000..."} before the first. */
struct record_head {
	uint64_t n;
	char chain[RECORD_CHAIN_TEXT_MAX];
};
void record_head_init(struct record_head *head);

/*
 * --- writing
 * -------------------------------------------------------------------------------------------------------------------
 */

/*
 * Composes one line: record_begin opens the object with n and type, the caller adds members through the returned
 * writer, record_end closes it, chains it and leaves the complete line (with newline, without prefix) in line. head
 * moves only when record_end succeeds.
 */
struct record_line {
	struct buf line;
	struct json_writer json;
};
void record_line_init(struct record_line *r);
void record_line_clear(struct record_line *r);
struct json_writer *record_begin(struct record_line *r, const struct record_head *head, const char *type);
bool record_end(struct record_line *r, struct record_head *head, struct err *err);

/* Where lines go. */
struct record_sink {
	bool (*write)(void *ctx, const char *line, size_t len, struct err *err);
	bool (*sync)(void *ctx, struct err *err); /* until this returns nothing is promised; may be NULL */
	void *ctx;
};

/*
 * A file of records. A failed write is cut off again, so that it can be repeated; where that fails too, the file
 * takes no more records. create: fails if the file exists (O_EXCL), mode 0600. append: takes an exclusive lock
 * (flock) for each call of record_file_append, re-reads the tail to find the head, so that several processes can
 * write one timeline; a torn last line (a writer was killed) is cut off first.
 */
struct record_file;
bool record_file_create(const char *path, struct record_file **ret, struct err *err);
bool record_file_sync(struct record_file *f, struct err *err); /* fdatasync */
struct record_sink record_file_sink(struct record_file *f);
bool record_file_close(struct record_file *f, struct err *err); /* sync, close, free; takes NULL */
/*
 * fill adds the members; called with the lock held. ERR_BROKEN for a file without a whole record; synced on return.
 */
bool record_file_append(
    const char *path, const char *type, void (*fill)(struct json_writer *w, void *ctx), void *ctx, struct err *err);
/*
 * The last whole record of a file, found from its end without reading the rest (its own chain is checked if the
 * record before it is at hand, no other is).
 * *ret_size, which may be NULL: bytes up to its end; a torn line begins there. ERR_BROKEN if there is none,
 * ERR_NOT_FOUND without the file.
 */
bool record_tail(const char *path, struct record_head *ret, int64_t *ret_size, struct err *err);

/*
 * --- reading
 * -------------------------------------------------------------------------------------------------------------------
 */

enum record_state {
	RECORD_OK,   /* ret holds the next record */
	RECORD_END,  /* clean end of the file */
	RECORD_TORN, /* the last line has no newline: its writer was killed; everything before is good */
	RECORD_BROKEN, /* number, chain or syntax is wrong: err says at which line and how; nothing after it is to be believed */
	RECORD_FAILED, /* cannot be read at all (I/O, memory): err */
};

struct record {
	uint64_t n;
	const char *type;
	const json_node *body;	      /* the whole object; NULL if flat is set */
	const struct json_flat *flat; /* record_next_flat only: the whole object where it is flat, else NULL */
	const char *chain;
	const char *line; /* raw, without newline */
	size_t line_len;
};

/*
 * Reads a file (path; "-": stdin), or memory (which must outlive the reader), in pieces of 64 KiB. prefixed: lines
 * carry RECORD_LOG_PREFIX, others are skipped, repeats by number are dropped; but a different record with the number
 * of the first or of the last one is RECORD_BROKEN. END, TORN, BROKEN and FAILED are final: asked again, the reader
 * says the same.
 */
struct record_reader;
bool record_reader_open(const char *path, bool prefixed, struct record_reader **ret, struct err *err);
bool record_reader_memory(const char *bytes, size_t len, bool prefixed, struct record_reader **ret, struct err *err);
void record_reader_close(struct record_reader *r);
CLEANUP_PTR(record_reader, struct record_reader, record_reader_close)
/* The record lives until the next call. */
enum record_state record_next(struct record_reader *r, struct record *ret, struct err *err);
/* The same without building a tree for a flat object, for files of millions of lines. */
enum record_state record_next_flat(struct record_reader *r, struct record *ret, struct err *err);
struct record_head record_reader_head(const struct record_reader *r); /* of the last good record */
/* The first record's common members: type "open", this format, this version; else ERR_UNSUPPORTED or ERR_PARSE. */
bool record_check_open(const struct record *r, const char *format, int version, struct err *err);

/*
 * A reader that is fed as bytes arrive (a followed log; always prefixed). It goes on behind record `after`;
 * first_chain is the chain value of that journal's first record (NULL with after->n == 0). RECORD_END means "no whole
 * line at hand" and is not final.
 */
bool record_reader_feed_new(
    const struct record_head *after, const char *first_chain, struct record_reader **ret, struct err *err);
#define RECORD_FEED_MAX 65536
/* At most RECORD_FEED_MAX bytes, after record_next has said RECORD_END. */
void record_reader_feed(struct record_reader *r, const char *bytes, size_t len);
/* Prefixed readers hand ordinary lines (without newline, cut to RECORD_LINE_MAX bytes) to other. */
void record_reader_on_other(struct record_reader *r, void (*other)(void *ctx, const char *line, size_t len), void *ctx);

#endif
