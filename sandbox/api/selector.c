#include "sandbox/api/selector.h"

#include <stdlib.h>
#include <string.h>

/* --- labels ------------------------------------------------------------------------------------------------------ */

static char *skip(char *p)
{
	return p + strspn(p, " \t");
}

/* Ends the word at p with a NUL; *ret_stop is the character that stood there. */
static char *word(char *p, char **ret_next, char *ret_stop)
{
	size_t len = strcspn(p, " \t=!,()");

	*ret_next = p + len;
	*ret_stop = p[len];
	return p;
}

static bool parse_values(struct selector *s, size_t at, char **p, struct err *err)
{
	char *q = skip(*p);

	if (*q != '(')
		return err_set(err, ERR_PARSE, "found '%.16s' expected: '('", q);
	q = skip(q + 1);
	for (;;) {
		char *next, stop;
		char *value = word(q, &next, &stop);

		if (s->labels[at].value_count == SELECTOR_VALUES_MAX)
			return err_set(err, ERR_LIMIT, "more than %d values in a selector", SELECTOR_VALUES_MAX);
		s->labels[at].values[s->labels[at].value_count++] = value;
		q = skip(next);
		stop = *q;
		if (stop != ',' && stop != ')')
			return err_set(err, ERR_PARSE, "found '%.16s', expected: ',' or ')'", q);
		*next = '\0';
		*q = '\0';
		q = skip(q + 1);
		if (stop == ')')
			break;
	}
	*p = q;
	return true;
}

/* Behind the key: "= v", "== v", "!= v", "in (...)", "notin (...)" or nothing. */
static bool parse_operator(struct selector *s, size_t at, char *key_end, char **p, struct err *err)
{
	char *q = skip(*p), *next, stop;

	if (*q == '\0' || *q == ',') {
		s->labels[at].op = SELECT_EXISTS;
		*p = q;
		return true;
	}
	if (!strncmp(q, "in", 2) && strchr(" \t(", q[2])) {
		q += 2;
		*key_end = '\0';
		*p = q;
		return parse_values(s, at, p, err);
	}
	if (!strncmp(q, "notin", 5) && strchr(" \t(", q[5])) {
		s->labels[at].op = SELECT_NOT_IN;
		q += 5;
		*key_end = '\0';
		*p = q;
		return parse_values(s, at, p, err);
	}
	if (q[0] == '!' && q[1] == '=') {
		s->labels[at].op = SELECT_NOT_IN;
		q += 2;
	} else if (q[0] == '=') {
		q += q[1] == '=' ? 2 : 1;
	} else {
		return err_set(err, ERR_PARSE, "found '%.16s', expected: in, notin, =, ==, !=, gt, lt", q);
	}
	*key_end = '\0';
	s->labels[at].values[s->labels[at].value_count++] = word(skip(q), &next, &stop);
	q = skip(next);
	if (*q != '\0' && *q != ',')
		return err_set(err, ERR_PARSE, "found '%.2s', expected: ',' or 'end of string'", q);
	stop = *q;
	if (next != q)
		*next = '\0';
	*p = q;
	return true;
}

static bool parse_labels(struct selector *s, struct err *err)
{
	char *p = skip(s->label_text);

	while (*p) {
		size_t at = s->label_count;
		char *next, *key, stop;
		bool missing = *p == '!';

		if (at == SELECTOR_MAX)
			return err_set(err, ERR_LIMIT, "more than %d requirements in a selector", SELECTOR_MAX);
		key = word(skip(missing ? p + 1 : p), &next, &stop);
		if (next == key)
			return err_set(err, ERR_PARSE, "found '%.16s', expected: !, identifier, or 'end of string'", p);
		s->labels[at].key = key;
		p = next;
		if (missing) {
			s->labels[at].op = SELECT_MISSING;
			p = skip(p);
		} else if (!parse_operator(s, at, next, &p, err)) {
			return false;
		}
		if (*p && *p != ',')
			return err_set(err, ERR_PARSE, "found '%.16s', expected: ',' or 'end of string'", p);
		s->label_count++;
		stop = *p;
		*next = '\0';
		*p = '\0';
		if (stop)
			p = skip(p + 1);
	}
	return true;
}

/* --- fields ------------------------------------------------------------------------------------------------------ */

