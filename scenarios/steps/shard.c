/* shard: the drill's own namespaces, before the first tick. */
#include "base/file.h"
#include "base/text.h"
#include "scenarios/steps/parts.h"

#include <string.h>

#define SHARD_LIMIT_MS 300000
#define LOG_NAME "logs/shard.log"
#define LINE_MAX_BYTES 1000
#define LINES_MAX 64

static const struct step_arg shard_args[] = {
    STEP_ARG("file", ARG_TEXT, .required = true, .help = "the pod's manifest, relative to the scenario"),
    STEP_ARG("cluster", ARG_TEXT, .help = "the psmdb (default: the parameter cluster)"),
    STEP_ARG("image", ARG_TEXT, .help = "of the pod (default: the manifest's)"),
    STEP_ARG("timeout", ARG_DURATION, .otherwise = "5m", .help = "how long it may take"),
    {0},
};

static bool shard_describe(struct drill *d, const json_node *args, struct buf *out, struct err *err)
{
	(void)args;
	return buf_printf(out, err, "shard the ticker's namespaces from within %s, so that every shard gets ticks",
	    drill_namespace(d));
}

static bool keep_lines(const char *log, struct buf *ret, struct err *err)
{
	for (int i = 0; *log && i < LINES_MAX; i++) {
		char text[LINE_MAX_BYTES], raw[LINE_MAX_BYTES];
		size_t len = strcspn(log, "\n");

		snprintf(raw, sizeof raw, "%.*s", (int)len, log);
		text_copy(text, sizeof text, raw);
		log += len + (log[len] == '\n');
		if (*text && !buf_printf(ret, err, "%s\n", text))
			return false;
	}
	return true;
}

/* Each line is about one namespace, or says that there is nothing to shard. */
static bool tell(struct drill *d, const struct buf *log, const void *ctx, struct err *err)
{
	BUF_CLEANUP struct buf kept = BUF_INIT(LINES_MAX * 3 * LINE_MAX_BYTES);

	(void)ctx;
	if (!keep_lines(buf_str(log), &kept, err) ||
	    !file_write_atomic(drill_path(d, LOG_NAME), buf_str(&kept), kept.len, 0600, err))
		return false;
	for (const char *line = buf_str(&kept); *line; line += strcspn(line, "\n") + 1) {
		char text[LINE_MAX_BYTES];

		snprintf(text, sizeof text, "%.*s", (int)strcspn(line, "\n"), line);
		drill_say(d, "%s", text);
		if (!drill_event(d, err, "x-sharding", "detail", text, NULL))
			return false;
	}
	return true;
}

static bool shard_run(struct drill *d, const json_node *args, struct err *err)
{
	return part_run_pod(d, args, NULL, LOG_NAME, SHARD_LIMIT_MS, tell, NULL, err);
}

const struct step_def step_shard = {"shard",
    "shards the ticker's namespaces in a pod, behind a mongos, so that every shard gets ticks", shard_args, 0,
    shard_describe, part_pod_free, shard_run};
