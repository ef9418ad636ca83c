/*
 * Strict number texts: decimal without sign, blanks or leading zeros (but "0"); hexadecimal of a fixed length, lower
 * case.
 * A duration is a number and a unit: 500ms, 10s, 5m, 2h.
 */
#ifndef BASE_NUM_H
#define BASE_NUM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

bool num_parse_u64(const char *text, size_t len, uint64_t max, uint64_t *ret);
/* As above with an optional '-' in front. */
bool num_parse_i64(const char *text, size_t len, int64_t *ret);
bool num_parse_duration_ms(const char *text, int64_t *ret_ms);

void hex_encode(const void *bytes, size_t len, char *ret_text);	      /* 2 * len digits and a NUL */
bool hex_decode(const char *text, size_t len_bytes, void *ret_bytes); /* exactly 2 * len_bytes digits and a NUL */
bool hex_parse_u64(const char *text, uint64_t *ret);		      /* exactly 16 digits */

#endif
