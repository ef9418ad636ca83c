#include "verifier/report_checks.h"
#include "verifier/report_page.h"
#include "verifier/report_words.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define BAD_SHOWN 200
#define EVENTS_OPEN 12
#define ROWS_OPEN 30

static void section(struct sink *s, const char *title)
{
	sink_fill(s, "<section><h2>{}</h2>\n", title, NULL);
}

static void end_section(struct sink *s)
{
	sink_raw(s, "</section>\n");
}

/* Column heads from one text, "name|name|>number"; ">" is a column of numbers. It scrolls in itself, sideways and, with
 * many rows, down; by keyboard, too. */
static void table(struct sink *s, const char *label, size_t rows, const char *columns)
{
	sink_fill(s, "<div class=\"scroll{}\" tabindex=\"0\" role=\"group\" aria-label=\"{}\"><table>\n<thead><tr>",
	    rows > ROWS_OPEN ? " tall" : "", label, NULL);
	while (*columns) {
		size_t len = strcspn(columns, "|");
		bool number = *columns == '>';
		char name[64];

		snprintf(name, sizeof name, "%.*s", (int)len - number, columns + number);
		sink_fill(
		    s, number ? "<th scope=\"col\" class=\"num\">{}</th>" : "<th scope=\"col\">{}</th>", name, NULL);
		columns += len + (columns[len] == '|');
	}
	sink_raw(s, "</tr></thead>\n<tbody>\n");
}

static void end_table(struct sink *s)
{
	sink_raw(s, "</tbody></table></div>\n");
}

void page_bad_ranges(struct sink *s, const struct verdict *v, const size_t *order)
{
	size_t shown = 0, all = 0;
	char writer[16];
	struct words w, n, c;

	for (size_t i = 0; i < v->stream_count; i++)
		all += v->streams[i].bad_count;
	if (!all)
		return;
	section(s, "Where it fails, or is undecided");
	table(s, "ranges", all, "class|>ticks|numbers|stream|replica set");
	for (size_t i = 0; i < v->stream_count; i++) {
		const struct verdict_stream *st = &v->streams[order[i]];

		snprintf(writer, sizeof writer, "%" PRId32, st->writer);
		for (size_t k = 0; k < st->bad_count && shown < BAD_SHOWN; k++, shown++)
			sink_fill(s,
			    "<tr><th scope=\"row\"><i class=\"dot k-{}\"></i>{}</th><td class=\"num\">{}</td><td "
			    "class=\"mono\">{}</td><td><span class=\"mono\">{}</span> writer {}</td><td>{}</td></tr>\n",
			    tick_class_text(st->bad[k].class), words_class(&c, st->bad[k].class),
			    words_count(&n, range_ticks(&st->bad[k])), words_range(&w, &st->bad[k]), st->ns, writer,
			    st->replica_set[0] ? st->replica_set : "–", NULL);
	}
	end_table(s);
	if (all > shown)
		sink_fill(s, "<p class=\"note\">{} more are in verdict.json.</p>\n",
		    words_of(&n, (int64_t)(all - shown), "range"), NULL);
	end_section(s);
}

void page_checks(struct sink *s, const struct verdict *v)
{
	static const char *const marks[] = {"✓", "✗", "?", "–"};
	static const char *const classes[] = {"good", "bad", "open", "none"};

	section(s, "Checks");
	sink_raw(s, "<ul class=\"checks\">\n");
	for (int c = 0; c < CHECK_COUNT; c++) {
		enum report_check check = (enum report_check)c;
		enum check_status status = check_status(v, check);

		if (check_applies(v, check))
			sink_fill(s,
			    "<li class=\"{}\"><b aria-hidden=\"true\">{}</b><span><strong>{}</strong> "
			    "{}<br/><small>{}</small></span></li>\n",
			    classes[status], marks[status], check_text(check), check_status_text(status),
			    check_asks(check), NULL);
	}
	sink_raw(s, "</ul>\n");
	end_section(s);
}

static void pair(struct sink *s, const char *name, const char *value)
{
	if (value[0])
		sink_fill(s, "<div><dt>{}</dt><dd>{}</dd></div>\n", name, value, NULL);
}

static void set_table(struct sink *s, const struct verdict *v)
{
	char b0[OPTIME_TEXT_MAX], b1[OPTIME_TEXT_MAX];
	struct words w;

	if (!v->set_count)
		return;
	table(s, "replica sets", v->set_count, "replica set|everything up to|nothing after|>acknowledged ticks there");
	for (size_t i = 0; i < v->set_count; i++)
		sink_fill(s,
		    "<tr><th scope=\"row\">{}</th><td class=\"mono\">{}</td><td class=\"mono\">{}</td><td "
		    "class=\"num{}\">{}</td></tr>\n",
		    v->sets[i].name, optime_format(v->sets[i].b0, b0), optime_format(v->sets[i].b1, b1),
		    v->sets[i].ticks ? "" : " bad",
		    v->sets[i].ticks < 0 ? "not known" : words_count(&w, v->sets[i].ticks), NULL);
	end_table(s);
}

