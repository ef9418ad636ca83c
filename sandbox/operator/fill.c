#include "sandbox/operator/fill.h"

#include "base/base64.h"

#include <stdio.h>
#include <string.h>

#define PASSWORD_MIN 16
#define PASSWORD_MAX 19
#define RANDOM_MAX 768

static const struct {
	const char *key, *name;
} users[OP_USER_COUNT] = {
#define X(id, key, name) {key, name},
    OP_USERS(X)
#undef X
};

void op_credentials_clear(struct op_credentials *c)
{
	explicit_bzero(c, sizeof *c);
}

/* A key of a Secret holds no '/' and no '~' by Kubernetes' rules, so it is a step of a path as it is. */
static const char *value_at(const json_node *secret, const char *key)
{
	return json_string(json_get(json_get(secret, "data"), key));
}

static bool put_base64(json_node *data, const char *key, const void *bytes, size_t len, struct err *err)
{
	BUF_CLEANUP struct buf text = BUF_INIT(4096);
	bool ok = base64_encode(bytes, len, &text, err) && json_set_text(data, key, buf_str(&text), err);

	if (text.data)
		explicit_bzero(text.data, text.len);
	return ok;
}

static bool new_password(op_random random, char ret[static PASSWORD_MAX + 1], struct err *err)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
	const unsigned even = 256 / (sizeof letters - 1) * (sizeof letters - 1);
	unsigned char byte;
	size_t len, i = 0;

	if (!random(&byte, 1, err))
		return false;
	len = PASSWORD_MIN + byte % (PASSWORD_MAX - PASSWORD_MIN + 1);
	for (int tries = 0; i < len && tries < 100000; tries++) {
		if (!random(&byte, 1, err))
			return false;
		if (byte < even) /* each letter is as likely as any other */
			ret[i++] = letters[byte % (sizeof letters - 1)];
	}
	ret[i] = '\0';
	return i == len || err_set(err, ERR_LIMIT, "the random source gives no letters");
}

static bool fill_user(
    const json_node *secret, json_node *data, enum op_user user, op_random random, bool *changed, struct err *err)
{
	char key[64], password[PASSWORD_MAX + 1];

	snprintf(key, sizeof key, "%s_USER", users[user].key);
	if (!value_at(secret, key)) {
		*changed = true;
		if (!put_base64(data, key, users[user].name, strlen(users[user].name), err))
			return false;
	}
	snprintf(key, sizeof key, "%s_PASSWORD", users[user].key);
	if (value_at(secret, key))
		return true;
	*changed = true;
	return new_password(random, password, err) && put_base64(data, key, password, strlen(password), err);
}

bool fill_users(const json_node *secret, op_random random, struct json **ret, bool *ret_changed, struct err *err)
{
	CLEANUP(json) struct json *data = NULL;
	const json_node *old = json_get(secret, "data");
	bool changed = !secret;

	if (!(json_is_object(old) ? json_clone(old, &data, err) : json_format(&data, err, "{}")))
		return false;
	for (int i = 0; i < OP_USER_COUNT; i++)
		if (!fill_user(secret, json_edit(data), (enum op_user)i, random, &changed, err))
			return false;
	*ret = TAKE(data);
	*ret_changed = changed;
	return true;
}

bool fill_text(const json_node *secret, const char *key, char *ret, size_t size, struct err *err)
{
	BUF_CLEANUP struct buf text = BUF_INIT(size - 1);
	const char *value = value_at(secret, key), *name = json_text_at(secret, "metadata/name");
	bool ok;

	if (!value)
		return err_set(err, ERR_NOT_FOUND, "secret \"%.100s\" has no key \"%s\"", name ? name : "?", key);
	ok = base64_decode(value, strlen(value), &text, err) &&
	     ((text.len && !memchr(text.data, '\0', text.len)) || err_set(err, ERR_PARSE, "it is empty or no text"));
	if (ok)
		snprintf(ret, size, "%s", buf_str(&text));
	if (text.data)
		explicit_bzero(text.data, text.len);
	return ok || err_wrap(err, "key \"%s\" of secret \"%.100s\"", key, name ? name : "?");
}

bool fill_read_users(const json_node *secret, struct op_credentials *ret, struct err *err)
{
	struct op_credentials c = {0};
	bool ok = true;

	for (int i = 0; ok && i < OP_USER_COUNT; i++) {
		char key[64];

		snprintf(key, sizeof key, "%s_USER", users[i].key);
		ok = fill_text(secret, key, c.name[i], sizeof c.name[i], err);
		snprintf(key, sizeof key, "%s_PASSWORD", users[i].key);
		ok = ok && fill_text(secret, key, c.password[i], sizeof c.password[i], err);
	}
	if (ok)
		*ret = c;
	op_credentials_clear(&c);
	return ok;
}

bool fill_random(const char *key, size_t len, op_random random, struct json **ret, struct err *err)
{
	unsigned char bytes[RANDOM_MAX];
	BUF_CLEANUP struct buf text = BUF_INIT(4096);
	CLEANUP(json) struct json *data = NULL;
	bool ok;

	if (len > sizeof bytes)
		return err_set(err, ERR_LIMIT, "a random value of more than %d bytes", RANDOM_MAX);
	ok = random(bytes, len, err) && base64_encode(bytes, len, &text, err) && json_format(&data, err, "{}") &&
	     put_base64(json_edit(data), key, text.data, text.len, err);
	explicit_bzero(bytes, sizeof bytes);
	if (text.data)
		explicit_bzero(text.data, text.len);
	if (ok)
		*ret = TAKE(data);
	return ok;
}
