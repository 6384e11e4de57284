/* items.h - the item store: one table in SQLite.
 *
 * Safe from every thread: one connection, one lock. Every call may fail with ITEMS_FAILED; the
 * reason is in the log, and /readyz says so until a call succeeds again. */
#pragma once

#include <stdint.h>

#include "chassis/database.h"
#include "chassis/service.h"
#include "chassis/stamp.h"

#define ITEM_NAME_CHARACTERS 200
#define ITEM_NAME_BYTES (4 * ITEM_NAME_CHARACTERS + 1)
#define ITEM_QUANTITY_MAX 1000000
#define ITEMS_PAGE_MAX 100

enum items_result { ITEMS_OK, ITEMS_ABSENT, ITEMS_FAILED };

struct item {
	int64_t position;
	char id[STAMP_UUID_BYTES];
	char name[ITEM_NAME_BYTES];
	int64_t quantity;
	char created_at[STAMP_TIME_BYTES];
	char updated_at[STAMP_TIME_BYTES];
};

struct items;

/* Open the file at `path` and bring it up to date. */
int items_open(struct service *service, const char *path, struct items **out, struct text *why);
void items_close(struct items *items);

/* Store item->name and item->quantity, and fill the other members. */
enum items_result items_add(struct items *items, struct item *item);

enum items_result items_get(struct items *items, const char *id, struct item *out);

/* Give the item of item->id a new name and quantity, and fill the other members. */
enum items_result items_replace(struct items *items, struct item *item);

enum items_result items_remove(struct items *items, const char *id);

/* Up to `room` items whose position is greater than `after`, in order; *count is how many. */
enum items_result items_list(
	struct items *items, int64_t after, int room, struct item *out, int *count);
