#include "doc/yaml.h"

#include "base/file.h"
#include "base/text.h"
#include "doc/json_tree.h"
#include "doc/yaml_scalar.h"

#include <string.h>
#include <yaml.h>

#define MAPPING_KEYS_MAX 2000 /* each key is compared with all before it */
#define ANCHORS_MAX 1000      /* a document; each alias looks through them */
#define DIRECTIVES_MAX 16     /* libyaml compares each with all before it */

struct anchor {
	char *name;
	const cJSON *node; /* NULL: not complete yet */
};

struct reader {
	yaml_parser_t parser;
	const struct yaml_limits *limits;
	struct err *err;
	size_t nodes, alias_bytes;
	struct anchor *anchors;
	size_t anchor_count;
	cJSON *kept; /* nodes with an anchor that stand in no tree: keys, and what was merged */
};

static void event_clear(yaml_event_t *event)
{
	yaml_event_delete(event); /* of a zeroed event too */
}
#define EVENT __attribute__((cleanup(event_clear))) yaml_event_t

static cJSON *read_node(struct reader *r, const yaml_event_t *event, int depth);

/* --- errors ------------------------------------------------------------------------------------------------------ */

static bool at_mark(struct reader *r, const yaml_mark_t *mark)
{
	return err_wrap(r->err, "line %zu, column %zu", mark->line + 1, mark->column + 1);
}

static bool refuse(struct reader *r, const yaml_event_t *event, enum err_code code, const char *what)
{
	err_set(r->err, code, "%s", what);
	return at_mark(r, &event->start_mark);
}

static bool parser_failed(struct reader *r)
{
	const yaml_parser_t *p = &r->parser;

	if (p->error == YAML_MEMORY_ERROR)
		return err_nomem(r->err);
	err_set(r->err, ERR_PARSE, "%s", p->problem ? p->problem : "malformed");
	if (p->error == YAML_READER_ERROR)
		return err_wrap(r->err, "byte %zu", p->problem_offset);
	return at_mark(r, &p->problem_mark);
}

static bool next_event(struct reader *r, yaml_event_t *event)
{
	return yaml_parser_parse(&r->parser, event) ? true : parser_failed(r);
}

/* --- anchors and aliases ----------------------------------------------------------------------------------------- */

static void forget_anchors(struct reader *r)
{
	for (size_t i = 0; i < r->anchor_count; i++)
		free(r->anchors[i].name);
	r->anchor_count = 0;
	cJSON_Delete(r->kept);
	r->kept = NULL;
}

/* Registers the name before its node is read, so that an alias inside of it is seen as one to itself. */
static bool anchor_open(struct reader *r, const yaml_event_t *event, const yaml_char_t *name, size_t *ret_place)
{
	if (!name)
		return true;
	if (r->anchor_count >= ANCHORS_MAX)
		return refuse(r, event, ERR_LIMIT, "more than 1000 anchors in a document");
	if (!r->anchors)
		r->anchors = calloc(ANCHORS_MAX, sizeof *r->anchors);
	if (!r->anchors)
		return err_nomem(r->err);
	r->anchors[r->anchor_count] = (struct anchor){.name = strdup((const char *)name)};
	if (!r->anchors[r->anchor_count].name)
		return err_nomem(r->err);
	*ret_place = r->anchor_count++;
	return true;
}

static bool keep(struct reader *r, cJSON *node)
{
	if (!r->kept)
		r->kept = cJSON_CreateArray();
	if (r->kept && cJSON_AddItemToArray(r->kept, node))
		return true;
	cJSON_Delete(node);
	return err_nomem(r->err);
}

/* Counts what an alias brings, each time it is used: nodes, bytes and depth. */
static bool spend(struct reader *r, const cJSON *node, int depth)
{
	r->alias_bytes +=
	    (node->valuestring ? strlen(node->valuestring) : 0) + (node->string ? strlen(node->string) : 0);
	if (++r->nodes > r->limits->max_nodes)
		return err_set(r->err, ERR_LIMIT, "more than %zu nodes", r->limits->max_nodes);
	if (r->alias_bytes > r->limits->max_bytes)
		return err_set(r->err, ERR_LIMIT, "aliases bring more than %zu bytes", r->limits->max_bytes);
	if (depth > r->limits->max_depth)
		return err_set(r->err, ERR_LIMIT, "nested deeper than %d levels", r->limits->max_depth);
	for (const cJSON *child = node->child; child; child = child->next)
		if (!spend(r, child, depth + 1))
			return false;
	return true;
}

