/* A sandbox that uses another one's bucket: with folders and state files as they lie there, and no process. */
#include "base/file.h"
#include "sandbox/parts/connection.h"
#include "sandbox/parts/guest.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char root[] = "/tmp/drill-guest-XXXXXX";
static struct layout host, guest;
static int host_lock = -1, guest_lock = -1;

static void make_layout(struct layout *l, const char *name, int range)
{
	*l = (struct layout){.range = range, .mongod_port = 27017, .ports = 20370, .created_ms = 1700000000123};
	snprintf(l->dir, sizeof l->dir, "%s/%s", root, name);
	strcpy(l->compression, "s2");
	for (int i = 0; i < BINARIES; i++)
		strcpy(l->binaries[i], "/bin/x");
	cr_assert(uuid_random(&l->id, NULL));
	cr_assert(file_make_dirs(l->dir, 0700, NULL));
}

static void write_state(const struct layout *l, bool s3_ready)
{
	static const struct secrets none;
	CLEANUP(part_set) struct part_set *set = NULL;
	BUF_CLEANUP struct buf out = BUF_INIT(STATE_MAX_BYTES);

	cr_assert(part_set_new(l, &none, &set, NULL));
	set->parts[0].state = s3_ready ? PART_READY : PART_FAILED;
	cr_assert(state_format(l, set, PHASE_READY, 42, 1700000001000, &out, NULL));
	cr_assert(file_write_atomic(layout_file(l, "state.json").text, out.data, out.len, 0600, NULL));
	set->parts[0].state = PART_STOPPED;
}

static void set_up(void)
{
	struct secrets s;

	cr_assert(mkdtemp(root));
	make_layout(&host, "host", 7);
	make_layout(&guest, "guest", 8);
	cr_assert(secrets_ensure(&host, &s, NULL));
	write_state(&host, true);
	cr_assert(sandbox_lock(host.dir, &host_lock, NULL));
}

static void tear_down(void)
{
	close(host_lock);
	close(guest_lock);
	file_remove_tree(root, NULL);
}

TestSuite(guest, .init = set_up, .fini = tear_down);

Test(guest, takes_over_the_hosts_endpoint_and_keys)
{
	struct secrets of_host, of_guest;
	struct layout found;
	char text[LAYOUT_ENDPOINT_MAX];
	struct err err = ERR_INIT;

	cr_assert(guest_host(host.dir, &found, &err), "%s", err.msg);
	cr_assert(guest_borrow(&guest, &found, &err), "%s", err.msg);
	cr_expect_str_eq(layout_s3_endpoint(&guest, text), "http://127.64.7.1:20370");
	cr_assert(secrets_load(&host, &of_host, NULL));
	cr_assert(secrets_ensure(&guest, &of_guest, &err), "%s", err.msg);
	cr_expect_str_eq(of_guest.s3_access, of_host.s3_access);
	cr_expect_str_eq(of_guest.s3_secret, of_host.s3_secret);
	cr_expect_not(file_exists(layout_file(&guest, "s3.json").text), "it runs no S3 server");
}

static void expect_no_host(const char *dir, const char *msg, const char *hint)
{
	struct layout found;
	struct err err = ERR_INIT;

	cr_assert_not(guest_host(dir, &found, &err));
	cr_expect(strstr(err.msg, msg), "%s", err.msg);
	cr_expect(strstr(err.hint, hint), "%s", err.hint);
}

Test(guest, is_told_that_its_host_is_down)
{
	char hint[2048];

	snprintf(hint, sizeof hint, "psmdb-sandbox up --dir %s", host.dir);
	close(host_lock);
	expect_no_host(host.dir, "is down", hint);
	cr_assert(sandbox_lock(host.dir, &host_lock, NULL));
	write_state(&host, false);
	expect_no_host(host.dir, "is down", hint);
}

Test(guest, is_told_who_cannot_be_its_host)
{
	struct err err = ERR_INIT;

	expect_no_host(guest.dir, "there is no sandbox", "");
	cr_assert(guest_borrow(&guest, &host, NULL));
	write_state(&guest, true);
	expect_no_host(guest.dir, "has no bucket of its own", host.dir);
	cr_assert_not(guest_borrow(&host, &host, &err));
	cr_assert_eq(err.code, ERR_USAGE);
}

Test(guest, that_is_up_keeps_its_host_from_being_ended)
{
	struct err err = ERR_INIT;
	char id[UUID_TEXT_MAX];

	cr_assert(guest_none(host.dir, &err), "no folder of guests yet");
	cr_assert(guest_borrow(&guest, &host, NULL));
	write_state(&guest, true);
	cr_assert(sandbox_lock(guest.dir, &guest_lock, NULL));
	cr_assert_not(guest_none(host.dir, &err));
	cr_expect(strstr(err.msg, guest.dir) && strstr(err.hint, "down --dir"), "%s (%s)", err.msg, err.hint);
	close(guest_lock);
	guest_lock = -1;
	cr_assert(guest_none(host.dir, &err), "%s", err.msg);
	cr_expect_not(
	    file_exists(layout_file(&host, "guests/%s", uuid_format(&guest.id, id)).text), "its name is gone");
}

Test(guest, that_has_not_written_its_state_yet_keeps_its_host_from_being_ended)
{
	char id[UUID_TEXT_MAX];
	struct layout_path name = layout_file(&host, "guests/%s", uuid_format(&guest.id, id));

	cr_assert(guest_borrow(&guest, &host, NULL));
	cr_assert(sandbox_lock(guest.dir, &guest_lock, NULL));
	cr_expect_not(guest_none(host.dir, NULL), "no state");
	cr_assert(file_write_atomic(layout_file(&guest, "state.json").text, "{", 1, 0600, NULL));
	cr_expect_not(guest_none(host.dir, NULL), "half a state");
	cr_expect(file_exists(name.text));
	guest.bucket_of[0] = '\0';
	write_state(&guest, true);
	cr_expect(guest_none(host.dir, NULL), "by its state it is nobody's guest");
	cr_expect_not(file_exists(name.text));
}
