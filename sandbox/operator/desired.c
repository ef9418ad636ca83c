#include "sandbox/operator/desired.h"

#include "base/digest.h"
#include "sandbox/parts/loopback.h"

#include <stdio.h>

#define OBJECT_MAX ((size_t)1 << 20)

bool desired_owner(const struct cr *cr, struct json **ret, struct err *err)
{
	return json_format(ret, err,
	    "[{'apiVersion':'psmdb.percona.com/v1','kind':'PerconaServerMongoDB','name':%s,'uid':%s,'controller':true,"
	    "'blockOwnerDeletion':true}]",
	    cr->name, cr->uid);
}

/* Hands the object out with its digest. */
static bool seal(struct json **object, struct json **ret, struct err *err)
{
	BUF_CLEANUP struct buf text = BUF_INIT(OBJECT_MAX);
	char digest[SHA256_TEXT_MAX];

	if (!json_print(json_root(*object), false, &text, err))
		return false;
	sha256_text(text.data, text.len, digest);
	if (!json_set_text(json_edit(*object), "metadata/annotations/psmdb-drill~1desired", digest, err))
		return false;
	*ret = TAKE(*object);
	return true;
}

static const char *component_of(const struct cr_set *set)
{
	return set->config_server ? "cfg" : "mongod";
}

/* name, namespace, labels, owner: what all of them begin with */
static bool metadata(
    const struct cr *cr, const char *name, const json_node *labels, bool owned, struct json **ret, struct err *err)
{
	CLEANUP(json) struct json *owner = NULL;
	CLEANUP(json) struct json *meta = NULL;

	if (!json_format(&meta, err, "{'name':%s,'namespace':%s,'labels':%j}", name, cr->namespace_, labels))
		return false;
	if (owned && (!desired_owner(cr, &owner, err) ||
			 !json_set_copy(json_edit(meta), "ownerReferences", json_root(owner), err)))
		return false;
	*ret = TAKE(meta);
	return true;
}

static bool mongod_args(const struct cr *cr, const struct cr_set *set, struct json **ret, struct err *err)
{
	CLEANUP(json) struct json *args = NULL;

	if (!json_format(&args, err,
		"['--bind_ip_all','--auth','--dbpath=/data/db','--port=27017','--replSet=%s',"
		"'--storageEngine=wiredTiger','--clusterAuthMode=keyFile',"
		"'--keyFile=/etc/mongodb-secrets/mongodb-key','--wiredTigerIndexPrefixCompression=true',"
		"'--enableEncryption','--encryptionKeyFile=/etc/mongodb-encryption/encryption-key']",
		set->name) ||
	    (cr->topology == CR_SHARDED &&
		!json_set_text(json_edit(args), "-", set->config_server ? "--configsvr" : "--shardsvr", err)))
		return false;
	*ret = TAKE(args);
	return true;
}

static bool mongod_container(const struct cr *cr, const struct cr_set *set, struct json **ret, struct err *err)
{
	CLEANUP(json) struct json *args = NULL;

	return mongod_args(cr, set, &args, err) &&
	       json_format(ret, err,
		   "{'name':'mongod','image':%s,'args':%j,'workingDir':'/data/db',"
		   "'env':[{'name':'SERVICE_NAME','value':%s},{'name':'NAMESPACE','value':%s},"
		   "{'name':'MONGODB_PORT','value':'27017'},{'name':'MONGODB_REPLSET','value':%s}],"
		   "'envFrom':[{'secretRef':{'name':%s,'optional':false}}],"
		   "'ports':[{'name':'mongodb','containerPort':27017,'protocol':'TCP'}],"
		   "'readinessProbe':{'tcpSocket':{'port':27017},'periodSeconds':1,'failureThreshold':8},"
		   "'volumeMounts':[{'name':'mongod-data','mountPath':'/data/db'},"
		   "{'name':%s,'mountPath':'/etc/mongodb-secrets','readOnly':true},"
		   "{'name':%s,'mountPath':'/etc/mongodb-encryption','readOnly':true}]}",
		   cr->image, json_root(args), cr->name, cr->namespace_, set->name, cr->internal_secret,
		   cr->keyfile_secret, cr->encryption_secret);
}

