/* Text that came from elsewhere, made harmless. */
#ifndef BASE_TEXT_H
#define BASE_TEXT_H

#include "base/buf.h"

/*
 * "text" in double quotes with \\ \" \n \t and \xNN for control bytes and invalid UTF-8: safe for a terminal and a
 * log.
 */
bool text_quote(struct buf *out, const char *text, struct err *err);
/*
 * The text with control characters (C0, DEL, C1, bidi overrides) and invalid UTF-8 replaced by U+FFFD; newline kept
 * if keep_newline.
 */
bool text_neutral(struct buf *out, const char *text, size_t len, bool keep_newline, struct err *err);
/*
 * A copy for a field of a struct: on one line (newlines and tabs become blanks), otherwise neutral as above, and cut at
 * a character so that it fits. NULL is "".
 */
void text_copy(char *ret, size_t size, const char *text);
/*
 * Length in bytes of the well-formed UTF-8 sequence at p (1 to 4), 0 if it is not one. No surrogates, no overlong
 * forms.
 */
size_t text_utf8_len(const char *p, size_t len, uint32_t *ret_code_point);
bool text_is_utf8(const char *p, size_t len);

#endif
