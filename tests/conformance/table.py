"""The requests of the conformance suite, in the order in which they are played against an API server that has the custom kinds of
sandbox/crds and is otherwise empty.

A row is an id (unique, what known.json and the TAP lines name), a method, a path, and options: see Row. Later rows may use what
earlier ones were answered: "${ID.metadata.uid}" in a path or a body is replaced.
"""
import dataclasses
import json
import typing

JSON, MERGE, JSON_PATCH, STRATEGIC, APPLY = ("application/json", "application/merge-patch+json", "application/json-patch+json",
                                             "application/strategic-merge-patch+json", "application/apply-patch+yaml")
TABLE = "application/json;as=Table;v=v1;g=meta.k8s.io,application/json"
PARTIAL = "application/json;as=PartialObjectMetadata;v=v1;g=meta.k8s.io,application/json"
PARTIAL_LIST = "application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io,application/json"


@dataclasses.dataclass
class Row:
    id: str
    method: str
    path: str
    body: typing.Any = None        # a tree, or bytes or text as they are
    type: str = JSON               # None: no Content-Type at all
    accept: str = "application/json"
    token: str = "admin"           # "admin", "wrong", "none"
    fields: tuple = None           # of the answer's body, in place of what normalise() takes of its kind
    versions: tuple = ()           # ids: is the answer's resourceVersion the same as theirs, another, or missing?
    until: int = None              # asked again until it answers with this status, or for 45 s
    until_has: str = None          # ... and until the body has this text
    message: bool = False          # the texts of a Status are compared, too
    empty_cells: bool = False      # in a table, null is told from an empty text


C = "/api/v1/namespaces/conf"
K = "/apis/config.kio.kasten.io/v1alpha1/namespaces/conf"
P = "/apis/psmdb.percona.com/v1/namespaces/conf"
RBAC = "/apis/rbac.authorization.k8s.io/v1/namespaces/conf"
CRDS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
POD = ("kind", "metadata.name", "metadata.labels", "spec.containers.0.name", "spec.containers.0.image", "spec.restartPolicy",
       "spec.nodeName", "status.phase")
NAMES = ("kind", "apiVersion", "items.*.metadata.name")


def cm(name, data=None, **meta):
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name, **meta}, "data": data or {"a": "1"}}


def policy(name, spec=None, **meta):
    return {"apiVersion": "config.kio.kasten.io/v1alpha1", "kind": "Policy", "metadata": {"name": name, **meta},
            **({"spec": spec} if spec is not None else {})}


def backup(name, **meta):
    return {"apiVersion": "psmdb.percona.com/v1", "kind": "PerconaServerMongoDBBackup", "metadata": {"name": name, **meta},
            "spec": {"clusterName": "c1", "storageName": "s3"}}


def pod(name, **meta):
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name, **meta}, "spec": {"containers": [{"name": "c", "image": "x"}]}}


def thing_crd(**spec):
    return {"apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition", "metadata": {"name": "things.example.org"},
            "spec": {"group": "example.org", "scope": "Namespaced",
                     "names": {"kind": "Thing", "listKind": "ThingList", "plural": "things", "singular": "thing", "shortNames": ["th"]},
                     "versions": [{"name": "v1", "served": True, "storage": True, "subresources": {"status": {}},
                                   "additionalPrinterColumns": [{"name": "Colour", "type": "string", "jsonPath": ".spec.colour"}],
                                   "schema": {"openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": True}}}], **spec}}


ROWS = []


def r(id, method, path, body=None, **options):
    ROWS.append(Row(id, method, path, body, **options))


# --- who may, versions, discovery
r("version", "GET", "/version", fields=("major", "minor", "platform"))
for path in ("healthz", "livez", "readyz"):
    r(f"{path}", "GET", f"/{path}")
    r(f"{path}-anonymous", "GET", f"/{path}", token="none")
r("version-anonymous", "GET", "/version", token="none", fields=("major",))
for path in ("/api", "/apis", "/openapi/v3", "/metrics", "/api/v1/nodes", C + "/secrets", C + "/pods/p", K + "/policies?watch=1"):
    r(f"anonymous {path}", "GET", path, token="none", message=True)
r("anonymous create", "POST", C + "/configmaps", cm("x"), token="none", message=True)
r("anonymous delete", "DELETE", C + "/configmaps/x", token="none", message=True)
r("anonymous unknown group", "GET", "/apis/nosuch.example.com/v1/things", token="none", message=True)
r("wrong token", "GET", C + "/pods", token="wrong", message=True)
r("wrong token for a health path", "GET", "/healthz", token="wrong")
r("wrong token create", "POST", C + "/configmaps", cm("x"), token="wrong")
r("api", "GET", "/api", fields=("kind", "versions"))
r("api/v1 configmaps", "GET", "/api/v1", fields=("kind", "groupVersion", "resources.name=configmaps"))
for name in ("bindings", "namespaces", "namespaces/status", "pods", "pods/status", "pods/log", "pods/binding", "secrets", "services", "persistentvolumeclaims", "events"):
    r(f"api/v1 {name}", "GET", "/api/v1", fields=(f"resources.name={name}",))
r("apps/v1 statefulsets", "GET", "/apis/apps/v1", fields=("groupVersion", "resources.name=statefulsets", "resources.name=statefulsets/status"))
r("groups: percona", "GET", "/apis", fields=("kind", "groups.name=psmdb.percona.com"))
r("groups: actions", "GET", "/apis", fields=("groups.name=actions.kio.kasten.io",))
r("group", "GET", "/apis/actions.kio.kasten.io", fields=("kind", "apiVersion", "name", "preferredVersion"))
r("kinds: percona", "GET", "/apis/psmdb.percona.com/v1")
r("kinds: actions", "GET", "/apis/actions.kio.kasten.io/v1alpha1", fields=("resources.name=runactions", "resources.name=runactions/status"))
r("kinds: backup actions", "GET", "/apis/actions.kio.kasten.io/v1alpha1", fields=("resources.name=backupactions",))
r("kinds: config", "GET", "/apis/config.kio.kasten.io/v1alpha1", fields=("resources.name=policies",))
r("no such group", "GET", "/apis/nosuch.example.com/v1")
r("no such group's kind", "GET", "/apis/nosuch.example.com/v1/things")
r("no such kind, custom group", "GET", "/apis/psmdb.percona.com/v1/nosuch")
r("no such kind, built-in group", "GET", "/api/v1/nosuch", message=True)
r("no such version", "GET", "/apis/psmdb.percona.com/v9/perconaservermongodbs")
r("no such path", "GET", "/nosuch")
r("openapi v2 as JSON", "GET", "/openapi/v2", fields=("swagger",))
r("openapi v3", "GET", "/openapi/v3", fields=("paths.api/v1.serverRelativeURL~",))
r("double slash", "GET", f"/{K}/policies")