static bool agent_container(const struct cr *cr, const struct cr_set *set, struct json **ret, struct err *err)
{
	CLEANUP(json) struct json *agent = NULL;

	if (!json_format(&agent, err,
		"{'name':'backup-agent','image':%s,'args':['pbm-agent'],"
		"'env':[{'name':'PBM_AGENT_MONGODB_USERNAME','valueFrom':{'secretKeyRef':"
		"{'name':%s,'key':'MONGODB_BACKUP_USER','optional':false}}},"
		"{'name':'PBM_AGENT_MONGODB_PASSWORD','valueFrom':{'secretKeyRef':"
		"{'name':%s,'key':'MONGODB_BACKUP_PASSWORD','optional':false}}},"
		"{'name':'PBM_MONGODB_REPLSET','value':%s},{'name':'PBM_MONGODB_PORT','value':'27017'}]}",
		cr->backup_image, cr->internal_secret, cr->internal_secret, set->name) ||
	    (cr->topology == CR_SHARDED &&
		!json_set_format(json_edit(agent), "env/-", err, "{'name':'SHARDED','value':'TRUE'}")))
		return false;
	*ret = TAKE(agent);
	return true;
}

static bool pod_volumes(const struct cr *cr, struct json **ret, struct err *err)
{
	return json_format(ret, err,
	    "[{'name':%s,'secret':{'secretName':%s,'defaultMode':256,'optional':false}},"
	    "{'name':%s,'secret':{'secretName':%s,'defaultMode':256,'optional':false}}]",
	    cr->keyfile_secret, cr->keyfile_secret, cr->encryption_secret, cr->encryption_secret);
}

static bool pod_template(
    const struct cr *cr, const struct cr_set *set, const json_node *labels, struct json **ret, struct err *err)
{
	CLEANUP(json) struct json *mongod = NULL;
	CLEANUP(json) struct json *agent = NULL;
	CLEANUP(json) struct json *volumes = NULL;
	CLEANUP(json) struct json *template = NULL;

	if (!mongod_container(cr, set, &mongod, err) || !pod_volumes(cr, &volumes, err) ||
	    !json_format(&template, err,
		"{'metadata':{'labels':%j},'spec':{'restartPolicy':'Always','terminationGracePeriodSeconds':60,"
		"'containers':[%j],'volumes':%j}}",
		labels, json_root(mongod), json_root(volumes)))
		return false;
	if (cr->backups && (!agent_container(cr, set, &agent, err) ||
			       !json_set_copy(json_edit(template), "spec/containers/-", json_root(agent), err)))
		return false;
	*ret = TAKE(template);
	return true;
}

/* The claim as the psmdb has it, with the access mode that the operator adds. */
static bool claim_spec(const struct cr_set *set, struct json **ret, struct err *err)
{
	const json_node *claim = json_at(set->volume, "persistentVolumeClaim");
	CLEANUP(json) struct json *spec = NULL;

	if (!(json_is_object(claim) ? json_clone(claim, &spec, err)
				    : json_format(&spec, err, "{'resources':{'requests':{'storage':'1Gi'}}}")))
		return false;
	if (!json_at(json_root(spec), "accessModes") &&
	    !json_set_format(json_edit(spec), "accessModes", err, "['ReadWriteOnce']"))
		return false;
	*ret = TAKE(spec);
	return true;
}

/* A claim a pod, unless the psmdb wants a folder that dies with the pod. */
static bool add_data(json_node *object, const struct cr_set *set, const json_node *labels, struct err *err)
{
	CLEANUP(json) struct json *claim = NULL;

	if (json_is_object(json_at(set->volume, "emptyDir")))
		return json_set_format(object, "spec/template/spec/volumes/-", err,
		    "{'name':'mongod-data','emptyDir':%j}", json_at(set->volume, "emptyDir"));
	return claim_spec(set, &claim, err) && json_set_format(object, "spec/volumeClaimTemplates", err,
						   "[{'apiVersion':'v1','kind':'PersistentVolumeClaim',"
						   "'metadata':{'name':'mongod-data','labels':%j},'spec':%j}]",
						   labels, json_root(claim));
}

