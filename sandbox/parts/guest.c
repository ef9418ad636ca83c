#include "sandbox/parts/guest.h"

#include "base/cleanup.h"
#include "base/file.h"
#include "sandbox/parts/connection.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define FOLDER "guests"

static bool serves(const char *dir, const struct state *state)
{
	if (!sandbox_locked(dir))
		return false;
	for (size_t i = 0; i < state->count; i++)
		if (!strcmp(state->processes[i].name, "s3"))
			return state->processes[i].state == PART_READY;
	return false;
}

bool guest_host(const char *host_dir, struct layout *ret, struct err *err)
{
	CLEANUP(free) struct state *state = calloc(1, sizeof *state);

	if (!state)
		return err_nomem(err);
	if (!state_load(host_dir, state, err))
		return false;
	if (layout_is_guest(&state->layout)) {
		err_set(err, ERR_USAGE, "the sandbox in \"%s\" has no bucket of its own", host_dir);
		return err_hint(err, "name the one whose bucket it uses: \"%.200s\"", state->layout.bucket_of);
	}
	if (!serves(host_dir, state)) {
		err_set(err, ERR_STATE, "the sandbox in \"%s\", whose bucket is used here, is down", host_dir);
		return err_hint(err, "start it first: psmdb-sandbox %sup --dir %s",
		    layout_is_control_plane(&state->layout) ? "" : "parts ", host_dir);
	}
	*ret = state->layout;
	return true;
}

static bool copy_secret(const struct layout *l, const struct layout *host, const char *what, struct err *err)
{
	BUF_CLEANUP struct buf text = BUF_INIT(SECRET_MAX - 1);
	bool ok = file_read_secret(secret_s3_file(host, what).text, &text, err) &&
		  file_write_atomic(secret_s3_file(l, what).text, text.data, text.len, 0600, err);

	if (text.data)
		explicit_bzero(text.data, text.len);
	return ok;
}

static bool leave_name(const struct layout *l, const struct layout *host, struct err *err)
{
	char id[UUID_TEXT_MAX];

	return file_make_dirs(layout_file(host, FOLDER).text, 0700, err) &&
	       file_write_atomic(
		   layout_file(host, FOLDER "/%s", uuid_format(&l->id, id)).text, l->dir, strlen(l->dir), 0600, err);
}

bool guest_borrow(struct layout *l, const struct layout *host, struct err *err)
{
	if (!strcmp(l->dir, host->dir))
		return err_set(err, ERR_USAGE, "a sandbox cannot be its own guest");
	if (!file_make_dirs(layout_file(l, "secrets").text, 0700, err) || !copy_secret(l, host, "access-key", err) ||
	    !copy_secret(l, host, "secret-key", err) || !leave_name(l, host, err))
		return err_wrap(err, "use the bucket of \"%s\"", host->dir);
	strcpy(l->bucket_of, host->dir);
	layout_s3_endpoint(host, l->bucket_endpoint);
	return true;
}

/*
 * Who it was may have been removed since, or be another sandbox's guest by now. One that is just starting leaves its name
 * before it writes its state: what holds its lock and does not say otherwise lives.
 */
static bool lives(const char *guest_dir, const char *host_dir)
{
	CLEANUP(free) struct state *state = calloc(1, sizeof *state);

	return sandbox_locked(guest_dir) &&
	       (!state || !state_load(guest_dir, state, NULL) || !strcmp(state->layout.bucket_of, host_dir));
}

static bool look_at(const char *host_dir, const char *name, struct err *err)
{
	BUF_CLEANUP struct buf dir = BUF_INIT(LAYOUT_DIR_MAX - 1);
	char path[PATH_MAX];

	if (snprintf(path, sizeof path, "%s/" FOLDER "/%s", host_dir, name) >= PATH_MAX || !file_read(path, &dir, NULL))
		return true;
	if (!lives(buf_str(&dir), host_dir)) {
		unlink(path);
		return true;
	}
	err_set(err, ERR_STATE, "the sandbox in \"%s\" is up and uses the bucket of this one", buf_str(&dir));
	return err_hint(err, "end it first: psmdb-sandbox down --dir %s", buf_str(&dir));
}

bool guest_none(const char *host_dir, struct err *err)
{
	char path[PATH_MAX];
	CLEANUP(dir) DIR *dir = NULL;
	const struct dirent *entry;
	struct uuid id;

	snprintf(path, sizeof path, "%s/" FOLDER, host_dir);
	dir = opendir(path);
	while (dir && (entry = readdir(dir)))
		if (uuid_parse(entry->d_name, &id) && !look_at(host_dir, entry->d_name, err))
			return false;
	return true;
}
