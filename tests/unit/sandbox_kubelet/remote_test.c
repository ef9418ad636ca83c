#include "sandbox/kubelet/remote.h"

#include "../kube/kube_fake.h"

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
