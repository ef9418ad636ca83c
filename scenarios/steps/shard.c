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

/* Each line is about one namespace, or says that there is nothing to shard. */
static bool tell(struct drill *d, const struct buf *log, const void *ctx, struct err *err)
{
	BUF_CLEANUP struct buf kept = BUF_INIT(LINES_MAX * 3 * LINE_MAX_BYTES);
	const char *line = buf_str(log);

	(void)ctx;
	for (int i = 0; *line && i < LINES_MAX; i++) {
		char text[LINE_MAX_BYTES], raw[LINE_MAX_BYTES];
		size_t len = strcspn(line, "\n");

		snprintf(raw, sizeof raw, "%.*s", (int)len, line);
		text_copy(text, sizeof text, raw);
		line += len + (line[len] == '\n');
		if (!buf_printf(&kept, err, "%s\n", text))
			return false;
		if (!*text)
			continue;
		drill_say(d, "%s", text);
		if (!drill_event(d, err, "x-sharding", "detail", text, NULL))
			return false;
	}
	return file_write_atomic(drill_path(d, LOG_NAME), buf_str(&kept), kept.len, 0600, err);
}

static bool shard_run(struct drill *d, const json_node *args, struct err *err)
{
	return part_run_pod(d, args, NULL, LOG_NAME, SHARD_LIMIT_MS, tell, NULL, err);
}

const struct step_def step_shard = {"shard",
    "shards the ticker's namespaces in a pod, behind a mongos, so that every shard gets ticks", shard_args, 0,
    shard_describe, part_pod_free, shard_run};
