#include "base/digest.h"

#include "base/num.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdlib.h>

struct sha256 {
	EVP_MD_CTX *ctx;
};

/* SHA-256 is built into every OpenSSL that can be linked: a failure here is a broken installation */
static void init(EVP_MD_CTX *ctx, const EVP_MD *type)
{
	if (!EVP_DigestInit_ex(ctx, type, NULL))
		abort();
}

struct sha256 *sha256_new(void)
{
	struct sha256 *h = malloc(sizeof *h);

	if (!h)
		return NULL;
	h->ctx = EVP_MD_CTX_new();
	if (!h->ctx) {
		free(h);
		return NULL;
	}
	init(h->ctx, EVP_sha256());
	return h;
}

void sha256_free(struct sha256 *h)
{
	if (!h)
		return;
	EVP_MD_CTX_free(h->ctx);
	free(h);
}

void sha256_restart(struct sha256 *h)
{
	/* the context keeps its algorithm: naming it again makes OpenSSL 3 look it up under a lock, which costs as much
	 * as hashing a line */
	init(h->ctx, NULL);
}

void sha256_update(struct sha256 *h, const void *bytes, size_t len)
{
	EVP_DigestUpdate(h->ctx, bytes, len);
}

void sha256_finish(struct sha256 *h, unsigned char ret[static SHA256_BYTES])
{
	EVP_DigestFinal_ex(h->ctx, ret, NULL);
}

void sha256_of(const void *bytes, size_t len, unsigned char ret[static SHA256_BYTES])
{
	if (!EVP_Digest(bytes, len, ret, NULL, EVP_sha256(), NULL))
		abort();
}

const char *sha256_text(const void *bytes, size_t len, char text[static SHA256_TEXT_MAX])
{
	unsigned char hash[SHA256_BYTES];

	sha256_of(bytes, len, hash);
	hex_encode(hash, sizeof hash, text);
	return text;
}

void hmac_sha256(const void *key, size_t key_len, const void *bytes, size_t len, unsigned char ret[static SHA256_BYTES])
{
	if (!HMAC(EVP_sha256(), key, (int)key_len, bytes, len, ret, NULL))
		abort();
}

bool md5_of(const void *bytes, size_t len, unsigned char ret[static MD5_BYTES])
{
	return EVP_Digest(bytes, len, ret, NULL, EVP_md5(), NULL) == 1;
}
