#include "ticker/options.h"

#include "ticker/schedule.h"

#include <string.h>

static const double least_rate = 0.000277, no_rate = -1; /* the table refuses what is below 0 */

static const char about[] =
    "Writes ticks into MongoDB and keeps the journal that says of each tick whether it was acknowledged, refused or is "
    "in doubt. "
    "Each namespace and writer is a stream of its own. No tick is sent before the journal holds it.";

static const char more[] =
    "environment:\n"
    "  MONGODB_USER, MONGODB_PASSWORD   used unless --user-file and --password-file are given\n"
    "\n"
    "exit status:\n"
    "  0    stopped by SIGTERM, --count or --duration; with --shard: done, or nothing to do\n"
    "  2    usage error\n"
    "  3    it could not start or go on: MongoDB, the journal, another cluster behind the same address\n"
    "  130  interrupted (SIGINT)\n"
    "\n"
    "example:\n"
    "  psmdb-ticker --uri 'mongodb://db-0:27017,db-1:27017/?replicaSet=rs0' --journal journal.jsonl";

/* The table points into one options value, so it is made for each use. The last entry stays empty. */
#define OPTION_COUNT 19
#define ROW(row_name, row_kind, row_ret, row_arg, row_help, ...)                                                       \
	{                                                                                                              \
		.name = row_name, .kind = row_kind, .ret = row_ret, .arg = row_arg, .help = row_help, __VA_ARGS__      \
	}
static void fill_table(struct options *o, struct opt table[static OPTION_COUNT])
{
	const struct opt opts[] = {
	    ROW("uri", OPT_STRING, &o->uri, "URI",
		"where MongoDB is: mongodb://HOST:PORT,.../?replicaSet=NAME, without user and password",
		.required = true),
	    ROW("user-file", OPT_STRING, &o->user_file, "FILE", "file that holds the user name", ),
	    ROW("password-file", OPT_STRING, &o->password_file, "FILE",
		"file that holds the password; read again when a login is refused", ),
	    ROW("ns", OPT_LIST, &o->ns, "DB.COLL",
		"namespace to write to, may be given several times (default: admin.ticker and drill.ticker)", ),
	    ROW("shard", OPT_FLAG, &o->shard, NULL,
		"write nothing, but shard the namespaces by a hash of _id, see that every shard gets a part, and end; "
		"needs a mongos (a replica set has nothing to shard) and clusterAdmin", ),
	    ROW("writers", OPT_INT, &o->writers, "N", "streams for each namespace (default: 1)", .min = 1,
		.max = JOURNAL_STREAMS_MAX),
	    ROW("rate", OPT_DOUBLE, &o->rate, "R",
		"ticks a second and stream, 0.000277 (one an hour) to 1000000 (default: 1)", .min = 0, .max = 1000000),
	    ROW("flat-out", OPT_FLAG, &o->flat_out, NULL, "no schedule: as many ticks as go through", ),
	    ROW("batch", OPT_INT, &o->batch, "B",
		"ticks in one command, 1 to 1000 (default: 1 up to 200 ticks a second, then as many as keep 200 "
		"commands "
		"a second)",
		.min = 1, .max = JOURNAL_RANGE_MAX),
	    ROW("journal", OPT_STRING, &o->journal, "FILE",
		"new file for the journal, synced before each tick; - writes it to stdout, each line marked (default: "
		"-)", ),
	    ROW("count", OPT_INT, &o->count, "N", "end after N ticks of each stream", .min = 1, .max = TICK_SEQ_MAX),
	    ROW("duration", OPT_DURATION, &o->duration_ms, "D", "end after this time", .min = 1,
		.max = INT64_C(366) * 86400000),
	    ROW("give-up", OPT_DURATION, &o->give_up_ms, "D",
		"how long a tick in doubt is sent again, and how long a stop waits for the outstanding ones; with "
		"--shard, how long every shard may take to get its part (default: 10s)",
		.min = 100, .max = 3600000),
	    ROW("write-timeout", OPT_DURATION, &o->write_timeout_ms, "D",
		"how long the server may wait for a majority (default: 10s)", .min = 100, .max = 3600000),
	    ROW("listen", OPT_STRING, &o->listen, "ADDR:PORT",
		"serve /metrics (OpenMetrics) and /healthz over HTTP there (default: nowhere)", ),
	    ROW("log-level", OPT_STRING, &o->log_level_text, "LEVEL", "debug, info, warn or error (default: info)", ),
	    ROW("man", OPT_FLAG, &o->man, NULL, "print the manual page (roff)", ),
	    ROW("version", OPT_FLAG, &o->version, NULL, "show the version", ),
	    {0},
	};
	_Static_assert(sizeof opts / sizeof *opts == OPTION_COUNT, "the table and its end");

	memcpy(table, opts, sizeof opts);
}

