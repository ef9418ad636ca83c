#include "sandbox/parts/set.h"

#include "sandbox/parts/plane.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MONGOD_STOP_LIMIT_MS 20000
#define STOP_LIMIT_MS 8000
#define AGENT_STOP_LIMIT_MS 3000 /* 20 ms, unless its database is gone */
#define AGENT "pbm-agent"

/*
 * What a user's environment could change under the real processes' feet: the AWS SDK inside PBM reads all of these,
 * and a CA bundle in AWS_CA_BUNDLE that it cannot read makes it refuse to start.
 */
static const char *const unset[] = {"AWS_CA_BUNDLE", "AWS_PROFILE", "AWS_DEFAULT_PROFILE", "AWS_REGION",
    "AWS_DEFAULT_REGION", "AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_S3", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY",
    "AWS_SESSION_TOKEN", "AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE", "S3_BUCKET", "PBM_MONGODB_URI", "GOMEMLIMIT",
    /* meant for the ticker and the verifier */
    "MONGODB_USER", "MONGODB_PASSWORD"};

bool part_environment(const char *home, struct strings *env_set, struct strings *env_unset, struct err *err)
{
	for (size_t i = 0; i < sizeof unset / sizeof *unset; i++)
		if (!strings_add(env_unset, err, "%s", unset[i]))
			return false;
	/* Neither ~/.aws nor ~/.seaweedfs of whoever runs this. */
	return strings_add(env_set, err, "HOME=%s", home);
}

bool part_begin(struct part_spec *spec, const struct layout *l, const char *kind, int number, struct err *err)
{
	if (number < 0)
		snprintf(spec->name, sizeof spec->name, "%s", kind);
	else
		snprintf(spec->name, sizeof spec->name, "%s-%d", kind, number);
	snprintf(spec->kind, sizeof spec->kind, "%s", kind);
	strcpy(spec->dir, l->dir);
	strcpy(spec->log_path, layout_file(l, "logs/%s.log", spec->name).text);
	spec->stop_limit_ms = STOP_LIMIT_MS;
	return part_environment(l->dir, &spec->env_set, &spec->env_unset, err);
}

static bool make_s3(struct part_spec *spec, const struct layout *l, struct err *err)
{
	char address[ADDRESS_MAX];
	struct strings *argv = &spec->argv;
	uint16_t port = l->ports;

	if (!part_begin(spec, l, "s3", -1, err))
		return false;
	layout_s3_address(l, address);
	strcpy(spec->data_dir, layout_file(l, "s3").text);
	spec->probe = (struct probe_spec){.kind = PROBE_HTTP, .port = (uint16_t)(port + S3_PORT)};
	snprintf(spec->probe.text, sizeof spec->probe.text, "/%s", LAYOUT_BUCKET);
	memcpy(spec->probe.address, address, sizeof address);
	return strings_add(argv, err, "%s", l->binaries[BINARY_WEED]) && strings_add(argv, err, "-logtostderr=true") &&
	       strings_add(argv, err, "mini") && strings_add(argv, err, "-dir=%s", spec->data_dir) &&
	       strings_add(argv, err, "-ip=%s", address) && strings_add(argv, err, "-ip.bind=%s", address) &&
	       strings_add(argv, err, "-master.telemetry=false") && strings_add(argv, err, "-admin.ui=false") &&
	       strings_add(argv, err, "-webdav=false") && strings_add(argv, err, "-s3.port=%u", port + S3_PORT) &&
	       strings_add(argv, err, "-master.port=%u", port + S3_MASTER_PORT) &&
	       strings_add(argv, err, "-volume.port=%u", port + S3_VOLUME_PORT) &&
	       strings_add(argv, err, "-filer.port=%u", port + S3_FILER_PORT) &&
	       strings_add(argv, err, "-admin.port=%u", port + S3_ADMIN_PORT) &&
	       strings_add(argv, err, "-s3.port.iceberg=0") && strings_add(argv, err, "-s3.port.lance=0") &&
	       strings_add(argv, err, "-s3.autoCreateBucket=false") &&
	       strings_add(argv, err, "-bucket=%s,%s", LAYOUT_BUCKET, LAYOUT_KASTEN_BUCKET) &&
	       strings_add(argv, err, "-s3.config=%s", layout_file(l, "s3.json").text);
}

static bool make_mongod(struct part_spec *spec, const struct layout *l, int member, struct err *err)
{
	char address[ADDRESS_MAX];
	struct strings *argv = &spec->argv;

	if (!part_begin(spec, l, "mongod", member, err))
		return false;
	strcpy(spec->data_dir, layout_file(l, "%s/data", spec->name).text);
	spec->stop_limit_ms = MONGOD_STOP_LIMIT_MS;
	spec->probe = (struct probe_spec){.kind = PROBE_LOG, .text = "\"msg\":\"Waiting for connections\""};
	/*
	 * slowms: a slow command is logged with its whole text, and PBM writes its configuration, S3 secret included,
	 * by a command.
	 */
	return strings_add(argv, err, "%s", l->binaries[BINARY_MONGOD]) && strings_add(argv, err, "--slowms") &&
	       strings_add(argv, err, "3600000") && strings_add(argv, err, "--dbpath") &&
	       strings_add(argv, err, "%s", spec->data_dir) && strings_add(argv, err, "--bind_ip") &&
	       strings_add(argv, err, "%s", layout_member_address(l, member, address)) &&
	       strings_add(argv, err, "--port") && strings_add(argv, err, "%u", l->mongod_port) &&
	       strings_add(argv, err, "--nounixsocket") && strings_add(argv, err, "--replSet") &&
	       strings_add(argv, err, LAYOUT_SET_NAME) && strings_add(argv, err, "--keyFile") &&
	       strings_add(argv, err, "%s", layout_file(l, "keyfile").text) &&
	       strings_add(argv, err, "--wiredTigerCacheSizeGB") && strings_add(argv, err, "0.25") &&
	       strings_add(argv, err, "--oplogSize") && strings_add(argv, err, "64") &&
	       strings_add(argv, err, "--wiredTigerEngineConfigString") &&
	       strings_add(argv, err, "log=(file_max=4MB,prealloc=false)") &&
	       strings_add(argv, err, "--setParameter") &&
	       strings_add(argv, err, "shutdownTimeoutMillisForSignaledShutdown=100") &&
	       strings_add(argv, err, "--setParameter") &&
	       strings_add(argv, err, "diagnosticDataCollectionEnabled=false");
}

