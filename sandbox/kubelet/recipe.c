#include "sandbox/kubelet/recipe.h"

#include "base/file.h"

#include "sandbox/kubelet/environment.h"
#include "sandbox/parts/secrets.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TEXT_MAX ((size_t)1 << 20)
#define MONGO_PORT 27017

struct making {
	const struct world *world;
	const json_node *pod, *container;
	const struct recipe_place *place;
	struct mounts mounts;
	struct words command; /* command and args, expanded and translated */
	struct recipe *recipe;
};

/* Words may hold secrets that were expanded into them. */
static void wipe(struct buf *text)
{
	if (text->data)
		explicit_bzero(text->data, text->cap);
	buf_clear(text);
}
#define WIPE_CLEANUP __attribute__((cleanup(wipe)))

void recipe_clear(struct recipe *r)
{
	words_clear(&r->argv);
	words_clear(&r->env);
}

static bool add_words(struct making *m, const char *key, struct err *err)
{
	for (const json_node *n = json_first(json_get(m->container, key)); n; n = json_next(n)) {
		WIPE_CLEANUP struct buf expanded = BUF_INIT(TEXT_MAX);
		WIPE_CLEANUP struct buf text = BUF_INIT(TEXT_MAX);

		if (!json_string(n))
			return err_set(err, ERR_PARSE, "\"%s\" holds something that is no text", key);
		if (!words_expand(json_string(n), &m->recipe->env, &expanded, err) ||
		    !words_translate(buf_str(&expanded), m->mounts.pairs, m->mounts.count, &text, err) ||
		    !words_add(&m->command, buf_str(&text), err))
			return false;
	}
	return true;
}

static const char *base_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

static bool add_program(struct making *m, const char *name, struct err *err)
{
	char path[PATH_MAX];

	return m->place->find_program(m->place->ctx, name, path, err) && words_add(&m->recipe->argv, path, err);
}

/* Names of the cluster resolve through a file (static Go programs cannot be taught so). */
static bool add_names(struct making *m, struct err *err)
{
	return words_env_set(&m->recipe->env, "LD_PRELOAD", "libnss_wrapper.so", err) &&
	       words_env_set(&m->recipe->env, "NSS_WRAPPER_HOSTS", m->place->hosts, err);
}

#define HOSTS_MAX ((size_t)1 << 20)

static bool in_name(char c)
{
	return isalnum((unsigned char)c) || c == '-' || c == '.';
}

/* The address that stands for this name in the hosts file; NULL. */
static const char *address_of(const char *hosts, const char *name, size_t len, char ip[static 16])
{
	for (const char *line = hosts; *line; line += strcspn(line, "\n"), line += *line == '\n') {
		size_t ip_len = strcspn(line, " \n");

		for (const char *at = line + ip_len; *at == ' ';) {
			size_t have = strcspn(++at, " \n");

			if (have == len && !memcmp(at, name, len) && ip_len < 16) {
				snprintf(ip, 16, "%.*s", (int)ip_len, line);
				return ip;
			}
			at += have;
		}
	}
	return NULL;
}

/* Each name of the cluster in a text becomes its address. *ret_left: a name that ends as a cluster's do has none now. */
static bool resolve(const char *hosts, const char *text, struct buf *out, bool *ret_left, struct err *err)
{
	while (*text) {
		size_t len = 0;
		char ip[16];

		while (in_name(text[len]))
			len++;
		if (!len) {
			if (!buf_add_char(out, *text++, err))
				return false;
			continue;
		}
		if (address_of(hosts, text, len, ip) ? !buf_add_str(out, ip, err) : !buf_add(out, text, len, err))
			return false;
		*ret_left |= len > 4 && memmem(text, len, ".svc", 4) && !address_of(hosts, text, len, ip);
		text += len;
	}
	return true;
}

/*
 * The word holds no connection string, or one of a single address, behind which the driver looks for nobody: of several
 * hosts, or with replicaSet=, it takes the members' names from their own answers.
 */
