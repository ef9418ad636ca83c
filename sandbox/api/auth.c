#include "sandbox/api/auth.h"

#include "base/file.h"

#include <limits.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

#define FILE_MAX (256u << 10)

struct auth {
	pthread_mutex_t lock;
	char path[PATH_MAX];
	struct buf text;
	struct stat seen;
};

bool auth_new(const char *path, struct auth **ret, struct err *err)
{
	struct auth *a = calloc(1, sizeof *a);

	if (!a)
		return err_nomem(err);
	pthread_mutex_init(&a->lock, NULL);
	buf_init(&a->text, FILE_MAX);
	snprintf(a->path, sizeof a->path, "%s", path);
	*ret = a;
	return true;
}

void auth_free(struct auth *a)
{
	if (!a)
		return;
	if (a->text.data)
		explicit_bzero(a->text.data, a->text.len);
	buf_clear(&a->text);
	pthread_mutex_destroy(&a->lock);
	free(a);
}

static bool same_file(const struct stat *a, const struct stat *b)
{
	return a->st_ino == b->st_ino && a->st_size == b->st_size && a->st_mtim.tv_sec == b->st_mtim.tv_sec &&
	       a->st_mtim.tv_nsec == b->st_mtim.tv_nsec;
}

static void refresh(struct auth *a)
{
	struct err ignored = ERR_INIT;
	struct stat now;

	if (stat(a->path, &now)) {
		buf_reset(&a->text);
		memset(&a->seen, 0, sizeof a->seen);
		return;
	}
	if (same_file(&now, &a->seen))
		return;
	buf_reset(&a->text);
	if (file_read(a->path, &a->text, &ignored))
		a->seen = now;
}

/* Takes the same time wherever they differ. */
static bool same_bytes(const char *a, const char *b, size_t len)
{
	unsigned char differ = 0;

	for (size_t i = 0; i < len; i++)
		differ |= (unsigned char)(a[i] ^ b[i]);
	return !differ;
}

static bool line_has_token(const char *line, size_t len, const char *token, size_t token_len)
{
	return len > token_len && line[token_len] == ',' && same_bytes(line, token, token_len);
}

static bool look_up(const struct auth *a, const char *token, char *ret_user)
{
	size_t token_len = strlen(token);
	bool found = false;

	if (!token_len || strchr(token, ','))
		return false;
	for (const char *line = buf_str(&a->text); *line;) {
		size_t len = strcspn(line, "\n");

		if (!found && *line != '#' && line_has_token(line, len, token, token_len)) {
			const char *user = line + token_len + 1;

			snprintf(ret_user, AUTH_USER_MAX, "%.*s", (int)strcspn(user, ",\n\r"), user);
			found = true;
		}
		line += len + (line[len] == '\n');
	}
	return found;
}

enum auth_result auth_check(struct auth *a, const char *header, char ret_user[static AUTH_USER_MAX])
{
	bool known;

	snprintf(ret_user, AUTH_USER_MAX, "system:anonymous");
	if (!header || strncasecmp(header, "Bearer ", 7))
		return AUTH_ANONYMOUS;
	header += 7;
	header += strspn(header, " ");
	if (!*header)
		return AUTH_ANONYMOUS;
	pthread_mutex_lock(&a->lock);
	refresh(a);
	known = look_up(a, header, ret_user);
	pthread_mutex_unlock(&a->lock);
	return known ? AUTH_KNOWN : AUTH_REFUSED;
}
