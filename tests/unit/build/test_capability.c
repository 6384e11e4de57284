#include "build/capability.h"

#include "base/auto.h"
#include "base/compiler.h"

#include <criterion/criterion.h>
#include <string.h>

/* The bytes are what setcap(8) of libcap 2.66 wrote for the same text. */
static const struct {
	const char *text;
	uint8_t want[CAPABILITY_BYTES];
} good[] = {
	{"cap_net_bind_service=ep", {1, 0, 0, 2, 0, 4}},
	{"CAP_NET_BIND_SERVICE+ep", {1, 0, 0, 2, 0, 4}},
	{" cap_net_bind_service=pe\n", {1, 0, 0, 2, 0, 4}},
	{"cap_net_raw,cap_net_admin+ep", {1, 0, 0, 2, 0, 0x30}},
	{"cap_net_raw=ep cap_net_admin+pe", {1, 0, 0, 2, 0, 0x30}},
	{"cap_chown=p", {0, 0, 0, 2, 1}},
	{"cap_chown=i", {0, 0, 0, 2, 0, 0, 0, 0, 1}},
	{"cap_chown=eip", {1, 0, 0, 2, 1, 0, 0, 0, 1}},
	{"cap_chown,cap_kill+eip cap_kill-i", {1, 0, 0, 2, 0x21, 0, 0, 0, 1}},
	{"cap_chown=ep cap_chown=p", {0, 0, 0, 2, 1}},
	{"cap_chown+p-p cap_kill=p", {0, 0, 0, 2, 0x20}},
	{"cap_checkpoint_restore=ep", {1, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1}},
	{"cap_bpf,cap_perfmon=ip", {0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0xc0, 0, 0, 0, 0xc0}},
	{"all=p", {0, 0, 0, 2, 255, 255, 255, 255, 0, 0, 0, 0, 255, 1}},
	{"=p", {0, 0, 0, 2, 255, 255, 255, 255, 0, 0, 0, 0, 255, 1}},
};

Test(capability, text_becomes_the_attribute)
{
	for (size_t i = 0; i < ARRAY_LEN(good); i++) {
		uint8_t out[CAPABILITY_BYTES];
		struct error err = {0};

		cr_expect_eq(capability_parse(good[i].text, out, &err), 0, "%s: %s", good[i].text, err.msg);
		cr_expect_eq(memcmp(out, good[i].want, sizeof(out)), 0, "%s", good[i].text);
	}
}

Test(capability, what_is_wrong_is_named)
{
	static const struct {
		const char *text, *says, *hint;
	} rows[] = {
		{"", "'' gives no capability", "cap_net_bind_service=ep"},
		{"  ", "gives no capability", "cap_net_bind_service=ep"},
		{"cap_net_bind_servce=ep", "'cap_net_bind_servce' is no capability",
		 "did you mean 'cap_net_bind_service'?"},
		{"net_raw=ep", "'net_raw' is no capability", "did you mean 'cap_net_raw'?"},
		{"frobnicate=ep", "'frobnicate' is no capability", "capabilities(7)"},
		{"cap_net_raw", "'cap_net_raw' is no clause", "=ep"},
		{"cap_net_raw cap_kill=p", "'cap_net_raw' is no clause", "=ep"},
		{"+ep", "'+ep' is no clause", "=ep"},
		{"cap_kill=x", "'x' is no flag", "flags are"},
		{"cap_kill=p,", "',' is no flag", "flags are"},
		{"cap_kill,=p", "'' is no capability", ""},
		{",cap_kill=p", "'' is no capability", ""},
		{"cap_kill,,cap_chown=p", "'' is no capability", ""},
		{"cap_kill,", "'' is no capability", ""},
		{"cap_kill=", "gives no capability", "=ep"},
		{"cap_kill=p cap_kill-p", "gives no capability", "=ep"},
		{"cap_kill=e", "gives no capability", "=ep"},
		{"cap_kill=ep cap_chown=p", "effective all or none", "flag e"},
		{"cap_kill=e cap_chown=p", "effective all or none", "flag e"},
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		uint8_t out[CAPABILITY_BYTES] = {42};
		struct error err = {0};

		cr_expect_eq(capability_parse(rows[i].text, out, &err), -1, "%s", rows[i].text);
		cr_expect_eq(err.code, ERR_INPUT);
		cr_expect(strstr(err.msg, rows[i].says), "%s: %s", rows[i].text, err.msg);
		cr_expect(strstr(err.hint, rows[i].hint), "%s: %s", rows[i].text, err.hint);
		cr_expect_eq(out[0], 42, "%s: touched", rows[i].text);
	}
}

Test(capability, text_says_what_was_parsed)
{
	static const char *const texts[] = {
		"cap_net_bind_service=ep",
		"cap_chown,cap_checkpoint_restore=p",
		"cap_net_raw=ei",
		"cap_kill=ep cap_net_admin=ei cap_net_raw,cap_sys_time=eip",
	};
	static const uint8_t odd[] = {1, 2, 255};

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		uint8_t value[CAPABILITY_BYTES];
		AUTO_FREE char *text = NULL;
		struct error err = {0};

		cr_assert_eq(capability_parse(texts[i], value, &err), 0, "%s", err.msg);
		text = capability_text(value, sizeof(value));
		cr_expect_str_eq(text, texts[i]);
		value[3] = 9;
		free(text);
		text = capability_text(value, sizeof(value));
		cr_expect_eq(strlen(text), 2 * sizeof(value), "%s", text);
	}
	AUTO_FREE char *hex = capability_text(odd, sizeof(odd));
	cr_expect_str_eq(hex, "0102ff");
}
