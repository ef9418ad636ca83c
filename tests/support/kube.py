"""A small client of a Kubernetes API server, for tests: nothing of the project's own client is in it."""
import base64
import json
import re
import ssl
import urllib.error
import urllib.parse
import urllib.request


class Refused(Exception):
    def __init__(self, status, body):
        super().__init__(f"{status}: {body[:500]}")
        self.status, self.body = status, body


class Kube:
    """Reads the one server, token and authority of a kubeconfig as a sandbox writes it."""

    def __init__(self, kubeconfig):
        text = open(kubeconfig, encoding="utf-8").read()
        value = lambda key: re.search(rf'"?{key}"?:\s*"?([^\s",]+)', text).group(1)
        self.server, self.token = value("server"), value("token")
        self.tls = ssl.create_default_context(cadata=base64.b64decode(value("certificate-authority-data")).decode())

    def call(self, method, path, body=None, kind="application/json", timeout=30):
        request = urllib.request.Request(self.server + path, method=method, headers={"Authorization": f"Bearer {self.token}", "Content-Type": kind},
                                         data=None if body is None else json.dumps(body).encode())
        try:
            with urllib.request.urlopen(request, context=self.tls, timeout=timeout) as answer:
                return json.loads(answer.read())
        except urllib.error.HTTPError as e:
            raise Refused(e.code, e.read().decode(errors="replace")) from None

    def get(self, path):
        return self.call("GET", path)

    def there(self, path):
        try:
            return self.get(path)
        except Refused as e:
            if e.status == 404:
                return None
            raise

    def items(self, path, labels=None):
        return self.get(path + (f"?labelSelector={urllib.parse.quote(labels)}" if labels else ""))["items"]

    def merge(self, path, patch):
        return self.call("PATCH", path, patch, "application/merge-patch+json")

    def create(self, path, obj):
        return self.call("POST", path, obj)

    def delete(self, path):
        return self.call("DELETE", path)


def psmdb(namespace="mongo-ns", kind="perconaservermongodbs", name=""):
    return f"/apis/psmdb.percona.com/v1/namespaces/{namespace}/{kind}" + (f"/{name}" if name else "")


def core(kind, namespace="mongo-ns", name=""):
    return f"/api/v1/namespaces/{namespace}/{kind}" + (f"/{name}" if name else "")


def kasten(group, kind, namespace="kasten-io", name=""):
    return f"/apis/{group}.kio.kasten.io/v1alpha1/namespaces/{namespace}/{kind}" + (f"/{name}" if name else "")
