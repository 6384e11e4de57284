#include "base/auto.h"
#include "base/buf.h"
#include "base/list.h"
#include "base/map.h"
#include "base/strv.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

Test(buf, is_always_terminated)
{
	AUTO(buf) struct buf b = {0};

	cr_expect_str_eq(buf_str(&b), "");
	buf_add(&b, "a\0b", 3);
	cr_expect_eq(b.len, 3);
	cr_expect_eq(b.data[3], '\0');
	buf_cut(&b, 1);
	cr_expect_str_eq(buf_str(&b), "a");
	for (int i = 0; i < 1000; i++)
		buf_addf(&b, "%d,", i);
	cr_expect_eq(strlen(buf_str(&b)), b.len);
}

Test(buf, take_gives_the_memory_away)
{
	struct buf b = {0};
	AUTO_FREE char *empty = buf_take(&b);
	AUTO_FREE char *text = NULL;

	cr_expect_str_eq(empty, "");
	buf_adds(&b, "x");
	text = buf_take(&b);
	cr_expect_str_eq(text, "x");
	cr_expect_eq(b.len, 0);
}

Test(map, keeps_order_and_finds)
{
	AUTO(map) struct map m = {0};
	static int values[1000];
	char key[16];

	cr_expect_null(map_get(&m, "x"));
	for (int i = 0; i < 1000; i++) {
		snprintf(key, sizeof(key), "k%d", i);
		cr_assert(map_put(&m, key, &values[i]));
	}
	cr_expect(!map_put(&m, "k7", &values[0]), "replacing is not adding");
	cr_expect_eq(m.count, 1000);
	cr_expect_eq(map_get(&m, "k7"), &values[0]);
	cr_expect_eq(map_get(&m, "k999"), &values[999]);
	cr_expect_str_eq(m.entries[500].key, "k500");
	cr_expect(!map_has(&m, "k1000"));
	map_put(&m, "null", NULL);
	cr_expect(map_has(&m, "null"));
}

Test(strv, is_an_argv)
{
	AUTO(strv) struct strv v = {0};

	strv_add(&v, "b");
	strv_addf(&v, "a%d", 1);
	cr_expect_null(v.items[2]);
	strv_sort(&v);
	cr_expect_str_eq(v.items[0], "a1");
	cr_expect(strv_has(&v, "b"));
	cr_expect(!strv_has(&v, "c"));
}

Test(list, grows)
{
	LIST(int) numbers = {0};

	for (int i = 0; i < 100; i++)
		list_push(&numbers, i);
	cr_expect_eq(numbers.count, 100);
	cr_expect_eq(numbers.items[99], 99);
	list_release(&numbers);
}
