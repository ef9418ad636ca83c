/*
 * One request to the embedded API server: lines METHOD TARGET, content type, Accept, then the body. The store holds a
 * custom kind and a few objects; the sweep runs behind it, and a stream is asked once.
 */
#include "sandbox/api/handler.h"

#include <stdlib.h>
#include <string.h>

static const char definition[] =
    "{\"metadata\":{\"name\":\"things.example.org\"},\"spec\":{\"group\":\"example.org\",\"scope\":\"Namespaced\","
    "\"names\":{"
    "\"plural\":\"things\",\"singular\":\"thing\",\"kind\":\"Thing\",\"listKind\":\"ThingList\"},\"versions\":[{"
    "\"name\":"
    "\"v1\",\"served\":true,\"storage\":true,\"subresources\":{\"status\":{}},\"additionalPrinterColumns\":[{\"name\":"
    "\"A\","
    "\"type\":\"string\",\"jsonPath\":\".spec.a\"}]}]},\"apiVersion\":\"apiextensions.k8s.io/v1\",\"kind\":"
    "\"CustomResourceDefinition\"}";

static void ask(struct api *api, const char *method, const char *target, const char *type, const char *accept,
    const char *body, size_t len)
{
	const struct api_request request = {.method = method,
	    .target = target,
	    .content_type = *type ? type : NULL,
	    .accept = *accept ? accept : NULL,
	    .user_agent = "curl/8",
	    .body = body,
	    .body_len = len};
	struct api_response response;

	api_handle(api, &request, &response);
	if (response.stream) {
		BUF_CLEANUP struct buf out = BUF_INIT(API_ANSWER_MAX);

		response.stream->fill(response.stream, &out);
	}
	if (response.code < 200 || response.code > 599)
		abort();
	api_response_clear(&response);
}

static void ask_text(struct api *api, const char *method, const char *target, const char *body)
{
	ask(api, method, target, "application/json", "", body, strlen(body));
}

/* The line at *p, ended with a NUL; "" behind the last. */
static char *line(char **p)
{
	char *begin = *p, *end = begin + strcspn(begin, "\n");

	*p = *end ? end + 1 : end;
	*end = '\0';
	return begin;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct store_options options = {.history = 8};
	CLEANUP(store) struct store *store = NULL;
	char *text = malloc(size + 1), *p = text;
	struct api api = {.pod_dir = "/nonexistent", .server_address = "127.0.0.2:6443"};
	struct err err = ERR_INIT;
	const char *method, *target, *type, *accept;
	bool changed = true;

	if (!text)
		return 0;
	memcpy(text, data, size);
	text[size] = '\0';
	if (!db_new(&options, &store, &err))
		abort();
	api.store = store;
	if (!api_prepare(&api, &err))
		abort();
	ask_text(&api, "POST", "/apis/apiextensions.k8s.io/v1/customresourcedefinitions", definition);
	ask_text(&api, "POST", "/apis/example.org/v1/namespaces/default/things",
	    "{\"apiVersion\":\"example.org/v1\",\"kind\":\"Thing\",\"metadata\":{\"name\":\"t\",\"finalizers\":[\"a/"
	    "b\"]},\"spec\":{"
	    "\"a\":1}}");
	ask_text(&api, "POST", "/api/v1/namespaces/default/pods",
	    "{\"metadata\":{\"name\":\"p\"},\"spec\":{\"containers\":[{\"name\":\"c\",\"image\":\"x\"}]}}");
	method = line(&p);
	target = method + strcspn(method, " ");
	if (*target) {
		text[target - text] = '\0';
		target++;
	}
	type = line(&p);
	accept = line(&p);
	ask(&api, method, target, type, accept, p, (size_t)(text + size - p));
	for (int i = 0; changed && i < 50; i++)
		if (!api_sweep(&api, &changed, &err))
			break;
	ask_text(&api, "GET", "/apis/example.org/v1/things", "");
	free(text);
	return 0;
}
