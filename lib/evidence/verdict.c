#include "evidence/verdict.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static const struct {
	const char *text, *meaning;
	bool fails;
} classes[] = {
#define X(name, text, fails, meaning) [CLASS_##name] = {text, meaning, fails},
    TICK_CLASSES(X)
#undef X
};

static const struct {
	const char *text, *title;
	enum verdict_severity severity;
} reasons[] = {
#define X(code, severity, title) [REASON_##code] = {#code, title, SEVERITY_##severity},
    VERDICT_REASONS(X)
#undef X
};

static const struct {
	const char *text;
	int status;
} results[] = {
#define X(name, text, status) [VERDICT_##name] = {text, status},
    VERDICT_RESULTS(X)
#undef X
};

const char *tick_class_text(enum tick_class c)
{
	return classes[c].text;
}

const char *tick_class_meaning(enum tick_class c)
{
	return classes[c].meaning;
}

bool tick_class_fails(enum tick_class c)
{
	return classes[c].fails;
}

const char *verdict_reason_text(enum verdict_reason_code c)
{
	return reasons[c].text;
}

const char *verdict_reason_title(enum verdict_reason_code c)
{
	return reasons[c].title;
}

enum verdict_severity verdict_reason_severity(enum verdict_reason_code c)
{
	return reasons[c].severity;
}

const char *verdict_severity_text(enum verdict_severity s)
{
	static const char *const texts[] = {
	    [SEVERITY_FAIL] = "fail",
	    [SEVERITY_INCONCLUSIVE] = "inconclusive",
	    [SEVERITY_WARN] = "warning",
	    [SEVERITY_INFO] = "info",
	};

	return texts[s];
}

const char *verdict_result_text(enum verdict_result r)
{
	return results[r].text;
}

int verdict_exit_status(enum verdict_result r)
{
	return results[r].status;
}

void verdict_init(struct verdict *v)
{
	*v = (struct verdict){.result = VERDICT_INCONCLUSIVE, .max_rpo_ms = -1, .max_rto_ms = -1};
}

void verdict_clear(struct verdict *v)
{
	for (size_t i = 0; i < v->stream_count; i++) {
		free(v->streams[i].ranges);
		free(v->streams[i].bad);
	}
	free(v->streams);
	free(v->reasons);
	free(v->newest);
	free(v->logins);
	free(v->namespaces);
	free(v->events);
	verdict_init(v);
}

bool verdict_add_reason(
    struct verdict *v, enum verdict_reason_code code, const char *hint, struct err *err, const char *fmt, ...)
{
	struct verdict_reason *list, *r;
	va_list ap;

	if (v->reason_count == VERDICT_REASONS_MAX)
		return err_set(err, ERR_LIMIT, "more than %d reasons of a verdict", VERDICT_REASONS_MAX);
	list = reallocarray(v->reasons, v->reason_count + 1, sizeof *list);
	if (!list)
		return err_nomem(err);
	v->reasons = list;
	r = &list[v->reason_count++];
	*r = (struct verdict_reason){.code = code};
	va_start(ap, fmt);
	vsnprintf(r->message, sizeof r->message, fmt, ap);
	va_end(ap);
	snprintf(r->hint, sizeof r->hint, "%s", hint ? hint : "");
	return true;
}

/* By severity; within one, in the order in which they were found. */
static void sort_reasons(struct verdict *v)
{
	for (size_t i = 1; i < v->reason_count; i++) {
		struct verdict_reason moved = v->reasons[i];
		size_t at = i;

		for (; at && verdict_reason_severity(v->reasons[at - 1].code) > verdict_reason_severity(moved.code);
		     at--)
			v->reasons[at] = v->reasons[at - 1];
		v->reasons[at] = moved;
	}
}

void verdict_settle(struct verdict *v)
{
	sort_reasons(v);
	if (v->result == VERDICT_ERROR)
		return;
	v->result = VERDICT_PASS;
	if (!v->reason_count)
		return;
	/* sorted: the first is the gravest */
	switch (verdict_reason_severity(v->reasons[0].code)) {
	case SEVERITY_FAIL:
		v->result = VERDICT_FAIL;
		break;
	case SEVERITY_INCONCLUSIVE:
		v->result = VERDICT_INCONCLUSIVE;
		break;
	case SEVERITY_WARN:
	case SEVERITY_INFO:
		break;
	}
}