static const struct {
	const char *kind; /* NULL: all */
	const char *label, *path;
} known_fields[] = {
    {NULL, "metadata.name", "metadata/name"},
    {NULL, "metadata.namespace", "metadata/namespace"},
    {"Pod", "spec.nodeName", "spec/nodeName"},
    {"Pod", "spec.restartPolicy", "spec/restartPolicy"},
    {"Pod", "spec.schedulerName", "spec/schedulerName"},
    {"Pod", "spec.serviceAccountName", "spec/serviceAccountName"},
    {"Pod", "status.phase", "status/phase"},
    {"Pod", "status.podIP", "status/podIP"},
    {"Namespace", "status.phase", "status/phase"},
    {"Secret", "type", "type"},
    {"Event", "involvedObject.kind", "involvedObject/kind"},
    {"Event", "involvedObject.namespace", "involvedObject/namespace"},
    {"Event", "involvedObject.name", "involvedObject/name"},
    {"Event", "involvedObject.uid", "involvedObject/uid"},
    {"Event", "involvedObject.apiVersion", "involvedObject/apiVersion"},
    {"Event", "involvedObject.resourceVersion", "involvedObject/resourceVersion"},
    {"Event", "involvedObject.fieldPath", "involvedObject/fieldPath"},
    {"Event", "reason", "reason"},
    {"Event", "reportingComponent", "reportingComponent"},
    {"Event", "source", "source/component"},
    {"Event", "type", "type"},
};

static const char *field_path(const char *label, const struct resource *res)
{
	for (size_t i = 0; i < sizeof known_fields / sizeof *known_fields; i++)
		if (!strcmp(known_fields[i].label, label) &&
		    (!known_fields[i].kind || (!res->custom && !strcmp(known_fields[i].kind, res->kind))))
			return known_fields[i].path;
	return NULL;
}

static bool parse_fields(struct selector *s, const struct resource *res, struct err *err)
{
	char *save = NULL;

	for (char *part = strtok_r(s->field_text, ",", &save); part; part = strtok_r(NULL, ",", &save)) {
		size_t at = s->field_count;
		char *equals = strchr(part, '='), *value;

		if (at == SELECTOR_MAX)
			return err_set(err, ERR_LIMIT, "more than %d requirements in a selector", SELECTOR_MAX);
		if (!equals || equals == part)
			return err_set(
			    err, ERR_PARSE, "invalid selector: '%.64s'; can't understand '%.64s'", part, part);
		value = equals + 1 + (equals[1] == '=');
		s->fields[at].differs = equals[-1] == '!';
		equals[s->fields[at].differs ? -1 : 0] = '\0';
		s->fields[at].path = field_path(part, res);
		s->fields[at].value = value;
		if (!s->fields[at].path)
			return err_set(err, ERR_PARSE, "field label not supported: %.200s", part);
		s->field_count++;
	}
	return true;
}

/* --- both -------------------------------------------------------------------------------------------------------- */

bool selector_parse(
    const char *labels, const char *fields, const struct resource *res, struct selector *ret, struct err *err)
{
	SELECTOR_CLEANUP struct selector s = {0};

	s.label_text = strdup(labels ? labels : "");
	s.field_text = strdup(fields ? fields : "");
	if (!s.label_text || !s.field_text)
		return err_nomem(err);
	if (!parse_labels(&s, err) || !parse_fields(&s, res, err))
		return false;
	*ret = s;
	s = (struct selector){0};
	return true;
}

void selector_clear(struct selector *s)
{
	free(s->label_text);
	free(s->field_text);
	*s = (struct selector){0};
}

static bool label_matches(const struct selector *s, size_t i, const json_node *labels)
{
	const json_node *label = json_get(labels, s->labels[i].key);
	const char *value = json_string(label);
	bool in = false;

	if (s->labels[i].op == SELECT_EXISTS)
		return label != NULL;
	if (s->labels[i].op == SELECT_MISSING)
		return label == NULL;
	for (size_t j = 0; value && j < s->labels[i].value_count; j++)
		in = in || !strcmp(value, s->labels[i].values[j]);
	return s->labels[i].op == SELECT_IN ? in : !in;
}

bool selector_matches(const struct selector *s, const json_node *object)
{
	const json_node *labels = json_at(object, "metadata/labels");

	for (size_t i = 0; i < s->label_count; i++)
		if (!label_matches(s, i, labels))
			return false;
	for (size_t i = 0; i < s->field_count; i++) {
		const char *value = json_text_at(object, s->fields[i].path);

		if (!strcmp(value ? value : "", s->fields[i].value) == s->fields[i].differs)
			return false;
	}
	return true;
}

bool selector_is_empty(const struct selector *s)
{
	return !s->label_count && !s->field_count;
}
