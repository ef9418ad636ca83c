#include "sandbox/parts/state.h"

#include "base/file.h"
#include "base/num.h"
#include "doc/json.h"
#include "doc/json_edit.h"
#include "doc/json_writer.h"

#include <stdio.h>
#include <string.h>

#define FORMAT "psmdb-sandbox-state"
#define VERSION 1

static const char *const phase_names[SANDBOX_PHASE_COUNT] = {
#define X(id, name) name,
    SANDBOX_PHASES(X)
#undef X
};

const char *phase_name(enum sandbox_phase phase)
{
	return phase_names[phase];
}

bool phase_parse(const char *name, enum sandbox_phase *ret)
{
	for (size_t i = 0; i < SANDBOX_PHASE_COUNT; i++) {
		if (!strcmp(phase_names[i], name)) {
			*ret = (enum sandbox_phase)i;
			return true;
		}
	}
	return false;
}

static void put_set(struct json_writer *w, const struct layout *l)
{
	BUF_CLEANUP struct buf uri = BUF_INIT(4096);
	char address[ADDRESS_MAX], host[32];

	json_object(w, "set");
	json_put_string(w, "name", LAYOUT_SET_NAME);
	json_put_int(w, "members", l->members);
	json_put_int(w, "port", l->mongod_port);
	layout_uri(l, &uri, NULL);
	json_put_string(w, "uri", buf_str(&uri));
	json_array(w, "hosts");
	for (int i = 0; i < l->members; i++) {
		snprintf(host, sizeof host, "%s:%u", layout_member_address(l, i, address), l->mongod_port);
		json_put_string(w, NULL, host);
	}
	json_end_array(w);
	json_end_object(w);
}

static void put_s3(struct json_writer *w, const struct layout *l)
{
	char endpoint[LAYOUT_ENDPOINT_MAX];

	json_object(w, "s3");
	if (layout_is_guest(l))
		json_put_string(w, "of", l->bucket_of);
	json_put_string(w, "endpoint", layout_s3_endpoint(l, endpoint));
	json_put_int(w, "ports", l->ports);
	json_put_string(w, "region", LAYOUT_REGION);
	json_put_string(w, "bucket", LAYOUT_BUCKET);
	json_put_string(w, "prefix", LAYOUT_PREFIX);
	json_put_string(w, "access_key_file", secret_s3_file(l, "access-key").text);
	json_put_string(w, "secret_key_file", secret_s3_file(l, "secret-key").text);
	json_end_object(w);
}

static void put_api(struct json_writer *w, const struct layout *l)
{
	char address[ADDRESS_MAX], server[64];

	json_object(w, "api");
	snprintf(server, sizeof server, "https://%s:%u", layout_api_address(l, address), l->ports + API_PORT);
	json_put_string(w, "server", server);
	json_put_string(w, "kubeconfig", layout_file(l, "kubeconfig").text);
	json_put_string(w, "kind", l->real_api ? "real" : "embedded");
	json_end_object(w);
}

static void put_users(struct json_writer *w, const struct layout *l)
{
	json_object(w, "users");
	for (int i = 0; i < SECRET_USER_COUNT; i++) {
		json_object(w, secret_user_name((enum secret_user)i));
		json_put_string(w, "user_file", secret_user_file(l, (enum secret_user)i, "user").text);
		json_put_string(w, "password_file", secret_user_file(l, (enum secret_user)i, "password").text);
		json_end_object(w);
	}
	json_end_object(w);
}

static void put_exit(struct json_writer *w, const struct part *part)
{
	char text[64];

	if (part->has_exit)
		json_put_string(w, "last_exit", proc_exit_text(&part->last_exit, text));
	else
		json_put_null(w, "last_exit");
	if (part->error.code != ERR_NONE)
		json_put_string(w, "error", part->error.msg);
	else
		json_put_null(w, "error");
}

