/* Any bytes as one or two kubeconfig files: a configuration that holds together, or one error. */
#include "kube/config_file.h"
#include "kube/exec.h"

#include <stdlib.h>
#include <string.h>

static void resolve(const char *text, size_t len)
{
	static struct config_files files;
	KUBE_CONFIG_CLEANUP struct kube_config c = {0}, copy = {0};
	const char *second = memmem(text, len, "\n%%%\n", 5);
	size_t first_len = second ? (size_t)(second - text) : len;
	struct err err = ERR_INIT;

	if (config_files_parse(&files, "/nowhere/config", text, first_len, &err) &&
	    (!second || config_files_parse(&files, "/nowhere/more", second + 5, len - first_len - 5, &err)) &&
	    config_files_resolve(&files, NULL, &c, &err)) {
		/* what everybody may rely on */
		if (!*c.server || !*c.namespace_ || !c.cert_pem != !c.key_pem || (c.ca_pem && c.insecure) ||
		    !kube_config_copy(&c, &copy, &err))
			abort();
	} else if (err.code == ERR_NONE || !*err.msg) {
		abort();
	}
	config_files_clear(&files);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct kube_credential credential = {0};
	struct err err = ERR_INIT;
	int64_t expires_ms;

	/* certificates are read from the files that a kubeconfig names: not from devices here */
	if (!memmem(data, size, "/dev", 4) && !memmem(data, size, "/proc", 5) && !memmem(data, size, "/sys", 4))
		resolve((const char *)data, size);
	if (kube_exec_parse(
		(const char *)data, size, "client.authentication.k8s.io/v1", &credential, &expires_ms, &err) &&
	    !credential.token && !(credential.cert_pem && credential.key_pem))
		abort();
	kube_credential_clear(&credential);
	return 0;
}
