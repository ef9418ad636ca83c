#include "base/base64.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/digest.h"
#include "base/err.h"
#include "base/num.h"
#include "base/optime.h"
#include "base/text.h"
#include "base/uuid.h"

#include <criterion/criterion.h>
#include <string.h>

Test(err, wrap_puts_context_in_front_and_keeps_code_and_hint)
{
	struct err err = ERR_INIT;

	cr_assert(!err_set(&err, ERR_NET, "connect to \"%s\"", "db:27017"));
	err_hint(&err, "is it up");
	err_wrap(&err, "read %d", 7);
	err_hint(&err, "a later hint does not replace it");
	cr_assert_str_eq(err.msg, "read 7: connect to \"db:27017\"");
	cr_assert_str_eq(err.hint, "is it up");
	cr_assert_eq(err.code, ERR_NET);
}

Test(err, a_message_longer_than_the_value_is_cut_and_stays_a_string)
{
	struct err err = ERR_INIT;
	char text[3000];

	memset(text, 'x', sizeof text - 1);
	text[sizeof text - 1] = '\0';
	err_set(&err, ERR_IO, "%s", text);
	err_wrap(&err, "%s", text);
	cr_assert_eq(strlen(err.msg), sizeof err.msg - 1);
}

Test(err, every_code_has_a_phrase_and_an_exit_status)
{
	for (int code = ERR_NONE; code <= ERR_INTERRUPTED; code++)
		cr_assert_str_neq(err_phrase((enum err_code)code), "unknown error");
	cr_assert_eq(err_exit_status(ERR_USAGE), 2);
	cr_assert_eq(err_exit_status(ERR_NET), 3);
	cr_assert_eq(err_exit_status(ERR_INTERRUPTED), 130);
	cr_assert_eq(err_exit_status((enum err_code)999), 3);
}

Test(buf, refuses_what_passes_its_maximum_and_stays_as_it_was)
{
	BUF_CLEANUP struct buf buf = BUF_INIT(8);
	struct err err = ERR_INIT;

	cr_assert(buf_add_str(&buf, "12345", &err));
	cr_assert(!buf_add_str(&buf, "6789", &err));
	cr_assert_eq(err.code, ERR_LIMIT);
	cr_assert(strstr(err.msg, "8 bytes"));
	cr_assert_str_eq(buf_str(&buf), "12345");
	cr_assert(buf_add_str(&buf, "678", &err));
	buf_consume(&buf, 6);
	cr_assert_str_eq(buf_str(&buf), "78");
}

Test(optime, text_is_strict)
{
	static const struct {
		const char *text;
		bool ok;
	} cases[] = {
	    {"1700000000,3", true},
	    {"0,0", true},
	    {"4294967295,4294967295", true},
	    {"4294967296,1", false},
	    {"1,4294967296", false},
	    {"01,1", false},
	    {"1", false},
	    {"1,", false},
	    {",1", false},
	    {" 1,1", false},
	    {"1,1 ", false},
	    {"1,1,1", false},
	    {"-1,1", false},
	    {"", false},
	};

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct optime op;

		cr_assert_eq(optime_parse(cases[i].text, &op), cases[i].ok, "%s", cases[i].text);
		if (cases[i].ok) {
			char text[OPTIME_TEXT_MAX];

			cr_assert_str_eq(optime_format(op, text), cases[i].text);
		}
	}
}

Test(optime, seconds_decide_before_increments)
{
	cr_assert_lt(optime_cmp((struct optime){1, 900}, (struct optime){2, 1}), 0);
	cr_assert_gt(optime_cmp((struct optime){2, 2}, (struct optime){2, 1}), 0);
	cr_assert_eq(optime_max((struct optime){2, 2}, (struct optime){3, 0}).t, 3);
}

