#include "sandbox/parts/secrets.h"

#include "base/file.h"
#include "base/num.h"
#include "doc/json_writer.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#define RANDOM_BYTES 16
/* What a URI, a shell, YAML and JSON would each stumble over if somebody forgot to quote. */
#define NASTY "p@ss:w/ord#%&?'\"\\ $x"

static const char *const names[SECRET_USER_COUNT] = {
#define X(id, name) name,
    SECRET_USERS(X)
#undef X
};

const char *secret_user_name(enum secret_user user)
{
	return names[user];
}

struct layout_path secret_user_file(const struct layout *l, enum secret_user user, const char *what)
{
	return layout_file(l, "secrets/%s-%s", names[user], what);
}

struct layout_path secret_s3_file(const struct layout *l, const char *what)
{
	return layout_file(l, "secrets/s3-%s", what);
}

void secrets_clear(struct secrets *s)
{
	explicit_bzero(s, sizeof *s);
}

bool uri_encode(struct buf *out, const char *text, struct err *err)
{
	for (; *text; text++) {
		bool plain = isalnum((unsigned char)*text) || strchr("-._~", *text);

		if (plain ? !buf_add_char(out, *text, err) : !buf_printf(out, err, "%%%02X", (unsigned char)*text))
			return false;
	}
	return true;
}

static bool write_secret(const char *path, const char *text, struct err *err)
{
	return file_write_atomic(path, text, strlen(text), 0600, err);
}

/* The prefix, then random hex digits. */
static bool make_secret(const char *path, const char *prefix, struct err *err)
{
	unsigned char bytes[RANDOM_BYTES];
	char hex[2 * RANDOM_BYTES + 1], text[SECRET_MAX];
	bool ok;

	if (file_exists(path))
		return true;
	if (!random_bytes(bytes, sizeof bytes, err))
		return false;
	hex_encode(bytes, sizeof bytes, hex);
	snprintf(text, sizeof text, "%s%s", prefix, hex);
	ok = write_secret(path, text, err);
	explicit_bzero(text, sizeof text);
	explicit_bzero(hex, sizeof hex);
	return ok;
}

static bool read_secret(const char *path, char ret[static SECRET_MAX], struct err *err)
{
	BUF_CLEANUP struct buf text = BUF_INIT(SECRET_MAX - 1);

	if (!file_read_secret(path, &text, err))
		return false;
	memcpy(ret, text.data, text.len + 1);
	return true;
}

/* What the S3 server is told: one identity that can use the two buckets and cannot make another. */
static bool write_s3_config(const struct layout *l, const struct secrets *s, struct err *err)
{
	static const char *const actions[] = {"Read", "Write", "List", "Tagging"};
	static const char *const buckets[] = {LAYOUT_BUCKET, LAYOUT_KASTEN_BUCKET};
	BUF_CLEANUP struct buf text = BUF_INIT(8192);
	struct json_writer w;

	json_writer_init(&w, &text);
	json_object(&w, NULL);
	json_array(&w, "identities");
	json_object(&w, NULL);
	json_put_string(&w, "name", "drill");
	json_array(&w, "credentials");
	json_object(&w, NULL);
	json_put_string(&w, "accessKey", s->s3_access);
	json_put_string(&w, "secretKey", s->s3_secret);
	json_end_object(&w);
	json_end_array(&w);
	json_array(&w, "actions");
	for (size_t i = 0; i < 2 * (sizeof actions / sizeof *actions); i++) {
		char action[64];

		snprintf(action, sizeof action, "%s:%s", actions[i / 2], buckets[i % 2]);
		json_put_string(&w, NULL, action);
	}
	json_end_array(&w);
	json_end_object(&w);
	json_end_array(&w);
	json_end_object(&w);
	return json_writer_ok(&w, err) &&
	       file_write_atomic(layout_file(l, "s3.json").text, text.data, text.len, 0600, err);
}

static bool make_all(const struct layout *l, struct err *err)
{
	if (!file_make_dirs(layout_file(l, "secrets").text, 0700, err))
		return false;
	/* A control plane's users and key file are the operator's business: Secrets in the API. */
	for (int i = 0; i < SECRET_USER_COUNT && !layout_is_control_plane(l); i++) {
		struct layout_path name = secret_user_file(l, (enum secret_user)i, "user");

		if (!file_exists(name.text) && !write_secret(name.text, names[i], err))
			return false;
		if (!make_secret(secret_user_file(l, (enum secret_user)i, "password").text, NASTY, err))
			return false;
	}
	return make_secret(secret_s3_file(l, "access-key").text, "AK", err) &&
	       make_secret(secret_s3_file(l, "secret-key").text, "s3/+secret=", err) &&
	       (layout_is_control_plane(l) || make_secret(layout_file(l, "keyfile").text, "", err));
}

bool secrets_load(const struct layout *l, struct secrets *ret, struct err *err)
{
	struct secrets s = {0};
	bool ok = true;

	for (int i = 0; ok && i < SECRET_USER_COUNT && !layout_is_control_plane(l); i++)
		ok = read_secret(secret_user_file(l, (enum secret_user)i, "password").text, s.password[i], err);
	ok = ok && read_secret(secret_s3_file(l, "access-key").text, s.s3_access, err) &&
	     read_secret(secret_s3_file(l, "secret-key").text, s.s3_secret, err);
	if (ok)
		*ret = s;
	secrets_clear(&s);
	return ok;
}

bool secrets_ensure(const struct layout *l, struct secrets *ret, struct err *err)
{
	return make_all(l, err) && secrets_load(l, ret, err) && (layout_is_guest(l) || write_s3_config(l, ret, err));
}