static cJSON *read_alias(struct reader *r, const yaml_event_t *event, int depth)
{
	const char *name = (const char *)event->data.alias.anchor;
	size_t i = r->anchor_count;
	cJSON *copy = NULL;

	while (i > 0 && strcmp(r->anchors[i - 1].name, name) != 0)
		i--;
	if (!i) {
		err_set(r->err, ERR_PARSE, "no anchor for the alias \"%.64s\"", name);
	} else if (!r->anchors[i - 1].node) {
		err_set(r->err, ERR_PARSE, "the alias \"%.64s\" stands inside of what it names", name);
	} else if (spend(r, r->anchors[i - 1].node, depth)) {
		copy = json_copy(r->anchors[i - 1].node, JSON_DEPTH_MAX, r->err);
		if (copy)
			return copy;
	}
	at_mark(r, &event->start_mark);
	return NULL;
}

/* --- nodes ------------------------------------------------------------------------------------------------------- */

static bool tag_is(const yaml_char_t *tag, const char *wanted)
{
	return !tag || !strcmp((const char *)tag, "!") || !strcmp((const char *)tag, wanted);
}

static cJSON *read_scalar(struct reader *r, const yaml_event_t *event)
{
	const char *text = (const char *)event->data.scalar.value, *tag = (const char *)event->data.scalar.tag;
	size_t len = event->data.scalar.length;
	cJSON *node = NULL;

	if (memchr(text, '\0', len))
		err_set(r->err, ERR_PARSE, "NUL in a text");
	else
		node = yaml_scalar(text, len, tag, event->data.scalar.style == YAML_PLAIN_SCALAR_STYLE, r->err);
	if (!node)
		at_mark(r, &event->start_mark);
	return node;
}

static cJSON *read_sequence(struct reader *r, const yaml_event_t *begin, int depth)
{
	CLEANUP(node) cJSON *list = cJSON_CreateArray();

	if (!list) {
		err_nomem(r->err);
		return NULL;
	}
	if (!tag_is(begin->data.sequence_start.tag, YAML_SEQ_TAG)) {
		refuse(r, begin, ERR_PARSE, "an unknown tag");
		return NULL;
	}
	for (;;) {
		EVENT event = {0};
		cJSON *item = NULL;

		if (!next_event(r, &event))
			return NULL;
		if (event.type == YAML_SEQUENCE_END_EVENT)
			return TAKE(list);
		item = read_node(r, &event, depth + 1);
		if (!item)
			return NULL;
		if (!cJSON_AddItemToArray(list, item)) {
			cJSON_Delete(item);
			err_nomem(r->err);
			return NULL;
		}
	}
}

static bool is_merge(const yaml_event_t *event)
{
	return event->type == YAML_SCALAR_EVENT && event->data.scalar.style == YAML_PLAIN_SCALAR_STYLE &&
	       !event->data.scalar.tag && !strcmp((const char *)event->data.scalar.value, "<<");
}

/* What the mapping does not say itself comes from source; the first source wins. */
static bool merge_one(struct reader *r, cJSON *mapping, const cJSON *source)
{
	size_t count = json_count(mapping);

	if (!cJSON_IsObject(source))
		return err_set(r->err, ERR_PARSE, "\"<<\" with something that is no mapping");
	for (const cJSON *member = source->child; member; member = member->next) {
		cJSON *copy = NULL;

		if (json_get(mapping, member->string))
			continue;
		if (++count > MAPPING_KEYS_MAX)
			return err_set(r->err, ERR_LIMIT, "more than %d keys in a mapping", MAPPING_KEYS_MAX);
		copy = json_copy(member, JSON_DEPTH_MAX, r->err);
		if (!copy)
			return false;
		if (!cJSON_AddItemToObject(mapping, member->string, copy)) {
			cJSON_Delete(copy);
			return err_nomem(r->err);
		}
	}
	return true;
}

static bool merge(struct reader *r, cJSON *mapping, const cJSON *sources)
{
	if (!cJSON_IsArray(sources))
		return merge_one(r, mapping, sources);
	for (const cJSON *source = sources->child; source; source = source->next)
		if (!merge_one(r, mapping, source))
			return false;
	return true;
}

