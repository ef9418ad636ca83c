/* sample_verdicts DIR: writes each sample verdict and every report of it, as DIR/NAME.{json,html,md,xml,prom,txt}. */
#include "base/file.h"
#include "tests/unit/report/samples.h"
#include "verifier/report.h"

#include <limits.h>

static bool put(const char *dir, const char *name, const char *ending, const struct buf *text, struct err *err)
{
	char path[PATH_MAX];

	snprintf(path, sizeof path, "%s/%s.%s", dir, name, ending);
	return file_write_atomic(path, buf_str(text), text->len, 0644, err);
}

static bool write_sample(const char *dir, const struct sample *sample, struct err *err)
{
	VERDICT_CLEANUP struct verdict v;
	BUF_CLEANUP struct buf html = BUF_INIT(REPORT_BYTES_MAX), md = BUF_INIT(REPORT_MARKDOWN_MAX),
			       xml = BUF_INIT(REPORT_BYTES_MAX);
	BUF_CLEANUP struct buf prom = BUF_INIT(REPORT_BYTES_MAX), text = BUF_INIT(REPORT_BYTES_MAX);
	char path[PATH_MAX];

	sample_make(sample->name, &v);
	snprintf(path, sizeof path, "%s/%s.json", dir, sample->name);
	return verdict_write(&v, path, err) && report_html(&v, &html, err) &&
	       put(dir, sample->name, "html", &html, err) && report_markdown(&v, &md, err) &&
	       put(dir, sample->name, "md", &md, err) && report_junit(&v, &xml, err) &&
	       put(dir, sample->name, "xml", &xml, err) && report_metrics(&v, &prom, err) &&
	       put(dir, sample->name, "prom", &prom, err) && report_text(&v, false, NULL, &text, err) &&
	       put(dir, sample->name, "txt", &text, err);
}

int main(int argc, char **argv)
{
	struct err err = ERR_INIT;

	if (argc != 2) {
		fprintf(stderr, "usage: sample_verdicts DIR\n");
		return EXIT_USAGE;
	}
	if (!file_make_dirs(argv[1], 0755, &err))
		return err_print("sample_verdicts", &err);
	for (size_t i = 0; i < sample_count; i++)
		if (!write_sample(argv[1], &samples[i], &err))
			return err_print("sample_verdicts", &err);
	return 0;
}
