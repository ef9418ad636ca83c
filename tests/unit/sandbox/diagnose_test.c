#include "base/file.h"
#include "sandbox/parts/diagnose.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define INFO                                                                                                           \
	"{\"t\":{\"$date\":\"2026-11-23T06:00:00Z\"},\"s\":\"I\",\"c\":\"CONTROL\",\"id\":1,\"ctx\":\"main\",\"msg\":" \
	"\"Welcome\"}\n"
#define EXITING "{\"t\":{},\"s\":\"I\",\"msg\":\"Now exiting\",\"attr\":{\"exitCode\":48}}\n"

static const struct {
	const char *log, *line;
} cases[] = {
    {"", ""},
    {"\n\n", ""},
    {"one\ntwo\n", "two"},
    {"one\ntwo without an end", "two without an end"},
    /* mongod: its port is taken. */
    {INFO "{\"s\":\"E\",\"msg\":\"Error setting up "
	  "listener\",\"attr\":{\"error\":{\"code\":9001,\"codeName\":\"SocketException\",\"errmsg\":\"Address "
	  "already in use\"}}}\n" EXITING,
	"Error setting up listener: Address already in use"},
    /* mongod: a fatal line with a cause beats one without, later. */
    {INFO "{\"s\":\"F\",\"msg\":\"Error during global "
	  "initialization\",\"attr\":{\"error\":{\"code\":2,\"errmsg\":\"bad value\"}}}\n"
	  "{\"s\":\"F\",\"msg\":\"aborting after fassert() failure\"}\n" EXITING,
	"Error during global initialization: bad value"},
    {INFO "{\"s\":\"E\",\"msg\":\"first\",\"attr\":{\"error\":\"a\"}}\n{\"s\":\"E\",\"msg\":\"second\",\"attr\":{"
	  "\"error\":\"b\"}}\n" EXITING,
	"second: b"},
    {INFO "{\"s\":\"F\",\"msg\":\"fatal\",\"attr\":{\"error\":\"a\"}}\n{\"s\":\"E\",\"msg\":\"only an "
	  "error\",\"attr\":{\"error\":\"b\"}}\n",
	"fatal: a"},
    /* mongod: an option that it does not know, before its log begins. */
    {"Error parsing command line: unrecognised option '--x'\ntry 'mongod --help' for more information\n",
	"Error parsing command line: unrecognised option '--x'"},
    {INFO "{\"s\":\"F\",\"msg\":\"cut in the mid", "{\"s\":\"F\",\"msg\":\"cut in the mid"},
    {"\x1b[31mfatal\x07: no\x1b[0m\r\n", "\xef\xbf\xbd[31mfatal\xef\xbf\xbd: no\xef\xbf\xbd[0m"},
};

Test(diagnose, the_line_that_matters_is_found)
{
	char line[DIAGNOSE_LINE_MAX];

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		diagnose_log(cases[i].log, strlen(cases[i].log), line);
		cr_expect_str_eq(line, cases[i].line, "case %zu: \"%s\"", i, line);
	}
}

Test(diagnose, a_line_without_end_is_cut)
{
	char line[DIAGNOSE_LINE_MAX];
	char *log = malloc(100000);

	memset(log, 'x', 100000);
	diagnose_log(log, 100000, line);
	cr_assert_eq(strlen(line), DIAGNOSE_LINE_MAX - 1);
	free(log);
}

Test(diagnose, only_what_was_written_since_the_start_counts)
{
	static const char log[] = "error: of yesterday\nfine\n";
	const struct proc_exit ex = {.status = 1};
	char path[] = "/tmp/psmdb-diagnose-XXXXXX";
	struct err err = ERR_INIT;
	int fd = mkstemp(path);

	cr_assert(fd >= 0 && write(fd, log, sizeof log - 1) == sizeof log - 1);
	diagnose_exit("mongod-0", &ex, path, 20, &err);
	cr_expect_str_eq(err.msg, "part \"mongod-0\" ended with exit status 1: \"fine\"");
	cr_expect(strstr(err.hint, path));
	diagnose_exit("mongod-0", &ex, path, (int64_t)sizeof log - 1, &err);
	cr_expect_str_eq(err.msg, "part \"mongod-0\" ended with exit status 1 and wrote nothing to its log");
	close(fd);
	unlink(path);
}
