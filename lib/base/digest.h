/* SHA-256, HMAC-SHA-256 and, where other programs' numbers come from it, MD5 (OpenSSL's), as values. */
#ifndef BASE_DIGEST_H
#define BASE_DIGEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SHA256_BYTES 32
#define SHA256_TEXT_MAX 65

struct sha256; /* a running hash */

struct sha256 *sha256_new(void); /* NULL: out of memory */
void sha256_free(struct sha256 *h);
void sha256_restart(struct sha256 *h);
void sha256_update(struct sha256 *h, const void *bytes, size_t len);
void sha256_finish(struct sha256 *h, unsigned char ret[static SHA256_BYTES]);

void sha256_of(const void *bytes, size_t len, unsigned char ret[static SHA256_BYTES]);
const char *sha256_text(const void *bytes, size_t len, char text[static SHA256_TEXT_MAX]);
void hmac_sha256(
    const void *key, size_t key_len, const void *bytes, size_t len, unsigned char ret[static SHA256_BYTES]);

#define MD5_BYTES 16
/* false: this OpenSSL has none (FIPS). */
bool md5_of(const void *bytes, size_t len, unsigned char ret[static MD5_BYTES]);

#endif
