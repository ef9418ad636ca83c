#include "sandbox/operator/answer.h"

#include "base/clock.h"
#include "base/text.h"
#include "doc/json_edit.h"
#include "sandbox/parts/pbm.h"

#include <stdio.h>
#include <string.h>

#define NAME_SLACK_MS 1000 /* names are cut to the second */

/* One line without control characters, cut to size. */
static void harmless(const char *text, char *ret, size_t size)
{
	BUF_CLEANUP struct buf flat = BUF_INIT(8192);
	BUF_CLEANUP struct buf clean = BUF_INIT(32768);
	bool blank = true;
	size_t len;

	/* PBM's messages hold newlines and tabs where it quotes the S3 server's. */
	for (const char *p = text; *p && flat.len < 4096; p++) {
		bool space = strchr(" \t\r\n", *p) != NULL;

		if (!space || !blank)
			buf_add_char(&flat, space ? ' ' : *p, NULL);
		blank = space;
	}
	while (flat.len && flat.data[flat.len - 1] == ' ')
		flat.data[--flat.len] = '\0';
	text_neutral(&clean, buf_str(&flat), flat.len, false, NULL);
	len = clean.len < size ? clean.len : size - 1;
	while (len < clean.len && len && ((unsigned char)clean.data[len] & 0xc0) == 0x80)
		len--; /* not in the middle of a character */
	memcpy(ret, buf_str(&clean), len);
	ret[len] = '\0';
}

static bool ends_with(const char *text, const char *end)
{
	size_t len = strlen(text), n = strlen(end);

	return len >= n && !strcmp(text + len - n, end);
}

/* The first JSON value of the output; false with ret filled in if there is none, or if it is PBM's error. */
static bool parse(const char *output, struct json **ret_doc, struct answer *ret)
{
	struct json_limits limits = JSON_LIMITS_DEFAULT;
	char words[2 * ANSWER_TEXT_MAX];
	const char *error;

	*ret = (struct answer){.state = ANSWER_UNREADABLE};
	for (const char *p = strpbrk(output, "{["); p; p = strpbrk(p + 1, "{[")) {
		/* at the beginning of a line alone: a warning may hold brackets */
		if ((p == output || p[-1] == '\n') && json_parse(p, strlen(p), &limits, ret_doc, NULL))
			break;
	}
	if (!*ret_doc) {
		pbm_last_words(output, words, sizeof words);
		harmless(words, ret->text, sizeof ret->text); /* it may have been cut in the middle of a character */
		return false;
	}
	error = json_text_at(json_root(*ret_doc), "Error");
	if (!error)
		return true;
	ret->state = ends_with(error, "not found")		      ? ANSWER_NOT_FOUND
		     : strstr(error, "another operation in progress") ? ANSWER_BUSY
								      : ANSWER_REFUSED;
	harmless(error, ret->text, sizeof ret->text);
	return false;
}

/* Names are PBM's own times; anything else is not put into requests and command lines. */
static bool take_name(const json_node *node, const char *key, char ret[static ANSWER_NAME_MAX], int64_t *ret_ms)
{
	const char *name = json_text_at(node, key);

	if (!name || strlen(name) >= ANSWER_NAME_MAX || !time_parse(name, ret_ms))
		return false;
	strcpy(ret, name);
	return true;
}

static enum answer_state state_of(const char *status)
{
	if (!status || !*status || !strcmp(status, "starting") || !strcmp(status, "init"))
		return ANSWER_STARTING;
	if (!strcmp(status, "done"))
		return ANSWER_DONE;
	return !strcmp(status, "error") ? ANSWER_ERROR : ANSWER_RUNNING;
}

static void take_error(const json_node *node, struct answer *ret)
{
	const char *error = json_text_at(node, "error");

	for (const json_node *set = json_first(json_at(node, "replsets")); set && (!error || !*error);
	     set = json_next(set))
		error = json_text_at(set, "error");
	harmless(error && *error ? error : "PBM does not say why", ret->text, sizeof ret->text);
}

