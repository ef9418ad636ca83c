#include "sandbox/up/install.h"

#include "../kube/kube_fake.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#define OF_KASTEN "GET /api/v1/namespaces/" INSTALL_KASTEN "/configmaps/sandbox-installed "
#define STATUS_OF(code, reason, name, kind)                                                                            \
	JSON(code, "{\"kind\":\"Status\",\"reason\":\"" reason "\",\"details\":{\"name\":\"" name                      \
		   "\",\"kind\":\"" kind "\"}}")
#define NO_MARK STATUS_OF("404 Not Found", "NotFound", "sandbox-installed", "configmaps")
#define REFUSED STATUS_OF("403 Forbidden", "Forbidden", "sandbox-installed", "configmaps")
#define MARKED OK("{\"kind\":\"ConfigMap\",\"metadata\":{\"name\":\"sandbox-installed\"}}")
#define NAMESPACE OK("{\"kind\":\"Namespace\",\"metadata\":{\"name\":\"" INSTALL_NAMESPACE "\"}}")
#define NO_NAMESPACE STATUS_OF("404 Not Found", "NotFound", INSTALL_NAMESPACE, "namespaces")

typedef bool install_what(const struct install *in, bool *ret_made, struct err *err);

/* An installation against a server that says this and no more; *ret_seen is what it was asked, malloc'd. */
static bool install_it(
    install_what *what, const char *const *answers, size_t count, bool *ret_made, char **ret_seen, struct err *err)
{
	static const struct layout layout = {.dir = "/sandbox"};
	struct kube_fake f;
	struct install in = {.layout = &layout};
	bool ok;

	kube_fake_start(&f, answers, count);
	in.kube = f.kube;
	in.clock = &f.clock;
	ok = what(&in, ret_made, err);
	kube_fake_stop(&f, ret_seen);
	return ok;
}

static bool install(const char *const *answers, size_t count, bool *ret_made, char **ret_seen, struct err *err)
{
	return install_it(install_demo, answers, count, ret_made, ret_seen, err);
}

/* Else a demo that a drill has destroyed would be installed over what it left. */
Test(install, a_mark_that_cannot_be_read_is_an_error_and_nothing_is_applied)
{
	const char *answers[] = {REFUSED, OK("{}"), OK("{}")};
	CLEANUP(free) char *seen = NULL;
	struct err err = ERR_INIT;
	bool made = false;

	cr_assert(!install(answers, COUNT(answers), &made, &seen, &err));
	cr_expect_eq(err.code, ERR_AUTH, "%s", err.msg);
	cr_expect(strstr(err.msg, "find out whether the demo was installed before"), "%s", err.msg);
	cr_expect(!strncmp(seen, OF_KASTEN, strlen(OF_KASTEN)), "%s", seen);
	cr_expect(!strstr(seen + 1, "GET ") && !strstr(seen, "PATCH ") && !strstr(seen, "POST "), "%s", seen);
}

Test(install, one_that_is_marked_is_left_as_it_is)
{
	const char *answers[] = {MARKED, NO_NAMESPACE};
	CLEANUP(free) char *seen = NULL;
	struct err err = ERR_INIT;
	bool made = true;

	cr_assert(install(answers, COUNT(answers), &made, &seen, &err), "%s", err.msg);
	cr_expect(!made);
	cr_expect(!strstr(seen, "PATCH") && !strstr(seen, "POST"), "%s", seen);
}

Test(install, without_a_mark_it_begins)
{
	const char *answers[] = {NO_MARK};
	CLEANUP(free) char *seen = NULL;
	struct err err = ERR_INIT;
	bool made = false;

	cr_assert(!install(answers, COUNT(answers), &made, &seen, &err));
	cr_expect(strstr(err.msg, "install the demo's objects"), "%s", err.msg);
}

/* The blueprints of the two have one name. */
Test(install, a_bare_one_is_not_put_over_the_demo)
{
	const char *const finished[] = {NO_MARK, MARKED, NAMESPACE},
			  *const destroyed[] = {NO_MARK, MARKED, NO_NAMESPACE},
			  *const interrupted[] = {NO_MARK, NO_MARK, NAMESPACE};
	const char *const *answers[] = {finished, destroyed, interrupted};

	for (size_t i = 0; i < COUNT(answers); i++) {
		CLEANUP(free) char *seen = NULL;
		struct err err = ERR_INIT;
		bool made = false;

		cr_assert(!install_it(install_bare, answers[i], 3, &made, &seen, &err));
		cr_expect_eq(err.code, ERR_STATE, "%s", err.msg);
		cr_expect(strstr(err.msg, "/sandbox") && strstr(err.msg, "demo"), "%s", err.msg);
		cr_expect(strstr(err.hint, "--bare"), "%s", err.hint);
		cr_expect(!made && !strstr(seen, "PATCH") && !strstr(seen, "POST"), "%s", seen);
	}
}

Test(install, a_bare_one_that_is_marked_is_left_as_it_is_whatever_was_made_in_it)
{
	const char *answers[] = {MARKED};
	CLEANUP(free) char *seen = NULL;
	struct err err = ERR_INIT;
	bool made = true;

	cr_assert(install_it(install_bare, answers, COUNT(answers), &made, &seen, &err), "%s", err.msg);
	cr_expect(!made);
}
