#include "scenarios/scenario.h"
#include "scenarios/step.h"
#include "scenarios/step_args.h"

#include <criterion/criterion.h>
#include <string.h>

#define HEAD "scenario: mine\nparameters: {namespace: ns, before: 10s, count: 3, yes: true}\nsteps:\n"
#define STEPS(text) HEAD text

static struct err err;

static bool parses(const char *text)
{
	SCENARIO_CLEANUP struct scenario s = {0};

	err = (struct err)ERR_INIT;
	return scenario_parse(text, strlen(text), &s, &err);
}

struct refusal {
	const char *text, *msg, *hint;
};

static void refused(const struct refusal *list, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		cr_assert_not(parses(list[i].text), "taken: %s", list[i].text);
		cr_assert(strstr(err.msg, list[i].msg), "\"%s\" is not in: %s", list[i].msg, err.msg);
		cr_assert(!list[i].hint || strstr(err.hint, list[i].hint), "\"%s\" is not in the hint: %s",
		    list[i].hint, err.hint);
	}
}

#define REFUSED(...)                                                                                                   \
	refused((const struct refusal[]){__VA_ARGS__},                                                                 \
	    sizeof((const struct refusal[]){__VA_ARGS__}) / sizeof(struct refusal))

Test(scenario, a_step_has_one_verb_its_arguments_and_perhaps_a_title)
{
	const char *text = STEPS("- note: {text: hello}\n  title: say hello\n- pause: {for: '${before}'}\n");
	SCENARIO_CLEANUP struct scenario s = {0};

	cr_assert(scenario_parse(text, strlen(text), &s, &err), "%s", err.msg);
	cr_assert_str_eq(s.name, "mine");
	cr_assert_eq(s.count, 2);
	cr_assert_str_eq(s.steps[0].def->verb, "note");
	cr_assert_str_eq(s.steps[0].title, "say hello");
	cr_assert_str_eq(s.steps[1].title, "");
	cr_assert_not(scenario_destroys(&s));
}

Test(scenario, a_scenario_with_one_destructive_step_destroys)
{
	const char *text = STEPS("- note: {text: hello}\n- delete: {kind: pod, all: true}\n");
	SCENARIO_CLEANUP struct scenario s = {0};

	cr_assert(scenario_parse(text, strlen(text), &s, &err), "%s", err.msg);
	cr_assert(scenario_destroys(&s));
}

Test(scenario, what_is_not_known_is_refused_by_name_with_what_is)
{
	REFUSED({"scenario: x\nstep: []\n", "unknown key \"step\"", "scenario, about, parameters and steps"},
	    {STEPS("- note: {text: a}\n- tell: {}\n"), "step 2: there is no step \"tell\"", "note"},
	    {STEPS("- note: {text: a, colour: red}\n"), "step \"note\" has no argument \"colour\"", "it has text"},
	    {STEPS("- note: {text: a}\n  pause: {}\n"), "two verbs, \"note\" and \"pause\"", NULL},
	    {STEPS("- title: nothing\n"), "step 1: it has no verb", NULL},
	    {STEPS("- note\n"), "step 1: it is no mapping", NULL}, {STEPS("- note: [a]\n"), "no mapping", NULL},
	    {STEPS("- note: {}\n"), "argument \"text\" of step \"note\" is missing", "text: "},
	    {STEPS("- pause: {for: soon}\n"), "argument \"for\" of step \"pause\" is not a time", NULL},
	    {STEPS("- note: {text: [a]}\n"), "is not a text", NULL},
	    {STEPS("- delete: {kind: pod, all: perhaps}\n"), "is not true or false", NULL},
	    {STEPS("- note: {text: a}\n  title: [b]\n"), "title is no text", NULL},
	    {STEPS("- disaster: {}\n- leave-cluster: {}\n"), "and a scenario has one disaster", NULL},
	    {STEPS("- disaster: {}\n- note: {text: a}\n- disaster: {}\n"), "step 3: step 1 is a \"disaster\" already",
		NULL});
}

