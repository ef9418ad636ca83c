#include "s3/s3_errors.h"

#include "s3/s3_xml.h"

#include <stdio.h>
#include <string.h>

static const struct cause {
	const char *s3_code;
	enum err_code code;
	const char *hint;
} causes[] = {
    {"InvalidAccessKeyId", ERR_AUTH,
	"the server does not know this access key: check AWS_ACCESS_KEY_ID, and that the endpoint is the right one"},
    {"SignatureDoesNotMatch", ERR_AUTH,
	"the secret key does not belong to this access key: check AWS_SECRET_ACCESS_KEY for missing or extra "
	"characters"},
    {"AccessDenied", ERR_AUTH,
	"the key is good but may not do this: it needs s3:ListBucket on the bucket and s3:GetObject on its objects"},
    {"ExpiredToken", ERR_AUTH, "the session token has expired: get new credentials"},
    {"InvalidToken", ERR_AUTH, "check AWS_SESSION_TOKEN, or unset it for a permanent key"},
    {"RequestTimeTooSkewed", ERR_AUTH, "set this machine's clock: it is more than 15 minutes off the server's"},
    {"NoSuchBucket", ERR_NOT_FOUND, "check the bucket's name and the endpoint"},
    {"NoSuchKey", ERR_NOT_FOUND, "check the prefix; list the bucket to see what is there"},
    {"SlowDown", ERR_REMOTE, "the server is overloaded: try again later"},
    {"InternalError", ERR_REMOTE, "look into the S3 server's log"},
};

/* HEAD has no body, and proxies answer in HTML: the status must do then. */
static const char *code_of_status(int status)
{
	switch (status) {
	case 401:
	case 403:
		return "AccessDenied";
	case 404:
		return "NoSuchKey";
	case 503:
		return "SlowDown";
	default:
		return "";
	}
}

static bool other_region(
    const struct s3_config *config, const struct s3_fault *fault, const struct http_response *res, struct err *err)
{
	const char *region = http_headers_get(&res->headers, "x-amz-bucket-region");

	if (!region || !*region)
		region = fault->region;
	if (!*region || !strcmp(region, config->region))
		return err_hint(err, "the bucket is reached at another endpoint: check endpoint and region");
	return err_hint(err,
	    "the bucket is in region \"%.63s\", not \"%s\": give that region, and its endpoint if one is given", region,
	    config->region);
}

bool s3_refused(const struct s3_config *config, const char *what, const struct http_response *res, struct err *err)
{
	struct s3_fault fault = {0};
	const struct cause *cause = NULL;
	const char *code;

	s3_parse_error(buf_str(&res->body), res->body.len, &fault);
	code = *fault.code ? fault.code : code_of_status(res->status);
	for (size_t i = 0; i < sizeof causes / sizeof causes[0] && !cause; i++)
		if (!strcmp(causes[i].s3_code, code))
			cause = &causes[i];
	if (*fault.code)
		err_set(err, cause ? cause->code : ERR_REMOTE, "%s: S3 answers %d %s: %s", what, res->status,
		    fault.code, fault.message);
	else
		err_set(err, cause ? cause->code : ERR_REMOTE, "%s: S3 answers HTTP %d", what, res->status);
	if ((res->status >= 300 && res->status < 400) || !strcmp(code, "AuthorizationHeaderMalformed") ||
	    !strcmp(code, "PermanentRedirect"))
		return other_region(config, &fault, res, err);
	if (cause)
		err_hint(err, "%s", cause->hint);
	return false;
}