# --- namespaces
r("list in a namespace that is not there", "GET", "/apis/psmdb.percona.com/v1/namespaces/nowhere/perconaservermongodbbackups")
r("list configmaps in a namespace that is not there", "GET", "/api/v1/namespaces/nowhere/configmaps")
r("create in a namespace that is not there", "POST", "/api/v1/namespaces/nowhere/configmaps", cm("x"), message=True)
r("namespace create", "POST", "/api/v1/namespaces", {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "conf", "labels": {"a": "b"}}})
r("namespace create again", "POST", "/api/v1/namespaces", {"metadata": {"name": "conf"}}, message=True)
r("namespace get", "GET", "/api/v1/namespaces/conf", versions=("namespace create",))
r("namespace label", "PATCH", "/api/v1/namespaces/conf", {"metadata": {"labels": {"c": "d"}}}, type=MERGE)
r("namespace bad name", "POST", "/api/v1/namespaces", {"metadata": {"name": "Bad_Name"}})
r("namespaces by label", "GET", "/api/v1/namespaces?labelSelector=a%3Db", fields=NAMES)
r("namespace put", "PUT", "/api/v1/namespaces/conf", {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "conf", "labels": {"a": "b"}}, "spec": {"finalizers": ["kubernetes"]}})
r("namespaces deletecollection", "DELETE", "/api/v1/namespaces")

# --- config maps and secrets
r("cm create", "POST", C + "/configmaps", cm("c1", {"a": "1", "b": "<&>"}))
r("cm create again", "POST", C + "/configmaps", cm("c1"), message=True)
r("cm get", "GET", C + "/configmaps/c1", versions=("cm create",))
r("cm get none", "GET", C + "/configmaps/none", message=True)
r("cm head", "HEAD", C + "/configmaps/c1")
r("cm collection head", "HEAD", C + "/configmaps")
r("cm create without kind", "POST", C + "/configmaps", {"metadata": {"name": "nokind"}, "data": {"a": "1"}})
r("cm create without content type", "POST", C + "/configmaps", cm("notype"), type=None)
r("cm create as text", "POST", C + "/configmaps", cm("x"), type="text/plain")
r("cm create as yaml", "POST", C + "/configmaps", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: fromyaml}\ndata: {k: v}\n", type="application/yaml")
r("cm generateName", "POST", C + "/configmaps", {"metadata": {"generateName": "gen-"}}, fields=("kind", "metadata.generateName"))
r("cm without name", "POST", C + "/configmaps", {"metadata": {}}, message=True)
r("cm bad name", "POST", C + "/configmaps", cm("Bad_Name"))
r("cm other namespace", "POST", C + "/configmaps", cm("x", namespace="other"), message=True)
r("cm other kind", "POST", C + "/configmaps", {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "x"}})
r("cm other version", "POST", C + "/configmaps", {"apiVersion": "v2", "kind": "ConfigMap", "metadata": {"name": "x"}})
r("cm bad json", "POST", C + "/configmaps", "{")
r("cm empty body", "POST", C + "/configmaps", "")
r("cm garbage behind", "POST", C + "/configmaps", '{"metadata":{"name":"x"}} x')
r("cm array body", "POST", C + "/configmaps", "[]")
r("cm wrong type", "POST", C + "/configmaps", {"metadata": {"name": "x"}, "data": {"a": 1}})
r("cm resourceVersion on create", "POST", C + "/configmaps", cm("x", resourceVersion="5"))
r("cm dry run", "POST", C + "/configmaps?dryRun=All", cm("dry"))
r("cm dry run is not there", "GET", C + "/configmaps/dry")
r("cm dry run maybe", "POST", C + "/configmaps?dryRun=maybe", cm("dry"))
r("cm unknown field", "POST", C + "/configmaps", {**cm("unknown"), "nonsense": 1})
r("cm unknown field strict", "POST", C + "/configmaps?fieldValidation=Strict", {**cm("unknown2"), "nonsense": 1})
r("cm too large", "POST", C + "/configmaps", cm("large", {"a": "x" * 3200000}), fields=("reason",))
r("cm put", "PUT", C + "/configmaps/c1", cm("c1", {"a": "2"}), versions=("cm create",))
r("cm put nothing new", "PUT", C + "/configmaps/c1", cm("c1", {"a": "2"}), versions=("cm put",))
r("cm put stale", "PUT", C + "/configmaps/c1", cm("c1", {"a": "3"}, resourceVersion="${cm create.metadata.resourceVersion}"), message=True)
r("cm put none", "PUT", C + "/configmaps/none", cm("none"))
r("cm put other name", "PUT", C + "/configmaps/c1", cm("c2"))
r("cm put other uid", "PUT", C + "/configmaps/c1", cm("c1", uid="11111111-2222-3333-4444-555555555555"))
r("cm put to collection", "PUT", C + "/configmaps", cm("c1"))
r("cm post to item", "POST", C + "/configmaps/c1", cm("c1"))
r("cm options", "OPTIONS", C + "/configmaps")
r("cm merge", "PATCH", C + "/configmaps/c1", {"data": {"a": None, "z": "26"}}, type=MERGE, versions=("cm put nothing new",))
r("cm merge nothing", "PATCH", C + "/configmaps/c1", {}, type=MERGE, versions=("cm merge",))
r("cm merge stale", "PATCH", C + "/configmaps/c1", {"metadata": {"resourceVersion": "${cm create.metadata.resourceVersion}"}, "data": {"a": "x"}}, type=MERGE)
r("cm merge other name", "PATCH", C + "/configmaps/c1", {"metadata": {"name": "c2"}}, type=MERGE)
r("cm merge other uid", "PATCH", C + "/configmaps/c1", {"metadata": {"uid": "11111111-2222-3333-4444-555555555555"}}, type=MERGE)
r("cm merge none", "PATCH", C + "/configmaps/none", {}, type=MERGE)
r("cm merge bad json", "PATCH", C + "/configmaps/c1", "{", type=MERGE)
r("cm merge label number", "PATCH", C + "/configmaps/c1", {"metadata": {"labels": {"a": 1}}}, type=MERGE)
r("cm merge bad label", "PATCH", C + "/configmaps/c1", {"metadata": {"labels": {"a b": "c"}}}, type=MERGE)
r("cm json patch", "PATCH", C + "/configmaps/c1", [{"op": "add", "path": "/data/j", "value": "1"}, {"op": "test", "path": "/data/j", "value": "1"}], type=JSON_PATCH)
r("cm json patch test fails", "PATCH", C + "/configmaps/c1", [{"op": "test", "path": "/data/j", "value": "2"}], type=JSON_PATCH)
r("cm json patch no such path", "PATCH", C + "/configmaps/c1", [{"op": "remove", "path": "/data/none"}], type=JSON_PATCH)
r("cm json patch that is none", "PATCH", C + "/configmaps/c1", {"op": "add"}, type=JSON_PATCH)
r("cm strategic", "PATCH", C + "/configmaps/c1", {"data": {"j": None, "s": "1"}}, type=STRATEGIC)
r("cm patch of unknown type", "PATCH", C + "/configmaps/c1", {}, type=JSON)
r("cm apply", "PATCH", C + "/configmaps/applied?fieldManager=one", cm("applied", {"k": "1", "l": "1"}), type=APPLY)
r("cm apply again", "PATCH", C + "/configmaps/applied?fieldManager=one", cm("applied", {"k": "1", "l": "1"}), type=APPLY, versions=("cm apply",))
r("cm apply by another", "PATCH", C + "/configmaps/applied?fieldManager=two", cm("applied", {"k": "2"}), type=APPLY)
r("cm apply forced", "PATCH", C + "/configmaps/applied?fieldManager=two&force=true", cm("applied", {"k": "2"}), type=APPLY)
r("cm apply gives up a field", "PATCH", C + "/configmaps/applied?fieldManager=one", cm("applied", {"m": "1"}), type=APPLY)
r("cm apply without manager", "PATCH", C + "/configmaps/applied", cm("applied"), type=APPLY)
r("cm apply with managedFields", "PATCH", C + "/configmaps/applied?fieldManager=one", cm("applied", managedFields=[{"manager": "x", "operation": "Apply", "apiVersion": "v1"}]), type=APPLY)
r("cm apply dry run", "PATCH", C + "/configmaps/applied?fieldManager=one&dryRun=All", cm("applied", {"m": "9"}), type=APPLY)
r("cm after dry run", "GET", C + "/configmaps/applied")
r("secret create", "POST", C + "/secrets", {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "s"}, "stringData": {"user": "admin"}, "data": {"key": "YQ=="}})
r("secret bad base64", "POST", C + "/secrets", {"metadata": {"name": "bad"}, "data": {"key": "!"}})
r("secret string wins", "PATCH", C + "/secrets/s", {"stringData": {"key": "b"}}, type=MERGE)
r("secret type stays", "PATCH", C + "/secrets/s", {"type": "kubernetes.io/tls"}, type=MERGE)
r("secret immutable", "POST", C + "/secrets", {"metadata": {"name": "fixed"}, "immutable": True, "stringData": {"a": "1"}})
r("secret immutable change", "PATCH", C + "/secrets/fixed", {"stringData": {"a": "2"}}, type=MERGE)

