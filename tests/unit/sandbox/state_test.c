#include "base/file.h"
#include "sandbox/parts/state.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define DIR "/tmp/somewhere"

static struct layout layout = {.dir = DIR,
    .members = 3,
    .range = 300,
    .mongod_port = 27017,
    .ports = 20370,
    .created_ms = 1700000000123,
    .compression = "s2",
    .binaries = {"/bin/mongod", "/bin/weed", "/bin/pbm", "/bin/pbm-agent"}};
static struct secrets secrets = {.password = {"one", "two", "three", "four"}, .s3_access = "five", .s3_secret = "six"};

static char *made(bool with_parts)
{
	CLEANUP(part_set) struct part_set *set = NULL;
	BUF_CLEANUP struct buf out = BUF_INIT(STATE_MAX_BYTES);
	struct err err = ERR_INIT;

	cr_assert(part_set_new(&layout, &secrets, &set, &err), "%s", err.msg);
	set->parts[1].state = PART_READY;
	set->parts[1].pid = 4711;
	set->parts[1].start_ticks = 0x123456789abcULL;
	cr_assert(
	    state_format(&layout, with_parts ? set : NULL, PHASE_READY, 42, 1700000001000, &out, &err), "%s", err.msg);
	set->parts[1].pid = 0;
	return strdup(buf_str(&out));
}

static bool parse(const char *text, const char *dir, struct state **ret, struct err *err)
{
	struct state *state = calloc(1, sizeof *state);
	bool ok = state_parse(text, strlen(text), dir, state, err);

	if (ok && ret)
		*ret = state;
	else
		free(state);
	return ok;
}

Test(state, what_is_written_comes_back)
{
	CLEANUP(free) char *text = made(true);
	CLEANUP(free) struct state *state = NULL;
	struct err err = ERR_INIT;

	cr_assert(parse(text, DIR, &state, &err), "%s", err.msg);
	cr_assert_eq(memcmp(&state->layout, &layout, sizeof layout), 0);
	cr_assert_eq(state->phase, PHASE_READY);
	cr_assert_eq(state->count, 7);
	cr_assert_str_eq(state->processes[1].name, "mongod-0");
	cr_assert_eq(state->processes[1].pid, 4711);
	cr_assert_eq(state->processes[1].start_ticks, 0x123456789abcULL);
	cr_assert_str_eq(state->processes[1].program, "/bin/mongod");
	cr_assert_eq(state->processes[0].pid, 0);
}

Test(state, it_names_addresses_and_paths_and_no_secret)
{
	CLEANUP(free) char *text = made(true);

	cr_assert(strstr(
	    text, "\"uri\":\"mongodb://127.65.44.11:27017,127.65.44.12:27017,127.65.44.13:27017/?replicaSet=rs0\""));
	cr_assert(strstr(text, "\"endpoint\":\"http://127.65.44.1:20370\""));
	cr_assert(strstr(text, "\"password_file\":\"" DIR "/secrets/verifier-password\""));
	for (int i = 0; i < SECRET_USER_COUNT; i++) {
		char quoted[64];

		snprintf(quoted, sizeof quoted, "\"%s\"", secrets.password[i]);
		cr_assert_not(strstr(text, quoted));
	}
}

Test(state, a_guest_knows_its_host_and_has_no_s3_server)
{
	CLEANUP(part_set) struct part_set *set = NULL;
	CLEANUP(free) struct state *state = NULL;
	BUF_CLEANUP struct buf out = BUF_INIT(STATE_MAX_BYTES);
	struct layout guest = layout;
	struct err err = ERR_INIT;
	char *at;

	guest.members = 0;
	strcpy(guest.bucket_of, "/tmp/host");
	strcpy(guest.bucket_endpoint, "http://127.99.1.1:20010");
	cr_assert(part_set_new(&guest, &secrets, &set, &err), "%s", err.msg);
	cr_assert(state_format(&guest, set, PHASE_READY, 42, 1700000001000, &out, &err), "%s", err.msg);
	cr_assert(parse(buf_str(&out), DIR, &state, &err), "%s", err.msg);
	cr_assert_eq(memcmp(&state->layout, &guest, sizeof guest), 0);
	cr_assert_eq(state->count, 3);
	for (size_t i = 0; i < state->count; i++)
		cr_expect_str_neq(state->processes[i].name, "s3");
	cr_assert(strstr(buf_str(&out), "\"endpoint\":\"http://127.99.1.1:20010\""));
	/* another place than this machine's */
	at = strstr(buf_str(&out), "http://127.");
	cr_assert(at);
	memcpy(at, "http://10.1", 11);
	cr_assert_not(parse(buf_str(&out), DIR, NULL, &err));
	cr_assert(strstr(err.msg, "no bucket of another sandbox"), "%s", err.msg);
}

