#include "sandbox/kubelet/lifecycle.h"

#include "made.h"

/* Written out again as the drawing has it, so that a slip in the table shows. */
static const struct {
	enum container_state from;
	enum container_event event;
	enum container_state to;
} moves[] = {
    {CONTAINER_WAITING, CONTAINER_STARTED, CONTAINER_RUNNING},
    {CONTAINER_WAITING, CONTAINER_REFUSED, CONTAINER_WAITING},
    {CONTAINER_WAITING, CONTAINER_STOP, CONTAINER_DONE},
    {CONTAINER_RUNNING, CONTAINER_STOP, CONTAINER_STOPPING},
    {CONTAINER_RUNNING, CONTAINER_RETURNS, CONTAINER_BACKOFF},
    {CONTAINER_RUNNING, CONTAINER_ENDED, CONTAINER_DONE},
    {CONTAINER_STOPPING, CONTAINER_STOP, CONTAINER_STOPPING},
    {CONTAINER_STOPPING, CONTAINER_ENDED, CONTAINER_DONE},
    {CONTAINER_BACKOFF, CONTAINER_STARTED, CONTAINER_RUNNING},
    {CONTAINER_BACKOFF, CONTAINER_REFUSED, CONTAINER_BACKOFF},
    {CONTAINER_BACKOFF, CONTAINER_STOP, CONTAINER_DONE},
    {CONTAINER_DONE, CONTAINER_STOP, CONTAINER_DONE},
};

Test(kubelet_lifecycle, allows_what_is_drawn_and_nothing_else)
{
	for (int s = 0; s <= CONTAINER_STATES; s++) {
		for (int e = 0; e <= CONTAINER_EVENTS; e++) {
			enum container_state got = CONTAINER_STATES, wanted = CONTAINER_STATES;

			for (size_t i = 0; i < sizeof moves / sizeof *moves; i++)
				if ((int)moves[i].from == s && (int)moves[i].event == e)
					wanted = moves[i].to;
			cr_assert_eq(container_next((enum container_state)s, (enum container_event)e, &got),
			    wanted != CONTAINER_STATES, "state %d event %d", s, e);
			cr_assert_eq(got, wanted);
		}
	}
}

Test(kubelet_lifecycle, a_policy_says_whether_a_container_comes_back)
{
	cr_assert(restart_wanted("Always", 0) && restart_wanted("Always", 1) && restart_wanted(NULL, 0));
	cr_assert(!restart_wanted("OnFailure", 0) && restart_wanted("OnFailure", 1));
	cr_assert(!restart_wanted("Never", 0) && !restart_wanted("Never", 137));
}

static struct container_view view(enum container_state state, bool was_started, int exit_code)
{
	struct container_view v = {.name = "c", .image = "i", .state = state, .was_started = was_started};

	v.ready = state == CONTAINER_RUNNING;
	if (state == CONTAINER_DONE && exit_code >= 0)
		v.end = (struct container_end){.known = true, .exit_code = exit_code};
	return v;
}

static const char *phase_of(struct container_view a, struct container_view b)
{
	struct container_view both[2] = {a, b};
	const struct pod_view v = {.containers = both, .count = 2};

	return pod_phase(&v);
}

Test(kubelet_lifecycle, a_pods_phase_follows_from_its_containers)
{
	struct container_view waits = view(CONTAINER_WAITING, false, 0), runs = view(CONTAINER_RUNNING, true, 0);
	struct container_view returns = view(CONTAINER_BACKOFF, true, 1), resumed = view(CONTAINER_WAITING, true, 0);
	struct container_view good = view(CONTAINER_DONE, true, 0), bad = view(CONTAINER_DONE, true, 3);
	struct container_view never = view(CONTAINER_DONE, false, -1);

	cr_assert_str_eq(phase_of(waits, runs), "Pending");
	cr_assert_str_eq(phase_of(runs, runs), "Running");
	cr_assert_str_eq(phase_of(returns, good), "Running");
	cr_assert_str_eq(phase_of(resumed, runs), "Running");
	cr_assert_str_eq(phase_of(good, good), "Succeeded");
	cr_assert_str_eq(phase_of(good, bad), "Failed");
	cr_assert_str_eq(phase_of(good, never), "Failed");
	cr_assert_str_eq(phase_of(good, runs), "Running");
}

Test(kubelet_lifecycle, a_pod_waits_for_its_init_containers)
{
	struct container_view waits = view(CONTAINER_WAITING, false, 0), given_up = view(CONTAINER_DONE, false, -1);
	struct container_view inits[] = {view(CONTAINER_DONE, true, 0), view(CONTAINER_RUNNING, true, 0)};
	struct pod_view v = {.containers = &waits, .count = 1, .inits = inits, .init_count = 2};

	cr_assert_str_eq(pod_phase(&v), "Pending");
	cr_assert_not(pod_initialized(&v));
	inits[1] = view(CONTAINER_DONE, true, 0);
	cr_assert(pod_initialized(&v));
	inits[1] = view(CONTAINER_DONE, true, 2);
	v.containers = &given_up;
	cr_assert_str_eq(pod_phase(&v), "Failed");
	cr_assert_not(pod_initialized(&v));
}

