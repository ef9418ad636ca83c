/* OpenSSL has a type of the name of one of our error codes. */
#define ERR_STATE OPENSSL_ERR_STATE
#include <openssl/evp.h>
#undef ERR_STATE

#include "sandbox/kasten/seal.h"

#include "base/cleanup.h"
#include "base/uuid.h"

#include <limits.h>
#include <string.h>

#define NONCE 12
#define TAG 16

static void cleanup_cipher(EVP_CIPHER_CTX **c)
{
	EVP_CIPHER_CTX_free(*c);
}
#define CIPHER_CLEANUP __attribute__((cleanup(cleanup_cipher)))

static bool refuse(struct err *err)
{
	return err_set(err, ERR_BROKEN, "cipher: message authentication failed");
}

static bool encrypt(EVP_CIPHER_CTX *c, const unsigned char *key, const unsigned char *nonce, const char *about,
    const void *plain, size_t len, unsigned char *out, unsigned char *tag)
{
	int done = 0, more = 0;

	return EVP_EncryptInit_ex(c, EVP_aes_256_gcm(), NULL, key, nonce) == 1 &&
	       EVP_EncryptUpdate(c, NULL, &done, (const unsigned char *)about, (int)strlen(about)) == 1 &&
	       EVP_EncryptUpdate(c, out, &done, plain, (int)len) == 1 &&
	       EVP_EncryptFinal_ex(c, out + done, &more) == 1 && (size_t)(done + more) == len &&
	       EVP_CIPHER_CTX_ctrl(c, EVP_CTRL_GCM_GET_TAG, TAG, tag) == 1;
}

bool seal_close(const unsigned char key[static SEAL_KEY_BYTES], const char *about, const void *plain, size_t len,
    struct buf *out, struct err *err)
{
	CIPHER_CLEANUP EVP_CIPHER_CTX *c = EVP_CIPHER_CTX_new();
	unsigned char nonce[NONCE], *at;

	if (!c)
		return err_nomem(err);
	if (len > INT_MAX - SEAL_OVERHEAD || strlen(about) > INT_MAX)
		return err_set(err, ERR_LIMIT, "a message of more than %d bytes cannot be sealed", INT_MAX);
	if (!random_bytes(nonce, sizeof nonce, err) || !buf_reserve(out, len + SEAL_OVERHEAD, err))
		return false;
	at = (unsigned char *)out->data + out->len;
	memcpy(at, nonce, NONCE);
	if (!encrypt(c, key, nonce, about, plain, len, at + NONCE, at + NONCE + len))
		return err_set(err, ERR_BROKEN, "the cipher AES-256-GCM cannot be used");
	out->len += len + SEAL_OVERHEAD;
	out->data[out->len] = '\0';
	return true;
}

static bool decrypt(EVP_CIPHER_CTX *c, const unsigned char *key, const char *about, const unsigned char *bytes,
    size_t len, unsigned char *out)
{
	unsigned char tag[TAG];
	int done = 0, more = 0;

	memcpy(tag, bytes + NONCE + len, TAG);
	return EVP_DecryptInit_ex(c, EVP_aes_256_gcm(), NULL, key, bytes) == 1 &&
	       EVP_DecryptUpdate(c, NULL, &done, (const unsigned char *)about, (int)strlen(about)) == 1 &&
	       EVP_DecryptUpdate(c, out, &done, bytes + NONCE, (int)len) == 1 &&
	       EVP_CIPHER_CTX_ctrl(c, EVP_CTRL_GCM_SET_TAG, TAG, tag) == 1 &&
	       EVP_DecryptFinal_ex(c, out + done, &more) == 1 && (size_t)(done + more) == len;
}

bool seal_open(const unsigned char key[static SEAL_KEY_BYTES], const char *about, const void *bytes, size_t len,
    struct buf *out, struct err *err)
{
	CIPHER_CLEANUP EVP_CIPHER_CTX *c = EVP_CIPHER_CTX_new();
	size_t plain = len - SEAL_OVERHEAD;

	if (!c)
		return err_nomem(err);
	if (len < SEAL_OVERHEAD || len > INT_MAX || strlen(about) > INT_MAX)
		return refuse(err);
	if (!buf_reserve(out, plain ? plain : 1, err))
		return false;
	if (!decrypt(c, key, about, bytes, plain, (unsigned char *)out->data + out->len)) {
		explicit_bzero(out->data + out->len, plain);
		return refuse(err);
	}
	out->len += plain;
	out->data[out->len] = '\0';
	return true;
}