Test(state, a_real_api_server_and_its_programs_come_back)
{
	struct layout real = layout;
	BUF_CLEANUP struct buf text = BUF_INIT(STATE_MAX_BYTES);
	CLEANUP(free) struct state *state = NULL;
	struct err err = ERR_INIT;

	real.members = 0;
	real.real_api = true;
	strcpy(real.binaries[BINARY_ETCD], "/bin/etcd");
	strcpy(real.binaries[BINARY_KUBE_APISERVER], "/bin/kube-apiserver");
	strcpy(real.binaries[BINARY_KUBE_CONTROLLER_MANAGER], "/bin/kube-controller-manager");
	cr_assert(state_format(&real, NULL, PHASE_READY, 0, 0, &text, &err), "%s", err.msg);
	cr_assert(parse(buf_str(&text), DIR, &state, &err), "%s", err.msg);
	cr_assert_eq(memcmp(&state->layout, &real, sizeof real), 0);
}

Test(state, without_parts_it_is_still_a_plan)
{
	CLEANUP(free) char *text = made(false);
	CLEANUP(free) struct state *state = NULL;

	cr_assert(parse(text, DIR, &state, NULL));
	cr_assert_eq(state->count, 0);
}

Test(state, a_moved_folder_is_told)
{
	CLEANUP(free) char *text = made(true);
	struct err err = ERR_INIT;

	cr_assert_not(parse(text, "/tmp/elsewhere", NULL, &err));
	cr_assert_eq(err.code, ERR_STATE);
}

Test(state, no_cut_of_it_is_accepted)
{
	CLEANUP(free) char *text = made(true);
	size_t len = strlen(text);

	for (size_t cut = 0; cut < len; cut += 7) {
		CLEANUP(free) char *part = strndup(text, cut);

		cr_assert_not(parse(part, DIR, NULL, NULL), "cut at %zu", cut);
	}
}

Test(state, what_is_out_of_bounds_is_refused)
{
	static const struct {
		const char *from, *to, *what;
	} damages[] = {
	    {"psmdb-sandbox-state", "psmdb-sandbox-statf", "format"},
	    {"\"version\":1", "\"version\":2", "version"},
	    {"\"members\":3", "\"members\":8", "members"},
	    {"\"members\":3", "\"members\":-1", "fewer than no members"},
	    {"\"members\":3", "\"members\":3.5", "half a member"},
	    {"\"port\":27017", "\"port\":65536", "port"},
	    {"\"ports\":20370", "\"ports\":80", "privileged ports"},
	    {"127.65.44.0/24", "127.0.0.0/24", "range"},
	    {"\"phase\":\"ready\"", "\"phase\":\"reedy\"", "phase"},
	    {"\"state\":\"ready\"", "\"state\":\"rex\"", "state of a part"},
	    {"\"pid\":4711", "\"pid\":-1", "pid"},
	    {"\"pid\":4711", "\"pid\":4294967297", "large pid"},
	    {"0000123456789abc", "0000123456789ABC", "start ticks"},
	    {"\"name\":\"mongod-0\"", "\"name\":\"mongod-00000000000000000000000000\"", "long name"},
	    {"\"compression\":\"s2\"", "\"compression\":\"s2222222222222222\"", "long compression"},
	};

	for (size_t i = 0; i < sizeof damages / sizeof *damages; i++) {
		CLEANUP(free) char *text = made(true);
		BUF_CLEANUP struct buf bad = BUF_INIT(STATE_MAX_BYTES);
		char *at = strstr(text, damages[i].from);
		struct err err = ERR_INIT;

		cr_assert(at, "%s", damages[i].what);
		buf_add(&bad, text, (size_t)(at - text), NULL);
		buf_add_str(&bad, damages[i].to, NULL);
		buf_add_str(&bad, at + strlen(damages[i].from), NULL);
		cr_expect_not(parse(buf_str(&bad), DIR, NULL, &err), "%s", damages[i].what);
		cr_expect(err.msg[0], "%s", damages[i].what);
	}
}

Test(state, more_parts_than_there_can_be_are_refused)
{
	CLEANUP(free) char *text = made(false);
	BUF_CLEANUP struct buf bad = BUF_INIT(STATE_MAX_BYTES);
	char *at = strstr(text, "\"parts\":[]");

	cr_assert(at);
	buf_add(&bad, text, (size_t)(at - text), NULL);
	buf_add_str(&bad, "\"parts\":[", NULL);
	for (int i = 0; i <= LAYOUT_PARTS_MAX; i++)
		buf_printf(&bad, NULL,
		    "%s{\"name\":\"a\",\"pid\":0,\"start_ticks\":\"0000000000000000\",\"program\":\"/"
		    "b\",\"state\":\"ready\"}",
		    i ? "," : "");
	buf_add_str(&bad, "]}", NULL);
	cr_assert_not(parse(buf_str(&bad), DIR, NULL, NULL));
}

Test(state, a_folder_without_one_says_how_to_make_one)
{
	CLEANUP(free) struct state *state = calloc(1, sizeof *state);
	struct err err = ERR_INIT;

	cr_assert_not(state_load("/nonexistent", state, &err));
	cr_assert_eq(err.code, ERR_NOT_FOUND);
	cr_assert(strstr(err.hint, "parts up"));
}