# --- lists, selectors, pages, tables
for i in range(6):
    r(f"page object {i}", "POST", K + "/policies", policy(f"page-{i}", {"n": i}, labels={"page": "yes", "n": str(i), **({"odd": "yes"} if i % 2 else {})}))
r("trailing slash", "GET", K + "/policies/?fieldSelector=metadata.name%3Dpage-2", fields=NAMES)
r("escaped path", "GET", K + "/polic%69es?label%53elector=n%20in%20(4)", fields=NAMES)
r("list", "GET", K + "/policies?labelSelector=page")
r("list of configmaps", "GET", C + "/configmaps?labelSelector=none")
r("list by label", "GET", K + "/policies?labelSelector=n+in+(1,3),page%3Dyes", fields=NAMES)
r("list by label not in", "GET", K + "/policies?labelSelector=page,n+notin+(1,3)", fields=NAMES)
r("list by label unequal", "GET", K + "/policies?labelSelector=page,n!%3D1", fields=NAMES)
r("list by absent label", "GET", K + "/policies?labelSelector=page,!odd", fields=NAMES)
r("list by greater label", "GET", K + "/policies?labelSelector=n+%3E+3", fields=NAMES)
r("list by bad label selector", "GET", K + "/policies?labelSelector=n+in+(", fields=("kind", "reason", "code"))
r("list by name", "GET", K + "/policies?fieldSelector=metadata.name%3Dpage-2", fields=NAMES)
r("list by other name", "GET", K + "/policies?labelSelector=page&fieldSelector=metadata.name!%3Dpage-2", fields=NAMES)
r("list by unknown field", "GET", K + "/policies?fieldSelector=spec.n%3D2")
r("list by bad field selector", "GET", K + "/policies?fieldSelector=nonsense")
r("list page 1", "GET", K + "/policies?limit=4&resourceVersion=", fields=NAMES + ("metadata.continue?", "metadata.remainingItemCount"))
r("list page 2", "GET", K + "/policies?limit=4&continue=${list page 1.metadata.continue}", fields=NAMES + ("metadata.continue?", "metadata.remainingItemCount"))
r("list page of a moment 1", "GET", K + "/policies?limit=4", fields=NAMES)
r("list page of a moment: created", "POST", K + "/policies", policy("page-45"))
r("list page of a moment: changed", "PATCH", K + "/policies/page-5", {"spec": {"n": 55}}, type=MERGE)
r("list page of a moment 2", "GET", K + "/policies?limit=4&continue=${list page of a moment 1.metadata.continue}", fields=NAMES + ("items.*.spec.n",),
  versions=("list page of a moment 1",))
