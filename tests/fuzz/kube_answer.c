/* Any bytes from an API server: as a watch's stream in pieces of any size, and as the body of a refusal. */
#include "kube/stream.h"

#include <stdlib.h>
#include <string.h>

static bool on_event(void *ctx, enum kube_event event, const json_node *object, struct err *err)
{
	size_t *events = ctx;

	(void)err;
	if (!json_is_object(object) || event > KUBE_BOOKMARK)
		abort();
	kube_deleting(object);
	kube_label(object, "a/b");
	kube_has_finalizer(object, "a");
	return ++*events < 1000;
}

static void stream(const struct call *call, const char *text, size_t len, size_t piece)
{
	EVENT_STREAM_CLEANUP struct event_stream s;
	struct err err = ERR_INIT;
	size_t events = 0;

	event_stream_init(&s, call, on_event, &events);
	for (size_t at = 0; at < len; at += piece) {
		size_t more = len - at < piece ? len - at : piece;

		if (!event_stream_feed(&s, text + at, more, &err))
			return;
	}
	if (s.line.len > EVENT_BYTES_MAX || event_stream_end(&s, &err) != !s.line.len)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct kube_kind pods;
	struct call call = {.verb = "watch", .path = "/", .kind = &pods, .namespace_ = "x", .name = "y"};
	BUF_CLEANUP struct buf body = BUF_INIT(1 << 24);
	struct err err = ERR_INIT;
	int status;

	kube_kind_set(&pods, "", "v1", "pods", "Pod", true);
	if (size < 3 || !buf_add(&body, data + 2, size - 2, &err))
		return 0;
	stream(&call, body.data, body.len, (size_t)data[0] + 1);
	status = 300 + (data[1] | data[0] << 8) % 300;
	if (kube_refused(&call, status, buf_str(&body), body.len, data[0] & 1, &err) || err.code == ERR_NONE ||
	    strncmp(err.msg, "watch pod \"x/y\": ", 17))
		abort();
	for (const unsigned char *p = (const unsigned char *)err.msg; *p; p++)
		if (*p < 0x20 || *p == 0x7f)
			abort();
	return 0;
}
