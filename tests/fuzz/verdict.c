/* Any bytes as verdict.json: refused, or written again the same, shown by every report, not worse than itself, and
 * twice in a history. */
#include "base/cleanup.h"
#include "evidence/verdict.h"
#include "verifier/report.h"
#include "verifier/report_diff.h"
#include "verifier/report_history.h"

#include <stdint.h>
#include <stdlib.h>

static void compare(const struct verdict *v, struct buf *out)
{
	const struct diff_limits limits = {5, 5};
	CLEANUP(diff) struct diff *d = NULL;
	struct err err = ERR_INIT;

	buf_reset(out);
	if (!diff_make(v, "first", v, "second", &limits, &d, &err) || d->worse.count ||
	    !report_diff_text(d, true, out, &err) || !report_diff_markdown(d, out, &err) ||
	    !report_diff_json(d, out, &err))
		abort();
}

static void look_back(const struct verdict *v, struct buf *out)
{
	static bool (*const renders[])(const struct history *, struct buf *, struct err *) = {
	    report_history_html, report_history_json, report_history_markdown, report_history_metrics};
	struct err err = ERR_INIT;
	CLEANUP(history) struct history *h = history_new(&err);

	if (!h || !history_add(h, "first", "./report.html", 1, 1, v, &err) ||
	    !history_add(h, "second", "", 1, 2, v, &err) || !history_finish(h, &err))
		abort();
	for (size_t i = 0; i < sizeof renders / sizeof *renders; i++) {
		buf_reset(out);
		if (!renders[i](h, out, &err))
			abort();
	}
	if (!report_history_text(h, true, out, &err))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static bool (*const renders[])(const struct verdict *, struct buf *, struct err *) = {
	    report_junit, report_markdown, report_github, report_metrics, report_html};
	VERDICT_CLEANUP struct verdict v;
	BUF_CLEANUP struct buf out = BUF_INIT(REPORT_BYTES_MAX);
	struct err err = ERR_INIT;

	verdict_init(&v);
	if (!verdict_parse((const char *)data, size, &v, &err))
		return 0;
	for (size_t i = 0; i < sizeof renders / sizeof *renders; i++) {
		if (!renders[i](&v, &out, &err))
			abort();
		buf_reset(&out);
	}
	if (!report_text(&v, true, "report.html", &out, &err))
		abort();
	compare(&v, &out);
	look_back(&v, &out);
	return 0;
}