r("list page of a moment: deleted", "DELETE", K + "/policies/page-45")
r("list page of a moment: changed back", "PATCH", K + "/policies/page-5", {"spec": {"n": 5}}, type=MERGE)
r("list page of another version", "GET", K + "/policies?limit=4&resourceVersion=7&continue=${list page 1.metadata.continue}", message=True)
r("list page with selector", "GET", K + "/policies?limit=2&labelSelector=page", fields=NAMES + ("metadata.continue?", "metadata.remainingItemCount"))
r("list bad continue", "GET", K + "/policies?limit=2&continue=nonsense", fields=("kind", "reason", "code"))
r("list bad limit", "GET", K + "/policies?limit=x", fields=("kind", "reason", "code"))
r("list limit from the cache", "GET", K + "/policies?limit=2&resourceVersion=0&labelSelector=page", fields=NAMES + ("metadata.continue?",))
r("list bad resourceVersion", "GET", K + "/policies?resourceVersion=x", fields=("kind", "reason", "code"))
r("list of the future", "GET", K + "/policies?resourceVersion=99999999", fields=("kind", "reason", "code", "details.causes.0.reason", "details.retryAfterSeconds"))
r("list of all namespaces", "GET", "/apis/config.kio.kasten.io/v1alpha1/policies?labelSelector=page", fields=NAMES)
r("list Exact without version", "GET", K + "/policies?resourceVersionMatch=Exact", fields=("kind", "reason", "code"))
r("collection head", "HEAD", K + "/policies")
r("table of custom objects", "GET", K + "/policies?labelSelector=page", accept=TABLE)
r("table of one", "GET", K + "/policies/page-1", accept=TABLE, empty_cells=True)
r("table of configmaps", "GET", C + "/configmaps?fieldSelector=metadata.name%3Dc1", accept=TABLE)
r("table of secrets", "GET", C + "/secrets?fieldSelector=metadata.name%3Ds", accept=TABLE)
r("table of namespaces", "GET", "/api/v1/namespaces?labelSelector=a%3Db", accept=TABLE)
r("table of psmdb backups", "GET", P + "/perconaservermongodbbackups", accept=TABLE)
r("table without objects", "GET", K + "/policies?labelSelector=page&includeObject=None", accept=TABLE)
r("partial metadata", "GET", K + "/policies/page-1", accept=PARTIAL)
r("partial metadata list", "GET", K + "/policies?labelSelector=page", accept=PARTIAL_LIST, fields=NAMES)
r("accept nothing that there is", "GET", C + "/configmaps/c1", accept="text/html", fields=("kind", "reason", "code"))
r("accept with a fallback", "GET", K + "/policies/page-1", accept="application/vnd.kubernetes.protobuf,application/json")
r("accept protobuf of a custom object", "GET", K + "/policies/page-1", accept="application/vnd.kubernetes.protobuf", fields=("kind",))
r("accept yaml", "GET", C + "/configmaps/fromyaml", accept="application/yaml")

# --- custom objects
r("custom create", "POST", K + "/policies", policy("num", {"n": 9007199254740991, "f": 1.0, "e": "<&>", "z": {"b": 1, "a": [1, None]}}))
r("custom create again", "POST", K + "/policies", policy("num"), message=True)
r("custom get", "GET", K + "/policies/num", versions=("custom create",))
r("custom big integer", "POST", K + "/policies", policy("big", {"n": 9007199254740993}))
r("custom 64 bits", "POST", K + "/policies", policy("wide", {"least": -9223372036854775808, "most": 9223372036854775807, "l": [{"n": 9007199254740995}, 1]}))
r("custom 64 bits merge", "PATCH", K + "/policies/wide", {"spec": {"least": -9007199254740993}}, type=MERGE)
r("custom 64 bits patch", "PATCH", K + "/policies/wide", [{"op": "test", "path": "/spec/most", "value": 9223372036854775807},
                                                          {"op": "copy", "from": "/spec/most", "path": "/spec/l/1"}], type=JSON_PATCH)