static bool needs_no_names(const char *word)
{
	const char *uri = strstr(word, "mongodb"), *hosts = uri ? strstr(uri, "://") : NULL, *at;
	struct in_addr ignored;
	char host[16];
	size_t len;

	if (!hosts)
		return true;
	hosts += 3;
	len = strcspn(hosts, "/?");
	at = memrchr(hosts, '@', len);
	if (at) {
		len -= (size_t)(at + 1 - hosts);
		hosts = at + 1;
	}
	if (memchr(hosts, ',', len) || strcasestr(hosts + len, "replicaSet="))
		return false;
	len = strcspn(hosts, ":/?");
	return len < sizeof host && snprintf(host, sizeof host, "%.*s", (int)len, hosts) > 0 &&
	       inet_pton(AF_INET, host, &ignored) == 1;
}

/*
 * nss_wrapper reads its file again while other threads use it, and a ticker with several streams has been seen to die of
 * that. So names in the project's own arguments become addresses here, where the container is made, and nss_wrapper is left out if
 * none can be asked for later: a connection string that still holds a name (of a Service that has no address yet, also in its short
 * form), or that makes the driver learn members' names, needs it.
 */
static bool add_addresses(struct making *m, struct err *err)
{
	BUF_CLEANUP struct buf hosts = BUF_INIT(HOSTS_MAX);
	bool left = false;

	if (!m->place->hosts || !file_read(m->place->hosts, &hosts, NULL))
		return add_names(m, err);
	for (size_t i = 1; i < m->recipe->argv.count; i++) {
		WIPE_CLEANUP struct buf text = BUF_INIT(WORD_BYTES_MAX);
		char **word = &m->recipe->argv.items[i], *made;

		if (!resolve(buf_str(&hosts), *word, &text, &left, err))
			return false;
		made = strdup(buf_str(&text));
		if (!made)
			return err_nomem(err);
		explicit_bzero(*word, strlen(*word));
		free(*word);
		*word = made;
		left |= !needs_no_names(made);
	}
	return !left || add_names(m, err);
}

/* --- mongod and mongos ------------------------------------------------------------------------------------------- */

/* Taken away: value says that the next argument goes with it. */
static const struct {
	const char *name;
	bool value;
} dropped[] = {
    /* replaced by the sandbox's own */
    {"bind_ip_all", false},
    {"bind_ip", true},
    {"ipv6", false},
    {"unixSocketPrefix", true},
    {"nounixsocket", false},
    {"slowms", true},
    {"oplogSize", true},
    {"wiredTigerCacheSizeGB", true},
    {"wiredTigerEngineConfigString", true},
    {"fork", false},
    {"logpath", true},
    /* Percona's build alone has these */
    {"enableEncryption", false},
    {"encryptionKeyFile", true},
    {"encryptionCipherMode", true},
    {"vaultServerName", true},
    {"audit", false},
};

static bool is_dropped(const char *argument, bool *ret_next)
{
	const char *name;
	size_t len;

	if (argument[0] != '-' || argument[1] != '-')
		return false;
	name = argument + 2;
	len = strcspn(name, "=");
	for (size_t i = 0; i < sizeof dropped / sizeof *dropped; i++) {
		if (strlen(dropped[i].name) != len || memcmp(dropped[i].name, name, len) != 0)
			continue;
		*ret_next = dropped[i].value && !name[len];
		return true;
	}
	return false;
}

bool mongo_arguments(
    const char *program, const struct words *arguments, const char *pod_ip, struct words *ret, struct err *err)
{
	static const char *const both[] = {
	    "--nounixsocket", "--slowms", "3600000", "--setParameter", "diagnosticDataCollectionEnabled=false"};
	/* slowms: a slow command is logged with its whole text, and PBM writes its configuration, S3 secret included,
	 * by a command. The log of WiredTiger takes 300 MB of each empty member otherwise. */
	static const char *const mongod[] = {"--wiredTigerCacheSizeGB", "0.25", "--oplogSize", "64",
	    "--wiredTigerEngineConfigString", "log=(file_max=4MB,prealloc=false)", "--setParameter",
	    "shutdownTimeoutMillisForSignaledShutdown=100"};
	size_t first = arguments->count && !strcmp(base_name(arguments->items[0]), program);

	for (size_t i = first; i < arguments->count; i++) {
		bool next = false;

		if (is_dropped(arguments->items[i], &next))
			i += next;
		else if (!words_add(ret, arguments->items[i], err))
			return false;
	}
	if (!words_add(ret, "--bind_ip", err) || !words_add(ret, pod_ip, err))
		return false;
	for (size_t i = 0; i < sizeof both / sizeof *both; i++)
		if (!words_add(ret, both[i], err))
			return false;
	for (size_t i = 0; !strcmp(program, "mongod") && i < sizeof mongod / sizeof *mongod; i++)
		if (!words_add(ret, mongod[i], err))
			return false;
	return true;
}

