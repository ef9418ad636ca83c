/*
 * A blueprint from anywhere: JSON, and behind a NUL the status text of the object that it waits for. The validator, the
 * renderer and the executor end, whatever it says, and a run that is saved and read again is the same run.
 */
#include "sandbox/kasten/blueprint.h"
#include "sandbox/kasten/executor.h"
#include "sandbox/kasten/render.h"

#include <stdlib.h>
#include <string.h>

#define STEPS 64

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct world {
	struct json *object;
	int creates;
};

static bool world_get(void *ctx, const struct object_ref *ref, struct json **ret, struct err *err)
{
	const struct world *w = ctx;

	if (!*ref->name || (*ref->name == 'n' && !w->creates))
		return err_set(err, ERR_NOT_FOUND, "not found");
	return json_clone(json_root(w->object), ret, err);
}

static bool world_create(void *ctx, const char *namespace_, const json_node *object, struct err *err)
{
	(void)err;
	if (!*namespace_ || !json_text_at(object, "metadata/name"))
		abort();
	((struct world *)ctx)->creates++;
	return true;
}

static bool world_remove(void *ctx, const struct object_ref *ref, struct err *err)
{
	(void)ctx;
	return *ref->name ? err_set(err, ERR_NOT_FOUND, "not found") : true;
}

static bool world_refer(void *ctx, const json_node *object, struct json **ret, struct err *err)
{
	(void)ctx;
	(void)object;
	return json_format(ret, err, "{'apiVersion':'v1','group':'','resource':'things'}");
}

static bool world_save(void *ctx, struct err *err)
{
	(void)ctx;
	(void)err;
	return true;
}

static void run(const json_node *blueprint, const char *action, struct world *w)
{
	static const char time[] = "2023-04-03T07:46:05.123456789Z";
	const struct executor_api api = {w, world_get, world_create, world_remove, world_refer, world_save};
	CLEANUP(json) struct json *artifacts = NULL;
	CLEANUP(json) struct json *run = NULL;
	struct executor_start start = {.blueprint_name = "b",
	    .action = action,
	    .blueprint = blueprint,
	    .object = json_root(w->object),
	    .time = time};
	enum executor_result result = EXECUTOR_AGAIN;
	int64_t now = 1700000000000, next = now;

	if (!json_format(&artifacts, NULL, "{'cloudObjects':{'keyValue':{'psmdbbackup':'b','namespace':'n'}}}"))
		abort();
	start.artifacts_in = json_root(artifacts);
	if (!executor_new(&start, &run, NULL))
		return;
	for (int i = 0; i < STEPS && result == EXECUTOR_AGAIN; i++) {
		if (!executor_step(json_edit(run), &api, now, 1000, &result, &next, NULL))
			return;
		if (next < now || next > now + 1000)
			abort();
		now = next == now ? now : now + 600000;
	}
	if (result == EXECUTOR_FAILED && !json_text_at(json_root(run), "failure"))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct json_limits limits = {.max_bytes = 1 << 16, .max_depth = 32, .unique_keys = true};
	const char *text = (const char *)data, *nul = memchr(text, 0, size);
	size_t len = nul ? (size_t)(nul - text) : size;
	BUF_CLEANUP struct buf state = BUF_INIT(1 << 16);
	BUF_CLEANUP struct buf report = BUF_INIT(1 << 20);
	CLEANUP(json) struct json *blueprint = NULL;
	struct world w = {0};
	bool holds;

	if (nul && !buf_add(&state, nul + 1, size - len - 1, NULL))
		return 0;
	if (!json_format(&w.object, NULL, "{'metadata':{'name':'c','namespace':'n'},'status':{'state':%s,'error':%s}}",
		buf_str(&state), buf_str(&state)))
		return 0;
	if (json_parse(text, len, &limits, &blueprint, NULL)) {
		blueprint_validate(json_root(blueprint), &report, NULL);
		run(json_root(blueprint), "backup", &w);
		run(json_root(blueprint), "restore", &w);
		run(json_root(blueprint), "delete", &w);
	}
	render_condition(buf_str(&state), json_root(w.object), &holds, NULL);
	json_free(w.object);
	return 0;
}
