#include "ticker/options.h"

#include <criterion/criterion.h>
#include <string.h>

static enum opt_result parse(const char *const *args, struct options *o, struct err *err)
{
	char *argv[16] = {"psmdb-ticker", "--uri", "mongodb://h/"};
	int argc = 3;

	while (*args)
		argv[argc++] = (char *)*args++;
	return options_parse(argc, argv, o, err);
}

#define ARGS(...) ((const char *const[]){__VA_ARGS__, NULL})

Test(options, defaults_are_the_demos_tick_and_the_drills_own)
{
	struct options o;

	cr_assert_eq(parse(ARGS("--log-level", "info"), &o, NULL), OPT_OK);
	cr_assert_eq(o.ns.count, 2);
	cr_assert_str_eq(o.ns.items[0], "admin.ticker");
	cr_assert_str_eq(o.ns.items[1], "drill.ticker");
	cr_assert(o.rate == 1 && o.batch == 1 && o.writers == 1 && !o.count && !o.duration_ms);
	cr_assert(o.give_up_ms == 10000 && o.write_timeout_ms == 10000);
	cr_assert_str_eq(o.journal, "-");
}

Test(options, the_batch_follows_the_rate_unless_given)
{
	struct options o;

	cr_assert_eq(parse(ARGS("--rate", "2000"), &o, NULL), OPT_OK);
	cr_assert_eq(o.batch, 10);
	cr_assert_eq(parse(ARGS("--rate", "2000", "--batch", "50"), &o, NULL), OPT_OK);
	cr_assert_eq(o.batch, 50);
	cr_assert_eq(parse(ARGS("--flat-out"), &o, NULL), OPT_OK);
	cr_assert(o.batch == 1000 && o.rate == 0);
}

Test(options, one_tick_an_hour_can_be_asked_for)
{
	struct options o;

	cr_assert_eq(parse(ARGS("--rate", "0.00027778"), &o, NULL), OPT_OK);
	cr_assert_float_eq(o.rate * 3600, 1, 0.001);
	cr_assert_eq(o.batch, 1);
}

Test(options, sharding_takes_what_is_not_about_writing)
{
	struct options o;

	cr_assert_eq(
	    parse(ARGS("--shard", "--ns", "a.b", "--give-up", "1s", "--write-timeout", "2s"), &o, NULL), OPT_OK);
	cr_assert(o.shard && o.ns.count == 1 && o.give_up_ms == 1000);
	cr_assert_eq(parse(ARGS("--count", "1"), &o, NULL), OPT_OK);
	cr_assert(!o.shard);
}

Test(options, what_cannot_be_meant_is_a_usage_error)
{
	static const char *const cases[][5] = {{"--rate", "0"}, {"--rate", "0.0002"}, {"--rate", "1e7"},
	    {"--rate", "nan"}, {"--rate", "-1"}, {"--rate", "-2"}, {"--rate", "1", "--flat-out"}, {"--ns", "nodot"},
	    {"--ns", ".x"}, {"--ns", "x."}, {"--ns", "a.system.b"}, {"--ns", "a b.c"}, {"--ns", "a$.c"},
	    {"--ns", "a.b", "--ns", "a.b"}, {"--writers", "0"}, {"--writers", "33"}, {"--batch", "1001"},
	    {"--batch", "0"}, {"--count", "0"}, {"--give-up", "10"}, {"--log-level", "loud"},
	    {"--shard", "--count", "5"}, {"--shard", "--rate", "1"}, {"--shard", "--flat-out"},
	    {"--shard", "--batch", "1"}, {"--shard", "--writers", "1"}, {"--journal", "-", "--shard"},
	    {"--shard", "--duration", "1s"}, {"--shard", "--listen", ":1"}};

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct err err = ERR_INIT;
		struct options o;

		cr_assert_eq(parse(cases[i], &o, &err), OPT_BAD, "%s %s", cases[i][0], cases[i][1]);
		cr_assert_eq(err.code, ERR_USAGE);
		cr_assert(err.msg[0]);
	}
}

Test(options, help_and_manual_hold_every_option)
{
	static const char *const names[] = {"uri", "user-file", "password-file", "ns", "shard", "writers", "rate",
	    "flat-out", "batch", "journal", "count", "duration", "give-up", "write-timeout", "log-level"};
	char *help = NULL, *man = NULL;
	size_t size;
	FILE *f;

	f = open_memstream(&help, &size);
	options_help(f);
	fclose(f);
	f = open_memstream(&man, &size);
	options_man(f);
	fclose(f);
	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		char option[64];

		snprintf(option, sizeof option, "--%s", names[i]);
		cr_assert(strstr(help, option), "%s", option);
	}
	cr_assert(strstr(man, ".SH OPTIONS"));
	free(help);
	free(man);
}
