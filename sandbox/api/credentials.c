/* OpenSSL has a type of the name of one of our error codes. */
#define ERR_STATE OPENSSL_ERR_STATE
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>
#undef ERR_STATE

#include "base/base64.h"
#include "base/cleanup.h"
#include "base/file.h"
#include "base/num.h"
#include "sandbox/api/credentials.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>

#define DAYS 3650
#define PEM_MAX 16384

CLEANUP_PTR(pkey, EVP_PKEY, EVP_PKEY_free)
CLEANUP_PTR(x509, X509, X509_free)
CLEANUP_PTR(bio, BIO, BIO_free_all)

static bool failed(struct err *err, const char *what)
{
	return err_set(err, ERR_IO, "OpenSSL cannot %s", what);
}

static bool path_of(const char *dir, const char *rest, char ret[static PATH_MAX], struct err *err)
{
	return snprintf(ret, PATH_MAX, "%s/%s", dir, rest) < PATH_MAX ||
	       err_set(err, ERR_LIMIT, "folder \"%.100s...\" has too long a path", dir);
}

static bool write_bio(BIO *bio, const char *path, struct err *err)
{
	char *bytes;
	long len = BIO_get_mem_data(bio, &bytes);

	return file_write_atomic(path, bytes, (size_t)len, 0600, err);
}

static bool write_pair(const char *dir, const char *name, X509 *cert, EVP_PKEY *key, struct err *err)
{
	CLEANUP(bio) BIO *cert_bio = BIO_new(BIO_s_mem());
	CLEANUP(bio) BIO *key_bio = BIO_new(BIO_s_secmem());
	char path[PATH_MAX], rest[64];

	if (!cert_bio || !key_bio || !PEM_write_bio_X509(cert_bio, cert) ||
	    !PEM_write_bio_PrivateKey(key_bio, key, NULL, NULL, 0, NULL, NULL))
		return failed(err, "write a certificate");
	snprintf(rest, sizeof rest, "api/tls/%s.key", name);
	if (!path_of(dir, rest, path, err) || !write_bio(key_bio, path, err))
		return false;
	snprintf(rest, sizeof rest, "api/tls/%s.crt", name);
	return path_of(dir, rest, path, err) && write_bio(cert_bio, path, err);
}

static bool add_extension(X509 *cert, X509 *issuer, int nid, const char *value)
{
	X509V3_CTX ctx;
	X509_EXTENSION *extension;
	bool ok;

	X509V3_set_ctx_nodb(&ctx);
	X509V3_set_ctx(&ctx, issuer, cert, NULL, NULL, 0);
	extension = X509V3_EXT_conf_nid(NULL, &ctx, nid, value);
	ok = extension && X509_add_ext(cert, extension, -1);
	X509_EXTENSION_free(extension);
	return ok;
}

/* names NULL: an authority's, or a client's if it is issued by another. */
static X509 *make_certificate(const char *name, EVP_PKEY *key, X509 *issuer, EVP_PKEY *issuer_key, const char *names)
{
	X509 *cert = X509_new();
	unsigned char serial[8];
	uint64_t number;
	bool ok;

	if (!cert || RAND_bytes(serial, sizeof serial) != 1)
		return X509_free(cert), NULL;
	memcpy(&number, serial, sizeof number);
	ok = X509_set_version(cert, 2) && ASN1_INTEGER_set_uint64(X509_get_serialNumber(cert), number >> 1) &&
	     X509_gmtime_adj(X509_getm_notBefore(cert), -3600) &&
	     X509_gmtime_adj(X509_getm_notAfter(cert), (long)DAYS * 86400) && X509_set_pubkey(cert, key) &&
	     X509_NAME_add_entry_by_txt(
		 X509_get_subject_name(cert), "CN", MBSTRING_ASC, (const unsigned char *)name, -1, -1, 0) &&
	     X509_set_issuer_name(cert, X509_get_subject_name(issuer ? issuer : cert));
	ok = ok &&
	     add_extension(cert, issuer ? issuer : cert, NID_basic_constraints,
		 issuer ? "critical,CA:FALSE" : "critical,CA:TRUE") &&
	     add_extension(cert, issuer ? issuer : cert, NID_key_usage,
		 issuer ? "critical,digitalSignature" : "critical,keyCertSign,cRLSign") &&
	     (!names || add_extension(cert, issuer, NID_subject_alt_name, names)) &&
	     (!issuer || add_extension(cert, issuer, NID_ext_key_usage, names ? "serverAuth" : "clientAuth"));
	if (ok && X509_sign(cert, issuer_key, EVP_sha256()))
		return cert;
	return X509_free(cert), NULL;
}

