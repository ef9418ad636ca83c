#include "scenarios/scenario.h"

#include "base/file.h"
#include "base/place.h"
#include "doc/json_writer.h"
#include "doc/yaml.h"
#include "scenarios/step.h"
#include "scenarios/step_args.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TEXT_MAX 8192
#define FILLED_MAX ((size_t)4 << 20)

static bool known_key(const char *key, const char *const *known)
{
	for (; *known; known++)
		if (!strcmp(key, *known))
			return true;
	return false;
}

static bool name_ok(const char *name)
{
	if (!name || !*name || strlen(name) >= SCENARIO_NAME_MAX)
		return false;
	for (const char *p = name; *p; p++)
		if (!islower((unsigned char)*p) && !isdigit((unsigned char)*p) && *p != '-')
			return false;
	return true;
}

static bool check_parameters(const json_node *parameters, struct err *err)
{
	if (parameters && !json_is_object(parameters))
		return err_set(err, ERR_PARSE, "\"parameters\" is no mapping");
	for (const json_node *p = json_first(parameters); p; p = json_next(p)) {
		if (!name_ok(json_key(p)))
			return err_set(err, ERR_PARSE,
			    "parameter \"%.64s\" is no name of small letters, digits and '-'", json_key(p));
		if (json_is_object(p) || json_is_array(p) || json_is_null(p))
			return err_set(err, ERR_PARSE, "parameter \"%s\" is no single value", json_key(p));
	}
	return true;
}

static bool unknown_verb(const char *verb, struct err *err)
{
	BUF_CLEANUP struct buf names = BUF_INIT(2048);

	for (const struct step_def *const *d = step_defs; *d; d++)
		buf_printf(&names, NULL, "%s%s", names.len ? " " : "", (*d)->verb); /* a hint is short */
	err_set(err, ERR_PARSE, "there is no step \"%.64s\"", verb);
	return err_hint(err, "the steps are: %s", buf_str(&names));
}

static bool parse_step(const json_node *node, struct scenario_step *ret, struct err *err)
{
	const json_node *title_node = json_get(node, "title");
	const char *title = json_string(title_node);

	*ret = (struct scenario_step){0};
	if (!json_is_object(node))
		return err_set(err, ERR_PARSE, "it is no mapping of a verb to its arguments");
	for (const json_node *m = json_first(node); m; m = json_next(m)) {
		if (!strcmp(json_key(m), "title"))
			continue;
		if (ret->def)
			return err_set(
			    err, ERR_PARSE, "it has two verbs, \"%s\" and \"%.64s\"", ret->def->verb, json_key(m));
		ret->def = step_find(json_key(m));
		if (!ret->def)
			return unknown_verb(json_key(m), err);
		ret->args = m;
	}
	if (!ret->def)
		return err_set(err, ERR_PARSE, "it has no verb");
	if (title_node && !title)
		return err_set(err, ERR_PARSE, "its title is no text");
	if (title && strlen(title) >= sizeof ret->title)
		return err_set(err, ERR_LIMIT, "its title is longer than %zu bytes", sizeof ret->title - 1);
	if (title)
		strcpy(ret->title, title);
	return step_check_args(ret->def, ret->args, err);
}

static bool first_of_its_kind(const struct scenario *s, struct err *err)
{
	const struct step_def *def = s->steps[s->count - 1].def;

	for (size_t i = 0; (def->flags & STEP_ENDS) && i + 1 < s->count; i++)
		if ((s->steps[i].def->flags & STEP_ENDS) && s->steps[i].def != def)
			return err_set(err, ERR_PARSE, "step %zu is a \"%s\" already, and a scenario has one disaster",
			    i + 1, s->steps[i].def->verb);
	for (size_t i = 0; (def->flags & STEP_ONCE) && i + 1 < s->count; i++)
		if (s->steps[i].def == def)
			return err_set(
			    err, ERR_PARSE, "step %zu is a \"%s\" already, and a scenario has one", i + 1, def->verb);
	return true;
}

