#include "sandbox/parts/plane.h"

#include "sandbox/parts/set.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define REAL_STOP_LIMIT_MS 10000 /* an open watch would hold kube-apiserver for a minute */

/* One of this program's own processes. */
static bool make_server(struct part_spec *spec, const struct layout *l, const char *name, struct err *err)
{
	char self[PATH_MAX];
	ssize_t len = readlink("/proc/self/exe", self, sizeof self - 1);

	if (len < 0)
		return err_errno(err, ERR_IO, errno, "find this program");
	self[len] = '\0';
	if (!part_begin(spec, l, name, -1, err))
		return false;
	spec->restart = true;
	spec->probe = (struct probe_spec){.kind = PROBE_LOG, .text = ": ready"};
	return strings_add(&spec->argv, err, "%s", self) && strings_add(&spec->argv, err, "serve") &&
	       strings_add(&spec->argv, err, "%s", name);
}

static bool make_api(struct part_spec *spec, const struct layout *l, struct err *err)
{
	char address[ADDRESS_MAX], first[ADDRESS_MAX], last[ADDRESS_MAX];

	return make_server(spec, l, "api", err) && strings_add(&spec->argv, err, "--dir") &&
	       strings_add(&spec->argv, err, "%s", l->dir) && strings_add(&spec->argv, err, "--address") &&
	       strings_add(&spec->argv, err, "%s", layout_api_address(l, address)) &&
	       strings_add(&spec->argv, err, "--port") && strings_add(&spec->argv, err, "%u", l->ports + API_PORT) &&
	       strings_add(&spec->argv, err, "--service-range") &&
	       strings_add(&spec->argv, err, "%s-%s", address_text(l->range, LAYOUT_SERVICE_HOST_FIRST, first),
		   address_text(l->range, LAYOUT_SERVICE_HOST_LAST, last));
}

static bool make_kubelet(struct part_spec *spec, const struct layout *l, struct err *err)
{
	char range[24], *end;

	address_range_text(l->range, range);
	end = strrchr(range, '.');
	/* Its HOME is not the caller's, where the cache of these is looked for. */
	for (int i = 0; i < BINARIES; i++)
		if (!strings_add(&spec->env_set, err, "%s=%s", binary_variable((enum binary)i), l->binaries[i]))
			return false;
	return make_server(spec, l, "kubelet", err) && strings_add(&spec->argv, err, "--dir") &&
	       strings_add(&spec->argv, err, "%s", l->dir) && strings_add(&spec->argv, err, "--range") &&
	       strings_add(&spec->argv, err, "%.*s", (int)(end - range), range) &&
	       (!l->real_api || (strings_add(&spec->argv, err, "--log-port") &&
				    strings_add(&spec->argv, err, "%u", l->ports + KUBELET_PORT)));
}

static bool make_kasten(struct part_spec *spec, const struct layout *l, struct err *err)
{
	return make_server(spec, l, "kasten", err) && strings_add(&spec->argv, err, "--kubeconfig") &&
	       strings_add(&spec->argv, err, "%s", layout_file(l, "system.kubeconfig").text) &&
	       strings_add(&spec->argv, err, "--store") &&
	       strings_add(&spec->argv, err, "%s", layout_file(l, "kasten").text);
}

/* --- the real API server ----------------------------------------------------------------------------------------- */

/* Adds each of a NULL-ended list of texts. */
static bool add_all(struct part_spec *spec, const char *const *texts, struct err *err)
{
	for (; *texts; texts++)
		if (!strings_add(&spec->argv, err, "%s", *texts))
			return false;
	return true;
}

static bool begin_real(struct part_spec *spec, const struct layout *l, const char *name, enum binary binary,
    const char *ready, struct err *err)
{
	if (!part_begin(spec, l, name, -1, err) || !strings_add(&spec->argv, err, "%s", l->binaries[binary]))
		return false;
	spec->restart = true;
	spec->stop_limit_ms = REAL_STOP_LIMIT_MS;
	spec->probe = (struct probe_spec){.kind = PROBE_LOG};
	snprintf(spec->probe.text, sizeof spec->probe.text, "%s", ready);
	return true;
}