/* One key and its value; what stands behind "<<" goes to *merged. */
static bool read_pair(
    struct reader *r, cJSON *mapping, size_t count, const yaml_event_t *key, cJSON **merged, int depth)
{
	BUF_CLEANUP struct buf name = BUF_INIT(r->limits->max_bytes);
	CLEANUP(node) cJSON *value = NULL;
	cJSON *scalar = NULL;
	EVENT event = {0};
	bool ok;

	if (is_merge(key)) {
		if (*merged)
			return refuse(r, key, ERR_PARSE, "\"<<\" stands twice in one mapping");
		if (!next_event(r, &event))
			return false;
		*merged = read_node(r, &event, depth);
		return *merged != NULL;
	}
	scalar = read_node(r, key, depth + 1);
	if (!scalar)
		return false;
	ok = yaml_key(scalar, &name, r->err);
	if (key->type != YAML_SCALAR_EVENT || !key->data.scalar.anchor)
		cJSON_Delete(scalar);
	else if (!keep(r, scalar))
		return false;
	if (!ok)
		return at_mark(r, &key->start_mark);
	if (json_get(mapping, buf_str(&name))) {
		err_set(r->err, ERR_PARSE, "key \"%.64s\" stands twice in one mapping", buf_str(&name));
		return at_mark(r, &key->start_mark);
	}
	if (count >= MAPPING_KEYS_MAX)
		return refuse(r, key, ERR_LIMIT, "more than 2000 keys in a mapping");
	if (!next_event(r, &event))
		return false;
	value = read_node(r, &event, depth + 1);
	if (!value)
		return false;
	if (!cJSON_AddItemToObject(mapping, buf_str(&name), value))
		return err_nomem(r->err);
	value = NULL;
	return true;
}

static cJSON *read_mapping(struct reader *r, const yaml_event_t *begin, int depth)
{
	CLEANUP(node) cJSON *mapping = cJSON_CreateObject();
	cJSON *merged = NULL;

	if (!mapping) {
		err_nomem(r->err);
		return NULL;
	}
	if (!tag_is(begin->data.mapping_start.tag, YAML_MAP_TAG)) {
		refuse(r, begin, ERR_PARSE, "an unknown tag");
		return NULL;
	}
	for (size_t count = 0;; count++) {
		EVENT event = {0};
		bool ok;

		if (!next_event(r, &event)) {
			cJSON_Delete(merged);
			return NULL;
		}
		if (event.type != YAML_MAPPING_END_EVENT) {
			if (read_pair(r, mapping, count, &event, &merged, depth))
				continue;
			cJSON_Delete(merged);
			return NULL;
		}
		if (!merged)
			return TAKE(mapping);
		ok = merge(r, mapping, merged) || at_mark(r, &begin->start_mark);
		/* an anchor may be in it */
		if (!keep(r, merged) || !ok)
			return NULL;
		return TAKE(mapping);
	}
}

static cJSON *read_node(struct reader *r, const yaml_event_t *event, int depth)
{
	const yaml_char_t *anchor = event->type == YAML_SCALAR_EVENT	       ? event->data.scalar.anchor
				    : event->type == YAML_SEQUENCE_START_EVENT ? event->data.sequence_start.anchor
				    : event->type == YAML_MAPPING_START_EVENT  ? event->data.mapping_start.anchor
									       : NULL;
	cJSON *node = NULL;
	size_t place = 0;

	if (event->type == YAML_ALIAS_EVENT)
		return read_alias(r, event, depth);
	if (++r->nodes > r->limits->max_nodes || depth > r->limits->max_depth) {
		bool nodes = r->nodes > r->limits->max_nodes;

		err_set(r->err, ERR_LIMIT, nodes ? "more than %zu nodes" : "nested deeper than %zu levels",
		    nodes ? r->limits->max_nodes : (size_t)r->limits->max_depth);
		at_mark(r, &event->start_mark);
		return NULL;
	}
	if (!anchor_open(r, event, anchor, &place))
		return NULL;
	if (event->type == YAML_SEQUENCE_START_EVENT)
		node = read_sequence(r, event, depth);
	else if (event->type == YAML_MAPPING_START_EVENT)
		node = read_mapping(r, event, depth);
	else
		node = read_scalar(r, event);
	if (node && anchor)
		r->anchors[place].node = node;
	return node;
}

/* --- streams ----------------------------------------------------------------------------------------------------- */

