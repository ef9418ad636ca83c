/*
 * A journal by the JSON parser alone (cJSON, each line a tree that is dropped) and by the journal's reader (chain, numbers, members,
 * lifecycle), turn by turn. Both only compute: CPU seconds.
 *
 * usage: bench_journal_read FILE ROUNDS      prints for each round: seconds of the parser and of the reader, and the number of lines
 */
#include "base/file.h"
#include "base/num.h"
#include "evidence/journal.h"

#include <cjson/cJSON.h>
#include <inttypes.h>
#include <string.h>
#include <time.h>

static double cpu_s(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

/* From the file to trees, as the reader begins at the file, too. */
static bool parse_alone(const char *path, double *ret_s, int64_t *ret_lines, struct err *err)
{
	double start = cpu_s();
	FILE *file = fopen(path, "re");
	char *line = NULL;
	size_t size = 0;
	ssize_t len;
	bool ok = file != NULL;

	*ret_lines = 0;
	while (ok && (len = getline(&line, &size, file)) > 0) {
		cJSON *root = cJSON_ParseWithLength(line, (size_t)len);

		ok = root != NULL;
		cJSON_Delete(root);
		++*ret_lines;
	}
	free(line);
	if (file)
		fclose(file);
	*ret_s = cpu_s() - start;
	return ok || err_set(err, ERR_PARSE, "\"%s\" cannot be read, or line %" PRId64 " is no JSON", path, *ret_lines);
}

static bool read_checked(const char *path, double *ret_s, struct err *err)
{
	CLEANUP(journal_reader) struct journal_reader *r = NULL;
	struct record_reader *records = NULL;
	struct journal_record rec;
	enum journal_state state;
	double start = cpu_s();

	if (!record_reader_open(path, false, &records, err) || !journal_reader_new(records, &r, err))
		return false;
	while ((state = journal_next(r, &rec, err)) == JOURNAL_RECORD)
		;
	*ret_s = cpu_s() - start;
	return state == JOURNAL_SEALED || err_set(err, ERR_BROKEN, "\"%s\" is not sealed", path);
}

int main(int argc, char **argv)
{
	double alone_s = 0, checked_s = 0;
	struct err err = ERR_INIT;
	int64_t rounds = 0, lines = 0;

	if (argc != 3 || !num_parse_i64(argv[2], strlen(argv[2]), &rounds) || rounds < 1) {
		fprintf(stderr, "usage: bench_journal_read FILE ROUNDS\n");
		return EXIT_USAGE;
	}
	for (int64_t i = 0; i < rounds; i++) {
		if (!(i % 2 ? read_checked(argv[1], &checked_s, &err) && parse_alone(argv[1], &alone_s, &lines, &err)
			    : parse_alone(argv[1], &alone_s, &lines, &err) && read_checked(argv[1], &checked_s, &err)))
			return err_print("bench_journal_read", &err);
		printf("%.4f %.4f %" PRId64 "\n", alone_s, checked_s, lines);
		fflush(stdout);
	}
	return EXIT_PASS;
}
