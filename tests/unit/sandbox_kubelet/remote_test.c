#include "sandbox/kubelet/remote.h"

#include "../kube/kube_fake.h"
#include "made.h"
#include "sandbox/kubelet/workloads.h"

#include <criterion/criterion.h>
#include <string.h>

#define VOLUME OK("{\"kind\":\"PersistentVolume\",\"metadata\":{\"name\":\"pvc-1\",\"uid\":\"u-1\"}}")
#define NOT_THERE                                                                                                      \
	JSON("404 Not Found", "{\"kind\":\"Status\",\"reason\":\"NotFound\",\"details\":{\"name\":\"pvc-1\",\"kind\":" \
			      "\"persistentvolumes\"},\"code\":404}")

/* What the server's only answer means for a volume of this uid. */
static bool is_gone(const char *answer, const char *uid)
{
	const struct log log = {.least = LOG_ERROR, .program = "test"};
	struct remote r = {.log = &log};
	struct kube_fake f;
	bool gone;

	kube_fake_start(&f, &answer, 1);
	r.kube = f.kube;
	kube_kind_set(&r.kinds[WORLD_VOLUMES], "", "v1", "persistentvolumes", "PersistentVolume", false);
	gone = remote_is_gone(&r, WORLD_VOLUMES, NULL, "pvc-1", uid);
	kube_fake_stop(&f, NULL);
	return gone;
}

Test(remote, an_object_is_gone_if_the_server_has_none_of_its_name_or_another_one)
{
	cr_expect(is_gone(NOT_THERE, "u-1"));
	cr_expect(is_gone(VOLUME, "u-2"));
	cr_expect(!is_gone(VOLUME, "u-1"));
	cr_expect(!is_gone(JSON("403 Forbidden", "{}"), "u-1"));
}

/* A volume's folder is removed by this answer. */
Test(remote, without_a_uid_every_object_of_the_name_is_the_one)
{
	cr_expect(is_gone(NOT_THERE, ""));
	cr_expect(!is_gone(VOLUME, ""));
	cr_expect(!is_gone(JSON("403 Forbidden", "{}"), ""));
}

/* As kube-apiserver 1.30 says it. */
#define NO_LOOPBACK                                                                                                    \
	JSON("422 Unprocessable Entity",                                                                               \
	    "{\"kind\":\"Status\",\"status\":\"Failure\",\"reason\":\"Invalid\",\"message\":\"Endpoints \\\"s\\\" is " \
	    "invalid: subsets[0].addresses[0].ip: Invalid value: \\\"127.1.1.11\\\": may not be in the loopback "      \
	    "range "                                                                                                   \
	    "(127.0.0.0/8, ::1/128)\",\"code\":422}")

struct two_services {
	struct log log;
	struct remote r;
	struct world w;
	struct kube_fake f;
};

static void begin(struct two_services *t, const char *const *answers, size_t count)
{
	*t = (struct two_services){.log = {.least = LOG_ERROR, .program = "test"}};
	kube_fake_start(&t->f, answers, count);
	t->r = (struct remote){.log = &t->log, .kube = t->f.kube};
	kube_kind_set(&t->r.kinds[WORLD_ENDPOINTS], "", "v1", "endpoints", "Endpoints", true);
	made_list(&t->w, WORLD_SERVICES,
	    "{'metadata':{'namespace':'ns','name':'s','uid':'1'},'spec':{'selector':{'a':'b'},'ports':[{'port':1}]}},"
	    "{'metadata':{'namespace':'ns','name':'t','uid':'2'},'spec':{'selector':{'a':'b'},'ports':[{'port':1}]}}");
	made_list(&t->w, WORLD_PODS,
	    "{'metadata':{'namespace':'ns','name':'p','uid':'3','labels':{'a':'b'}},'status':{'podIP':'127.1.1.11'}}");
}

static void end(struct two_services *t, char **ret_seen)
{
	kube_fake_stop(&t->f, ret_seen);
	world_clear(&t->w);
}

Test(remote, a_server_that_takes_no_endpoints_of_the_loopback_range_is_not_asked_again)
{
	const char *answers[] = {NO_LOOPBACK};
	CLEANUP(free) char *seen = NULL;
	struct two_services t;

	begin(&t, answers, COUNT(answers));
	endpoints_sync(&t.r, &t.w);
	cr_expect(t.r.no_loopback);
	cr_expect(!t.r.again);
	endpoints_sync(&t.r, &t.w);
	end(&t, &seen);
	cr_expect(strstr(seen, "POST ") && !strstr(strstr(seen, "POST ") + 1, "POST "), "%s", seen);
}

Test(remote, the_same_words_about_something_else_say_nothing_of_endpoints)
{
	const char *answers[] = {NO_LOOPBACK};
	struct two_services t;

	begin(&t, answers, COUNT(answers));
	cr_expect(!remote_create(&t.r, WORLD_ENDPOINTS, world_first(&t.w, WORLD_SERVICES)));
	cr_expect(!t.r.no_loopback);
	cr_expect(t.r.again);
	end(&t, NULL);
}