bool desired_set(const struct cr *cr, const struct cr_set *set, int replicas, struct json **ret, struct err *err)
{
	struct op_name name = op_name("%s-%s", cr->name, set->name);
	CLEANUP(json) struct json *labels = NULL;
	CLEANUP(json) struct json *meta = NULL;
	CLEANUP(json) struct json *template = NULL;
	CLEANUP(json) struct json *object = NULL;

	return op_labels(cr->name, component_of(set), set->name, &labels, err) &&
	       metadata(cr, name.text, json_root(labels), true, &meta, err) &&
	       pod_template(cr, set, json_root(labels), &template, err) &&
	       json_format(&object, err,
		   "{'apiVersion':'apps/v1','kind':'StatefulSet','metadata':%j,'spec':{'serviceName':%s,"
		   "'replicas':%d,'podManagementPolicy':'Parallel','selector':{'matchLabels':%j},'template':%j,"
		   "'updateStrategy':{'type':'OnDelete'}}}",
		   json_root(meta), name.text, replicas, json_root(labels), json_root(template)) &&
	       add_data(json_edit(object), set, json_root(labels), err) && seal(&object, ret, err);
}

bool desired_set_service(const struct cr *cr, const struct cr_set *set, struct json **ret, struct err *err)
{
	CLEANUP(json) struct json *labels = NULL;
	CLEANUP(json) struct json *meta = NULL;
	CLEANUP(json) struct json *object = NULL;

	return op_labels(cr->name, component_of(set), set->name, &labels, err) &&
	       metadata(cr, op_name("%s-%s", cr->name, set->name).text, json_root(labels), true, &meta, err) &&
	       json_format(&object, err,
		   "{'apiVersion':'v1','kind':'Service','metadata':%j,'spec':{'clusterIP':'None','selector':%j,"
		   "'ports':[{'name':'mongodb','port':27017,'targetPort':27017,'protocol':'TCP'}]}}",
		   json_root(meta), json_root(labels)) &&
	       seal(&object, ret, err);
}

bool desired_set_budget(const struct cr *cr, const struct cr_set *set, struct json **ret, struct err *err)
{
	const char *component = component_of(set);
	CLEANUP(json) struct json *labels = NULL;
	CLEANUP(json) struct json *meta = NULL;
	CLEANUP(json) struct json *object = NULL;

	return op_labels(cr->name, component, set->name, &labels, err) &&
	       metadata(
		   cr, op_name("%s-%s-%s", cr->name, component, set->name).text, json_root(labels), true, &meta, err) &&
	       json_format(&object, err,
		   "{'apiVersion':'policy/v1','kind':'PodDisruptionBudget','metadata':%j,"
		   "'spec':{'maxUnavailable':1,'selector':{'matchLabels':%j}}}",
		   json_root(meta), json_root(labels)) &&
	       seal(&object, ret, err);
}

bool desired_mongos_service(const struct cr *cr, struct json **ret, struct err *err)
{
	CLEANUP(json) struct json *labels = NULL;
	CLEANUP(json) struct json *meta = NULL;
	CLEANUP(json) struct json *object = NULL;

	if (!op_labels(cr->name, "mongos", NULL, &labels, err) ||
	    !metadata(cr, op_name("%s-mongos", cr->name).text, json_root(labels), true, &meta, err) ||
	    !json_format(&object, err,
		"{'apiVersion':'v1','kind':'Service','metadata':%j,'spec':{'type':'ClusterIP',"
		"'ports':[{'name':'mongos','port':27017,'targetPort':27017,'protocol':'TCP'}]}}",
		json_root(meta)))
		return false;
	if (cr->topology == CR_SHARDED && !json_set_copy(json_edit(object), "spec/selector", json_root(labels), err))
		return false;
	return seal(&object, ret, err);
}

