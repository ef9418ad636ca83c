#include "sandbox/kubelet/services.h"

#include "made.h"

#define POD(name, ip, ready, more)                                                                                     \
	"{'metadata':{'namespace':'ns','name':'" name "','uid':'u-" name "','labels':{'app':'x','extra':'y'}" more     \
	"},'spec':{'nodeName':'sandbox','hostname':'" name "','subdomain':'svc','containers':[{'ports':[{'name':'db'," \
	"'containerPort':27017}]}]},'status':{'phase':'Running','podIP':'" ip                                          \
	"','conditions':[{'type':'Ready','status':'" ready "'}]}}"
#define SERVICE(ip, more)                                                                                              \
	"{'metadata':{'namespace':'ns','name':'svc','uid':'s'},'spec':{'clusterIP':'" ip                               \
	"','selector':{'app':'x'}" more ",'ports':[{'name':'mongodb','port':27017,'targetPort':'db'}]}}"

static struct json *endpoints_of(const char *service, const char *pods)
{
	struct json *s = made(service), *endpoints = NULL;
	WORLD_CLEANUP struct world w = {0};
	struct err err = ERR_INIT;

	made_list(&w, WORLD_PODS, pods);
	cr_assert(endpoints_make(&w, json_root(s), &endpoints, &err), "%s", err.msg);
	json_free(s);
	return endpoints;
}

Test(endpoints, have_ready_pods_that_are_selected)
{
	struct json *e = endpoints_of(SERVICE("127.1.1.128", ""),
	    POD("a", "127.1.1.11", "True", "") "," POD("b", "127.1.1.12", "False", "") "," POD(
		"c", "127.1.1.13", "True", ",'deletionTimestamp':'2001-01-01T00:00:00Z'"));
	const json_node *root = json_root(e);

	cr_assert_eq(json_count(json_at(root, "subsets/0/addresses")), 1);
	cr_assert(json_is_at(root, "subsets/0/addresses/0/ip", "127.1.1.11"));
	cr_assert(json_is_at(root, "subsets/0/addresses/0/hostname", "a"));
	cr_assert(json_is_at(root, "subsets/0/addresses/0/targetRef/uid", "u-a"));
	cr_assert(json_is_at(root, "subsets/0/notReadyAddresses/0/ip", "127.1.1.12"));
	cr_assert_eq(json_count(json_at(root, "subsets/0/notReadyAddresses")), 1);
	cr_assert_eq(json_int_at(root, "subsets/0/ports/0/port", 0), 27017);
	cr_assert(json_is_at(root, "subsets/0/ports/0/name", "mongodb"));
	cr_assert(json_is_at(root, "metadata/ownerReferences/0/uid", "s"));
	json_free(e);
}

Test(endpoints, of_a_service_that_publishes_all_have_all)
{
	struct json *e =
	    endpoints_of(SERVICE("None", ",'publishNotReadyAddresses':true"), POD("b", "127.1.1.12", "False", ""));

	cr_assert(json_is_at(json_root(e), "subsets/0/addresses/0/ip", "127.1.1.12"));
	json_free(e);
}

Test(endpoints, of_nothing_are_empty)
{
	struct json *e = endpoints_of(SERVICE("None", ""), "");

	cr_assert_eq(json_count(json_at(json_root(e), "subsets")), 0);
	json_free(e);
}

static void names_are(const char *services, const char *endpoints, const char *wanted)
{
	WORLD_CLEANUP struct world w = {0};
	BUF_CLEANUP struct buf text = BUF_INIT(65536);
	struct err err = ERR_INIT;

	made_list(&w, WORLD_SERVICES, services);
	made_list(&w, WORLD_ENDPOINTS, endpoints);
	cr_assert(hosts_text(&w, &text, &err), "%s", err.msg);
	cr_assert_str_eq(buf_str(&text), wanted);
}

#define ENDPOINTS                                                                                                      \
	"{'metadata':{'namespace':'ns','name':'svc'},'subsets':[{'addresses':[{'ip':'127.1.1.11','hostname':'a'},"     \
	"{'ip':'127.1.1.12'},{'ip':'evil\\n1.2.3.4'}],'ports':[{'name':'mongodb','port':27017}]}]}"

