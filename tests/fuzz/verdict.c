/* Any bytes as verdict.json: refused, or written again the same, shown by every report, and not worse than itself. */
#include "base/cleanup.h"
#include "evidence/verdict.h"
#include "verifier/report.h"
#include "verifier/report_diff.h"

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
	return 0;
}
