#include "base/opt.h"

#include <criterion/criterion.h>
#include <string.h>

struct values {
	bool flag;
	const char *text;
	struct opt_list list;
	int64_t number, duration_ms;
	double rate;
};

static enum opt_result parse(struct values *v, const char *line, struct err *err, size_t *ret_args)
{
	const struct opt opts[] = {
	    {"flag", OPT_FLAG, &v->flag, NULL, "a flag", 0, 0, false},
	    {"text", OPT_STRING, &v->text, "TEXT", "a text", 0, 0, true},
	    {"item", OPT_LIST, &v->list, "ITEM", "an item", 0, 0, false},
	    {"number", OPT_INT, &v->number, "N", "a number", 1, 10, false},
	    {"wait", OPT_DURATION, &v->duration_ms, "TIME", "a time", 0, 0, false},
	    {"rate", OPT_DOUBLE, &v->rate, "R", "a rate", 0, 100, false},
	    {0},
	};
	const struct opt_command cmd = {"prog sub", "[FILE]", "does things", opts, NULL, 0, 1};
	static char copy[256];
	static char *argv[20];
	int argc = 0;
	char **args;

	snprintf(copy, sizeof copy, "prog %s", line);
	for (char *word = strtok(copy, " "); word; word = strtok(NULL, " "))
		argv[argc++] = word;
	return opt_parse(&cmd, argc, argv, &args, ret_args, err);
}

Test(opt, values_of_each_kind)
{
	struct values v = {0};
	struct err err = ERR_INIT;
	size_t args = 0;

	cr_assert_eq(
	    parse(&v, "--flag --text=a=b file --item 1 --item 2 --number 10 --wait 5m --rate 0.5", &err, &args), OPT_OK,
	    "%s", err.msg);
	cr_assert(v.flag);
	cr_assert_str_eq(v.text, "a=b");
	cr_assert_eq(v.list.count, 2);
	cr_assert_eq(v.number, 10);
	cr_assert_eq(v.duration_ms, 300000);
	cr_assert_float_eq(v.rate, 0.5, 1e-9);
	cr_assert_eq(args, 1);
}

Test(opt, each_fault_is_named)
{
	static const struct {
		const char *line, *says;
	} cases[] = {
	    {"--text x --nonsense", "unknown option \"--nonsense\""},
	    {"--text x -t", "unknown option \"-t\""},
	    {"--text x --number 11", "11 is outside 1 to 10"},
	    {"--text x --number ten", "\"ten\" is not a whole number"},
	    {"--text x --wait 5", "not a duration"},
	    {"--text x --rate 101", "not a number in the allowed range"},
	    {"--text x --flag=yes", "a value for the flag"},
	    {"--text", "no value for the option \"--text\""},
	    {"--flag", "option \"--text TEXT\" is missing"},
	    {"--text x a b", "unexpected argument \"b\""},
	};

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct values v = {0};
		struct err err = ERR_INIT;
		size_t args;

		cr_assert_eq(parse(&v, cases[i].line, &err, &args), OPT_BAD, "%s", cases[i].line);
		cr_assert(strstr(err.msg, cases[i].says), "%s: %s", cases[i].line, err.msg);
		cr_assert_eq(err.code, ERR_USAGE);
	}
}

Test(opt, help_wins_and_names_every_option)
{
	struct values v = {0};
	size_t args;
	const struct opt opts[] = {{"only-one", OPT_STRING, &v.text, "X", "what it is", 0, 0, false}, {0}};
	const struct opt_command cmd = {"prog", "", "does things", opts, "exit status: 0", 0, 0};
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	cr_assert_eq(parse(&v, "--number 99 --help", NULL, &args), OPT_BAD);
	cr_assert_eq(parse(&v, "--help --nonsense", NULL, &args), OPT_HELP);
	opt_help(&cmd, out);
	opt_man(&cmd, out);
	fclose(out);
	cr_assert(strstr(text, "--only-one X") && strstr(text, "exit status: 0") && strstr(text, "\\-\\-only\\-one"));
	free(text);
}
