/* Any bytes as a backup's metadata, as a set's own metadata, and, line by line, as a listing: parsed and checked, or
 * refused. */
#include "psmdb/check.h"
#include "psmdb/destination.h"

#include <stdlib.h>
#include <string.h>

static void add_lines(struct pbm_files *files, const char *name, char *text)
{
	struct err err = ERR_INIT;

	for (char *save = NULL, *line = strtok_r(text, "\n", &save); line && files->count < 1000;
	     line = strtok_r(NULL, "\n", &save)) {
		struct pbm_destination d;

		pbm_files_add(files, "", name, line, strlen(line), "e", &err);
		pbm_destination_parse(line, &d, &err);
	}
	pbm_files_sort(files);
}

static void check(const struct pbm_backup *b, const uint8_t *data, size_t size)
{
	PBM_FINDINGS_CLEANUP struct pbm_findings findings = {0};
	PBM_FILES_CLEANUP struct pbm_files files = {0};
	char *text = strndup((const char *)data, size);
	struct err err = ERR_INIT;

	add_lines(&files, b->name, text);
	pbm_check_metadata(b, b->name, &findings, &err);
	pbm_check_files(b, &files, &findings, &err);
	for (size_t i = 0; i < b->set_count; i++)
		pbm_check_collections(b, &b->sets[i], (const char *)data, size, &files, &findings, &err);
	for (size_t i = 0; i < findings.count; i++) {
		BUF_CLEANUP struct buf line = BUF_INIT(4096);

		if (!pbm_finding_text(&findings.items[i], &line, &err))
			abort();
	}
	free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char fixed[] =
	    "{\"name\":\"2026-11-23T06:22:13Z\",\"type\":\"logical\",\"status\":\"done\",\"pbm_version\":\"2.5.0\","
	    "\"replsets\":[{\"name\":"
	    "\"rs0\",\"status\":\"done\",\"first_write_ts\":{\"T\":1,\"I\":1},\"last_write_ts\":{\"T\":9,\"I\":1}}]}";
	PBM_BACKUP_CLEANUP struct pbm_backup b = {0}, known = {0};
	struct err err = ERR_INIT;

	if (pbm_backup_parse((const char *)data, size, &b, &err))
		check(&b, data, size);
	if (!pbm_backup_parse(fixed, sizeof fixed - 1, &known, &err))
		abort();
	check(&known, data, size);
	return 0;
}