bool desired_mongos_endpoints(const struct cr *cr, const char *address, struct json **ret, struct err *err)
{
	CLEANUP(json) struct json *labels = NULL;
	CLEANUP(json) struct json *meta = NULL;
	CLEANUP(json) struct json *object = NULL;

	if (!op_labels(cr->name, "mongos", NULL, &labels, err) ||
	    !metadata(cr, op_name("%s-mongos", cr->name).text, json_root(labels), true, &meta, err) ||
	    !json_format(
		&object, err, "{'apiVersion':'v1','kind':'Endpoints','metadata':%j,'subsets':[]}", json_root(meta)))
		return false;
	if (address &&
	    !json_set_format(json_edit(object), "subsets/-", err,
		"{'addresses':[{'ip':%s}],'ports':[{'name':'mongos','port':27017,'protocol':'TCP'}]}", address))
		return false;
	return seal(&object, ret, err);
}

bool desired_mongos_note(const struct cr *cr, const char *address, struct json **ret, struct err *err)
{
	CLEANUP(json) struct json *object = NULL;

	return desired_mongos_endpoints(cr, NULL, &object, err) &&
	       json_set_text(
		   json_edit(object), "metadata/annotations/" LOOPBACK_BACKEND, address ? address : "", err) &&
	       seal(&object, ret, err);
}

static bool mongos_container(const struct cr *cr, const char *config_db, struct json **ret, struct err *err)
{
	return json_format(ret, err,
	    "{'name':'mongos','image':%s,'command':['mongos'],'args':['--bind_ip_all','--port=27017',"
	    "'--clusterAuthMode=keyFile','--keyFile=/etc/mongodb-secrets/mongodb-key','--configdb',%s],"
	    "'ports':[{'name':'mongos','containerPort':27017,'protocol':'TCP'}],"
	    "'readinessProbe':{'tcpSocket':{'port':27017},'periodSeconds':1,'failureThreshold':8},"
	    "'volumeMounts':[{'name':'mongod-data','mountPath':'/data/db'},"
	    "{'name':%s,'mountPath':'/etc/mongodb-secrets','readOnly':true}]}",
	    cr->image, config_db, cr->keyfile_secret);
}

bool desired_mongos(const struct cr *cr, const char *config_db, struct json **ret, struct err *err)
{
	struct op_name name = op_name("%s-mongos", cr->name);
	CLEANUP(json) struct json *labels = NULL;
	CLEANUP(json) struct json *meta = NULL;
	CLEANUP(json) struct json *container = NULL;
	CLEANUP(json) struct json *object = NULL;

	return op_labels(cr->name, "mongos", NULL, &labels, err) &&
	       metadata(cr, name.text, json_root(labels), true, &meta, err) &&
	       mongos_container(cr, config_db, &container, err) &&
	       json_format(&object, err,
		   "{'apiVersion':'apps/v1','kind':'StatefulSet','metadata':%j,'spec':{'serviceName':%s,"
		   "'replicas':%d,'podManagementPolicy':'Parallel','selector':{'matchLabels':%j},"
		   "'template':{'metadata':{'labels':%j},'spec':{'restartPolicy':'Always',"
		   "'terminationGracePeriodSeconds':30,'containers':[%j],"
		   "'volumes':[{'name':'mongod-data','emptyDir':{}},"
		   "{'name':%s,'secret':{'secretName':%s,'defaultMode':256,'optional':false}}]}},"
		   "'updateStrategy':{'type':'OnDelete'}}}",
		   json_root(meta), name.text, cr->mongos_size, json_root(labels), json_root(labels),
		   json_root(container), cr->keyfile_secret, cr->keyfile_secret) &&
	       seal(&object, ret, err);
}

bool desired_secret(
    const struct cr *cr, const char *name, const json_node *data, bool owned, struct json **ret, struct err *err)
{
	CLEANUP(json) struct json *labels = NULL;
	CLEANUP(json) struct json *meta = NULL;

	/* No digest: a Secret that is there is respected as it is. */
	return json_format(&labels, err,
		   "{'app.kubernetes.io/name':'percona-server-mongodb','app.kubernetes.io/instance':%s}", cr->name) &&
	       metadata(cr, name, json_root(labels), owned, &meta, err) &&
	       json_format(ret, err, "{'apiVersion':'v1','kind':'Secret','metadata':%j,'type':'Opaque','data':%j}",
		   json_root(meta), data);
}