static bool make_agent(
    struct part_spec *spec, const struct layout *l, int member, const struct secrets *s, struct err *err)
{
	char address[ADDRESS_MAX];
	BUF_CLEANUP struct buf password = BUF_INIT(4 * SECRET_MAX);
	bool ok;

	if (!part_begin(spec, l, AGENT, member, err) || !uri_encode(&password, s->password[USER_BACKUP], err))
		return false;
	spec->restart = true;
	spec->stop_limit_ms = AGENT_STOP_LIMIT_MS;
	spec->probe = (struct probe_spec){.kind = PROBE_LOG, .text = "listening for the commands"};
	/* No directConnection: agents on secondaries exit with it. */
	ok = strings_add(&spec->argv, err, "%s", l->binaries[BINARY_PBM_AGENT]) &&
	     strings_add(&spec->env_set, err, "PBM_MONGODB_URI=mongodb://%s:%s@%s:%u/?authSource=admin",
		 secret_user_name(USER_BACKUP), buf_str(&password), layout_member_address(l, member, address),
		 l->mongod_port);
	if (password.data)
		explicit_bzero(password.data, password.len);
	return ok;
}

bool part_set_new(const struct layout *l, const struct secrets *s, struct part_set **ret, struct err *err)
{
	CLEANUP(part_set) struct part_set *set = calloc(1, sizeof *set);
	bool ok = true;

	if (!set)
		return err_nomem(err);
	set->layout = l;
	if (layout_is_control_plane(l)) {
		struct part_spec spec = {0};

		/* a guest uses another sandbox's */
		if (!layout_is_guest(l)) {
			ok = make_s3(&spec, l, err);
			part_init(&set->parts[set->count++], &spec);
		}
		ok = ok && plane_add(set, err);
	}
	for (int i = 0; ok && !layout_is_control_plane(l) && i < 1 + 2 * l->members; i++) {
		struct part_spec spec = {0};

		if (!i)
			ok = make_s3(&spec, l, err);
		else if (i <= l->members)
			ok = make_mongod(&spec, l, i - 1, err);
		else
			ok = make_agent(&spec, l, i - 1 - l->members, s, err);
		part_init(&set->parts[set->count++], &spec);
	}
	if (!ok)
		return false;
	*ret = TAKE(set);
	return true;
}

void part_set_free(struct part_set *set)
{
	if (!set)
		return;
	for (size_t i = 0; i < set->count; i++)
		part_clear(&set->parts[i]);
	free(set);
}

part_mask part_set_all(const struct part_set *set)
{
	return ((part_mask)1 << set->count) - 1;
}

part_mask part_set_kind(const struct part_set *set, const char *kind)
{
	part_mask mask = 0;

	for (size_t i = 0; i < set->count; i++)
		if (!strcmp(set->parts[i].spec.kind, kind))
			mask |= (part_mask)1 << i;
	return mask;
}

/* True when none of them lives. */
static bool end_some(struct part_set *set, part_mask mask, bool at_once, int64_t now_ms)
{
	bool all = true;

	for (size_t i = 0; i < set->count; i++) {
		struct part *part = &set->parts[i];

		if (!(mask & (part_mask)1 << i))
			continue;
		if (part->state != PART_STOPPING || (at_once && part->kill_at_ms > now_ms))
			part_end(part, at_once, now_ms);
		all = all && !part_state_alive(part->state);
	}
	return all;
}

bool part_set_end(struct part_set *set, part_mask mask, bool at_once, int64_t now_ms)
{
	part_mask agents = mask & part_set_kind(set, AGENT), etcd = mask & part_set_kind(set, "etcd");

	if (at_once)
		return end_some(set, mask, true, now_ms);
	return end_some(set, agents, false, now_ms) && end_some(set, mask & ~agents & ~etcd, false, now_ms) &&
	       end_some(set, etcd, false, now_ms);
}

bool part_set_select(const struct part_set *set, const char *name, part_mask *ret, struct err *err)
{
	BUF_CLEANUP struct buf names = BUF_INIT(LAYOUT_PARTS_MAX * (PART_NAME_MAX + 2));
	part_mask mask = 0;

	for (size_t i = 0; i < set->count; i++) {
		const struct part_spec *spec = &set->parts[i].spec;

		if (!strcmp(name, "all") || !strcmp(name, spec->name) || !strcmp(name, spec->kind))
			mask |= (part_mask)1 << i;
		buf_printf(&names, NULL, "%s%s", i ? ", " : "", spec->name);
	}
	if (!mask) {
		err_set(err, ERR_NOT_FOUND, "there is no part \"%s\"", name);
		return err_hint(
		    err, "the parts are %s; a kind (mongod, pbm-agent, s3) or \"all\" names several", buf_str(&names));
	}
	*ret |= mask;
	return true;
}