static void put_part(struct json_writer *w, const struct part *part)
{
	json_object(w, NULL);
	json_put_string(w, "name", part->spec.name);
	json_put_string(w, "kind", part->spec.kind);
	json_put_string(w, "state", part_state_name(part->state));
	json_put_bool(w, "frozen", part->frozen);
	json_put_int(w, "pid", part->pid);
	json_put_u64_hex(w, "start_ticks", part->pid ? part->start_ticks : 0);
	json_put_string(w, "program", part->spec.argv.items[0]);
	json_put_int(w, "restarts", part->restarts);
	json_put_string(w, "log", part->spec.log_path);
	json_put_string(w, "data", part->spec.data_dir);
	put_exit(w, part);
	json_end_object(w);
}

bool state_format(const struct layout *l, const struct part_set *set, enum sandbox_phase phase, pid_t supervisor,
    int64_t wall_ms, struct buf *out, struct err *err)
{
	char boot[BOOT_ID_MAX], range[24];
	struct json_writer w;

	process_boot_id(boot);
	json_writer_init(&w, out);
	json_object(&w, NULL);
	json_put_string(&w, "format", FORMAT);
	json_put_int(&w, "version", VERSION);
	json_put_string(&w, "dir", l->dir);
	json_put_uuid(&w, "id", &l->id);
	json_put_time(&w, "created_at", l->created_ms);
	json_put_time(&w, "updated_at", wall_ms);
	json_put_string(&w, "boot_id", boot);
	json_put_string(&w, "phase", phase_name(phase));
	json_put_int(&w, "supervisor", supervisor);
	json_put_string(&w, "control", layout_file(l, "control.sock").text);
	json_put_string(&w, "range", address_range_text(l->range, range));
	put_set(&w, l);
	put_s3(&w, l);
	if (layout_is_control_plane(l))
		put_api(&w, l);
	else
		put_users(&w, l);
	json_object(&w, "pbm");
	json_put_string(&w, "compression", l->compression);
	json_put_string(&w, "log", layout_file(l, "logs/pbm.log").text);
	json_end_object(&w);
	json_object(&w, "binaries");
	for (int i = 0; i < (l->real_api ? BINARIES_ALL : BINARIES); i++)
		json_put_string(&w, binary_name((enum binary)i), l->binaries[i]);
	json_end_object(&w);
	json_array(&w, "parts");
	for (size_t i = 0; set && i < set->count; i++)
		put_part(&w, &set->parts[i]);
	json_end_array(&w);
	json_end_object(&w);
	return json_writer_ok(&w, err);
}

static bool parse_guest(const json_node *s3, struct layout *l, struct err *err)
{
	if (!json_need_copy(s3, "of", l->bucket_of, sizeof l->bucket_of, err) ||
	    !json_need_copy(s3, "endpoint", l->bucket_endpoint, sizeof l->bucket_endpoint, err))
		return false;
	if (*l->bucket_of != '/' || strncmp(l->bucket_endpoint, "http://127.", 11) != 0)
		return err_set(err, ERR_PARSE, "\"s3\" is no bucket of another sandbox");
	return true;
}

static bool parse_layout(const json_node *root, const char *dir, struct layout *l, struct err *err)
{
	const json_node *set, *s3, *pbm, *binaries;
	int64_t members, port, ports;
	const char *range;

	if (!json_need_copy(root, "dir", l->dir, sizeof l->dir, err) || !json_need_uuid(root, "id", &l->id, err) ||
	    !json_need_time(root, "created_at", &l->created_ms, err) || !json_need_string(root, "range", &range, err) ||
	    !json_need_object(root, "set", &set, err) || !json_need_object(root, "s3", &s3, err) ||
	    !json_need_object(root, "pbm", &pbm, err) || !json_need_object(root, "binaries", &binaries, err) ||
	    !json_need_int(set, "members", 0, LAYOUT_MEMBERS_MAX, &members, err) ||
	    !json_need_int(set, "port", 1, 65535, &port, err) ||
	    !json_need_int(
		s3, "ports", PORT_BLOCK_FIRST, PORT_BLOCK_FIRST + (PORT_BLOCKS - 1) * PORTS_PER_BLOCK, &ports, err) ||
	    !json_need_copy(pbm, "compression", l->compression, sizeof l->compression, err))
		return false;
	if (json_get(s3, "of") && !parse_guest(s3, l, err))
		return false;
	/* a sandbox of an older version does not say */
	l->real_api = json_is_at(root, "api/kind", "real");
	if (json_at(root, "api/kind") && !l->real_api && !json_is_at(root, "api/kind", "embedded"))
		return err_set(err, ERR_PARSE, "\"kind\" of the API server is unknown");
	for (int i = 0; i < (l->real_api ? BINARIES_ALL : BINARIES); i++)
		if (!json_need_copy(binaries, binary_name((enum binary)i), l->binaries[i], PATH_MAX, err))
			return false;
	if (!address_range_parse(range, &l->range))
		return err_set(err, ERR_PARSE, "\"range\" is no range of a sandbox");
	if (strcmp(l->dir, dir) != 0) {
		err_set(err, ERR_STATE, "this sandbox was made in another folder and has been moved");
		return err_hint(err, "move it back; its databases know their addresses and its processes their paths");
	}
	l->members = (int)members;
	l->mongod_port = (uint16_t)port;
	l->ports = (uint16_t)ports;
	return true;
}