Test(names, of_a_service_lead_to_its_address)
{
	names_are(SERVICE("127.1.1.128", ""), ENDPOINTS,
	    "127.0.0.1 localhost\n127.1.1.128 svc.ns.svc.cluster.local svc.ns.svc svc.ns\n");
}

Test(names, of_a_headless_service_lead_to_its_pods)
{
	names_are(SERVICE("None", ""), ENDPOINTS,
	    "127.0.0.1 localhost\n127.1.1.11 svc.ns.svc.cluster.local svc.ns.svc svc.ns\n"
	    "127.1.1.11 a.svc.ns.svc.cluster.local\n127.1.1.12 svc.ns.svc.cluster.local svc.ns.svc svc.ns\n");
}

Test(endpoints, are_settled_by_selector_by_note_or_as_they_are_stored)
{
	struct world w = {0};
	CLEANUP(json) struct json *list = NULL;
	struct err err = ERR_INIT;
	const json_node *root;

	made_list(&w, WORLD_SERVICES,
	    SERVICE("127.1.1.128",
		"") ",{'metadata':{'namespace':'ns','name':'noted'},'spec':{'clusterIP':'127.1.1.129','ports':["
		    "{'name':'mongos','port':27017}]}}");
	made_list(&w, WORLD_PODS, POD("a", "127.1.1.11", "True", ""));
	made_list(&w, WORLD_ENDPOINTS,
	    "{'metadata':{'namespace':'ns','name':'noted','annotations':{'psmdb-sandbox/"
	    "backend':'127.1.1.12'}},'subsets':[]}");
	cr_assert(endpoints_settle(&w, &list, &err), "%s", err.msg);
	root = json_root(list);
	cr_assert(json_is_at(root, "items/0/subsets/0/addresses/0/ip", "127.1.1.11"));
	cr_assert(json_is_at(root, "items/1/subsets/0/addresses/0/ip", "127.1.1.12"));
	cr_assert_eq(json_int_at(root, "items/1/subsets/0/ports/0/port", 0), 27017);
	cr_assert(json_is_at(root, "items/1/subsets/0/ports/0/name", "mongos"));
	world_clear(&w);
}

Test(names, of_a_service_without_an_address_are_not_there)
{
	names_are(SERVICE("None", ""), "", "127.0.0.1 localhost\n");
	names_are(SERVICE("", ""), ENDPOINTS, "127.0.0.1 localhost\n");
	names_are("{'metadata':{'namespace':'ns','name':'a b'},'spec':{'clusterIP':'127.1.1.128'}}", "",
	    "127.0.0.1 localhost\n");
}

Test(routes, lead_from_a_service_port_to_the_endpoints_of_its_name)
{
	WORLD_CLEANUP struct world w = {0};
	static struct routes routes;

	made_list(&w, WORLD_SERVICES, SERVICE("127.1.1.128", ""));
	made_list(&w, WORLD_ENDPOINTS, ENDPOINTS);
	routes_make(&w, &routes);
	cr_assert_eq(routes.count, 1);
	cr_assert_str_eq(routes.items[0].front.ip, "127.1.1.128");
	cr_assert_eq(routes.items[0].front.port, 27017);
	cr_assert_eq(routes.items[0].count, 2);
	cr_assert_str_eq(routes.items[0].backends[1].ip, "127.1.1.12");
	cr_assert_eq(routes.items[0].backends[1].port, 27017);
}

Test(routes, of_other_services_are_not_there)
{
	WORLD_CLEANUP struct world w = {0};
	static struct routes routes;

	made_list(&w, WORLD_SERVICES, SERVICE("None", ""));
	made_list(&w, WORLD_ENDPOINTS, ENDPOINTS);
	routes_make(&w, &routes);
	cr_assert_eq(routes.count, 0);
	made_list(&w, WORLD_SERVICES,
	    "{'metadata':{'namespace':'ns','name':'svc'},'spec':{'clusterIP':'127.1.1.128','ports':["
	    "{'port':53,'protocol':'UDP'},{'port':70000},{'port':80,'name':'other'}]}}");
	routes_make(&w, &routes);
	cr_assert_eq(routes.count, 1);
	cr_assert_eq(routes.items[0].count, 0);
}
