/*
 * AES-256-GCM (OpenSSL's) over whole messages: what was sealed can be read, and shown to be unchanged, by whoever has the key.
 *
 * Layout: 12 random bytes, the cipher text, 16 bytes of authentication. "about" is authenticated with it and must be the same to
 * open it again, so that one sealed message cannot be put in the place of another.
 */
#ifndef SANDBOX_KASTEN_SEAL_H
#define SANDBOX_KASTEN_SEAL_H

#include "base/buf.h"

#define SEAL_KEY_BYTES 32
#define SEAL_OVERHEAD (12 + 16)

/* Appended to out. */
bool seal_close(const unsigned char key[static SEAL_KEY_BYTES], const char *about, const void *plain, size_t len,
    struct buf *out, struct err *err);
/*
 * Appended to out; nothing is on failure. BROKEN "cipher: message authentication failed", in Kasten's own words, for a wrong key,
 * a wrong about, and anything that was changed or is no sealed message at all.
 */
bool seal_open(const unsigned char key[static SEAL_KEY_BYTES], const char *about, const void *bytes, size_t len,
    struct buf *out, struct err *err);

#endif
