/* Inside this room: one record's line as bytes. Shared by the reader and by those that look at a file's tail. */
#ifndef EVIDENCE_RECORD_LINE_H
#define EVIDENCE_RECORD_LINE_H

#include "evidence/record.h"

#define RECORD_CHAIN_ZERO "00000000000000000000000000000000"
#define RECORD_NUMBER_MAX ((uint64_t)1 << 53)
#define RECORD_TYPE_MAX 32

struct record_envelope {
	uint64_t n;
	char type[RECORD_TYPE_MAX];
	char chain[RECORD_CHAIN_TEXT_MAX];
	size_t hashed; /* the chain covers line[0..hashed) */
};

/* {"n":N,"type":"T" ... ,"chain":"C"}: only these members are looked at. */
bool record_envelope_parse(const char *line, size_t len, struct record_envelope *ret, struct err *err);
/* hash may be NULL. */
void record_chain_next(
    struct sha256 *hash, const char *previous, const char *line, size_t hashed, char ret[static RECORD_CHAIN_TEXT_MAX]);
/*
 * Puts text so that it comes back within size bytes (its NUL included): bytes that are no UTF-8 become U+FFFD, and
 * what does not fit is cut off between characters.
 */
void record_put_text(struct json_writer *w, const char *key, const char *text, size_t size);

#endif
