#include "steps_fixture.h"

char dir[] = "/tmp/psmdb-drill-steps-XXXXXX";
struct kube_fake f;
struct drill_options options;
struct drill d;
struct err err;

void set_up(void)
{
	cr_assert(mkdtemp(dir));
	cr_assert(rmdir(dir) == 0 && run_create(dir, "mine", clock_system(), &err), "%s", err.msg);
	d = (struct drill){.options = &options, .clock = clock_system(), .namespace_ = "ns"};
	strcpy(d.dir, dir);
	show_init(&d.show, fopen("/dev/null", "w"), d.clock, false, false, 80);
	cr_assert(json_format(&d.parameters, &err, "{'cluster':'main'}"));
	cr_assert(run_state_new(&d.state, dir, "mine", "/", "0", 1, &err), "%s", err.msg);
}

void tear_down(void)
{
	run_state_clear(&d.state);
	json_free(d.parameters);
	fclose(d.show.out);
	file_remove_tree(dir, NULL);
}

bool step(const char *verb, const char *args, bool run, const char *const *answers, size_t count, char **ret_seen)
{
	const struct step_def *def = step_find(verb);
	CLEANUP(json) struct json *doc = NULL;
	bool ok;

	err = (struct err)ERR_INIT;
	cr_assert(def && json_format(&doc, &err, args), "%s", err.msg);
	kube_fake_start(&f, answers, count);
	d.kube = f.kube;
	ok = run ? def->run(&d, json_root(doc), &err) : def->check(&d, json_root(doc), &err);
	d.kube = NULL;
	kube_fake_stop(&f, ret_seen);
	return ok;
}

void wrote_nothing(char *seen)
{
	cr_assert(
	    !strstr(seen, "POST ") && !strstr(seen, "PUT ") && !strstr(seen, "PATCH ") && !strstr(seen, "DELETE "),
	    "%s", seen);
	free(seen);
}