Test(time, round_trip_and_offsets)
{
	char text[TIME_TEXT_MAX];
	int64_t ms;

	cr_assert_str_eq(time_format(1700000000123, text), "2023-11-14T22:13:20.123Z");
	cr_assert(time_parse("2023-11-14T23:13:20.123+01:00", &ms));
	cr_assert_eq(ms, 1700000000123);
	cr_assert(time_parse("1969-12-31T23:59:59.999Z", &ms));
	cr_assert_eq(ms, -1);
	cr_assert_str_eq(time_format(-1, text), "1969-12-31T23:59:59.999Z");
	cr_assert_str_eq(time_format(INT64_MAX, text), "invalid");
	cr_assert_str_eq(time_format(INT64_MIN, text), "invalid");
}

Test(time, every_day_of_ten_thousand_years_comes_back)
{
	char text[TIME_TEXT_MAX];

	for (int64_t day = -719528; day < 2932897; day++) { /* 0000-01-01 to 9999-12-31 */
		int64_t want = day * 86400000 + 45296789, ms = 0;

		cr_assert(time_parse(time_format(want, text), &ms) && ms == want, "%s", text);
	}
}

Test(time, what_is_no_time_is_refused)
{
	static const char *const bad[] = {"", "2023-11-14", "2023-13-14T22:13:20Z", "2023-02-29T00:00:00Z",
	    "2023-11-14T24:00:00Z", "2023-11-14T22:13:20", "2023-11-14T22:13:20.Z", "2023-11-14T22:13:20Zx",
	    "2023-11-14T22:13:20+25:00", "20231114T221320Z"};
	int64_t ms;

	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		cr_assert(!time_parse(bad[i], &ms), "%s", bad[i]);
	cr_assert(time_parse("2024-02-29T00:00:00Z", &ms));
}

Test(num, limits)
{
	uint64_t u;
	int64_t i;

	cr_assert(num_parse_u64("18446744073709551615", 20, UINT64_MAX, &u) && u == UINT64_MAX);
	cr_assert(!num_parse_u64("18446744073709551616", 20, UINT64_MAX, &u));
	cr_assert(!num_parse_u64("007", 3, UINT64_MAX, &u));
	cr_assert(num_parse_i64("-9223372036854775808", 20, &i) && i == INT64_MIN);
	cr_assert(!num_parse_i64("9223372036854775808", 19, &i));
	cr_assert(num_parse_duration_ms("90s", &i) && i == 90000);
	cr_assert(!num_parse_duration_ms("90", &i));
	cr_assert(!num_parse_duration_ms("1.5s", &i));
	cr_assert(hex_parse_u64("00000000000000ff", &u) && u == 255);
	cr_assert(!hex_parse_u64("00000000000000FF", &u));
}