static bool parse_process(const json_node *node, struct state_process *p, struct err *err)
{
	const char *state;
	int64_t pid;

	if (!json_need_copy(node, "name", p->name, sizeof p->name, err) ||
	    !json_need_int(node, "pid", 0, INT32_MAX, &pid, err) ||
	    !json_need_u64_hex(node, "start_ticks", &p->start_ticks, err) ||
	    !json_need_copy(node, "program", p->program, sizeof p->program, err) ||
	    !json_need_string(node, "state", &state, err))
		return false;
	if (!part_state_parse(state, &p->state))
		return err_set(err, ERR_PARSE, "\"state\" of part \"%s\" is unknown", p->name);
	p->pid = (pid_t)pid;
	return true;
}

static bool parse_root(const json_node *root, const char *dir, struct state *ret, struct err *err)
{
	const char *format, *phase;
	const json_node *parts;
	int64_t version;

	if (!json_need_string(root, "format", &format, err) ||
	    !json_need_int(root, "version", 0, INT32_MAX, &version, err))
		return false;
	if (strcmp(format, FORMAT) != 0 || version != VERSION)
		return err_set(err, ERR_PARSE, "it is not of format \"%s\", version %d", FORMAT, VERSION);
	if (!parse_layout(root, dir, &ret->layout, err) || !json_need_string(root, "phase", &phase, err) ||
	    !json_need_copy(root, "boot_id", ret->boot_id, sizeof ret->boot_id, err) ||
	    !json_need_array(root, "parts", &parts, err))
		return false;
	if (!phase_parse(phase, &ret->phase))
		return err_set(err, ERR_PARSE, "\"phase\" is unknown");
	if (json_count(parts) > LAYOUT_PARTS_MAX)
		return err_set(err, ERR_LIMIT, "more than %d parts", LAYOUT_PARTS_MAX);
	for (const json_node *n = json_first(parts); n; n = json_next(n))
		if (!parse_process(n, &ret->processes[ret->count++], err))
			return false;
	return true;
}

bool state_parse(const char *text, size_t len, const char *dir, struct state *ret, struct err *err)
{
	static const struct json_limits limits = {.max_bytes = STATE_MAX_BYTES, .max_depth = 8, .unique_keys = true};
	CLEANUP(json) struct json *doc = NULL;
	CLEANUP(free) struct state *state = calloc(1, sizeof *state);

	if (!state)
		return err_nomem(err);
	if (!json_parse(text, len, &limits, &doc, err) || !parse_root(json_root(doc), dir, state, err))
		return false;
	*ret = *state;
	return true;
}

bool state_load(const char *dir, struct state *ret, struct err *err)
{
	BUF_CLEANUP struct buf text = BUF_INIT(STATE_MAX_BYTES);
	char path[PATH_MAX];

	snprintf(path, sizeof path, "%s/state.json", dir);
	if (!file_read(path, &text, err)) {
		if (err && err->code == ERR_NOT_FOUND) {
			err_set(err, ERR_NOT_FOUND, "there is no sandbox in \"%s\"", dir);
			err_hint(err, "make one with \"psmdb-sandbox parts up --dir %s\"", dir);
		}
		return false;
	}
	return state_parse(text.data ? text.data : "", text.len, dir, ret, err) || err_wrap(err, "read \"%s\"", path);
}