static bool make_tls(const char *dir, const char *address, struct err *err)
{
	CLEANUP(pkey) EVP_PKEY *ca_key = EVP_EC_gen("P-256");
	CLEANUP(pkey) EVP_PKEY *key = EVP_EC_gen("P-256");
	CLEANUP(pkey) EVP_PKEY *client_key = EVP_EC_gen("P-256");
	CLEANUP(x509) X509 *ca = NULL, *cert = NULL;
	CLEANUP(x509) X509 *client = NULL;
	char names[256];

	snprintf(
	    names, sizeof names, "IP:%s,IP:127.0.0.1,DNS:localhost,DNS:kubernetes,DNS:kubernetes.default.svc", address);
	ca = ca_key ? make_certificate("psmdb-sandbox-ca", ca_key, NULL, ca_key, NULL) : NULL;
	cert = ca && key ? make_certificate("kube-apiserver", key, ca, ca_key, names) : NULL;
	client = ca && client_key ? make_certificate("psmdb-sandbox-apiserver", client_key, ca, ca_key, NULL) : NULL;
	if (!cert || !client)
		return failed(err, "make a certificate");
	/* the server's last: it is what is looked for */
	return write_pair(dir, "ca", ca, ca_key, err) && write_pair(dir, "client", client, client_key, err) &&
	       write_pair(dir, "server", cert, key, err);
}

static bool random_token(char ret[static 65], struct err *err)
{
	unsigned char bytes[32];

	if (RAND_bytes(bytes, sizeof bytes) != 1)
		return failed(err, "make a token");
	hex_encode(bytes, sizeof bytes, ret);
	return true;
}

static bool write_kubeconfig(
    const char *dir, const char *file, const char *user, const char *token, const char *server, struct err *err)
{
	BUF_CLEANUP struct buf ca = BUF_INIT(PEM_MAX), ca64 = BUF_INIT(2 * PEM_MAX), text = BUF_INIT(4 * PEM_MAX);
	char path[PATH_MAX];

	return path_of(dir, "api/tls/ca.crt", path, err) && file_read(path, &ca, err) &&
	       base64_encode(ca.data, ca.len, &ca64, err) &&
	       buf_printf(&text, err,
		   "apiVersion: v1\nkind: Config\nclusters:\n- name: sandbox\n  cluster:\n    server: %s\n    "
		   "certificate-authority-data: %s\n"
		   "users:\n- name: %s\n  user:\n    token: %s\ncontexts:\n- name: sandbox\n  context:\n    cluster: "
		   "sandbox\n    user: %s\n"
		   "    namespace: default\ncurrent-context: sandbox\n",
		   server, buf_str(&ca64), user, token, user) &&
	       path_of(dir, file, path, err) && file_write_atomic(path, text.data, text.len, 0600, err);
}

static bool make_tokens(const char *dir, const char *server, struct err *err)
{
	char admin[65], system[65], path[PATH_MAX];
	BUF_CLEANUP struct buf text = BUF_INIT(1024);
	bool ok;

	ok = random_token(admin, err) && random_token(system, err) &&
	     write_kubeconfig(dir, "kubeconfig", "admin", admin, server, err) &&
	     write_kubeconfig(dir, "system.kubeconfig", "system:sandbox", system, server, err) &&
	     buf_printf(&text, err,
		 "%s,admin,admin,\"system:masters\"\n%s,system:sandbox,system:sandbox,\"system:masters\"\n", admin,
		 system) &&
	     path_of(dir, API_TOKENS, path, err) && file_write_atomic(path, text.data, text.len, 0600, err);
	OPENSSL_cleanse(admin, sizeof admin);
	OPENSSL_cleanse(system, sizeof system);
	if (text.data)
		OPENSSL_cleanse(text.data, text.len);
	return ok;
}

bool api_credentials_ensure(const char *dir, const char *address, uint16_t port, struct err *err)
{
	char path[PATH_MAX], server[128];

	snprintf(server, sizeof server, "https://%s:%u", address, port);
	if (!path_of(dir, "api/tls", path, err) || !file_make_dirs(path, 0700, err) ||
	    !path_of(dir, API_TLS_CERT, path, err))
		return false;
	if (!file_exists(path) && !make_tls(dir, address, err))
		return false;
	return path_of(dir, API_TOKENS, path, err) && (file_exists(path) || make_tokens(dir, server, err));
}