void page_restore_point(struct sink *s, const struct verdict *v)
{
	char text[OPTIME_TEXT_MAX];
	struct words w;

	if (!v->has_bound && !v->has_restore)
		return;
	section(s, "Restore point");
	sink_raw(s, "<dl class=\"pairs\">\n");
	if (v->has_bound) {
		pair(s, "backup", v->backup_name);
		pair(s, "opid", v->backup_opid);
		pair(s, "restore point", words_wall(&w, (int64_t)v->b0.t * 1000));
		pair(s, "operation time", optime_format(v->b0, text));
		pair(s, "read from", v->bound_source);
		pair(s, "exact to the", v->bound_precision);
		pair(s, "PBM", v->pbm_version);
		pair(s, "MongoDB", v->mongodb_version);
		if (v->torn_width_s)
			pair(s, "torn by", words_duration(&w, v->torn_width_s * 1000));
	}
	if (v->has_restore) {
		pair(s, "restore", v->restore_state);
		pair(s, "says", v->restore_reported_by);
		pair(s, "restored backup", v->restored_backup);
		pair(s, "restored opid", v->restored_opid);
		pair(s, "detail", v->restore_detail);
	}
	pair(s, "cluster before", v->cluster_before);
	pair(s, "cluster after", v->cluster_after);
	sink_raw(s, "</dl>\n");
	if (v->has_bound)
		set_table(s, v);
	end_section(s);
}

static const char *age(struct words *w, bool known, int64_t ms)
{
	struct words d;

	if (!known)
		snprintf(w->text, sizeof w->text, "–");
	else
		snprintf(w->text, sizeof w->text, "%.40s %s", words_distance(&d, ms), ms < 0 ? "after" : "before");
	return w->text;
}

static void newest(struct sink *s, const struct verdict *v)
{
	char seq[24];
	struct words at, backup, disaster;

	if (!v->newest_count)
		return;
	sink_raw(s, "<h3>Newest tick <small>by the wall clocks: it informs, it does not judge</small></h3>\n");
	table(s, "newest ticks", v->newest_count,
	    "collection|created|>number|>to the end of the restore point's second|>from the disaster");
	for (size_t i = 0; i < v->newest_count; i++) {
		const struct verdict_newest *n = &v->newest[i];

		snprintf(seq, sizeof seq, "%" PRId64, n->seq);
		sink_fill(s,
		    "<tr><th scope=\"row\" class=\"mono\">{}</th><td>{}</td><td class=\"num\">{}</td><td "
		    "class=\"num\">{}</td><td class=\"num\">{}</td></tr>\n",
		    n->ns, words_wall(&at, n->created_at_ms), n->seq ? seq : "–",
		    age(&backup, n->has_age_at_backup, n->age_at_backup_ms),
		    age(&disaster, n->has_age_at_disaster, n->age_at_disaster_ms), NULL);
	}
	end_table(s);
}

static void collections(struct sink *s, const struct verdict *v)
{
	struct words docs, indexes;

	if (!v->namespace_count)
		return;
	sink_raw(s, "<h3>Collections</h3>\n");
	table(s, "collections", v->namespace_count, "collection|>documents|>indexes|options");
	for (size_t i = 0; i < v->namespace_count; i++) {
		const struct verdict_namespace *n = &v->namespaces[i];

		sink_fill(s,
		    "<tr><th scope=\"row\" class=\"mono\">{}</th><td class=\"num{}\">{}</td><td "
		    "class=\"num\">{}</td><td class=\"mono\">{}</td></tr>\n",
		    n->ns, n->exists ? "" : " bad", n->exists ? words_count(&docs, n->documents) : "missing",
		    words_count(&indexes, n->indexes), n->options, NULL);
	}
	end_table(s);
}

static void logins(struct sink *s, const struct verdict *v)
{
	if (!v->login_count)
		return;
	sink_raw(s, "<h3>Logins</h3>\n");
	table(s, "logins", v->login_count, "user|login|detail");
	for (size_t i = 0; i < v->login_count; i++)
		sink_fill(s, "<tr><th scope=\"row\" class=\"mono\">{}</th><td class=\"{}\">{}</td><td>{}</td></tr>\n",
		    v->logins[i].user, v->logins[i].ok ? "" : "bad", v->logins[i].ok ? "works" : "refused",
		    v->logins[i].detail, NULL);
	end_table(s);
}