static struct opt_command command(const struct opt *table)
{
	return (struct opt_command){.program = "psmdb-ticker", .args = "", .about = about, .opts = table, .more = more};
}

static bool check_namespaces(struct options *o, struct err *err)
{
	if (!o->ns.count) {
		o->ns.items[o->ns.count++] = "admin.ticker";
		o->ns.items[o->ns.count++] = "drill.ticker";
	}
	for (size_t i = 0; i < o->ns.count; i++) {
		const char *ns = o->ns.items[i], *dot = strchr(ns, '.');

		if (!dot || dot == ns || !dot[1] || strlen(ns) >= TICK_NS_MAX || strpbrk(ns, " \"$/\\") ||
		    !strncmp(dot, ".system.", 8)) {
			err_set(err, ERR_USAGE, "option \"--ns\": \"%s\" is not a namespace to write to", ns);
			return err_hint(err, "give a database and a collection, such as drill.ticker");
		}
		for (size_t j = 0; j < i; j++)
			if (!strcmp(ns, o->ns.items[j]))
				return err_set(err, ERR_USAGE, "option \"--ns\": \"%s\" is given twice", ns);
	}
	if ((int64_t)o->ns.count * o->writers > JOURNAL_STREAMS_MAX)
		return err_set(err, ERR_USAGE, "%zu namespaces with %lld writers each are more than %d streams",
		    o->ns.count, (long long)o->writers, JOURNAL_STREAMS_MAX);
	return true;
}

/* Before the defaults are set. */
static bool check_shard(const struct options *o, bool rate_given, struct err *err)
{
	const struct {
		const char *name;
		bool given;
	} writing[] = {{"writers", o->writers}, {"rate", rate_given}, {"flat-out", o->flat_out}, {"batch", o->batch},
	    {"journal", o->journal}, {"count", o->count}, {"duration", o->duration_ms}, {"listen", o->listen}};

	for (size_t i = 0; o->shard && i < sizeof writing / sizeof *writing; i++)
		if (writing[i].given)
			return err_set(
			    err, ERR_USAGE, "options \"--shard\" and \"--%s\" exclude each other", writing[i].name);
	return true;
}

static bool check_rate(struct options *o, bool rate_given, struct err *err)
{
	if (o->flat_out && rate_given)
		return err_set(err, ERR_USAGE, "options \"--rate\" and \"--flat-out\" exclude each other");
	if (o->flat_out)
		o->rate = 0;
	else if (o->rate < least_rate)
		return err_set(err, ERR_USAGE, "option \"--rate\": %g is below %g ticks a second", o->rate, least_rate);
	if (!o->batch)
		o->batch = schedule_batch(o->rate);
	return true;
}

static bool check_log_level(struct options *o, struct err *err)
{
	static const char *const names[] = {"debug", "info", "warn", "error"};

	for (int i = 0; i < 4; i++) {
		if (!strcmp(o->log_level_text, names[i])) {
			o->log_level = (enum log_level)i;
			return true;
		}
	}
	return err_set(
	    err, ERR_USAGE, "option \"--log-level\": \"%s\" is none of debug, info, warn, error", o->log_level_text);
}

enum opt_result options_parse(int argc, char **argv, struct options *ret, struct err *err)
{
	struct options o = {.rate = no_rate, .give_up_ms = 10000, .write_timeout_ms = 10000, .log_level_text = "info"};
	struct opt table[OPTION_COUNT];
	struct opt_command cmd = command(table);
	enum opt_result result;
	size_t arg_count;
	bool rate_given;
	char **args;

	fill_table(&o, table);
	/* the only use without a URI */
	if (argc == 2 && !strcmp(argv[1], "--man")) {
		o.man = true;
		*ret = o;
		return OPT_OK;
	}
	if (argc == 2 && !strcmp(argv[1], "--version")) {
		o.version = true;
		*ret = o;
		return OPT_OK;
	}
	result = opt_parse(&cmd, argc, argv, &args, &arg_count, err);
	if (result != OPT_OK)
		return result;
	rate_given = o.rate >= 0;
	if (!check_shard(&o, rate_given, err))
		return OPT_BAD;
	if (!rate_given)
		o.rate = 1;
	if (!o.writers)
		o.writers = 1;
	if (!o.journal)
		o.journal = "-";
	if (!check_namespaces(&o, err) || !check_rate(&o, rate_given, err) || !check_log_level(&o, err))
		return OPT_BAD;
	*ret = o;
	return OPT_OK;
}

void options_help(FILE *out)
{
	struct options unused = {0};
	struct opt table[OPTION_COUNT];
	struct opt_command cmd = command(table);

	fill_table(&unused, table);
	opt_help(&cmd, out);
}

void options_man(FILE *out)
{
	struct options unused = {0};
	struct opt table[OPTION_COUNT];
	struct opt_command cmd = command(table);

	fill_table(&unused, table);
	opt_man(&cmd, out);
}
