#include "net/http.h"

#include "base/num.h"

#include <curl/curl.h>
#include <string.h>

bool http_method_is_idempotent(const char *method)
{
	static const char *const methods[] = {"GET", "HEAD", "OPTIONS", "PUT", "DELETE"};

	for (size_t i = 0; i < sizeof methods / sizeof methods[0]; i++)
		if (!strcmp(methods[i], method))
			return true;
	return false;
}

bool http_status_is_transient(int status)
{
	return status == 408 || status == 429 || status == 500 || status == 502 || status == 503 || status == 504;
}

bool http_retry_after_ms(const struct http_headers *headers, int64_t now_wall_ms, int64_t *ret_ms)
{
	const char *value = http_headers_get(headers, "Retry-After");
	uint64_t seconds;
	int64_t at;

	if (!value)
		return false;
	if (num_parse_u64(value, strlen(value), 1000000, &seconds)) {
		*ret_ms = (int64_t)seconds * 1000;
		return true;
	}
	at = (int64_t)curl_getdate(value, NULL);
	if (at < 0)
		return false;
	*ret_ms = at * 1000 > now_wall_ms ? at * 1000 - now_wall_ms : 0;
	return true;
}

int64_t http_backoff_ms(const struct http_retry *retry, int attempt, uint32_t random)
{
	int64_t delay = retry->first_delay_ms;

	for (int i = 1; i < attempt && delay < retry->max_delay_ms; i++)
		delay *= 2;
	if (delay > retry->max_delay_ms)
		delay = retry->max_delay_ms;
	return delay / 2 + (int64_t)(((uint64_t)(delay - delay / 2) * random) >> 32);
}
