#include "doc/yaml_scalar.h"

#include "doc/json_edit.h"

#include <ctype.h>
#include <math.h>
#include <string.h>

#define TAG_PREFIX "tag:yaml.org,2002:"
#define NUMBER_LEN_MAX 400 /* longer ones are text: they are beyond a double anyway */

enum kind { TEXT, NUL, TRUTH, LIE, INTEGER, NUMBER, NOT_FINITE, TOO_LARGE };

/* Each list ends with NULL. */
static const char *const null_words[] = {"", "~", "null", "Null", "NULL", NULL};
static const char *const truth_words[] = {
    "true", "True", "TRUE", "y", "Y", "yes", "Yes", "YES", "on", "On", "ON", NULL};
static const char *const lie_words[] = {
    "false", "False", "FALSE", "n", "N", "no", "No", "NO", "off", "Off", "OFF", NULL};
static const char *const not_finite_words[] = {
    ".nan", ".NaN", ".NAN", ".inf", ".Inf", ".INF", "+.inf", "+.Inf", "+.INF", "-.inf", "-.Inf", "-.INF", NULL};

struct number {
	int64_t whole; /* of an INTEGER */
	double real;   /* of a NUMBER */
};

static bool is_one_of(const char *const *words, const char *text)
{
	for (; *words; words++)
		if (!strcmp(*words, text))
			return true;
	return false;
}

/* 0x, 0o, 0b, and 0 for octal; *text moves behind the prefix. */
static uint64_t base_of(const char **text)
{
	if ((*text)[0] != '0' || (*text)[1] == '\0')
		return 10;
	switch ((*text)[1]) {
	case 'x':
	case 'X':
		*text += 2;
		return 16;
	case 'o':
	case 'O':
		*text += 2;
		return 8;
	case 'b':
	case 'B':
		*text += 2;
		return 2;
	default:
		*text += 1;
		return 8;
	}
}

static enum kind integer(const char *text, int64_t *ret)
{
	bool negative = *text == '-', too_large = false;
	uint64_t value = 0, base, max = (uint64_t)INT64_MAX + negative;

	text += *text == '-' || *text == '+';
	base = base_of(&text);
	if (!*text)
		return TEXT;
	for (; *text; text++) {
		int c = tolower((unsigned char)*text);
		uint64_t digit = isdigit(c) ? (uint64_t)c - '0' : c >= 'a' && c <= 'f' ? (uint64_t)c - 'a' + 10 : 99;

		if (digit >= base)
			return TEXT;
		too_large = too_large || value > (max - digit) / base;
		value = too_large ? 0 : value * base + digit;
	}
	if (too_large)
		return TOO_LARGE;
	*ret = negative ? (int64_t)-value : (int64_t)value;
	return INTEGER;
}

static const char *digits(const char *text)
{
	return text + strspn(text, "0123456789");
}

/* [-+]? ( .digits | digits[.[digits]] ) ( [eE][-+]?digits )? */
static bool looks_like_float(const char *text)
{
	const char *start, *at;

	text += *text == '-' || *text == '+';
	start = text;
	at = digits(start);
	if (*at == '.') {
		bool whole = at > start;

		start = at + 1;
		at = digits(start);
		if (!whole && at == start)
			return false;
	} else if (at == start) {
		return false;
	}
	if (*at == 'e' || *at == 'E') {
		start = at + 1;
		start += *start == '-' || *start == '+';
		at = digits(start);
		if (at == start)
			return false;
	}
	return *at == '\0';
}

static bool between_digits(const char *text, size_t i)
{
	return i && isdigit((unsigned char)text[i - 1]) && isdigit((unsigned char)text[i + 1]);
}

static enum kind number(const char *text, size_t len, struct number *ret)
{
	char plain[NUMBER_LEN_MAX + 1];
	enum kind kind;
	size_t n = 0;
	double value;

	if (len > NUMBER_LEN_MAX)
		return TEXT;
	for (size_t i = 0; i < len; i++)
		if (text[i] != '_' || (*text == '.' && !between_digits(text, i)))
			plain[n++] = text[i];
	plain[n] = '\0';
	kind = integer(plain, &ret->whole);
	if (kind != TEXT)
		return kind;
	if (!looks_like_float(plain) || !isfinite(value = strtod(plain, NULL)))
		return TEXT;
	ret->real = value;
	return NUMBER;
}

static enum kind resolved(const char *text, size_t len, struct number *ret)
{
	if (is_one_of(null_words, text))
		return NUL;
	if (is_one_of(truth_words, text))
		return TRUTH;
	if (is_one_of(lie_words, text))
		return LIE;
	if (is_one_of(not_finite_words, text))
		return NOT_FINITE;
	if (len && strchr("+-.0123456789", *text))
		return number(text, len, ret);
	return TEXT;
}

/* true: an explicit tag allows what the text resolves to; kind may be changed. */
static bool tag_allows(const char *tag, enum kind *kind)
{
	if (!tag)
		return true;
	if (!strcmp(tag, "!") || !strcmp(tag, TAG_PREFIX "str")) {
		*kind = TEXT;
		return true;
	}
	if (!strcmp(tag, TAG_PREFIX "null"))
		return *kind == NUL;
	if (!strcmp(tag, TAG_PREFIX "bool"))
		return *kind == TRUTH || *kind == LIE;
	if (!strcmp(tag, TAG_PREFIX "int") || !strcmp(tag, TAG_PREFIX "float"))
		return *kind == INTEGER || *kind == NUMBER || *kind == NOT_FINITE || *kind == TOO_LARGE;
	return false;
}

cJSON *yaml_scalar(const char *text, size_t len, const char *tag, bool plain, struct err *err)
{
	bool as_plain = plain || (tag && strcmp(tag, "!") != 0);
	cJSON *node = NULL;
	struct number value = {0};
	enum kind kind = as_plain ? resolved(text, len, &value) : TEXT;

	if (!tag_allows(tag, &kind)) {
		err_set(err, ERR_PARSE, "a value that its tag \"%.64s\" does not fit, or an unknown tag", tag);
		return NULL;
	}
	switch (kind) {
	case NOT_FINITE:
		err_set(err, ERR_PARSE, "a number that is not finite");
		return NULL;
	case TOO_LARGE:
		err_set(err, ERR_LIMIT, "an integer beyond 64 bits");
		err_hint(err, "put it in quotes if it is meant as text");
		return NULL;
	case NUL:
		node = cJSON_CreateNull();
		break;
	case TRUTH:
	case LIE:
		node = cJSON_CreateBool(kind == TRUTH);
		break;
	case INTEGER:
		return json_new_int(value.whole, err);
	case NUMBER:
		node = cJSON_CreateNumber(value.real);
		break;
	case TEXT:
		node = cJSON_CreateString(text);
		break;
	}
	if (!node)
		err_nomem(err);
	return node;
}

bool yaml_key(const cJSON *scalar, struct buf *out, struct err *err)
{
	if (cJSON_IsString(scalar))
		return buf_add_str(out, scalar->valuestring, err);
	if (cJSON_IsNumber(scalar) || cJSON_IsBool(scalar))
		return json_print(scalar, false, out, err);
	return err_set(err, ERR_PARSE, "a key that is null, a list or a mapping");
}