Test(digest, known_values)
{
	char text[SHA256_TEXT_MAX], hex[65];
	unsigned char mac[SHA256_BYTES];

	cr_assert_str_eq(
	    sha256_text("abc", 3, text), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
	hmac_sha256("Jefe", 4, "what do ya want for nothing?", 28, mac); /* RFC 4231, case 2 */
	hex_encode(mac, sizeof mac, hex);
	cr_assert_str_eq(hex, "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
}

Test(uuid, text_and_bytes_agree)
{
	struct uuid a, b;
	char text[UUID_TEXT_MAX];

	cr_assert(uuid_random(&a, NULL));
	cr_assert(uuid_parse(uuid_format(&a, text), &b));
	cr_assert(uuid_equal(&a, &b));
	cr_assert_eq(text[14], '4');
	cr_assert(!uuid_parse("00112233-4455-6677-8899-aabbccddeef", &b));
	cr_assert(!uuid_parse("00112233-4455-6677-8899-AABBCCDDEEFF", &b));
	cr_assert(!uuid_parse("001122334-455-6677-8899-aabbccddeeff", &b));
}

Test(text, quoting_leaves_nothing_a_terminal_would_obey)
{
	static const char nasty[] = "a\033[31m\"\\\r\n\x9b\xff\xe2\x80\xae z";
	BUF_CLEANUP struct buf out = BUF_INIT(200);

	cr_assert(text_quote(&out, nasty, NULL));
	cr_assert_str_eq(buf_str(&out), "\"a\\x1b[31m\\\"\\\\\\x0d\\n\\x9b\\xff\\u202e z\"");
}

Test(text, utf8_forms_that_are_not_allowed)
{
	uint32_t code;

	cr_assert_eq(text_utf8_len("\xc0\x80", 2, &code), 0);	      /* overlong */
	cr_assert_eq(text_utf8_len("\xed\xa0\x80", 3, &code), 0);     /* surrogate */
	cr_assert_eq(text_utf8_len("\xf4\x90\x80\x80", 4, &code), 0); /* above U+10FFFF */
	cr_assert_eq(text_utf8_len("\xe2\x82", 2, &code), 0);	      /* cut */
	cr_assert_eq(text_utf8_len("\xe2\x82\xac", 3, &code), 3);
	cr_assert_eq(code, 0x20ac);
}

struct fake {
	int64_t now_ns;
	int asked;
};

static int64_t fake_mono(void *ctx)
{
	return ((struct fake *)ctx)->now_ns;
}

static bool fake_sleep(void *ctx, int64_t deadline, const volatile int *stop)
{
	(void)stop;
	((struct fake *)ctx)->now_ns = deadline;
	return true;
}

static bool third_time(void *arg, struct err *err)
{
	(void)err;
	return ++((struct fake *)arg)->asked == 3;
}

static bool never(void *arg, struct err *err)
{
	(void)arg;
	(void)err;
	return false;
}

Test(text, a_copy_is_one_harmless_line_that_fits)
{
	char text[8];

	text_copy(text, sizeof text, "a\nb\tc");
	cr_expect_str_eq(text, "a b c");
	text_copy(text, sizeof text, "\033[1m");
	cr_expect_str_eq(text, "\xef\xbf\xbd[1m");
	text_copy(text, sizeof text, "123456\xc3\xa4");
	cr_expect_str_eq(text, "123456");
	text_copy(text, sizeof text, NULL);
	cr_expect_str_eq(text, "");
}

Test(base64, comes_back_and_refuses_what_no_encoder_writes)
{
	static const char *const bad[] = {"Z", "Zg", "Zg=", "Zg===", "=", "====", "Zh==", "Zm9=", "Zg==Zg==", "Zm 9v", "Zm-v"};
	struct buf out BUF_CLEANUP = BUF_INIT(4096);
	struct buf back BUF_CLEANUP = BUF_INIT(4096);
	struct err err = ERR_INIT;
	unsigned char bytes[256];

	for (size_t i = 0; i < sizeof bytes; i++)
		bytes[i] = (unsigned char)(255 - i);
	for (size_t len = 0; len <= sizeof bytes; len++) {
		buf_reset(&out);
		buf_reset(&back);
		cr_assert(base64_encode(bytes, len, &out, &err));
		cr_assert(base64_decode(buf_str(&out), out.len, &back, &err), "%s", buf_str(&out));
		cr_assert_eq(back.len, len);
		cr_assert(!len || !memcmp(back.data, bytes, len));
	}
	buf_reset(&out);
	cr_assert(base64_decode("Zm9v\nYmE=\n", 10, &out, &err));
	cr_expect_str_eq(buf_str(&out), "fooba");
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		cr_expect_not(base64_decode(bad[i], strlen(bad[i]), &out, &err), "%s", bad[i]);
		cr_expect_str_eq(buf_str(&out), "fooba", "%s", bad[i]);
	}
}

Test(wait_for, asks_until_true_and_no_longer_than_allowed)
{
	struct fake fake = {0};
	struct clock clock = {.mono_ns = fake_mono, .sleep_until = fake_sleep, .ctx = &fake};
	struct err err = ERR_INIT;

	cr_assert(wait_for(&clock, "a third time", 1000, 100, NULL, third_time, &fake, &err));
	cr_assert_eq(fake.now_ns, 200000000);
	cr_assert(!wait_for(&clock, "a thing that never comes", 1000, 300, NULL, never, NULL, &err));
	cr_assert_eq(err.code, ERR_TIMEOUT);
	cr_assert_str_eq(err.msg, "waited 1.0 s for a thing that never comes");
	cr_assert_eq(fake.now_ns, 1200000000);
}
