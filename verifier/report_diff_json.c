#include "doc/json_writer.h"
#include "verifier/report_diff.h"

static void put_run(struct json_writer *w, const char *key, const char *name, const struct verdict *v)
{
	json_object(w, key);
	json_put_string(w, "name", name);
	json_put_string(w, "result", verdict_result_text(v->result));
	json_put_string(w, "title", v->title);
	json_put_string(w, "scenario", v->scenario);
	json_put_time(w, "judgedAt", v->judged_at_ms);
	if (v->has_drill)
		json_put_uuid(w, "drill", &v->drill);
	else
		json_put_null(w, "drill");
	json_put_string(w, "clusterBefore", v->cluster_before);
	json_put_string(w, "clusterAfter", v->cluster_after);
	json_end_object(w);
}

static void put_sentences(struct json_writer *w, const char *key, const struct diff_sentences *list)
{
	json_array(w, key);
	for (size_t i = 0; i < list->count; i++) {
		json_object(w, NULL);
		json_put_string(w, "what", list->items[i].what);
		json_put_string(w, "text", list->items[i].text);
		json_end_object(w);
	}
	json_end_array(w);
}

static void put_figure(struct json_writer *w, const char *key, const struct diff_figure *f)
{
	if (!f->known) {
		json_put_null(w, key);
		return;
	}
	json_object(w, key);
	json_put_i64(w, "value", f->value);
	json_put_i64(w, "error", f->error);
	json_put_bool(w, "atLeast", f->at_least);
	json_end_object(w);
}

static void put_row(struct json_writer *w, const struct diff_row *r)
{
	json_object(w, NULL);
	json_put_string(w, "part", diff_part_key(r->part));
	json_put_string(w, "name", r->name);
	json_put_string(w, "change", diff_tone_text(r->tone));
	json_put_string(w, "first", r->before);
	json_put_string(w, "second", r->after);
	json_put_string(w, "note", r->note);
	if (r->unit != DIFF_TEXT) {
		json_put_string(w, "unit", r->unit == DIFF_MS ? "ms" : "count");
		put_figure(w, "firstFigure", &r->was);
		put_figure(w, "secondFigure", &r->is);
	}
	if (r->unit != DIFF_TEXT && r->was.known && r->is.known) {
		json_put_i64(w, "delta", r->delta);
		json_put_i64(w, "deltaError", r->delta_error);
	}
	json_end_object(w);
}

bool report_diff_json(const struct diff *d, struct buf *out, struct err *err)
{
	struct json_writer w;
	int status = diff_exit_status(d);

	json_writer_init(&w, out);
	json_object(&w, NULL);
	json_put_string(&w, "format", DIFF_FORMAT);
	json_put_int(&w, "version", DIFF_VERSION);
	json_put_string(&w, "outcome",
	    status == EXIT_FAIL	  ? "worse"
	    : status == EXIT_PASS ? "not worse"
				  : "not comparable");
	put_run(&w, "first", d->before_name, d->before);
	put_run(&w, "second", d->after_name, d->after);
	put_sentences(&w, "worse", &d->worse);
	put_sentences(&w, "incomparable", &d->incomparable);
	put_sentences(&w, "notes", &d->notes);
	json_array(&w, "rows");
	for (size_t i = 0; i < d->row_count; i++)
		put_row(&w, &d->rows[i]);
	json_end_array(&w);
	json_end_object(&w);
	return json_writer_ok(&w, err) && buf_add_char(out, '\n', err);
}