static bool add_doc(struct reader *r, struct yaml_docs *docs, const yaml_event_t *begin, cJSON *root)
{
	struct json **items = realloc(docs->items, (docs->count + 1) * sizeof *items);
	size_t *lines = NULL;

	if (items)
		docs->items = items;
	lines = items ? realloc(docs->lines, (docs->count + 1) * sizeof *lines) : NULL;
	if (lines)
		docs->lines = lines;
	if (!lines) {
		cJSON_Delete(root);
		return err_nomem(r->err);
	}
	if (!json_wrap(root, &docs->items[docs->count], r->err))
		return false;
	docs->lines[docs->count++] = begin->start_mark.line + 1;
	return true;
}

static bool read_document(struct reader *r, const yaml_event_t *begin, struct yaml_docs *docs)
{
	EVENT event = {0}, end = {0};
	cJSON *root = NULL;

	if (!next_event(r, &event))
		return false;
	root = read_node(r, &event, 1);
	if (!root)
		return false;
	if (!next_event(r, &end)) {
		cJSON_Delete(root);
		return false;
	}
	if (cJSON_IsNull(root)) {
		cJSON_Delete(root);
		return true;
	}
	if (docs->count >= r->limits->max_docs) {
		cJSON_Delete(root);
		err_set(r->err, ERR_LIMIT, "more than %zu documents", r->limits->max_docs);
		return at_mark(r, &begin->start_mark);
	}
	return add_doc(r, docs, begin, root);
}

static bool read_stream(struct reader *r, struct yaml_docs *docs)
{
	for (;;) {
		EVENT event = {0};
		bool ok;

		if (!next_event(r, &event))
			return false;
		if (event.type == YAML_STREAM_END_EVENT)
			return true;
		if (event.type == YAML_STREAM_START_EVENT)
			continue;
		ok = read_document(r, &event, docs);
		forget_anchors(r);
		if (!ok)
			return false;
	}
}

/* What libyaml would spend too long on, or would read as another encoding. */
static bool check_text(const char *text, size_t len, const struct yaml_limits *limits, struct err *err)
{
	const char *nul = memchr(text, '\0', len);
	int directives = 0;

	if (len > limits->max_bytes)
		return err_set(err, ERR_LIMIT, "more than %zu bytes", limits->max_bytes);
	if (nul)
		return err_set(err, ERR_PARSE, "NUL byte at byte %zu", (size_t)(nul - text));
	if (!text_is_utf8(text, len))
		return err_set(err, ERR_PARSE, "not UTF-8");
	for (size_t i = 0; i < len; i++)
		if (text[i] == '%' && (i == 0 || text[i - 1] == '\n' || text[i - 1] == '\r') &&
		    ++directives > DIRECTIVES_MAX)
			return err_set(err, ERR_LIMIT, "more than %d lines that begin with %%", DIRECTIVES_MAX);
	return true;
}

bool yaml_parse(const char *text, size_t len, const struct yaml_limits *limits, struct yaml_docs *ret, struct err *err)
{
	YAML_DOCS_CLEANUP struct yaml_docs docs = {0};
	struct reader r = {.limits = limits, .err = err};
	bool ok;

	if (!check_text(text ? text : "", len, limits, err))
		return err_wrap(err, "YAML");
	if (!yaml_parser_initialize(&r.parser))
		return err_nomem(err);
	yaml_parser_set_encoding(&r.parser, YAML_UTF8_ENCODING);
	if (len >= 3 && !memcmp(text, "\xef\xbb\xbf", 3)) {
		text += 3;
		len -= 3;
	}
	yaml_parser_set_input_string(&r.parser, (const unsigned char *)(text ? text : ""), len);
	ok = read_stream(&r, &docs);
	yaml_parser_delete(&r.parser);
	free(r.anchors);
	if (!ok)
		return err_wrap(err, "YAML");
	*ret = docs;
	docs = (struct yaml_docs){0};
	return true;
}

void yaml_docs_clear(struct yaml_docs *docs)
{
	for (size_t i = 0; i < docs->count; i++)
		json_free(docs->items[i]);
	free(docs->items);
	free(docs->lines);
	*docs = (struct yaml_docs){0};
}

bool yaml_read(const char *path, const struct yaml_limits *limits, struct yaml_docs *ret, struct err *err)
{
	BUF_CLEANUP struct buf text = BUF_INIT(limits->max_bytes);

	if (!file_read(path, &text, err))
		return false;
	return yaml_parse(buf_str(&text), text.len, limits, ret, err) || err_wrap(err, "\"%s\"", path);
}
