/*
 * One request to the embedded API server: lines METHOD TARGET, content type, Accept, then the body. Behind a tab the first
 * line has the Authorization, behind another one the User-Agent; without a tab nobody is asked for a token. The store
 * holds a custom kind and a few objects; the sweep runs behind it, and a stream is asked once. Whoever is not known
 * changes nothing, and learns nothing that is kept.
 */
#include "sandbox/api/handler.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define TOKEN "the-token"

static const char definition[] =
    "{\"metadata\":{\"name\":\"things.example.org\"},\"spec\":{\"group\":\"example.org\",\"scope\":\"Namespaced\","
    "\"names\":{"
    "\"plural\":\"things\",\"singular\":\"thing\",\"kind\":\"Thing\",\"listKind\":\"ThingList\"},\"versions\":[{"
    "\"name\":"
    "\"v1\",\"served\":true,\"storage\":true,\"subresources\":{\"status\":{}},\"additionalPrinterColumns\":[{\"name\":"
    "\"A\","
    "\"type\":\"string\",\"jsonPath\":\".spec.a\"}]}]},\"apiVersion\":\"apiextensions.k8s.io/v1\",\"kind\":"
    "\"CustomResourceDefinition\"}";

/* What only a known token may change, or see. */
static void check_unknown(
    struct api *api, const struct api_request *request, uint64_t before, const struct api_response *response)
{
	if (!api->auth || api_admits(api, request))
		return;
	if (db_version(api->store) != before || response->stream)
		abort();
	/* an answer repeats the target */
	if (!strstr(request->target, "kept-word") && strstr(buf_str(&response->body), "kept-word"))
		abort();
}

static void send_it(struct api *api, const struct api_request *request)
{
	uint64_t before = db_version(api->store);
	struct api_response response;

	api_handle(api, request, &response);
	check_unknown(api, request, before, &response);
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
	const struct api_request request = {.method = method,
	    .target = target,
	    .content_type = "application/json",
	    .user_agent = "curl/8",
	    .body = body,
	    .body_len = strlen(body)};

	send_it(api, &request);
}

static const char *or_null(const char *text)
{
	return *text ? text : NULL;
}

/* Of one token, in a file that only this process has. */
static struct auth *known(void)
{
	static struct auth *auth;
	struct err err = ERR_INIT;
	char path[64];
	int fd;

	if (auth)
		return auth;
	fd = memfd_create("tokens", MFD_CLOEXEC);
	snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
	if (fd < 0 || write(fd, TOKEN ",admin,1,\n", sizeof TOKEN ",admin,1,\n" - 1) < 0 ||
	    !auth_new(path, &auth, &err))
		abort();
	return auth;
}

/* What stands before the separator; *p moves behind it, and is NULL if there is none. */
static const char *field(char **p, const char *separator)
{
	char *begin = *p, *end = begin + strcspn(begin, separator);

	*p = *end ? end + 1 : NULL;
	*end = '\0';
	return begin;
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
	struct api_request request = {.user_agent = "curl/8"};
	char *first;
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
	    "{\"metadata\":{\"name\":\"p\",\"labels\":{\"a\":\"kept-word\"}},\"spec\":{\"containers\":[{\"name\":\"c\","
	    "\"image\":\"x\"}]}}");
	first = line(&p);
	request.method = field(&first, " ");
	request.target = first ? field(&first, "\t") : "";
	if (first) {
		api.auth = known();
		request.authorization = or_null(field(&first, "\t"));
		request.user_agent = first ? or_null(first) : NULL;
	}
	request.content_type = or_null(line(&p));
	request.accept = or_null(line(&p));
	request.body = p;
	request.body_len = (size_t)(text + size - p);
	send_it(&api, &request);
	api.auth = NULL;
	for (int i = 0; changed && i < 50; i++)
		if (!api_sweep(&api, &changed, &err))
			break;
	ask_text(&api, "GET", "/apis/example.org/v1/things", "");
	free(text);
	return 0;
}
