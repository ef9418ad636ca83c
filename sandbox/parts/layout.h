/*
 * The plan of one sandbox: its folder, its members' addresses, its S3 server, where each file lies. Plain data, known
 * before anything runs and the same on every start.
 *
 * Two kinds: a replica set with its agents (members > 0), or a control plane around the S3 server (members == 0):
 * API server, kubelet and Kasten, which start mongods as pods.
 *
 *   DIR/ (0700)   lock · state.json · control.sock · keyfile · s3.json
 *     secrets/    one file a secret, 0600
 *     mongod-N/data/   what the disaster deletes
 *     s3/         what survives it; a guest has none, it uses another sandbox's
 *     logs/       one log a part, pbm.log, supervisor.log
 *   control plane: kubeconfig · system.kubeconfig · hosts · api/ · etcd/ · kubelet/ · kasten/ · pods/ · volumes/ (what the
 *   disaster deletes) · bundle.yaml (the operator, to install) · guests/ (who uses the bucket)
 */
#ifndef PARTS_LAYOUT_H
#define PARTS_LAYOUT_H

#include "base/buf.h"
#include "base/uuid.h"
#include "sandbox/parts/address.h"
#include "sandbox/parts/binaries.h"

#include <limits.h>

#define LAYOUT_MEMBERS_MAX 7 /* voting members of a replica set */
#define LAYOUT_PARTS_MAX (1 + 2 * LAYOUT_MEMBERS_MAX)
#define LAYOUT_DIR_MAX 1024
#define LAYOUT_ENDPOINT_MAX 64
#define LAYOUT_SET_NAME "rs0"
#define LAYOUT_BUCKET "drill"
#define LAYOUT_KASTEN_BUCKET "kasten" /* Kasten's own: its exports */
#define LAYOUT_PREFIX "pbm"
#define LAYOUT_REGION "us-east-1"

/* Hosts in the range. */
#define LAYOUT_S3_HOST 1
#define LAYOUT_API_HOST 2
#define LAYOUT_MEMBER_HOST 11 /* of member 0 */
/* Addresses of services in the range; pods have lower ones. */
#define LAYOUT_SERVICE_HOST_FIRST 128
#define LAYOUT_SERVICE_HOST_LAST 254
/* Ports in the block. Those behind API_PORT are for the real API server alone. */
enum {
	S3_PORT,
	S3_MASTER_PORT,
	S3_VOLUME_PORT,
	S3_FILER_PORT,
	S3_ADMIN_PORT,
	S3_PORTS,
	API_PORT = S3_PORTS,
	ETCD_PORT,
	ETCD_PEER_PORT,
	KUBELET_PORT /* where the real API server reads pods' logs */
};

struct layout {
	char dir[LAYOUT_DIR_MAX]; /* absolute, links resolved */
	struct uuid id;
	int64_t created_ms;
	int members;   /* 0: a control plane */
	bool real_api; /* a control plane with kube-apiserver and etcd in place of the embedded server */
	int range;
	uint16_t mongod_port;
	uint16_t ports; /* first of the block */
	char compression[16];
	char bucket_of[LAYOUT_DIR_MAX];		   /* the sandbox whose S3 server this one uses; "": its own */
	char bucket_endpoint[LAYOUT_ENDPOINT_MAX]; /* of that server */
	char binaries[BINARIES_ALL][PATH_MAX];
};

struct layout_path {
	char text[PATH_MAX];
};

/* "DIR/..." as a value: layout_file(l, "logs/%s.log", name).text lives to the end of the full expression. */
struct layout_path layout_file(const struct layout *l, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
const char *layout_member_address(const struct layout *l, int member, char text[static ADDRESS_MAX]);
const char *layout_s3_address(const struct layout *l, char text[static ADDRESS_MAX]);
/* "http://address:port", of another sandbox's server if that is used. */
const char *layout_s3_endpoint(const struct layout *l, char text[static LAYOUT_ENDPOINT_MAX]);
const char *layout_api_address(const struct layout *l, char text[static ADDRESS_MAX]);
static inline bool layout_is_control_plane(const struct layout *l)
{
	return !l->members;
}
static inline bool layout_is_guest(const struct layout *l)
{
	return *l->bucket_of;
}
/* "mongodb://a:27017,b:27017/?replicaSet=rs0", without credentials. */
bool layout_uri(const struct layout *l, struct buf *out, struct err *err);
/* The same for one member alone: "mongodb://a:27017/" and, if direct, "?directConnection=true". */
bool layout_member_uri(const struct layout *l, int member, bool direct, struct buf *out, struct err *err);
/* What address_take needs to hold this layout's addresses (range and ports as far as they are known). */
void layout_want(const struct layout *l, struct address_want *ret);

#endif