Test(scenario, a_file_that_is_no_scenario_is_refused)
{
	REFUSED({"", "", NULL}, {"- a\n", "no mapping", NULL}, {"just text", "no mapping", NULL},
	    {"scenario: x\n---\nscenario: y\n", "2 documents", NULL},
	    {"scenario: Not a name\nsteps: []\n", "\"scenario\" is no name", NULL},
	    {"scenario: x\n", "\"steps\" is no list", NULL}, {"scenario: x\nsteps: []\n", "\"steps\" is no list", NULL},
	    {"scenario: x\nabout: [y]\nsteps: []\n", "\"about\" is no text", NULL},
	    {"scenario: x\nparameters: [y]\n", "\"parameters\" is no mapping", NULL},
	    {"scenario: x\nparameters: {Big: z}\n", "parameter \"Big\" is no name", NULL},
	    {"scenario: x\nparameters: {it: {z: 1}}\n", "parameter \"it\" is no single value", NULL},
	    {"scenario: x\nparameters: {it: }\n", "parameter \"it\" is no single value", NULL});
}

Test(scenario, as_many_steps_as_allowed_and_not_one_more)
{
	BUF_CLEANUP struct buf text = BUF_INIT(1 << 20);

	buf_add_str(&text, HEAD, NULL);
	for (int i = 0; i < SCENARIO_STEPS_MAX; i++)
		buf_add_str(&text, "- note: {text: a}\n", NULL);
	cr_assert(parses(buf_str(&text)), "%s", err.msg);
	buf_add_str(&text, "- note: {text: a}\n", NULL);
	cr_assert_not(parses(buf_str(&text)));
	cr_assert_eq(err.code, ERR_LIMIT);
}

Test(scenario, a_title_that_is_too_long_is_refused)
{
	char text[600] = STEPS("- note: {text: a}\n  title: ");

	memset(text + strlen(text), 'x', 256);
	cr_assert_not(parses(text));
	cr_assert_eq(err.code, ERR_LIMIT);
}

/* --- ${names} ---------------------------------------------------------------------------------------------------- */

static const char *lookup(void *ctx, const char *name)
{
	(void)ctx;
	return !strcmp(name, "who") ? "world" : !strcmp(name, "quote") ? "a\"b${who}" : NULL;
}

static bool fills(const char *yaml_args, bool strict, char ret[static 1024])
{
	CLEANUP(json) struct json *doc = NULL, *filled = NULL;
	const struct json_limits limits = JSON_LIMITS_DEFAULT;
	BUF_CLEANUP struct buf out = BUF_INIT(1023);

	err = (struct err)ERR_INIT;
	cr_assert(json_parse(yaml_args, strlen(yaml_args), &limits, &doc, &err), "%s", err.msg);
	if (!scenario_fill(json_root(doc), lookup, NULL, strict, &filled, &err))
		return false;
	cr_assert(json_print(json_root(filled), false, &out, &err));
	strcpy(ret, buf_str(&out));
	return true;
}

Test(scenario, names_stand_in_scalars_at_any_depth_and_are_put_in_once)
{
	char out[1024];

	cr_assert(
	    fills("{\"a\":\"hello ${who}, ${who}\",\"b\":[{\"${who}\":\"${quote}\"}],\"c\":7,\"d\":true,\"e\":null,"
		  "\"f\":0.25,\"g\":\"$5 {x}\",\"h/i\":\"${who}\"}",
		true, out),
	    "%s", err.msg);
	cr_assert_str_eq(out,
	    "{\"a\":\"hello world, world\",\"b\":[{\"${who}\":\"a\\\"b${who}\"}],\"c\":7,\"d\":true,\"e\":null,"
	    "\"f\":0.25,\"g\":\"$5 {x}\",\"h/i\":\"world\"}");
}

Test(scenario, an_unknown_name_is_an_error_when_it_counts_and_stays_when_it_does_not)
{
	char out[1024];

	cr_assert_not(fills("{\"a\":\"${later}\"}", true, out));
	cr_assert_eq(err.code, ERR_USAGE);
	cr_assert(strstr(err.msg, "\"${later}\" is not known"));
	cr_assert(fills("{\"a\":\"${later}\"}", false, out));
	cr_assert_str_eq(out, "{\"a\":\"${later}\"}");
}

Test(scenario, what_cannot_be_a_name_is_refused_in_any_case)
{
	char out[1024];

	cr_assert_not(fills("{\"a\":\"${}\"}", false, out));
	cr_assert_not(fills("{\"a\":\"${A B}\"}", false, out));
	cr_assert_not(fills("{\"a\":\"${who\"}", false, out));
	cr_assert(strstr(err.msg, "no closing brace"), "%s", err.msg);
}

