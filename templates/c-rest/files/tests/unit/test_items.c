#include "src/items.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "tests/check.h"

static void quiet(struct service *service)
{
	*service = (struct service){.log = {.fd = -1,
									.level = LOG_LEVEL_ERROR,
									.service = "test",
									.version = "0",
									.lock = PTHREAD_MUTEX_INITIALIZER}};
	health_init(&service->health);
}

static struct item make_item(const char *name, int64_t quantity)
{
	struct item item = {.quantity = quantity};

	snprintf(item.name, sizeof(item.name), "%s", name);
	return item;
}

TEST(items_are_stored_changed_and_removed)
{
	struct service service;
	struct items *items;
	struct text why = {0};
	struct item item = make_item("bolt", 3), read;

	quiet(&service);
	REQUIRE(items_open(&service, ":memory:", &items, &why) == 0);
	CHECK_INT(items_add(items, &item), ITEMS_OK);
	CHECK_INT((long long)strlen(item.id), 36);
	CHECK_INT(items_get(items, item.id, &read), ITEMS_OK);
	CHECK_STRING(read.name, "bolt");
	CHECK_INT(read.quantity, 3);
	CHECK_STRING(read.created_at, item.created_at);

	snprintf(read.name, sizeof(read.name), "nut");
	CHECK_INT(items_replace(items, &read), ITEMS_OK);
	CHECK_INT(items_get(items, item.id, &read), ITEMS_OK);
	CHECK_STRING(read.name, "nut");
	CHECK_STRING(read.created_at, item.created_at);

	CHECK_INT(items_remove(items, item.id), ITEMS_OK);
	CHECK_INT(items_remove(items, item.id), ITEMS_ABSENT);
	CHECK_INT(items_get(items, item.id, &read), ITEMS_ABSENT);
	CHECK_INT(items_replace(items, &item), ITEMS_ABSENT);
	items_close(items);
	text_release(&why);
}

TEST(items_are_listed_in_order_by_pages)
{
	struct service service;
	struct items *items;
	struct text why = {0};
	struct item page[4];
	int64_t after = 0;
	int count, seen = 0;

	quiet(&service);
	REQUIRE(items_open(&service, ":memory:", &items, &why) == 0);
	for (int i = 0; i < 10; i++) {
		struct item item = make_item("x", i);

		CHECK_INT(items_add(items, &item), ITEMS_OK);
	}
	do {
		CHECK_INT(items_list(items, after, 4, page, &count), ITEMS_OK);
		for (int i = 0; i < count; i++)
			CHECK_INT(page[i].quantity, seen++);
		after = count ? page[count - 1].position : 0;
	} while (count == 4);
	CHECK_INT(seen, 10);
	items_close(items);
	text_release(&why);
}

TEST(items_survive_in_a_file_and_migrations_run_once)
{
	char folder[] = "/tmp/items-test-XXXXXX";
	char path[64];
	struct service service;
	struct items *items;
	struct text why = {0};
	struct item item = make_item("bolt", 1), read;

	REQUIRE(mkdtemp(folder) != NULL);
	snprintf(path, sizeof(path), "%s/items.db", folder);
	quiet(&service);
	REQUIRE(items_open(&service, path, &items, &why) == 0);
	CHECK_INT(items_add(items, &item), ITEMS_OK);
	items_close(items);
	REQUIRE(items_open(&service, path, &items, &why) == 0);
	CHECK_INT(items_get(items, item.id, &read), ITEMS_OK);
	items_close(items);
	unlink(path);
	rmdir(folder);
	text_release(&why);
}

TEST(database_refuses_a_schema_from_the_future)
{
	static const struct migration newer[] = {{1, "0001_a", "CREATE TABLE a (x INTEGER)"},
		{2, "0002_b", "CREATE TABLE b (x INTEGER)"}, {0}};
	static const struct migration older[] = {{1, "0001_a", "CREATE TABLE a (x INTEGER)"}, {0}};
	char folder[] = "/tmp/items-test-XXXXXX";
	char path[64];
	struct service service;
	struct text why = {0};
	sqlite3 *db;

	REQUIRE(mkdtemp(folder) != NULL);
	snprintf(path, sizeof(path), "%s/items.db", folder);
	quiet(&service);
	REQUIRE(database_open(&service.log, path, newer, &db, &why) == 0);
	sqlite3_close(db);
	CHECK_INT(database_open(&service.log, path, older, &db, &why), -1);
	CHECK_CONTAINS(text_string(&why), "schema version 2, this program knows 1");
	unlink(path);
	rmdir(folder);
	text_release(&why);
}

TEST(database_leaves_nothing_of_a_migration_that_fails)
{
	static const struct migration bad[] = {{1, "0001_a", "CREATE TABLE a (x INTEGER)"},
		{2, "0002_b", "CREATE TABLE b (x INTEGER); NONSENSE"}, {0}};
	static const struct migration good[] = {{1, "0001_a", "CREATE TABLE a (x INTEGER)"},
		{2, "0002_b", "CREATE TABLE b (x INTEGER)"}, {0}};
	char folder[] = "/tmp/items-test-XXXXXX";
	char path[64];
	struct service service;
	struct text why = {0};
	sqlite3 *db;

	REQUIRE(mkdtemp(folder) != NULL);
	snprintf(path, sizeof(path), "%s/items.db", folder);
	quiet(&service);
	CHECK_INT(database_open(&service.log, path, bad, &db, &why), -1);
	CHECK_CONTAINS(text_string(&why), "0002_b: near \"NONSENSE\"");
	REQUIRE(database_open(&service.log, path, good, &db, &why) == 0);
	sqlite3_close(db);
	unlink(path);
	rmdir(folder);
	text_release(&why);
}
