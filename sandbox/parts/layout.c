#include "sandbox/parts/layout.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define PODS_TRIED 3 /* addresses that the first pods will have */

struct layout_path layout_file(const struct layout *l, const char *fmt, ...)
{
	struct layout_path path;
	size_t used = (size_t)snprintf(path.text, sizeof path.text, "%s/", l->dir);
	va_list args;

	va_start(args, fmt);
	vsnprintf(path.text + used, sizeof path.text - used, fmt, args);
	va_end(args);
	return path;
}

const char *layout_member_address(const struct layout *l, int member, char text[static ADDRESS_MAX])
{
	return address_text(l->range, LAYOUT_MEMBER_HOST + member, text);
}

const char *layout_s3_address(const struct layout *l, char text[static ADDRESS_MAX])
{
	return address_text(l->range, LAYOUT_S3_HOST, text);
}

const char *layout_s3_endpoint(const struct layout *l, char text[static LAYOUT_ENDPOINT_MAX])
{
	char address[ADDRESS_MAX];

	if (layout_is_guest(l))
		strcpy(text, l->bucket_endpoint);
	else
		snprintf(text, LAYOUT_ENDPOINT_MAX, "http://%s:%u", layout_s3_address(l, address), l->ports + S3_PORT);
	return text;
}

const char *layout_api_address(const struct layout *l, char text[static ADDRESS_MAX])
{
	return address_text(l->range, LAYOUT_API_HOST, text);
}

bool layout_uri(const struct layout *l, struct buf *out, struct err *err)
{
	char address[ADDRESS_MAX];

	for (int i = 0; i < l->members; i++)
		if (!buf_printf(out, err, "%s%s:%u", i ? "," : "mongodb://", layout_member_address(l, i, address),
			l->mongod_port))
			return false;
	return buf_add_str(out, "/?replicaSet=" LAYOUT_SET_NAME, err);
}

bool layout_member_uri(const struct layout *l, int member, bool direct, struct buf *out, struct err *err)
{
	char address[ADDRESS_MAX];

	return buf_printf(out, err, "mongodb://%s:%u/%s", layout_member_address(l, member, address), l->mongod_port,
	    direct ? "?directConnection=true" : "");
}

void layout_want(const struct layout *l, struct address_want *ret)
{
	*ret = (struct address_want){
	    .hosts_first = LAYOUT_MEMBER_HOST,
	    .hosts = layout_is_control_plane(l) ? PODS_TRIED : l->members,
	    .main_port = l->mongod_port,
	    .ports_host = LAYOUT_S3_HOST,
	    .ports = S3_PORTS,
	    .range = l->range,
	    .port_block = l->ports,
	    .seed = l->dir,
	};
}
