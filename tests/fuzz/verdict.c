/* Any bytes as verdict.json: refused, or written again the same, and shown by every report. */
#include "base/cleanup.h"
#include "evidence/verdict.h"
#include "verifier/report.h"

#include <stdint.h>
#include <stdlib.h>

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
	return 0;
}