/* Everything in it is as secret as the cluster's secrets: only who has a certificate of this sandbox may talk to it. */
static bool make_etcd(struct part_spec *spec, const struct layout *l, struct err *err)
{
	static const char *const fixed[] = {"--name=sandbox", "--logger=zap", "--enable-grpc-gateway=false",
	    "--client-cert-auth", "--peer-client-cert-auth", NULL};
	const struct layout_path ca = layout_file(l, "api/tls/ca.crt"), cert = layout_file(l, "api/tls/server.crt"),
				 key = layout_file(l, "api/tls/server.key");
	char address[ADDRESS_MAX], client[64], peer[64];

	layout_api_address(l, address);
	snprintf(client, sizeof client, "https://%s:%u", address, l->ports + ETCD_PORT);
	snprintf(peer, sizeof peer, "https://%s:%u", address, l->ports + ETCD_PEER_PORT);
	if (!begin_real(spec, l, "etcd", BINARY_ETCD, "published local member to cluster through raft", err))
		return false;
	strcpy(spec->data_dir, layout_file(l, "etcd").text);
	return add_all(spec, fixed, err) && strings_add(&spec->argv, err, "--data-dir=%s", spec->data_dir) &&
	       strings_add(&spec->argv, err, "--listen-client-urls=%s", client) &&
	       strings_add(&spec->argv, err, "--advertise-client-urls=%s", client) &&
	       strings_add(&spec->argv, err, "--listen-peer-urls=%s", peer) &&
	       strings_add(&spec->argv, err, "--initial-advertise-peer-urls=%s", peer) &&
	       strings_add(&spec->argv, err, "--initial-cluster=sandbox=%s", peer) &&
	       strings_add(&spec->argv, err, "--trusted-ca-file=%s", ca.text) &&
	       strings_add(&spec->argv, err, "--cert-file=%s", cert.text) &&
	       strings_add(&spec->argv, err, "--key-file=%s", key.text) &&
	       strings_add(&spec->argv, err, "--peer-trusted-ca-file=%s", ca.text) &&
	       strings_add(&spec->argv, err, "--peer-cert-file=%s", cert.text) &&
	       strings_add(&spec->argv, err, "--peer-key-file=%s", key.text);
}

/*
 * Left out are the admission plugins that count on controllers which do not run here: pods need no service account, the
 * kubelet guards claims itself, and nobody would take a new node's taint away.
 */
static const char *const server_fixed[] = {"--authorization-mode=RBAC", "--endpoint-reconciler-type=none",
    "--disable-admission-plugins=ServiceAccount,StorageObjectInUseProtection,TaintNodesByCondition",
    "--service-account-issuer=https://kubernetes.default.svc", "--kubelet-preferred-address-types=InternalIP",
    "--profiling=false", NULL};

static bool add_server_files(struct part_spec *spec, const struct layout *l, struct err *err)
{
	static const char *const files[][2] = {{"tls-cert-file", "api/tls/server.crt"},
	    {"tls-private-key-file", "api/tls/server.key"}, {"client-ca-file", "api/tls/ca.crt"},
	    {"token-auth-file", "api/tokens.csv"}, {"etcd-cafile", "api/tls/ca.crt"},
	    {"etcd-certfile", "api/tls/client.crt"}, {"etcd-keyfile", "api/tls/client.key"},
	    {"kubelet-client-certificate", "api/tls/client.crt"}, {"kubelet-client-key", "api/tls/client.key"},
	    {"service-account-key-file", "api/tls/server.crt"},
	    {"service-account-signing-key-file", "api/tls/server.key"}, {"cert-dir", "api/tls"}};

	for (size_t i = 0; i < sizeof files / sizeof *files; i++)
		if (!strings_add(&spec->argv, err, "--%s=%s", files[i][0], layout_file(l, "%s", files[i][1]).text))
			return false;
	return true;
}

static bool make_real_api(struct part_spec *spec, const struct layout *l, struct err *err)
{
	char address[ADDRESS_MAX], services[ADDRESS_MAX];

	layout_api_address(l, address);
	return begin_real(spec, l, "api", BINARY_KUBE_APISERVER, "Serving securely on", err) &&
	       add_all(spec, server_fixed, err) && add_server_files(spec, l, err) &&
	       strings_add(&spec->argv, err, "--bind-address=%s", address) &&
	       strings_add(&spec->argv, err, "--advertise-address=%s", address) &&
	       strings_add(&spec->argv, err, "--secure-port=%u", l->ports + API_PORT) &&
	       strings_add(&spec->argv, err, "--etcd-servers=https://%s:%u", address, l->ports + ETCD_PORT) &&
	       strings_add(&spec->argv, err, "--service-cluster-ip-range=%s/25",
		   address_text(l->range, LAYOUT_SERVICE_HOST_FIRST, services));
}

/* What the embedded server does itself; pods, volumes and endpoints are the kubelet's on both. */
static bool make_controllers(struct part_spec *spec, const struct layout *l, struct err *err)
{
	static const char *const fixed[] = {"--controllers=namespace-controller,garbage-collector-controller",
	    "--leader-elect=false", "--secure-port=0", NULL};

	return begin_real(spec, l, "controllers", BINARY_KUBE_CONTROLLER_MANAGER, "Started controller", err) &&
	       add_all(spec, fixed, err) &&
	       strings_add(&spec->argv, err, "--kubeconfig=%s", layout_file(l, "system.kubeconfig").text);
}

bool plane_add(struct part_set *set, struct err *err)
{
	typedef bool maker(struct part_spec *, const struct layout *, struct err *);
	static maker *const embedded[] = {make_api, make_kubelet, make_kasten, NULL}, *const real[] = {make_etcd,
											  make_real_api,
											  make_controllers,
											  make_kubelet, make_kasten,
											  NULL};

	for (maker *const *make = set->layout->real_api ? real : embedded; *make; make++) {
		struct part_spec spec = {0};
		bool ok = (*make)(&spec, set->layout, err);

		part_init(&set->parts[set->count++], &spec);
		if (!ok)
			return false;
	}
	return true;
}