r("custom 64 bits near miss", "PATCH", K + "/policies/wide", [{"op": "test", "path": "/spec/l/0/n", "value": 9007199254740996}], type=JSON_PATCH)
r("custom 64 bits nothing new", "PATCH", K + "/policies/wide", {"spec": {"most": 9223372036854775807}}, type=MERGE, versions=("custom 64 bits patch",))
r("custom 64 bits apply", "PATCH", K + "/policies/wide?fieldManager=f&force=true", json.dumps(policy("wide", {"most": 9223372036854775806})), type=APPLY)
r("custom 64 bits get", "GET", K + "/policies/wide")
r("custom malformed number", "POST", K + "/policies", b'{"apiVersion":"config.kio.kasten.io/v1alpha1","kind":"Policy","metadata":{"name":"x"},"spec":{"n":01}}', fields=("reason", "code"))
r("custom get none", "GET", K + "/policies/NUM", message=True)
r("custom without kind", "POST", K + "/policies", {"metadata": {"name": "x"}})
r("custom other kind", "POST", K + "/policies", {**policy("x"), "kind": "Profile"})
r("custom other version", "POST", K + "/policies", {**policy("x"), "apiVersion": "config.kio.kasten.io/v1"})
r("custom other namespace", "POST", K + "/policies", policy("x", namespace="other"))
r("custom without name", "POST", K + "/policies", {**policy("x"), "metadata": {}}, message=True)
r("custom bad name", "POST", K + "/policies", policy("Bad_Name"))
r("custom to the cluster path", "POST", "/apis/config.kio.kasten.io/v1alpha1/policies", policy("x"))
r("cm to the cluster path", "POST", "/api/v1/configmaps", cm("x"))
r("custom post to item", "POST", K + "/policies/posted", policy("posted"))
r("custom put without version", "PUT", K + "/policies/num", policy("num", {"n": 1}))
r("custom put", "PUT", K + "/policies/num", policy("num", {"n": 1}, resourceVersion="${custom create.metadata.resourceVersion}"))
r("custom put stale", "PUT", K + "/policies/num", policy("num", {"n": 2}, resourceVersion="${custom create.metadata.resourceVersion}"), message=True)
r("custom put none", "PUT", K + "/policies/none", policy("none", resourceVersion="1"))
r("custom put to collection", "PUT", K + "/policies", policy("num"))
r("custom merge", "PATCH", K + "/policies/num", {"spec": {"n": -9007199254740991, "l": [1, 2]}}, type=MERGE, versions=("custom put",))
r("custom merge list", "PATCH", K + "/policies/num", {"spec": {"l": [3], "n": None}}, type=MERGE)
r("custom merge nothing", "PATCH", K + "/policies/num", {"spec": {"l": [3]}}, type=MERGE, versions=("custom merge list",))
r("custom merge labels", "PATCH", K + "/policies/num", {"metadata": {"labels": {"x": "1"}, "annotations": {"y": "2"}}}, type=MERGE)
r("custom merge timestamp", "PATCH", K + "/policies/num", {"metadata": {"creationTimestamp": "2020-01-01T00:00:00Z"}}, type=MERGE)
r("custom merge not an object", "PATCH", K + "/policies/num", "[]", type=MERGE)
r("custom strategic", "PATCH", K + "/policies/num", {"spec": {}}, type=STRATEGIC)
r("custom json patch", "PATCH", K + "/policies/num", [{"op": "replace", "path": "/spec/l", "value": []}, {"op": "copy", "from": "/spec/l", "path": "/spec/k"}, {"op": "move", "from": "/spec/k", "path": "/spec/m"}], type=JSON_PATCH)
r("custom json patch test fails", "PATCH", K + "/policies/num", [{"op": "test", "path": "/spec/l", "value": 1}], type=JSON_PATCH)
r("custom status by the main path", "PATCH", K + "/policies/num", {"status": {"state": "Complete"}}, type=MERGE, versions=("custom json patch",))
r("custom status", "PATCH", K + "/policies/num/status", {"status": {"state": "Complete"}, "spec": {"ignored": 1}}, type=MERGE, versions=("custom status by the main path",))
r("custom status get", "GET", K + "/policies/num/status")
r("custom status put", "PUT", K + "/policies/num/status", {**policy("num"), "status": {"state": "Failed"}, "metadata": {"name": "num", "resourceVersion": "${custom status.metadata.resourceVersion}"}})
r("custom status nothing new", "PATCH", K + "/policies/num/status", {"status": {"state": "Failed"}}, type=MERGE, versions=("custom status put",))
r("custom no such subresource", "GET", K + "/policies/num/nosuch", fields=("kind", "reason", "code"))
r("custom apply", "PATCH", K + "/policies/applied?fieldManager=one", policy("applied", {"k": 1, "l": {"a": 1}}), type=APPLY)
r("custom apply again", "PATCH", K + "/policies/applied?fieldManager=one", policy("applied", {"k": 1, "l": {"a": 1}}), type=APPLY, versions=("custom apply",))
r("custom apply by another", "PATCH", K + "/policies/applied?fieldManager=two", policy("applied", {"k": 2}), type=APPLY)
r("custom apply forced", "PATCH", K + "/policies/applied?fieldManager=two&force=true", policy("applied", {"k": 2}), type=APPLY)
r("custom apply gives up a field", "PATCH", K + "/policies/applied?fieldManager=one", policy("applied", {"l": {"b": 1}}), type=APPLY)
r("custom apply without manager", "PATCH", K + "/policies/applied", policy("applied"), type=APPLY)
r("custom apply json", "PATCH", K + "/policies/applied?fieldManager=one", policy("applied"), type="application/apply-patch+json")
r("custom apply other name", "PATCH", K + "/policies/applied?fieldManager=one", policy("other"), type=APPLY)
r("custom apply status", "PATCH", K + "/policies/applied/status?fieldManager=one", {**policy("applied"), "status": {"state": "Running"}}, type=APPLY)
r("custom dry run", "POST", K + "/policies?dryRun=All", policy("dry"))
r("custom dry run patch", "PATCH", K + "/policies/num?dryRun=All", {"spec": {"dry": 1}}, type=MERGE)
r("custom after dry run", "GET", K + "/policies/num")
r("psmdb backup", "POST", P + "/perconaservermongodbbackups", backup("b1", finalizers=["delete-backup"]))
r("psmdb backup status on create", "POST", P + "/perconaservermongodbbackups", {**backup("b2"), "status": {"state": "ready"}})
r("psmdb backup status", "PATCH", P + "/perconaservermongodbbackups/b2/status", {"status": {"state": "ready", "pbmName": "x"}}, type=MERGE)
r("psmdb backup table", "GET", P + "/perconaservermongodbbackups", accept=TABLE)
r("psmdb backup held", "DELETE", P + "/perconaservermongodbbackups/b1")
r("psmdb backup let go", "PATCH", P + "/perconaservermongodbbackups/b1", {"metadata": {"finalizers": None}}, type=MERGE)
r("psmdb backup gone", "GET", P + "/perconaservermongodbbackups/b1")

# --- pods, and what is around them
r("pod create", "POST", C + "/pods", pod("p", labels={"app": "a"}), fields=POD)
r("pod without containers", "POST", C + "/pods", {"metadata": {"name": "x"}, "spec": {"containers": []}})
r("pod merge label", "PATCH", C + "/pods/p", {"metadata": {"labels": {"b": "c"}}}, type=MERGE, fields=POD)
r("pod strategic image", "PATCH", C + "/pods/p", {"spec": {"containers": [{"name": "c", "image": "y"}]}}, type=STRATEGIC, fields=POD)
r("pod status", "PATCH", C + "/pods/p/status", {"status": {"phase": "Running", "podIP": "127.70.0.9"}}, type=MERGE, fields=POD + ("status.podIP",))
r("pod other", "POST", C + "/pods", pod("other"), fields=POD)
r("pods by phase", "GET", C + "/pods?fieldSelector=status.phase%3DRunning", fields=NAMES)
r("pods by another phase", "GET", C + "/pods?fieldSelector=status.phase!%3DRunning", fields=NAMES)
r("pod log without a node", "GET", C + "/pods/p/log")
r("pod log of none", "GET", C + "/pods/none/log")
r("pod log of no container", "GET", C + "/pods/p/log?container=none")
r("pod bind", "POST", C + "/pods/p/binding", {"apiVersion": "v1", "kind": "Binding", "metadata": {"name": "p"}, "target": {"apiVersion": "v1", "kind": "Node", "name": "n1"}})
r("pod bound", "GET", C + "/pods/p", fields=POD)
r("pod bind again", "POST", C + "/pods/p/binding", {"apiVersion": "v1", "kind": "Binding", "metadata": {"name": "p"}, "target": {"apiVersion": "v1", "kind": "Node", "name": "n2"}})
r("pod node by patch", "PATCH", C + "/pods/p", {"spec": {"nodeName": "n2"}}, type=MERGE, fields=("kind", "reason", "code"))
r("binding of no pod", "POST", C + "/bindings", {"apiVersion": "v1", "kind": "Binding", "metadata": {"name": "none"}, "target": {"apiVersion": "v1", "kind": "Node", "name": "n1"}})
r("binding without target", "POST", C + "/bindings", {"apiVersion": "v1", "kind": "Binding", "metadata": {"name": "p"}})
r("bindings list", "GET", C + "/bindings")
r("pods by node", "GET", C + "/pods?fieldSelector=spec.nodeName%3Dn1", fields=NAMES)
r("pod other delete", "DELETE", C + "/pods/other", fields=("kind", "metadata.name"))
r("table of pods", "GET", C + "/pods", accept=TABLE)
r("pod delete with grace", "DELETE", C + "/pods/p", {"gracePeriodSeconds": 7}, fields=POD + ("metadata.deletionGracePeriodSeconds", "metadata.deletionTimestamp?"))
r("pod is ending", "GET", C + "/pods/p", fields=("metadata.deletionTimestamp?", "metadata.deletionGracePeriodSeconds"))
r("pod delete at once, wrong uid", "DELETE", C + "/pods/p", {"gracePeriodSeconds": 0, "preconditions": {"uid": "11111111-2222-3333-4444-555555555555"}})
r("pod delete at once", "DELETE", C + "/pods/p", {"gracePeriodSeconds": 0, "preconditions": {"uid": "${pod create.metadata.uid}"}}, fields=("kind", "metadata.name", "status"), until=200)
r("pod is gone", "GET", C + "/pods/p", until=404)
r("pod on a node", "POST", C + "/pods", {**pod("q"), "spec": {"nodeName": "n1", "containers": [{"name": "c", "image": "x"}, {"name": "d", "image": "x"}]}}, fields=POD)
r("pod log needs a container", "GET", C + "/pods/q/log", message=True)
r("pod unbound delete", "POST", C + "/pods", pod("u"), fields=POD)
r("pod unbound is gone at once", "DELETE", C + "/pods/u", fields=("kind", "metadata.name"))
r("pod unbound was", "GET", C + "/pods/u")
r("service create", "POST", C + "/services", {"metadata": {"name": "svc"}, "spec": {"selector": {"app": "a"}, "ports": [{"port": 80}]}},
  fields=("kind", "spec.type", "spec.ports.*.port", "spec.selector", "spec.clusterIP?"))
