#include "build/inputs.h"

#include "base/auto.h"

#include <criterion/criterion.h>
#include <string.h>

static void add(struct inputs *i, const char *rows)
{
	/* "sname=value|..." */
	while (*rows) {
		size_t len = strcspn(rows, "|");
		char row[200] = "";
		char *value;

		memcpy(row, rows, len);
		value = strchr(row, '=');
		if (row[0] == INPUT_ENV) {
			inputs_env(i, row + 1);
		} else {
			*value++ = '\0';
			inputs_text(i, row[0], row + 1, value);
		}
		rows += len + (rows[len] == '|');
	}
}

Test(inputs, the_reason_names_what_is_another)
{
	static const struct {
		const char *before, *now, *reason;
	} rows[] = {
		{"scompression=gzip", "scompression=zstd", "compression was 'gzip', is 'zstd'"},
		{"tsrc/main.c=1", "tsrc/main.c=2", "src/main.c changed"},
		{"ta=1|tb=1|tc=1", "ta=2|tb=2|tc=2", "a changed (and 2 more)"},
		{"ta=1", "ta=1|tb=1", "b is new"},
		{"ta=1|tb=1", "tb=1", "a is gone"},
		{"c1=make", "c1=make|c2=make install", "step 2 is new"},
		{"c1=make|c2=x", "c1=make", "step 2 is gone"},
		{"c1=make", "c1=make -k", "step 1 is another"},
		{"eCFLAGS=-O2", "eCFLAGS=-O0", "CFLAGS was '-O2', is '-O0'"},
		{"eTOKEN=hunter2", "eTOKEN=hunter3", "variable TOKEN has another value"},
		{"", "eTOKEN=hunter2", "variable TOKEN is set now"},
		{"eTOKEN=hunter2", "", "variable TOKEN is not set any more"},
		{"mthis machine's packages=1", "mthis machine's packages=2",
		 "this machine's packages changed"},
		{"fusr/bin/x=2 0755 0:0 5 9 aa", "fusr/bin/x=2 4755 0:0 5 9 aa",
		 "usr/bin/x has another mode"},
		{"fusr/bin/x=2 0755 0:0 5 9 aa", "fusr/bin/x=2 0755 0:0 6 9 bb",
		 "usr/bin/x has another time"},
		{"fusr/bin/x=2 0755 0:0 5 9 aa", "fusr/bin/x=2 0755 0:0 5 9 bb", "usr/bin/x changed"},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		AUTO(inputs) struct inputs before = {0};
		AUTO(inputs) struct inputs now = {0};
		AUTO_FREE char *why = NULL;

		add(&before, rows[i].before);
		add(&now, rows[i].now);
		why = inputs_reason(&before.bytes, &now.bytes);
		cr_expect_str_eq(why, rows[i].reason);
		cr_expect_null(strstr(why, "hunter"));
		/* nor in what is kept */
		cr_expect_null(memmem(buf_str(&before.bytes), before.bytes.len, "hunter", 6));
	}
}

Test(inputs, no_two_lists_have_one_key)
{
	static const char *const lists[] = {
		"tab=c", "ta=bc", "ta=b|tc=", "tabc=", "sab=c", "", "tc=|ta=b"};
	uint8_t keys[sizeof(lists) / sizeof(lists[0])][SHA256_BYTES];

	for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++) {
		AUTO(inputs) struct inputs in = {0};

		add(&in, lists[i]);
		inputs_key(&in, keys[i]);
		for (size_t k = 0; k < i; k++)
			cr_expect(memcmp(keys[i], keys[k], SHA256_BYTES) != 0, "'%s' and '%s'", lists[i],
					  lists[k]);
	}
}

Test(inputs, nonsense_has_a_reason_too)
{
	static const char bytes[] = "\xff\xff\xff\xff garbage";

	for (size_t len = 0; len < sizeof(bytes); len++) {
		AUTO(inputs) struct inputs now = {0};
		AUTO(buf) struct buf before = {0};
		AUTO_FREE char *why = NULL;

		buf_add(&before, bytes, len);
		add(&now, "ta=1");
		why = inputs_reason(&before, &now.bytes);
		cr_expect_str_eq(why, "a is new");
	}
}
