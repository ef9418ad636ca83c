#include "sandbox/kubelet/volumes.h"

#include "base/file.h"
#include "made.h"
#include "sandbox/kubelet/mounts.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#define POD(name, status, claim)                                                                                       \
	"{'metadata':{'namespace':'ns','name':'" name "','uid':'u-" name "'},'spec':{'volumes':[{'name':'v',"          \
	"'persistentVolumeClaim':{'claimName':'" claim "'}}]},'status':" status "}"

static bool runs(void *ctx, const char *uid)
{
	return ctx && !strcmp(ctx, uid);
}

static const char *user_of(const char *pods, const char *running)
{
	static char name[64];
	const struct claim_users users = {runs, (void *)(uintptr_t)running};
	struct json *claim = made("{'metadata':{'namespace':'ns','name':'c'}}");
	WORLD_CLEANUP struct world w = {0};
	const json_node *user;

	made_list(&w, WORLD_PODS, pods);
	user = claim_user(&w, json_root(claim), &users);
	snprintf(name, sizeof name, "%s", user ? object_name(user) : "nobody");
	json_free(claim);
	return name;
}

Test(claims, are_used_by_pods_that_have_an_address_or_run)
{
	cr_assert_str_eq(user_of(POD("a", "{'podIP':'127.1.1.11','phase':'Running'}", "c"), NULL), "a");
	cr_assert_str_eq(user_of(POD("a", "{'podIP':'127.1.1.11','phase':'Pending'}", "c"), NULL), "a");
	cr_assert_str_eq(user_of(POD("a", "{'podIP':'127.1.1.11','phase':'Succeeded'}", "c"), NULL), "nobody");
	cr_assert_str_eq(user_of(POD("a", "{'podIP':'127.1.1.11','phase':'Failed'}", "c"), "u-a"), "a");
	cr_assert_str_eq(user_of(POD("a", "{'phase':'Pending'}", "c"), NULL), "nobody");
	cr_assert_str_eq(user_of(POD("a", "{'phase':'Pending'}", "c"), "u-a"), "a");
	cr_assert_str_eq(user_of(POD("a", "{'podIP':'127.1.1.11'}", "other"), NULL), "nobody");
	cr_assert_str_eq(user_of("", NULL), "nobody");
}

Test(claims, get_a_volume_named_by_their_uid)
{
	struct json *claim =
	    made("{'metadata':{'namespace':'ns','name':'c','uid':'12'},'spec':{'accessModes':['ReadWriteOnce'],"
		 "'resources':{'requests':{'storage':'3Gi'}}}}");
	struct json *volume = NULL;
	struct err err = ERR_INIT;

	cr_assert(volume_make(json_root(claim), &volume, &err), "%s", err.msg);
	cr_assert(json_is_at(json_root(volume), "metadata/name", "pvc-12"));
	cr_assert(json_is_at(json_root(volume), "spec/claimRef/uid", "12"));
	cr_assert(json_is_at(json_root(volume), "spec/persistentVolumeReclaimPolicy", "Delete"));
	cr_assert(json_is_at(json_root(volume), "spec/capacity/storage", "3Gi"));
	json_free(volume);
	json_free(claim);
}

struct place {
	char dir[32], pod_dir[64], volumes_dir[64];
	struct world w;
	struct json *pod;
};

static bool make(struct place *p, const char *volumes, struct err *err)
{
	const struct mount_place place = {p->pod_dir, p->volumes_dir};
	char *text = NULL;
	bool ok;

	cr_assert(asprintf(&text, "{'metadata':{'namespace':'ns','name':'p'},'spec':{'volumes':[%s]}}", volumes) > 0);
	json_free(p->pod);
	p->pod = made(text);
	free(text);
	ok = mounts_make(&p->w, json_root(p->pod), &place, err);
	return ok;
}

static struct place place_new(void)
{
	struct place p = {.dir = "/tmp/mountsXXXXXX"};