void answer_of_command(const char *output, struct answer *ret)
{
	CLEANUP(json) struct json *doc = NULL;
	int64_t when;

	if (!parse(output, &doc, ret))
		return;
	if (take_name(json_root(doc), "name", ret->name, &when))
		ret->state = ANSWER_NAMED;
	else
		snprintf(ret->text, sizeof ret->text, "pbm said nothing of a name");
}

static void take_sets(const json_node *node, struct answer *ret)
{
	size_t len = 0;

	for (const json_node *set = json_first(json_at(node, "replsets")); set; set = json_next(set)) {
		const char *name = json_text_at(set, "name");
		size_t n = name ? strlen(name) : 0;

		if (!n || n + len + 2 > sizeof ret->sets || strchr(name, ','))
			continue;
		len += (size_t)snprintf(ret->sets + len, sizeof ret->sets - len, "%s%s", len ? "," : "", name);
	}
}

void answer_of_describe(const char *output, struct answer *ret)
{
	CLEANUP(json) struct json *doc = NULL;
	const json_node *root;
	int64_t when, transition;

	if (!parse(output, &doc, ret))
		return;
	root = json_root(doc);
	if (!take_name(root, "name", ret->name, &when)) {
		snprintf(ret->text, sizeof ret->text, "pbm described something without a name");
		return;
	}
	ret->state = state_of(json_text_at(root, "status"));
	transition = json_int_at(root, "last_transition_ts", 0);
	ret->transition_ms = transition > 0 && transition < INT64_MAX / 1000 ? transition * 1000 : 0;
	take_sets(root, ret);
	if (ret->state == ANSWER_ERROR)
		take_error(root, ret);
}

/* The list is the document itself, or below one of these. */
static const json_node *list_of(const json_node *root)
{
	const json_node *list = json_at(root, "backups/snapshot");

	if (json_is_array(root))
		return root;
	return list ? list : json_at(root, "snapshots");
}

void answer_of_backups(const char *output, const char *name, struct answer *ret)
{
	CLEANUP(json) struct json *doc = NULL;
	int64_t when;

	if (!parse(output, &doc, ret))
		return;
	ret->state = ANSWER_NOT_FOUND;
	for (const json_node *b = json_first(list_of(json_root(doc))); b; b = json_next(b)) {
		if (!json_is_at(b, "name", name))
			continue;
		ret->state = state_of(json_text_at(b, "status"));
		take_name(b, "name", ret->name, &when);
		if (ret->state == ANSWER_ERROR)
			take_error(b, ret);
		return;
	}
}

void answer_since(const char *output, int64_t since_ms, struct answer *ret)
{
	CLEANUP(json) struct json *doc = NULL;
	int64_t best = INT64_MAX;

	if (!parse(output, &doc, ret)) {
		/* an empty list is "null" */
		if (ret->state == ANSWER_UNREADABLE && !strncmp(output, "null", 4))
			ret->state = ANSWER_NOT_FOUND;
		return;
	}
	ret->state = ANSWER_NOT_FOUND;
	for (const json_node *b = json_first(list_of(json_root(doc))); b; b = json_next(b)) {
		char name[ANSWER_NAME_MAX];
		int64_t when;

		if (!take_name(b, "name", name, &when) || when < since_ms - NAME_SLACK_MS || when >= best)
			continue;
		best = when;
		strcpy(ret->name, name);
		ret->state = ANSWER_NAMED;
	}
}

void answer_of_version(const char *output, struct answer *ret)
{
	CLEANUP(json) struct json *doc = NULL;
	const char *version;

	if (!parse(output, &doc, ret))
		return;
	version = json_text_at(json_root(doc), "Version");
	if (!version || !*version || strlen(version) >= sizeof ret->name)
		return;
	harmless(version, ret->name, sizeof ret->name);
	ret->state = ANSWER_NAMED;
}