static uint16_t port_of(const struct words *arguments)
{
	for (size_t i = 0; i < arguments->count; i++) {
		const char *a = arguments->items[i], *text = NULL;
		long port;

		if (!strncmp(a, "--port=", 7))
			text = a + 7;
		else if (!strcmp(a, "--port") && i + 1 < arguments->count)
			text = arguments->items[i + 1];
		port = text ? strtol(text, NULL, 10) : 0;
		if (port > 0 && port < 65536)
			return (uint16_t)port;
	}
	return MONGO_PORT;
}

static bool make_mongo(struct making *m, struct err *err)
{
	WORDS_CLEANUP struct words arguments = {0};
	const char *program = "mongod";
	size_t skip = 0;

	/* An entry script of the image stands before, or in place of, the program's name. */
	for (size_t i = 0; i < m->command.count && i < 2; i++) {
		const char *word = base_name(m->command.items[i]);

		if (!strcmp(word, "mongos"))
			program = "mongos";
		if (i == skip && m->command.items[i][0] != '-')
			skip = i + 1;
	}
	for (size_t i = skip; i < m->command.count; i++)
		if (!words_add(&arguments, m->command.items[i], err))
			return false;
	m->recipe->probe_port = port_of(&arguments);
	return add_program(m, program, err) &&
	       mongo_arguments(program, &arguments, m->place->pod_ip, &m->recipe->argv, err) && add_names(m, err);
}

/* --- the others -------------------------------------------------------------------------------------------------- */

/* As the image's entry script does: the agent's own member, by its address. */
static bool make_agent(struct making *m, struct err *err)
{
	const char *user = words_env(&m->recipe->env, "PBM_AGENT_MONGODB_USERNAME");
	const char *password = words_env(&m->recipe->env, "PBM_AGENT_MONGODB_PASSWORD");
	const char *port = words_env(&m->recipe->env, "PBM_MONGODB_PORT");
	WIPE_CLEANUP struct buf uri = BUF_INIT(TEXT_MAX);

	if (!words_env(&m->recipe->env, "PBM_MONGODB_URI")) {
		if (!user || !password)
			return err_set(err, ERR_NOT_FOUND,
			    "neither PBM_MONGODB_URI nor PBM_AGENT_MONGODB_USERNAME and PBM_AGENT_MONGODB_PASSWORD");
		if (!buf_add_str(&uri, "mongodb://", err) || !uri_encode(&uri, user, err) ||
		    !buf_add_char(&uri, ':', err) || !uri_encode(&uri, password, err) ||
		    !buf_printf(&uri, err, "@%s:%s/?authSource=admin", m->place->pod_ip, port ? port : "27017") ||
		    !words_env_set(&m->recipe->env, "PBM_MONGODB_URI", buf_str(&uri), err))
			return false;
	}
	return add_program(m, "pbm-agent", err);
}

/* The stand-in runs pbm, and its HOME is not the one with the cache of scripts/setup. */
static bool name_parts(struct making *m, struct err *err)
{
	static const char *const parts[][2] = {{"pbm", "PSMDB_DRILL_PBM"}, {"mongod", "PSMDB_DRILL_MONGOD"}};
	char path[PATH_MAX];

	for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
		if (m->place->find_program(m->place->ctx, parts[i][0], path, NULL) &&
		    !words_env_set(&m->recipe->env, parts[i][1], path, err))
			return false;
	return true;
}

