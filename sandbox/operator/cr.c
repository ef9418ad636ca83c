#include "sandbox/operator/cr.h"

#include <stdio.h>
#include <string.h>

#define CLUSTER_AND_SET_MAX 50
#define SAFE_SIZE 3
#define SAFE_MONGOS 2

static bool wrong(struct err *err, const char *what, const char *name)
{
	return err_set(
	    err, ERR_STATE, "wrong psmdb options: %s%s%.100s%s", what, *name ? " '" : "", name, *name ? "'" : "");
}

/* As the operator mends sizes that no election survives, unless it is told not to. */
static int safe_size(int size, bool unsafe)
{
	if (unsafe)
		return size;
	if (size < 2)
		return SAFE_SIZE;
	return size % 2 ? size : size + 1;
}

static bool read_size(const json_node *spec, bool unsafe, int *ret, struct err *err)
{
	int64_t size = json_int_at(spec, "size", SAFE_SIZE);

	if (size < 1 || size > CR_MEMBERS_MAX)
		return wrong(err, "the sandbox runs replica sets of 1 to 7 members, not of another size", "");
	*ret = safe_size((int)size, unsafe);
	return true;
}

static bool add_set(struct cr *cr, const json_node *spec, const char *name, bool config_server, struct err *err)
{
	struct cr_set *set = &cr->sets[cr->set_count];

	if (cr->set_count == CR_SETS_MAX)
		return wrong(err, "the sandbox runs at most three replica sets and the config servers", "");
	if (!op_name_valid(name) || strchr(name, '.'))
		return wrong(err, "bad name of a replset", name ? name : "");
	if (!config_server && !strcmp(name, "cfg"))
		return wrong(err, "cfg is reserved name for config server replset", "");
	if (strlen(cr->name) + strlen(name) > CLUSTER_AND_SET_MAX)
		return wrong(err, "cluster name and replset name are longer than 50 characters together: ", name);
	for (int i = 0; i < cr->set_count; i++)
		if (!strcmp(cr->sets[i].name, name))
			return wrong(err, "two replsets are called", name);
	if (!read_size(spec, cr->unsafe, &set->size, err))
		return false;
	snprintf(set->name, sizeof set->name, "%s", name);
	set->config_server = config_server;
	set->volume = json_at(spec, "volumeSpec");
	cr->set_count++;
	return true;
}

static bool read_sets(struct cr *cr, const json_node *spec, struct err *err)
{
	const json_node *sets = json_at(spec, "replsets");

	if (!json_count(sets) || !json_is_array(sets))
		return wrong(err, "at least one replica set should be specified", "");
	if (cr->topology == CR_SHARDED && !add_set(cr, json_at(spec, "sharding/configsvrReplSet"), "cfg", true, err))
		return false;
	for (const json_node *set = json_first(sets); set; set = json_next(set)) {
		const char *name = json_text_at(set, "name");

		if (!add_set(cr, set, name ? name : "rs0", false, err))
			return false;
	}
	/* Without a router there would be nobody to spread data over several. */
	if (cr->topology == CR_SET_ALONE && cr->set_count > 1)
		return wrong(err, "the sandbox has no mongos, so it can run one replica set only", "");
	return true;
}

static bool read_mongos(struct cr *cr, const json_node *spec, struct err *err)
{
	int64_t size = json_int_at(spec, "sharding/mongos/size", SAFE_MONGOS);

	if (cr->topology != CR_SHARDED)
		return true;
	if (size < 1 || size > CR_MEMBERS_MAX)
		return wrong(err, "the sandbox runs 1 to 7 mongos", "");
	cr->mongos_size = cr->unsafe || size >= SAFE_MONGOS ? (int)size : SAFE_MONGOS;
	return true;
}

static bool secret_name(
    const json_node *spec, const char *path, const char *otherwise, char ret[static OP_NAME_MAX], struct err *err)
{
	const char *name = json_text_at(spec, path);

	if (!name || !*name)
		name = otherwise;
	if (!op_name_valid(name))
		return wrong(err, "bad name of a secret", name);
	snprintf(ret, OP_NAME_MAX, "%s", name);
	return true;
}

static bool read_secrets(struct cr *cr, const json_node *spec, struct err *err)
{
	return secret_name(spec, "secrets/users", "percona-server-mongodb-users", cr->users_secret, err) &&
	       secret_name(NULL, "", op_name("internal-%s-users", cr->name).text, cr->internal_secret, err) &&
	       secret_name(
		   spec, "secrets/keyFile", op_name("%s-mongodb-keyfile", cr->name).text, cr->keyfile_secret, err) &&
	       secret_name(spec, "secrets/encryptionKey", op_name("%s-mongodb-encryption-key", cr->name).text,
		   cr->encryption_secret, err);
}

bool cr_read(const json_node *object, bool have_mongos, struct cr *ret, struct err *err)
{
	const json_node *spec = json_at(object, "spec");
	struct cr cr = {.object = object,
	    .name = json_text_at(object, "metadata/name"),
	    .namespace_ = json_text_at(object, "metadata/namespace"),
	    .uid = json_text_at(object, "metadata/uid"),
	    .generation = json_int_at(object, "metadata/generation", 0),
	    .deleting = json_text_at(object, "metadata/deletionTimestamp") != NULL,
	    .paused = json_bool_at(spec, "pause", false),
	    .unmanaged = json_bool_at(spec, "unmanaged", false),
	    .unsafe = json_bool_at(spec, "allowUnsafeConfigurations", false),
	    .backups = json_bool_at(spec, "backup/enabled", false),
	    .image = json_text_at(spec, "image"),
	    .backup_image = json_text_at(spec, "backup/image")};

	if (!op_name_valid(cr.name) || !op_name_valid(cr.namespace_) || !cr.uid)
		return wrong(err, "bad name, namespace or uid", "");
	if (!cr.image || !*cr.image)
		return wrong(err, "Required value for .spec.image", "");
	if (cr.backups && (!cr.backup_image || !*cr.backup_image))
		return wrong(err, "backup.image can't be empty", "");
	if (cr.unmanaged && cr.backups)
		return wrong(err, "backup.enabled must be false on unmanaged clusters", "");
	if (json_bool_at(spec, "sharding/enabled", false))
		cr.topology = have_mongos ? CR_SHARDED : CR_SET_ALONE;
	if (!read_sets(&cr, spec, err) || !read_mongos(&cr, spec, err) || !read_secrets(&cr, spec, err))
		return false;
	*ret = cr;
	return true;
}

int cr_members(const struct cr *cr)
{
	int count = 0;

	for (int i = 0; i < cr->set_count; i++)
		count += cr->sets[i].size;
	return count;
}

const char *cr_note(const struct cr *cr)
{
	if (cr->topology != CR_SET_ALONE)
		return NULL;
	return "sandbox without a mongos program: one replica set, no config servers, and the Service of mongos leads "
	       "to its primary";
}

void cr_host(const struct cr *cr, char ret[static OP_NAME_MAX])
{
	snprintf(ret, OP_NAME_MAX, "%s-%s.%s.svc.cluster.local", cr->name,
	    cr->topology == CR_REPLSET ? cr->sets[0].name : "mongos", cr->namespace_);
}
