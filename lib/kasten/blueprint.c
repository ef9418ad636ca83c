#include "kasten/blueprint.h"

#include "base/text.h"

#include <stdio.h>
#include <string.h>

static const char *const called[] = {
    "backup", "restore", "delete", "backupPrehook", "backupPosthook", "restorePrehook", "restorePosthook"};

bool kasten_blueprint_has(const json_node *blueprint, const char *action)
{
	return json_first(json_get(json_get(json_get(blueprint, "actions"), action), "phases")) != NULL;
}

void kasten_blueprint_strays(const json_node *blueprint, char *ret, size_t size)
{
	size_t used = 0;

	ret[0] = '\0';
	for (const json_node *a = json_first(json_get(blueprint, "actions")); a && used + 1 < size; a = json_next(a)) {
		bool known = false;
		char name[64];

		for (size_t i = 0; i < sizeof called / sizeof *called; i++)
			known |= !strcmp(json_key(a), called[i]);
		text_copy(name, sizeof name, json_key(a));
		if (!known)
			used += (size_t)snprintf(ret + used, size - used, "%s%s", used ? ", " : "", name);
	}
}

/* The spec is a text of YAML with templates in it, so it is read line by line. */
static bool storage_line(const char *spec, char *ret, size_t size)
{
	const char *at = strstr(spec, "storageName:");
	size_t len;

	if (!at)
		return false;
	at += strlen("storageName:");
	at += strspn(at, " \"'");
	len = strcspn(at, "\"' ,}\r\n#");
	if (!len || strstr(at, "{{") == at)
		return false;
	snprintf(ret, size, "%.*s", (int)len, at);
	return true;
}

void kasten_blueprint_storage(const json_node *blueprint, char *ret, size_t size)
{
	const json_node *backup = json_get(json_get(blueprint, "actions"), "backup");

	ret[0] = '\0';
	for (const json_node *p = json_first(json_get(backup, "phases")); p; p = json_next(p)) {
		const char *spec = json_text_at(p, "args/spec");

		if (json_is_at(p, "func", "KubeOps") && spec && strstr(spec, "PerconaServerMongoDBBackup") &&
		    storage_line(spec, ret, size))
			return;
	}
}