static bool parse_steps(const json_node *steps, struct scenario *s, struct err *err)
{
	size_t number = 0;

	if (!json_is_array(steps) || !json_count(steps))
		return err_set(err, ERR_PARSE, "\"steps\" is no list of steps");
	if (json_count(steps) > SCENARIO_STEPS_MAX)
		return err_set(err, ERR_LIMIT, "more than %d steps", SCENARIO_STEPS_MAX);
	s->steps = calloc(json_count(steps), sizeof *s->steps);
	if (!s->steps)
		return err_nomem(err);
	for (const json_node *n = json_first(steps); n; n = json_next(n), number++)
		if (!parse_step(n, &s->steps[s->count++], err) || !first_of_its_kind(s, err))
			return err_wrap(err, "step %zu", number + 1);
	return true;
}

static bool parse_root(const json_node *root, struct scenario *s, struct err *err)
{
	static const char *const known[] = {"scenario", "about", "parameters", "steps", NULL};
	const char *name = json_text_at(root, "scenario");

	if (!json_is_object(root))
		return err_set(err, ERR_PARSE, "it is no mapping");
	for (const json_node *m = json_first(root); m; m = json_next(m))
		if (!known_key(json_key(m), known)) {
			err_set(err, ERR_PARSE, "unknown key \"%.64s\"", json_key(m));
			return err_hint(err, "a scenario has the keys scenario, about, parameters and steps");
		}
	if (!name_ok(name))
		return err_set(err, ERR_PARSE, "\"scenario\" is no name of small letters, digits and '-'");
	strcpy(s->name, name);
	s->about = json_text_at(root, "about");
	if (json_get(root, "about") && !s->about)
		return err_set(err, ERR_PARSE, "\"about\" is no text");
	s->parameters = json_get(root, "parameters");
	return check_parameters(s->parameters, err) && parse_steps(json_get(root, "steps"), s, err);
}

bool scenario_parse(const char *text, size_t len, struct scenario *ret, struct err *err)
{
	struct yaml_limits limits = YAML_LIMITS_DEFAULT;
	YAML_DOCS_CLEANUP struct yaml_docs docs = {0};
	SCENARIO_CLEANUP struct scenario s = {0};

	limits.max_bytes = 1 << 20;
	limits.max_nodes = 20000;
	if (!yaml_parse(text, len, &limits, &docs, err))
		return false;
	if (docs.count != 1)
		return err_set(err, ERR_PARSE, "it holds %zu documents, not one", docs.count);
	s.doc = TAKE(docs.items[0]);
	if (!parse_root(json_root(s.doc), &s, err))
		return false;
	*ret = s;
	s = (struct scenario){0};
	return true;
}

bool scenario_read(const char *path, struct buf *text, struct scenario *ret, struct err *err)
{
	return file_read(path, text, err) &&
	       (scenario_parse(buf_str(text), text->len, ret, err) || err_wrap(err, "scenario \"%s\"", path));
}

void scenario_clear(struct scenario *s)
{
	json_free(s->doc);
	free(s->steps);
	*s = (struct scenario){0};
}

bool scenario_step_asks_locks(const struct scenario *s, size_t step)
{
	return (s->steps[step].def->flags & (STEP_DESTROYS | STEP_LOCKED)) != 0;
}

bool scenario_asks_locks(const struct scenario *s)
{
	for (size_t i = 0; i < s->count; i++)
		if (scenario_step_asks_locks(s, i))
			return true;
	return false;
}

bool scenario_destroys(const struct scenario *s)
{
	for (size_t i = 0; i < s->count; i++)
		if (s->steps[i].def->flags & STEP_DESTROYS)
			return true;
	return false;
}