static void members(struct sink *s, const struct verdict *v)
{
	struct words w[3];

	if (!v->has_members)
		return;
	sink_raw(s, "<h3>Members</h3>\n");
	table(s, "members", 1, "beside the primaries|read|equal");
	sink_fill(s, "<tr><th scope=\"row\">{}</th><td class=\"{}\">{}</td><td class=\"{}\">{}</td></tr>\n",
	    words_of(&w[0], v->members_asked, "member"), v->members_read < v->members_asked ? "bad" : "",
	    words_count(&w[1], v->members_read), v->members_equal < v->members_asked ? "bad" : "",
	    words_count(&w[2], v->members_equal), NULL);
	end_table(s);
}

void page_database(struct sink *s, const struct verdict *v)
{
	if (!v->newest_count && !v->login_count && !v->namespace_count && !v->has_members)
		return;
	section(s, "The restored database");
	newest(s, v);
	collections(s, v);
	logins(s, v);
	members(s, v);
	end_section(s);
}

void page_events(struct sink *s, const struct verdict *v)
{
	struct words at, since, n;

	if (!v->event_count)
		return;
	section(s, "Timeline");
	if (v->event_count > EVENTS_OPEN)
		sink_fill(s, "<details><summary>{}{}</summary>\n", words_of(&n, (int64_t)v->event_count, "event"),
		    v->events_truncated ? ", and more in timeline.jsonl" : "", NULL);
	table(s, "events", v->event_count, "time|>since the start|event|detail");
	for (size_t i = 0; i < v->event_count; i++)
		sink_fill(s,
		    "<tr><td class=\"nowrap\">{}</td><td class=\"num\">{}</td><th scope=\"row\" "
		    "class=\"mono\">{}</th><td>{}</td></tr>\n",
		    words_wall(&at, v->events[i].at_ms), words_duration(&since, v->events[i].since_ms),
		    v->events[i].name, v->events[i].text, NULL);
	end_table(s);
	if (v->event_count > EVENTS_OPEN)
		sink_raw(s, "</details>\n");
	end_section(s);
}

void page_evidence(struct sink *s, const struct verdict *v)
{
	char records[24];
	struct words w;

	if (!v->input_count && !v->version_count)
		return;
	section(s, "Evidence");
	if (v->input_count) {
		table(s, "files", v->input_count, "file|state|>records|>size|SHA-256");
		for (size_t i = 0; i < v->input_count; i++) {
			const struct verdict_input *in = &v->inputs[i];

			snprintf(records, sizeof records, "%" PRIu64, in->records);
			sink_fill(s,
			    "<tr><th scope=\"row\"><span class=\"mono\">{}</span> <small>{}</small></th><td>{}</td><td "
			    "class=\"num\">{}</td><td class=\"num nowrap\">{}</td><td class=\"mono "
			    "hash\">{}</td></tr>\n",
			    in->name[0] ? in->name : "–", in->kind, in->state, in->records ? records : "–",
			    words_bytes(&w, in->bytes), in->sha256[0] ? in->sha256 : "–", NULL);
		}
		end_table(s);
	}
	if (v->version_count) {
		sink_raw(s, "<h3>Versions</h3>\n<dl class=\"pairs\">\n");
		for (size_t i = 0; i < v->version_count; i++)
			pair(s, v->versions[i].name, v->versions[i].value);
		sink_raw(s, "</dl>\n");
	}
	end_section(s);
}

void page_glossary(struct sink *s)
{
	static const char *const words[][2] = {
	    {"tick", "one small document, written once, whose acknowledgement and operation time the journal keeps"},
	    {"restore point", "the cluster time up to which the backup holds every operation"},
	    {"RPO", "how much was lost: the time between the restore point and the disaster"},
	    {"RTO", "how long it took: the time from the disaster to the first majority write afterwards"},
	    {"inconclusive", "the evidence is not enough to say either; it is never counted as a pass"},
	};
	struct words w;

	section(s, "Words");
	sink_raw(s, "<dl class=\"glossary\">\n");
	for (size_t i = 0; i < sizeof words / sizeof *words; i++)
		sink_fill(s, "<div><dt>{}</dt><dd>{}</dd></div>\n", words[i][0], words[i][1], NULL);
	for (int c = 0; c < CLASS_COUNT; c++)
		sink_fill(s, "<div><dt><i class=\"dot k-{}\"></i>{}</dt><dd>{}{}</dd></div>\n",
		    tick_class_text((enum tick_class)c), words_class(&w, (enum tick_class)c),
		    tick_class_meaning((enum tick_class)c), tick_class_fails((enum tick_class)c) ? " (fails)" : "",
		    NULL);
	sink_raw(s, "</dl>\n");
	end_section(s);
}
