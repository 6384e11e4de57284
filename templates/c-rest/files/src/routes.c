#include "src/routes.h"

#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define PAGE_SIZE_DEFAULT 20

static json_t *item_json(const struct item *item)
{
	return json_pack("{s:s, s:s, s:I, s:s, s:s}", "id", item->id, "name", item->name, "quantity",
		(json_int_t)item->quantity, "created_at", item->created_at, "updated_at", item->updated_at);
}

static size_t count_characters(const char *utf8)
{
	size_t count = 0;

	for (; *utf8; utf8++)
		count += ((unsigned char)*utf8 & 0xc0) != 0x80;
	return count;
}

static void check_name(json_t *name, struct item *item, json_t *errors)
{
	const char *text = json_string_value(name);
	size_t count = text ? count_characters(text) : 0;

	if (count < 1 || count > ITEM_NAME_CHARACTERS) {
		json_array_append_new(errors, http_error("/name", "must be a text of 1 to 200 characters"));
		return;
	}
	memcpy(item->name, text, strlen(text) + 1);
}

static void check_quantity(json_t *quantity, struct item *item, json_t *errors)
{
	json_int_t value = json_integer_value(quantity);

	if (quantity && (!json_is_integer(quantity) || value < 0 || value > ITEM_QUANTITY_MAX)) {
		json_array_append_new(
			errors, http_error("/quantity", "must be a whole number from 0 to 1000000"));
		return;
	}
	item->quantity = value;
}

static void check_members(json_t *body, json_t *errors)
{
	const char *key;
	json_t *value;

	json_object_foreach (body, key, value) {
		struct text pointer = {0};

		if (strcmp(key, "name") == 0 || strcmp(key, "quantity") == 0)
			continue;
		text_add(&pointer, "/", 1);
		for (const char *c = key; *c; c++) { /* RFC 6901, section 3 */
			if (*c == '~' || *c == '/')
				text_addf(&pointer, "~%d", *c == '/');
			else
				text_add(&pointer, c, 1);
		}
		json_array_append_new(errors, http_error(pointer.data, "is not known"));
		text_release(&pointer);
	}
}

/* Read name and quantity from the body; on false the response is made. */
static bool read_item(
	const struct http_request *request, struct http_response *response, struct item *item)
{
	json_t *body = http_json_body(request, response);
	json_t *errors;

	if (!body)
		return false;
	errors = json_array();
	check_name(json_object_get(body, "name"), item, errors);
	check_quantity(json_object_get(body, "quantity"), item, errors);
	check_members(body, errors);
	json_decref(body);
	if (json_array_size(errors) > 0) {
		http_respond_invalid(request, response, errors);
		return false;
	}
	json_decref(errors);
	return true;
}

/* Answer what is not ITEMS_OK; true when the store call succeeded. */
static bool succeeded(
	enum items_result result, const struct http_request *request, struct http_response *response)
{
	if (result == ITEMS_ABSENT)
		http_respond_problem(request, response, 404, "there is no such item");
	else if (result == ITEMS_FAILED)
		http_respond_problem(request, response, 500, "the item store failed");
	return result == ITEMS_OK;
}

static void create_item(
	void *context, const struct http_request *request, struct http_response *response)
{
	const struct application *app = context;
	struct item item = {0};

	if (!read_item(request, response, &item) ||
		!succeeded(items_add(app->items, &item), request, response))
		return;
	http_add_header(response, "Location", "/api/v1/items/%s", item.id);
	http_respond_json(response, 201, item_json(&item));
}

static void get_item(
	void *context, const struct http_request *request, struct http_response *response)
{
	const struct application *app = context;
	struct item item;

	if (succeeded(items_get(app->items, http_param(request, "id"), &item), request, response))
		http_respond_json(response, 200, item_json(&item));
}

static void replace_item(
	void *context, const struct http_request *request, struct http_response *response)
{
	const struct application *app = context;
	struct item item = {0};

	if (!read_item(request, response, &item))
		return;
	/* a longer id is nobody's, and so is its cut form */
	snprintf(item.id, sizeof(item.id), "%s", http_param(request, "id"));
	if (succeeded(items_replace(app->items, &item), request, response))
		http_respond_json(response, 200, item_json(&item));
}

static void remove_item(
	void *context, const struct http_request *request, struct http_response *response)
{
	const struct application *app = context;

	if (succeeded(items_remove(app->items, http_param(request, "id")), request, response))
		http_respond_empty(response, 204);
}

/* A page token is the position of the last item of the page before, as 16 hexadecimal digits.
 * Clients must not rely on that. */
static bool read_page(const struct http_request *request, int *size, int64_t *after)
{
	const char *size_text = http_query(request, "page_size");
	const char *token = http_query(request, "page_token");
	char *end;

	if (size_text) {
		if (strlen(size_text) > 3 || strspn(size_text, "0123456789") != strlen(size_text))
			return false;
		*size = atoi(size_text);
	}
	if (token) {
		if (strlen(token) != 16 || strspn(token, "0123456789abcdef") != 16)
			return false;
		errno = 0;
		*after = strtoll(token, &end, 16);
	}
	return *size >= 1 && *size <= ITEMS_PAGE_MAX && errno != ERANGE;
}

static json_t *page_json(const struct item *items, int count, bool more)
{
	json_t *list = json_array();
	json_t *page = json_pack("{s:o}", "items", list);
	char token[17];

	for (int i = 0; i < count; i++)
		json_array_append_new(list, item_json(&items[i]));
	if (more) {
		snprintf(token, sizeof(token), "%016" PRIx64, items[count - 1].position);
		json_object_set_new(page, "next_page_token", json_string(token));
	}
	return page;
}

static void list_items(
	void *context, const struct http_request *request, struct http_response *response)
{
	const struct application *app = context;
	int size = PAGE_SIZE_DEFAULT, count;
	int64_t after = 0;
	struct item *items;

	if (!read_page(request, &size, &after)) {
		http_respond_problem(request, response, 400,
			"page_size must be 1 to %d, page_token the next_page_token of an answer",
			ITEMS_PAGE_MAX);
		return;
	}
	/* one more than asked for tells whether there is a next page */
	items = must_alloc((size_t)size + 1, sizeof(*items));
	if (succeeded(items_list(app->items, after, size + 1, items, &count), request, response))
		http_respond_json(
			response, 200, page_json(items, count > size ? size : count, count > size));
	free(items);
}

const struct http_route routes[] = {
	{"GET", "/api/v1/items", list_items},
	{"POST", "/api/v1/items", create_item},
	{"GET", "/api/v1/items/{id}", get_item},
	{"PUT", "/api/v1/items/{id}", replace_item},
	{"DELETE", "/api/v1/items/{id}", remove_item},
	{0},
};