bool scenario_find(const char *name, char ret[static PATH_MAX], struct err *err)
{
	char rest[SCENARIO_NAME_MAX + 32];
	size_t len = strlen(name);

	if (strchr(name, '/') || (len > 5 && !strcmp(name + len - 5, ".yaml"))) {
		if (!file_exists(name))
			return err_set(err, ERR_NOT_FOUND, "there is no scenario file \"%s\"", name);
		return realpath(name, ret) ||
		       err_set(err, ERR_NOT_FOUND, "scenario file \"%s\" cannot be reached", name);
	}
	if (!name_ok(name))
		return err_set(err, ERR_USAGE, "\"%.64s\" is no scenario's name", name);
	snprintf(rest, sizeof rest, "scenarios/%s.yaml", name);
	if (place_share(rest, ret, err) && file_exists(ret))
		return true;
	err_set(err, ERR_NOT_FOUND, "there is no scenario \"%s\"", name);
	return err_hint(err, "\"psmdb-drill list\" shows the shipped ones; a file of your own is named with its path");
}

/* --- ${names} ---------------------------------------------------------------------------------------------------- */

struct fill {
	scenario_lookup lookup;
	void *ctx;
	bool strict;
};

static bool put_name(const struct fill *f, const char *start, size_t len, struct buf *out, struct err *err)
{
	char name[SCENARIO_NAME_MAX];
	const char *value;

	if (len >= sizeof name)
		return err_set(err, ERR_USAGE, "\"${%.64s...}\" is no name", start);
	memcpy(name, start, len);
	name[len] = '\0';
	if (!name_ok(name))
		return err_set(err, ERR_USAGE, "\"${%s}\" is no name", name);
	value = f->lookup(f->ctx, name);
	if (value)
		return buf_add_str(out, value, err);
	if (!f->strict)
		return buf_printf(out, err, "${%s}", name);
	err_set(err, ERR_USAGE, "\"${%s}\" is not known", name);
	return err_hint(err, "it is no parameter, and no step before this one has set it");
}

static bool fill_text(const struct fill *f, const char *text, struct buf *out, struct err *err)
{
	for (const char *p = text; *p;) {
		const char *dollar = strstr(p, "${"), *end = dollar ? strchr(dollar, '}') : NULL;

		if (dollar && !end)
			return err_set(err, ERR_USAGE, "\"%.64s\" has no closing brace", dollar);
		if (!end)
			return buf_add_str(out, p, err);
		if (!buf_add(out, p, (size_t)(dollar - p), err) ||
		    !put_name(f, dollar + 2, (size_t)(end - dollar - 2), out, err))
			return false;
		p = end + 1;
	}
	return true;
}

/* Depth is bounded by the parser. */
static bool fill_node(
    const struct fill *f, const char *key, const json_node *node, struct json_writer *w, struct err *err)
{
	BUF_CLEANUP struct buf text = BUF_INIT(TEXT_MAX);
	bool ok = true;

	if (json_is_string(node)) {
		ok = fill_text(f, json_string(node), &text, err);
		json_put_string(w, key, buf_str(&text));
	} else if (json_is_object(node) || json_is_array(node)) {
		bool object = json_is_object(node);

		(object ? json_object : json_array)(w, key);
		for (const json_node *child = json_first(node); ok && child; child = json_next(child))
			ok = fill_node(f, object ? json_key(child) : NULL, child, w, err);
		(object ? json_end_object : json_end_array)(w);
	} else if (json_is_bool(node)) {
		json_put_bool(w, key, json_bool(node, false));
	} else if (json_is_number(node)) {
		json_put_double(w, key, json_number(node, 0), step_is_whole(node) ? 0 : 9);
	} else {
		json_put_null(w, key);
	}
	return ok;
}

bool scenario_fill(
    const json_node *args, scenario_lookup lookup, void *ctx, bool strict, struct json **ret, struct err *err)
{
	const struct json_limits limits = {.max_bytes = FILLED_MAX, .max_depth = 64, .unique_keys = false};
	const struct fill f = {lookup, ctx, strict};
	BUF_CLEANUP struct buf out = BUF_INIT(FILLED_MAX);
	struct json_writer w;

	if (!args || json_is_null(args))
		return json_format(ret, err, "{}");
	json_writer_init(&w, &out);
	return fill_node(&f, NULL, args, &w, err) && json_writer_ok(&w, err) &&
	       json_parse(buf_str(&out), out.len, &limits, ret, err);
}
