/* Which keys are known for which storage, and where a backup is of a cluster that is just going. */
#include "sandbox/operator/operator.h"

#include <criterion/criterion.h>
#include <string.h>

static struct operator op;
static struct op_cluster c;
static struct json *psmdb, *backup;
static struct pbm_order place;
static struct err err;

static void tear_down(void)
{
	for (int i = 0; i < SPACE_KIND_COUNT; i++)
		json_free(op.space.lists[i]);
	json_free(psmdb);
	json_free(backup);
}

TestSuite(operator_shared, .fini = tear_down);

static void make(struct json **doc, const char *pattern)
{
	json_free(*doc);
	*doc = NULL;
	cr_assert(json_format(doc, &err, pattern), "%s", err.msg);
}

#define NO_SECRETS "{'items':[]}"
/* key-1, secret-1; key-2, secret-2 */
#define SECRETS                                                                                                        \
	"{'items':[{'metadata':{'name':'s1'},'data':{'AWS_ACCESS_KEY_ID':'a2V5LTE=','AWS_SECRET_ACCESS_KEY':"          \
	"'c2VjcmV0LTE='}},{'metadata':{'name':'s2'},'data':{'AWS_ACCESS_KEY_ID':'a2V5LTI=','AWS_SECRET_ACCESS_KEY':"   \
	"'c2VjcmV0LTI='}}]}"
#define STORAGES                                                                                                       \
	"{'spec':{'backup':{'storages':{'one':{'type':'s3','s3':{'bucket':'b1','endpointUrl':'http://h',"              \
	"'credentialsSecret':'s1'}},'two':{'type':'s3','s3':{'bucket':'b2','endpointUrl':'http://h',"                  \
	"'credentialsSecret':'s2'}}}}}}"

static void two_storages(void)
{
	make(&op.space.lists[SPACE_SECRET], SECRETS);
	make(&psmdb, STORAGES);
	operator_remember_keys(&op, &c, json_root(psmdb));
}

Test(operator_shared, a_backup_is_where_its_status_says_with_the_keys_of_its_storage)
{
	two_storages();
	make(&backup, "{'status':{'storageName':'two','s3':{'bucket':'b2','prefix':'p','endpointUrl':'http://h'}}}");
	cr_assert(operator_place_of_backup(&c, json_root(backup), &place, &err), "%s", err.msg);
	cr_expect_str_eq(place.bucket, "b2");
	cr_expect_str_eq(place.prefix, "p");
	cr_expect_str_eq(place.access_key, "key-2");
	cr_expect_str_eq(place.secret_key, "secret-2");
}

Test(operator_shared, keys_are_known_when_their_secret_is_gone)
{
	two_storages();
	make(&op.space.lists[SPACE_SECRET], NO_SECRETS);
	operator_remember_keys(&op, &c, json_root(psmdb));
	make(&backup, "{'status':{'storageName':'one','s3':{'bucket':'b1'}}}");
	cr_assert(operator_place_of_backup(&c, json_root(backup), &place, &err), "%s", err.msg);
	cr_expect_str_eq(place.secret_key, "secret-1");
}

Test(operator_shared, of_an_unknown_storage_or_place_nothing_is_said)
{
	static const char *const backups[] = {"{'status':{'storageName':'three','s3':{'bucket':'b1'}}}",
	    "{'status':{'storageName':'','s3':{'bucket':'b1'}}}", "{'status':{'s3':{'bucket':'b1'}}}",
	    "{'status':{'storageName':'one'}}", "{'status':{'storageName':'one','s3':{}}}"};

	two_storages();
	for (size_t i = 0; i < sizeof backups / sizeof *backups; i++) {
		err = (struct err)ERR_INIT;
		make(&backup, backups[i]);
		cr_expect_not(operator_place_of_backup(&c, json_root(backup), &place, &err), "%s", backups[i]);
		cr_expect_eq(err.code, ERR_NOT_FOUND);
	}
}