static struct json *status_of(
    const struct container_view *views, size_t count, const char *spec, const json_node *before)
{
	struct json *doc = made(spec), *status = NULL;
	const struct pod_view v = {.containers = views,
	    .count = count,
	    .pod_ip = "127.1.2.11",
	    .host_ip = "127.1.2.3",
	    .start_ms = 1000000000000,
	    .now_ms = 1000000060000,
	    .spec = json_root(doc),
	    .before = before};
	struct err err = ERR_INIT;

	cr_assert(pod_status(&v, &status, &err), "%s", err.msg);
	json_free(doc);
	return status;
}

static const json_node *condition(const struct json *status, const char *type)
{
	for (const json_node *c = json_first(json_at(json_root(status), "conditions")); c; c = json_next(c))
		if (json_is_at(c, "type", type))
			return c;
	cr_assert_fail("no condition %s", type);
	return NULL;
}

Test(kubelet_lifecycle, a_status_says_what_kubectl_shows)
{
	struct container_view views[] = {view(CONTAINER_RUNNING, true, 0), view(CONTAINER_BACKOFF, true, 0)};
	struct json *status;
	const json_node *root;

	views[1].restarts = 4;
	views[1].end = (struct container_end){.known = true, .exit_code = 137, .signal = 9};
	snprintf(views[1].reason, sizeof views[1].reason, "CrashLoopBackOff");
	status = status_of(views, 2, "{}", NULL);
	root = json_root(status);
	cr_assert(json_is_at(root, "phase", "Running"));
	cr_assert(json_is_at(root, "podIP", "127.1.2.11") && json_is_at(root, "podIPs/0/ip", "127.1.2.11"));
	cr_assert(json_bool_at(root, "containerStatuses/0/ready", false));
	cr_assert_not_null(json_at(root, "containerStatuses/0/state/running/startedAt"));
	cr_assert(json_is_at(root, "containerStatuses/1/state/waiting/reason", "CrashLoopBackOff"));
	cr_assert_eq(json_int_at(root, "containerStatuses/1/lastState/terminated/exitCode", 0), 137);
	cr_assert_eq(json_int_at(root, "containerStatuses/1/lastState/terminated/signal", 0), 9);
	cr_assert_eq(json_int_at(root, "containerStatuses/1/restartCount", 0), 4);
	cr_assert(json_is_at(condition(status, "Ready"), "status", "False"));
	cr_assert(json_is_at(condition(status, "Ready"), "message", "containers with unready status: [c]"));
	cr_assert(json_is_at(condition(status, "PodScheduled"), "status", "True"));
	json_free(status);
}

Test(kubelet_lifecycle, a_condition_keeps_its_time_as_long_as_it_stays)
{
	struct json *before =
	    made("{'conditions':[{'type':'Ready','status':'True','lastTransitionTime':'2001-01-01T00:00:00Z'},"
		 "{'type':'ContainersReady','status':'False','lastTransitionTime':'2001-01-01T00:00:00Z'}]}");
	struct container_view runs = view(CONTAINER_RUNNING, true, 0);
	struct json *status = status_of(&runs, 1, "{}", json_root(before));

	cr_assert(json_is_at(condition(status, "Ready"), "lastTransitionTime", "2001-01-01T00:00:00Z"));
	cr_assert(json_is_at(condition(status, "ContainersReady"), "lastTransitionTime", "2001-09-09T01:47:40Z"));
	json_free(status);
	json_free(before);
}

Test(kubelet_lifecycle, init_containers_are_done_with_a_note)
{
	struct container_view runs = view(CONTAINER_RUNNING, true, 0);
	struct json *status = status_of(&runs, 1, "{'initContainers':[{'name':'init','image':'x'}]}", NULL);

	cr_assert(json_is_at(json_root(status), "initContainerStatuses/0/state/terminated/reason", "Completed"));
	cr_assert_not_null(json_at(json_root(status), "initContainerStatuses/0/state/terminated/message"));
	json_free(status);
}

static struct container_view resumed(const char *status, const char *policy)
{
	struct container_view v = {.name = "c"};
	struct json *doc = made(status);

	container_view_resume(&v, json_root(doc), policy, 5000);
	json_free(doc);
	return v;
}

Test(kubelet_lifecycle, what_ran_under_a_killed_kubelet_was_killed_with_it)
{
	struct container_view v =
	    resumed("{'restartCount':2,'state':{'running':{'startedAt':'2001-01-01T00:00:00Z'}}}", "Always");

	cr_assert(v.state == CONTAINER_WAITING && v.was_started && v.restarts == 2);
	cr_assert(v.end.known && v.end.exit_code == 137 && v.end.finished_ms == 5000);
	v = resumed("{'restartCount':0,'state':{'running':{}}}", "Never");
	cr_assert(v.state == CONTAINER_DONE && v.end.exit_code == 137);
	v = resumed("{'restartCount':0,'state':{'terminated':{'exitCode':0}}}", "OnFailure");
	cr_assert(v.state == CONTAINER_DONE && v.end.exit_code == 0);
	v = resumed("{'restartCount':1,'state':{'waiting':{}},'lastState':{'terminated':{'exitCode':7}}}", "Always");
	cr_assert(v.state == CONTAINER_WAITING && v.was_started && v.end.exit_code == 7);
	v = resumed("{'restartCount':0,'state':{'waiting':{}},'lastState':{}}", "Always");
	cr_assert(v.state == CONTAINER_WAITING && !v.was_started && !v.end.known);
	v = resumed("{'restartCount':-5,'state':'x'}", "Always");
	cr_assert(v.restarts == 0 && !v.was_started);
}