	cr_assert_not_null(mkdtemp(p.dir));
	snprintf(p.pod_dir, sizeof p.pod_dir, "%s/pod", p.dir);
	snprintf(p.volumes_dir, sizeof p.volumes_dir, "%s/volumes", p.dir);
	made_list(&p.w, WORLD_SECRETS,
	    "{'metadata':{'namespace':'ns','name':'s'},'data':{'key':'AAFiYQ==','other':'eA=='}},"
	    "{'metadata':{'namespace':'ns','name':'evil'},'data':{'../../x':'eA=='}}");
	made_list(&p.w, WORLD_CLAIMS,
	    "{'metadata':{'namespace':'ns','name':'c'},'spec':{'volumeName':'pvc-1'},'status':{'phase':'Bound'}},"
	    "{'metadata':{'namespace':'ns','name':'d','deletionTimestamp':'x'},'spec':{'volumeName':'pvc-2'},"
	    "'status':{'phase':'Bound'}}");
	return p;
}

static void place_clear(struct place *p)
{
	struct err err = ERR_INIT;

	json_free(p->pod);
	world_clear(&p->w);
	cr_assert(file_remove_tree(p->dir, &err), "%s", err.msg);
}

static unsigned mode_of(const struct place *p, const char *below, long *ret_size)
{
	char path[256];
	struct stat st;

	snprintf(path, sizeof path, "%s/%s", p->dir, below);
	if (stat(path, &st))
		return 0;
	if (ret_size)
		*ret_size = (long)st.st_size;
	return st.st_mode & 0777;
}

Test(mounts, secrets_are_files_that_only_their_owner_reads)
{
	struct place p = place_new();
	struct err err = ERR_INIT;
	long size = 0;

	cr_assert(make(&p,
		      "{'name':'v','secret':{'secretName':'s'}},{'name':'e','emptyDir':{}},{'name':'c',"
		      "'persistentVolumeClaim':{'claimName':'c'}},{'name':'i','secret':{'secretName':'s','items':[{'"
		      "key':'key','path':'a/b'}]}}",
		      &err),
	    "%s", err.msg);
	cr_assert_eq(mode_of(&p, "pod/volumes/v/key", &size), 0400);
	cr_assert_eq(size, 4);
	cr_assert_eq(mode_of(&p, "pod/volumes/v", NULL), 0700);
	cr_assert_eq(mode_of(&p, "pod/volumes/e", NULL), 0700);
	cr_assert_eq(mode_of(&p, "volumes/pvc-1", NULL), 0700);
	cr_assert_eq(mode_of(&p, "pod/volumes/i/a/b", NULL), 0400);
	cr_assert_eq(mode_of(&p, "pod/volumes/i/other", NULL), 0);
	/* again: as it is */
	cr_assert(make(&p, "{'name':'v','secret':{'secretName':'s'}}", &err), "%s", err.msg);
	place_clear(&p);
}

Test(mounts, what_is_missing_or_leads_out_is_named)
{
	static const struct {
		const char *volume;
		enum err_code code;
	} wrong[] = {
	    {"{'name':'v','secret':{'secretName':'gone'}}", ERR_NOT_FOUND},
	    {"{'name':'v','secret':{'secretName':'s','items':[{'key':'gone','path':'x'}]}}", ERR_NOT_FOUND},
	    {"{'name':'v','secret':{'secretName':'s','items':[{'key':'key','path':'../x'}]}}", ERR_PARSE},
	    {"{'name':'v','secret':{'secretName':'s','items':[{'key':'key','path':'/x'}]}}", ERR_PARSE},
	    {"{'name':'v','secret':{'secretName':'evil'}}", ERR_PARSE},
	    {"{'name':'../v','emptyDir':{}}", ERR_PARSE},
	    {"{'name':'..','emptyDir':{}}", ERR_PARSE},
	    {"{'name':'v','persistentVolumeClaim':{'claimName':'gone'}}", ERR_NOT_FOUND},
	    {"{'name':'v','persistentVolumeClaim':{'claimName':'d'}}", ERR_STATE},
	    {"{'name':'v','hostPath':{'path':'/'}}", ERR_UNSUPPORTED},
	};

	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
		struct place p = place_new();
		struct err err = ERR_INIT;

		cr_assert_not(make(&p, wrong[i].volume, &err), "%s", wrong[i].volume);
		cr_assert_eq(err.code, wrong[i].code, "%s: %s", wrong[i].volume, err.msg);
		place_clear(&p);
	}
}

Test(mounts, an_optional_secret_may_be_missing)
{
	struct place p = place_new();
	struct err err = ERR_INIT;

	cr_assert(make(&p, "{'name':'v','secret':{'secretName':'gone','optional':true}}", &err), "%s", err.msg);
	place_clear(&p);
}