r("service defaults", "GET", C + "/services/svc", fields=("spec.ports", "spec.sessionAffinity"))
r("service headless", "POST", C + "/services", {"metadata": {"name": "headless"}, "spec": {"clusterIP": "None", "ports": [{"port": 80, "name": "a"}]}},
  fields=("kind", "spec.type", "spec.ports.*.port", "spec.ports.*.name", "spec.clusterIP"))
r("service without ports", "POST", C + "/services", {"metadata": {"name": "x"}, "spec": {"selector": {"a": "b"}}})
r("table of services", "GET", C + "/services?fieldSelector=metadata.name%3Dheadless", accept=TABLE)
r("claim create", "POST", C + "/persistentvolumeclaims", {"metadata": {"name": "pvc"}, "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}},
  fields=("kind", "spec.accessModes", "spec.resources", "status.phase"))
r("table of claims", "GET", C + "/persistentvolumeclaims", accept=TABLE)
r("volume create", "POST", "/api/v1/persistentvolumes", {"metadata": {"name": "conf-pv"}, "spec": {"capacity": {"storage": "1Gi"}, "accessModes": ["ReadWriteOnce"],
  "persistentVolumeReclaimPolicy": "Delete", "hostPath": {"path": "/nowhere"}, "claimRef": {"namespace": "none", "name": "none"}}}, fields=("kind", "metadata.name"))
r("table of volumes", "GET", "/api/v1/persistentvolumes?fieldSelector=metadata.name%3Dconf-pv", accept=TABLE)
r("volume delete", "DELETE", "/api/v1/persistentvolumes/conf-pv", fields=("kind", "metadata.name"))
r("account create", "POST", C + "/serviceaccounts", {"metadata": {"name": "account"}}, fields=("kind", "metadata.name"))
r("table of accounts", "GET", C + "/serviceaccounts/account", accept=TABLE)
r("role create", "POST", RBAC + "/roles", {"metadata": {"name": "role"}, "rules": []}, fields=("kind", "metadata.name"))
r("table of roles", "GET", RBAC + "/roles/role", accept=TABLE)
r("role binding create", "POST", RBAC + "/rolebindings", {"metadata": {"name": "binding"}, "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "role"},
  "subjects": [{"kind": "ServiceAccount", "name": "account", "namespace": "conf"}]}, fields=("kind", "metadata.name"))
r("table of role bindings", "GET", RBAC + "/rolebindings/binding", accept=TABLE)
r("budget create", "POST", "/apis/policy/v1/namespaces/conf/poddisruptionbudgets", {"metadata": {"name": "budget"}, "spec": {"maxUnavailable": 1, "selector": {"matchLabels": {"app": "b"}}}},
  fields=("kind", "metadata.name"))
r("table of budgets", "GET", "/apis/policy/v1/namespaces/conf/poddisruptionbudgets", accept=TABLE)
r("claim to delete", "POST", C + "/persistentvolumeclaims", {"metadata": {"name": "gone"}, "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}},
  fields=("kind", "metadata.name"))
r("claim delete", "DELETE", C + "/persistentvolumeclaims/gone", fields=("kind", "metadata.name"))
r("claim defaults", "GET", C + "/persistentvolumeclaims/pvc", fields=("spec.volumeMode",))
r("statefulset create", "POST", "/apis/apps/v1/namespaces/conf/statefulsets", {"metadata": {"name": "set"}, "spec": {"replicas": 2, "serviceName": "svc", "selector": {"matchLabels": {"app": "a"}},
  "template": {"metadata": {"labels": {"app": "a"}}, "spec": {"containers": [{"name": "c", "image": "x"}]}}}}, fields=("kind", "metadata.generation", "spec.replicas"))
r("statefulset defaults", "POST", "/apis/apps/v1/namespaces/conf/statefulsets?dryRun=All", {"metadata": {"name": "default"}, "spec": {"serviceName": "svc", "selector": {"matchLabels": {"app": "a"}},
  "template": {"metadata": {"labels": {"app": "a"}}, "spec": {"containers": [{"name": "c", "image": "x"}]}}}}, fields=("spec.replicas", "spec.podManagementPolicy", "status.replicas"))
r("statefulset scale", "PATCH", "/apis/apps/v1/namespaces/conf/statefulsets/set", {"spec": {"replicas": 0}}, type=MERGE, fields=("metadata.generation", "spec.replicas"))
r("statefulset status", "PATCH", "/apis/apps/v1/namespaces/conf/statefulsets/set/status", {"status": {"replicas": 1, "readyReplicas": 1}}, type=MERGE, fields=("metadata.generation", "status.readyReplicas"))
r("statefulset wrong selector", "POST", "/apis/apps/v1/namespaces/conf/statefulsets", {"metadata": {"name": "bad"}, "spec": {"selector": {"matchLabels": {"app": "b"}},
  "template": {"metadata": {"labels": {"app": "a"}}, "spec": {"containers": [{"name": "c", "image": "x"}]}}}})
r("deployment create", "POST", "/apis/apps/v1/namespaces/conf/deployments", {"metadata": {"name": "dep"}, "spec": {"selector": {"matchLabels": {"app": "a"}},
  "template": {"metadata": {"labels": {"app": "a"}}, "spec": {"containers": [{"name": "c", "image": "x"}]}}}}, fields=("kind", "metadata.name", "metadata.generation", "spec.selector"))
r("table of deployments", "GET", "/apis/apps/v1/namespaces/conf/deployments", accept=TABLE)
r("table of statefulsets", "GET", "/apis/apps/v1/namespaces/conf/statefulsets/set", accept=TABLE)
r("deployment defaults", "POST", "/apis/apps/v1/namespaces/conf/deployments?dryRun=All", {"metadata": {"name": "default"}, "spec": {"selector": {"matchLabels": {"app": "a"}},
  "template": {"metadata": {"labels": {"app": "a"}}, "spec": {"containers": [{"name": "c", "image": "x"}]}}}}, fields=("spec.replicas", "spec.strategy.type"))
r("endpoints of this machine", "POST", C + "/endpoints", {"metadata": {"name": "local"}, "subsets": [{"addresses": [{"ip": "127.70.0.9"}], "ports": [{"port": 80}]}]}, fields=("kind", "reason", "code"))
r("lease create", "POST", "/apis/coordination.k8s.io/v1/namespaces/conf/leases", {"metadata": {"name": "l"}, "spec": {"holderIdentity": "a", "leaseDurationSeconds": 15}})
r("lease put stale", "PUT", "/apis/coordination.k8s.io/v1/namespaces/conf/leases/l", {"metadata": {"name": "l", "resourceVersion": "1"}, "spec": {"holderIdentity": "b"}})
r("event create", "POST", C + "/events", {"metadata": {"name": "e"}, "involvedObject": {"kind": "Pod", "name": "q", "namespace": "conf"}, "reason": "Made", "message": "m", "type": "Normal"},
  fields=("kind", "reason", "message", "type"))
r("service account delete", "POST", C + "/serviceaccounts", {"metadata": {"name": "who"}}, fields=("kind", "metadata.name"))
r("service account deleted", "DELETE", C + "/serviceaccounts/who", fields=("kind", "metadata.name", "status"))
r("self review", "POST", "/apis/authentication.k8s.io/v1/selfsubjectreviews", {"apiVersion": "authentication.k8s.io/v1", "kind": "SelfSubjectReview"}, fields=("kind", "status.userInfo.username"))
r("access review", "POST", "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews",
  {"apiVersion": "authorization.k8s.io/v1", "kind": "SelfSubjectAccessReview", "spec": {"resourceAttributes": {"verb": "get", "resource": "pods", "namespace": "conf"}}}, fields=("kind", "status.allowed"))

# --- deletes
r("delete cm", "DELETE", C + "/configmaps/nokind")
r("delete cm again", "DELETE", C + "/configmaps/nokind", message=True)
r("delete dry run", "DELETE", C + "/configmaps/c1?dryRun=All")
r("delete wrong uid", "DELETE", C + "/configmaps/c1", {"preconditions": {"uid": "11111111-2222-3333-4444-555555555555"}})
r("delete stale", "DELETE", C + "/configmaps/c1", {"preconditions": {"resourceVersion": "${cm create.metadata.resourceVersion}"}})
r("delete with a bad policy", "DELETE", C + "/configmaps/c1", {"propagationPolicy": "Nonsense"})
r("delete with malformed options", "DELETE", C + "/configmaps/c1", "{", fields=("kind", "reason", "code"))
r("hold", "POST", K + "/policies", policy("held", {"a": 1}, finalizers=["example.org/a", "example.org/b"]))
r("delete held", "DELETE", K + "/policies/held")
r("delete held again", "DELETE", K + "/policies/held", versions=("delete held",))
r("create while going", "POST", K + "/policies", policy("held"), message=True)
r("add a finalizer while going", "PATCH", K + "/policies/held", {"metadata": {"finalizers": ["example.org/a", "example.org/c"]}}, type=MERGE)
r("change spec while going", "PATCH", K + "/policies/held", {"spec": {"a": 2}}, type=MERGE)
r("let go one", "PATCH", K + "/policies/held", {"metadata": {"finalizers": ["example.org/b"]}}, type=MERGE)
r("let go", "PATCH", K + "/policies/held", {"metadata": {"finalizers": []}}, type=MERGE)
r("held is gone", "GET", K + "/policies/held")
r("owner", "POST", K + "/policies", policy("owner"))
for how in ("Background", "Foreground", "Orphan"):
    r(f"owner {how}", "POST", K + "/policies", policy(f"owner-{how.lower()}"))
    r(f"owned {how}", "POST", C + "/configmaps", cm(f"owned-{how.lower()}", ownerReferences=[{"apiVersion": "config.kio.kasten.io/v1alpha1", "kind": "Policy",
      "name": f"owner-{how.lower()}", "uid": f"${{owner {how}.metadata.uid}}", "blockOwnerDeletion": True, "controller": True}]))
    r(f"delete {how}", "DELETE", K + f"/policies/owner-{how.lower()}", {"propagationPolicy": how})
    r(f"owner {how} is gone", "GET", K + f"/policies/owner-{how.lower()}", until=404)
    if how == "Orphan":
        r("owned Orphan stays", "GET", C + "/configmaps/owned-orphan", fields=("kind", "metadata.ownerReferences"))
    else:
        r(f"owned {how} is gone", "GET", C + f"/configmaps/owned-{how.lower()}", until=404)
r("owner of no uid", "POST", C + "/configmaps", cm("nouid", ownerReferences=[{"apiVersion": "v1", "kind": "ConfigMap", "name": "x"}]))
r("owner that never was", "POST", C + "/configmaps", cm("stray", ownerReferences=[{"apiVersion": "v1", "kind": "ConfigMap", "name": "x", "uid": "11111111-2222-3333-4444-555555555555"}]))
r("stray is gone", "GET", C + "/configmaps/stray", until=404)
r("deletecollection", "DELETE", K + "/policies?labelSelector=n+in+(0,1)", fields=NAMES)
r("deletecollection of nothing", "DELETE", K + "/policies?labelSelector=none", fields=NAMES)
r("deletecollection left", "GET", K + "/policies?labelSelector=page", fields=NAMES)
r("deletecollection of all namespaces", "DELETE", "/apis/config.kio.kasten.io/v1alpha1/policies", fields=("kind", "reason", "code"))

# --- watches: what happened since a version, so that nothing need be timed
r("watch from", "GET", K + "/policies?labelSelector=none", fields=("kind",))
r("w create", "POST", K + "/policies", policy("w", {"a": 1}, labels={"w": "1"}))
r("w change", "PATCH", K + "/policies/w", {"spec": {"a": 2}}, type=MERGE)
r("w unlabel", "PATCH", K + "/policies/w", {"metadata": {"labels": {"w": None}}}, type=MERGE)
r("w label", "PATCH", K + "/policies/w", {"metadata": {"labels": {"w": "2"}}}, type=MERGE)
r("w delete", "DELETE", K + "/policies/w")
SINCE = "watch=1&timeoutSeconds=2&resourceVersion=${watch from.metadata.resourceVersion}"
r("watch", "GET", K + "/policies?" + SINCE)
r("watch a selector", "GET", K + "/policies?labelSelector=w&" + SINCE)
r("watch a name", "GET", K + "/policies?fieldSelector=metadata.name%3Dw&" + SINCE)
r("watch another name", "GET", K + "/policies?fieldSelector=metadata.name%3Dnone&" + SINCE)
r("watch all namespaces", "GET", "/apis/config.kio.kasten.io/v1alpha1/policies?" + SINCE)
r("watch with bookmarks", "GET", K + "/policies?fieldSelector=metadata.name%3Dw&allowWatchBookmarks=true&" + SINCE)
r("watch from the beginning", "GET", K + "/policies?watch=1&timeoutSeconds=1&labelSelector=page")
r("watch from 0", "GET", K + "/policies?watch=1&timeoutSeconds=1&labelSelector=page&resourceVersion=0")
r("watch a namespace that is not there", "GET", "/api/v1/namespaces/nowhere/configmaps?watch=1&timeoutSeconds=1")
r("watch from a version that is none", "GET", K + "/policies?watch=1&timeoutSeconds=1&resourceVersion=x", fields=("kind", "reason", "code"))
r("watch the future", "GET", K + "/policies?watch=1&timeoutSeconds=1&resourceVersion=99999999")
r("watch an item", "GET", K + "/policies/page-2?watch=1", fields=("kind", "metadata.name"))
r("watch with initial events", "GET", K + "/policies?watch=1&timeoutSeconds=1&sendInitialEvents=true&resourceVersionMatch=NotOlderThan", fields=("kind", "reason", "code"))
r("watch partial metadata", "GET", K + "/policies?watch=1&timeoutSeconds=1&labelSelector=page", accept=PARTIAL)
r("watch tables", "GET", K + "/policies?watch=1&timeoutSeconds=1&labelSelector=n%3D2", accept=TABLE)
r("watch configmaps", "GET", C + "/configmaps?watch=1&timeoutSeconds=1&fieldSelector=metadata.name%3Dc1")

# --- definitions
r("crd create", "POST", CRDS, thing_crd(), fields=("kind", "metadata.name", "spec.names", "spec.scope"))
r("crd create again", "POST", CRDS, thing_crd(), message=True)
r("crd bad name", "POST", CRDS, {**thing_crd(), "metadata": {"name": "x.example.org"}}, fields=("kind", "reason", "code"))
r("crd without schema", "POST", CRDS, {**thing_crd(), "metadata": {"name": "things.other.org"}, "spec": {"group": "other.org", "scope": "Namespaced",
  "names": {"kind": "Thing", "plural": "things"}, "versions": [{"name": "v1", "served": True, "storage": True}]}}, fields=("kind", "reason", "code"))
r("crd established", "GET", CRDS + "/things.example.org", until=200, until_has='"Established","status":"True"', fields=("metadata.name", "spec.names", "status.acceptedNames", "status.storedVersions"))
r("crd served", "GET", "/apis/example.org/v1/namespaces/conf/things", until=200)
r("crd discovered", "GET", "/apis/example.org/v1", until=200)
r("thing create", "POST", "/apis/example.org/v1/namespaces/conf/things", {"apiVersion": "example.org/v1", "kind": "Thing", "metadata": {"name": "t"}, "spec": {"colour": "red"}}, until=201)
r("thing table", "GET", "/apis/example.org/v1/namespaces/conf/things", accept=TABLE)
r("thing scale", "GET", "/apis/example.org/v1/namespaces/conf/things/t/scale", fields=("kind", "reason", "code"))
r("crd delete", "DELETE", CRDS + "/things.example.org", fields=("kind", "metadata.name", "status"))
r("crd gone", "GET", CRDS + "/things.example.org", until=404)
r("crd's kind gone", "GET", "/apis/example.org/v1/namespaces/conf/things", until=404)

# --- the end of a namespace
r("end: namespace", "POST", "/api/v1/namespaces", {"metadata": {"name": "conf-end"}})
r("end: held", "POST", "/apis/config.kio.kasten.io/v1alpha1/namespaces/conf-end/policies", policy("held", finalizers=["example.org/a"]))
r("end: other", "POST", "/api/v1/namespaces/conf-end/configmaps", cm("other"))
r("end: delete", "DELETE", "/api/v1/namespaces/conf-end")
r("end: create is refused", "POST", "/api/v1/namespaces/conf-end/configmaps", cm("late"), message=True)
r("end: again", "DELETE", "/api/v1/namespaces/conf-end", fields=("kind", "status.phase"))
r("end: other is gone", "GET", "/api/v1/namespaces/conf-end/configmaps/other", until=404)
r("end: what remains", "GET", "/api/v1/namespaces/conf-end", until=200, until_has='"NamespaceFinalizersRemaining","status":"True"',
  fields=("status.phase", "status.conditions.type=NamespaceContentRemaining", "status.conditions.type=NamespaceFinalizersRemaining"))
r("end: held stays", "GET", "/apis/config.kio.kasten.io/v1alpha1/namespaces/conf-end/policies/held")
r("end: let go", "PATCH", "/apis/config.kio.kasten.io/v1alpha1/namespaces/conf-end/policies/held", {"metadata": {"finalizers": None}}, type=MERGE)
r("end: gone", "GET", "/api/v1/namespaces/conf-end", until=404)
r("end: default stays", "DELETE", "/api/v1/namespaces/default")

assert len({row.id for row in ROWS}) == len(ROWS), "ids are unique"


def text_of(row):
    """The body as it is sent."""
    if row.body is None:
        return None
    return row.body if isinstance(row.body, (str, bytes)) else json.dumps(row.body)