Test(scenario, numbers_beyond_whole_ones_survive)
{
	char out[1024];

	cr_assert(fills("{\"a\":1e300,\"b\":-3,\"c\":9007199254740991}", true, out), "%s", err.msg);
	cr_assert(strstr(out, "\"b\":-3,\"c\":9007199254740991"), "%s", out);
}

/* --- arguments ---------------------------------------------------------------------------------------------------- */

static const struct step_arg args_table[] = {
    {"text", ARG_TEXT, true, NULL, "a text"},
    {"for", ARG_DURATION, false, "5s", "a time"},
    {"count", ARG_INT, false, "1", "a number"},
    {"yes", ARG_BOOL, false, "false", "a switch"},
    {"list", ARG_LIST, false, NULL, "a list"},
    {"map", ARG_MAP, false, NULL, "a map"},
    {0},
};
static const struct step_def def = {.verb = "try", .about = "a test's", .args = args_table};

static struct json *settled(const char *text)
{
	const struct json_limits limits = JSON_LIMITS_DEFAULT;
	struct json *doc = NULL;

	err = (struct err)ERR_INIT;
	cr_assert(json_parse(text, strlen(text), &limits, &doc, &err), "%s", err.msg);
	if (step_settle_args(&def, doc, &err))
		return doc;
	json_free(doc);
	return NULL;
}

Test(step_args, each_kind_is_read_in_each_of_its_spellings)
{
	CLEANUP(json)
	struct json *a =
	    settled("{\"text\":\"t\",\"for\":\"90s\",\"count\":7,\"yes\":true,\"list\":[1],\"map\":{\"a\":1}}");
	CLEANUP(json) struct json *b = settled("{\"text\":\"t\",\"count\":\"-7\",\"yes\":\"true\"}");

	cr_assert(a && b, "%s", err.msg);
	cr_assert_str_eq(step_text(json_root(a), "text", ""), "t");
	cr_assert_eq(step_duration_ms(json_root(a), "for", 0), 90000);
	cr_assert_eq(step_int(json_root(a), "count", 0), 7);
	cr_assert_eq(step_int(json_root(b), "count", 0), -7);
	cr_assert(step_bool(json_root(a), "yes", false) && step_bool(json_root(b), "yes", false));
	cr_assert_eq(json_count(step_node(json_root(a), "list")), 1);
	cr_assert_eq(step_duration_ms(json_root(b), "for", 5000), 5000, "the default");
	cr_assert_null(step_node(json_root(b), "list"));
}

Test(step_args, a_number_or_a_boolean_for_a_text_is_what_is_written)
{
	CLEANUP(json) struct json *a = settled("{\"text\":27017}"), *b = settled("{\"text\":true}");

	cr_assert(a && b);
	cr_assert_str_eq(step_text(json_root(a), "text", "default"), "27017");
	cr_assert_str_eq(step_text(json_root(b), "text", "default"), "true");
}

Test(step_args, what_does_not_fit_is_refused)
{
	static const char *const bad[] = {"{}", "{\"text\":null}", "{\"text\":[1]}", "{\"text\":\"t\",\"for\":10}",
	    "{\"text\":\"t\",\"for\":\"10x\"}", "{\"text\":\"t\",\"count\":1.5}", "{\"text\":\"t\",\"count\":1e300}",
	    "{\"text\":\"t\",\"count\":\"x\"}", "{\"text\":\"t\",\"yes\":1}", "{\"text\":\"t\",\"yes\":\"True\"}",
	    "{\"text\":\"t\",\"list\":{}}", "{\"text\":\"t\",\"list\":\"${x}\"}", "{\"text\":\"t\",\"map\":[]}", "[1]",
	    "\"t\""};

	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		cr_assert_null(settled(bad[i]), "taken: %s", bad[i]);
}

Test(step_args, every_shipped_step_is_whole)
{
	for (const struct step_def *const *d = step_defs; *d; d++) {
		cr_assert((*d)->verb && (*d)->about && (*d)->run && (*d)->describe && (*d)->args, "%s", (*d)->verb);
		cr_assert_eq(step_find((*d)->verb), *d, "verb \"%s\" stands twice", (*d)->verb);
		cr_assert(strcmp((*d)->verb, "title") != 0);
		for (const struct step_arg *a = (*d)->args; a->name; a++)
			cr_assert(a->help && *a->help, "%s %s", (*d)->verb, a->name);
	}
}