static bool make_operator(struct making *m, struct err *err)
{
	const char *const arguments[] = {
	    "serve", "operator", "--kubeconfig", m->place->kubeconfig, "--namespace", object_namespace(m->pod)};
	char ignored[PATH_MAX];
	bool mongos = m->place->find_program(m->place->ctx, "mongos", ignored, NULL);

	if (!add_program(m, "psmdb-sandbox", err))
		return false;
	for (size_t i = 0; i < sizeof arguments / sizeof *arguments; i++)
		if (!words_add(&m->recipe->argv, arguments[i], err))
			return false;
	return words_env_set(&m->recipe->env, "PSMDB_SANDBOX_MONGOS", mongos ? "yes" : "no", err) &&
	       name_parts(m, err) && add_names(m, err);
}

static bool make_project(struct making *m, struct err *err)
{
	const char *name = m->command.count ? base_name(m->command.items[0]) : "";

	if (!image_has_program(name)) {
		BUF_CLEANUP struct buf list = BUF_INIT(1024);

		image_programs(&list, NULL);
		return err_set(
		    err, ERR_UNSUPPORTED, "exec: \"%s\": the sandbox's psmdb-drill image has %s", name, buf_str(&list));
	}
	if (!add_program(m, name, err))
		return false;
	for (size_t i = 1; i < m->command.count; i++)
		if (!words_add(&m->recipe->argv, m->command.items[i], err))
			return false;
	return add_addresses(m, err);
}

static bool make_unknown(const struct making *m, struct err *err)
{
	const char *image = json_text_at(m->container, "image");
	BUF_CLEANUP struct buf list = BUF_INIT(1024);

	image_list(&list, NULL);
	return err_set(err, ERR_UNSUPPORTED, "failed to pull image \"%s\": the sandbox has only %s", image ? image : "",
	    buf_str(&list));
}

static bool make_command(struct making *m, const char **reason, struct err *err)
{
	*reason = "CreateContainerError";
	switch (m->recipe->image) {
	case IMAGE_MONGOD:
		return make_mongo(m, err);
	case IMAGE_AGENT:
		return make_agent(m, err);
	case IMAGE_OPERATOR:
		return make_operator(m, err);
	case IMAGE_PROJECT:
		return make_project(m, err);
	case IMAGE_UNKNOWN:
		break;
	}
	*reason = "ErrImagePull";
	return make_unknown(m, err);
}

static bool make_dir(const struct making *m, struct err *err)
{
	const char *given = json_text_at(m->container, "workingDir");
	BUF_CLEANUP struct buf text = BUF_INIT(PATH_MAX - 1);

	if (!given || !words_translate(given, m->mounts.pairs, m->mounts.count, &text, err) ||
	    !strcmp(buf_str(&text), given)) /* a folder of the image */
		buf_reset(&text);
	snprintf(m->recipe->dir, sizeof m->recipe->dir, "%s", text.len ? buf_str(&text) : m->place->mounts.pod_dir);
	return true;
}

static bool make_all(struct making *m, const char **reason, struct err *err)
{
	const struct environment_facts facts = {m->place->pod_ip, m->place->host_ip};
	struct words *env = &m->recipe->env;

	*reason = "ErrImagePull";
	if (m->recipe->image == IMAGE_UNKNOWN)
		return make_unknown(m, err);
	*reason = "CreateContainerConfigError";
	if (!mounts_of_container(m->world, m->pod, m->container, &m->place->mounts, &m->mounts, err) ||
	    !words_env_set(env, "HOME", m->place->mounts.pod_dir, err) ||
	    !words_env_set(env, "HOSTNAME", object_name(m->pod), err) ||
	    !environment_make(m->world, m->pod, m->container, &m->mounts, &facts, env, err) ||
	    !add_words(m, "command", err) || !add_words(m, "args", err) || !make_dir(m, err))
		return false;
	return make_command(m, reason, err);
}

bool recipe_make(const struct world *w, const json_node *pod, const json_node *container,
    const struct recipe_place *place, struct recipe *ret, const char **ret_reason, struct err *err)
{
	RECIPE_CLEANUP struct recipe recipe = {0};
	const char *image = json_text_at(container, "image"), *reason = NULL;
	struct making m = {w, pod, container, place, .recipe = &recipe};
	bool ok;

	recipe.image = image_find(image ? image : "");
	ok = make_all(&m, &reason, err);
	mounts_clear(&m.mounts);
	words_clear(&m.command);
	if (!ok) {
		*ret_reason = reason;
		return false;
	}
	*ret = recipe;
	recipe = (struct recipe){0};
	return true;
}
