#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "tests/check.h"
#include "tests/client.h"
#include "tests/http/service.h"

#define ITEMS "/api/v1/items"

/* Make an item and give back its path. */
static void create(int port, const char *body, char path[128])
{
	struct reply reply = client_json(port, "POST", ITEMS, body);

	CHECK_INT(reply.status, 201);
	snprintf(
		path, 128, "%s", reply_header(&reply, "Location") ? reply_header(&reply, "Location") : "/");
	reply_release(&reply);
}

TEST(items_are_made_read_replaced_and_removed)
{
	struct process service = process_serve(NULL);
	struct reply reply;
	json_t *json;
	char path[128], longer[140];

	create(service.port, "{\"name\": \"bolt \\u00fc\", \"quantity\": 3}", path);
	reply = client_call(service.port, "GET", path, NULL, NULL);
	CHECK_INT(reply.status, 200);
	CHECK_STRING(reply_header(&reply, "Content-Type"), "application/json");
	CHECK_STRING(reply_member(&reply, "name", &json), "bolt \xc3\xbc");
	CHECK_INT(json_integer_value(json_object_get(json, "quantity")), 3);
	CHECK_STRING(json_string_value(json_object_get(json, "id")), path + sizeof(ITEMS));
	json_decref(json);
	reply_release(&reply);

	reply = client_call(service.port, "HEAD", path, NULL, NULL);
	CHECK_INT(reply.status, 200);
	reply_release(&reply);

	snprintf(longer, sizeof(longer), "%s%%00x", path);
	reply = client_call(service.port, "GET", longer, NULL, NULL);
	CHECK_INT(reply.status, 404);
	reply_release(&reply);

	reply = client_json(service.port, "PUT", path, "{\"name\": \"nut\"}");
	CHECK_INT(reply.status, 200);
	CHECK_STRING(reply_member(&reply, "name", &json), "nut");
	CHECK_INT(json_integer_value(json_object_get(json, "quantity")), 0);
	json_decref(json);
	reply_release(&reply);

	reply = client_call(service.port, "DELETE", path, NULL, NULL);
	CHECK_INT(reply.status, 204);
	CHECK_INT((long long)reply.body.size, 0);
	reply_release(&reply);
	reply = client_call(service.port, "GET", path, NULL, NULL);
	CHECK_INT(reply.status, 404);
	reply_release(&reply);
	CHECK_INT(process_stop(&service), 0);
}

TEST(items_are_listed_by_pages)
{
	struct process service = process_serve(NULL);
	char path[128], query[128] = ITEMS "?page_size=2";
	int pages = 0, seen = 0;

	for (int i = 0; i < 5; i++) {
		char body[64];

		snprintf(body, sizeof(body), "{\"name\":\"n\",\"quantity\":%d}", i);
		create(service.port, body, path);
	}
	while (query[0] && pages < 10) {
		struct reply reply = client_call(service.port, "GET", query, NULL, NULL);
		json_t *json, *item;
		const char *token = reply_member(&reply, "next_page_token", &json);
		size_t index;

		CHECK_INT(reply.status, 200);
		json_array_foreach (json_object_get(json, "items"), index, item)
			CHECK_INT(json_integer_value(json_object_get(item, "quantity")), seen++);
		pages++;
		query[0] = '\0';
		if (token)
			snprintf(query, sizeof(query), ITEMS "?page_size=2&page_token=%s", token);
		json_decref(json);
		reply_release(&reply);
	}
	CHECK_INT(pages, 3);
	CHECK_INT(seen, 5);
	CHECK_INT(process_stop(&service), 0);
}

static void check_problem(const struct reply *reply, int status)
{
	json_t *json;

	CHECK_INT(reply->status, status);
	CHECK_STRING(reply_header(reply, "Content-Type"), "application/problem+json");
	CHECK_STRING(reply_member(reply, "type", &json), "about:blank");
	CHECK_INT(json_integer_value(json_object_get(json, "status")), status);
	CHECK(json_string_value(json_object_get(json, "title")) != NULL);
	CHECK(json_string_value(json_object_get(json, "detail")) != NULL);
	CHECK_STRING(json_string_value(json_object_get(json, "request_id")),
		reply_header(reply, "X-Request-Id"));
	json_decref(json);
}

TEST(wrong_requests_are_answered_with_problems)
{
	static const struct {
		int status;
		const char *method, *path, *type, *body;
	} cases[] = {
		{404, "GET", "/", NULL, NULL},
		{404, "GET", "/api/v1/items/", NULL, NULL},
		{404, "GET", "/api/v1/items/nobody", NULL, NULL},
		{404, "GET", "/api/v1/items/%00", NULL, NULL},
		{404, "GET", "/api/v1/items/%2e%2e%2f%2e%2e%2fetc", NULL, NULL},
		{404, "DELETE", "/api/v1/items/nobody", NULL, NULL},
		{404, "PUT", "/api/v1/items/nobody", "application/json", "{\"name\":\"x\"}"},
		{405, "PATCH", "/api/v1/items", NULL, NULL},
		{405, "DELETE", "/api/v1/items", NULL, NULL},
		{405, "BREW", "/api/v1/items/1", NULL, NULL},
		{400, "GET", "/api/v1/items?page_size=0", NULL, NULL},
		{400, "GET", "/api/v1/items?page_size=101", NULL, NULL},
		{400, "GET", "/api/v1/items?page_size=2x", NULL, NULL},
		{400, "GET", "/api/v1/items?page_size", NULL, NULL},
		{400, "GET", "/api/v1/items?page_token=zz", NULL, NULL},
		{400, "GET", "/api/v1/items?page_token=ffffffffffffffff", NULL, NULL},
		{415, "POST", "/api/v1/items", NULL, "{\"name\":\"x\"}"},
		{415, "POST", "/api/v1/items", "text/plain", "{\"name\":\"x\"}"},
		{415, "POST", "/api/v1/items", "application/jsonx", "{\"name\":\"x\"}"},
		{400, "POST", "/api/v1/items", "application/json", ""},
		{400, "POST", "/api/v1/items", "application/json", "{\"name\":"},
		{400, "POST", "/api/v1/items", "application/json", "{\"name\":\"x\"} tail"},
		{400, "POST", "/api/v1/items", "application/json", "{\"name\":\"a\",\"name\":\"b\"}"},
		{400, "POST", "/api/v1/items", "application/json", "{\"name\":\"a\\u0000b\"}"},
		{400, "POST", "/api/v1/items", "application/json", "{\"name\":\"\xff\"}"},
		{422, "POST", "/api/v1/items", "application/json", "[]"},
		{422, "POST", "/api/v1/items", "application/json", "{}"},
		{422, "POST", "/api/v1/items", "application/json", "{\"name\":\"\"}"},
		{422, "POST", "/api/v1/items", "application/json", "{\"name\":1}"},
		{422, "POST", "/api/v1/items", "application/json", "{\"name\":\"x\",\"quantity\":-1}"},
		{422, "POST", "/api/v1/items", "application/json", "{\"name\":\"x\",\"quantity\":1.5}"},
		{422, "POST", "/api/v1/items", "application/json", "{\"name\":\"x\",\"quantity\":1000001}"},
		{422, "POST", "/api/v1/items", "application/json", "{\"name\":\"x\",\"colour\":\"red\"}"},
	};
	struct process service = process_serve(NULL);

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct reply reply;
		char headers[128] = "";

		if (cases[i].type)
			snprintf(headers, sizeof(headers), "Content-Type: %s\r\n", cases[i].type);
		reply = client_call(service.port, cases[i].method, cases[i].path, headers, cases[i].body);
		check_problem(&reply, cases[i].status);
		if (reply.status != cases[i].status)
			printf("  in case %zu: %s %s %s\n", i, cases[i].method, cases[i].path,
				cases[i].body ? cases[i].body : "");
		if (cases[i].status == 405)
			CHECK(reply_header(&reply, "Allow") != NULL);
		reply_release(&reply);
	}
	CHECK_INT(process_stop(&service), 0);
}

TEST(wrong_members_are_named)
{
	struct process service = process_serve(NULL);
	struct reply reply = client_json(
		service.port, "POST", ITEMS, "{\"name\": \"\", \"quantity\": \"many\", \"a/b~c\": 1}");
	json_t *json, *errors;

	check_problem(&reply, 422);
	json = json_loads(text_string(&reply.body), 0, NULL);
	errors = json_object_get(json, "errors");
	CHECK_INT((long long)json_array_size(errors), 3);
	CHECK_STRING(json_string_value(json_object_get(json_array_get(errors, 0), "pointer")), "/name");
	CHECK_STRING(
		json_string_value(json_object_get(json_array_get(errors, 1), "pointer")), "/quantity");
	CHECK_STRING(
		json_string_value(json_object_get(json_array_get(errors, 2), "pointer")), "/a~1b~0c");
	json_decref(json);
	reply_release(&reply);
	CHECK_INT(process_stop(&service), 0);
}

TEST(names_are_measured_in_characters)
{
	struct process service = process_serve(NULL);
	struct text body = {0};
	struct reply reply;

	text_addf(&body, "{\"name\":\"");
	for (int i = 0; i < 200; i++)
		text_addf(&body, "\xf0\x9f\x98\x80");
	text_addf(&body, "\"}");
	reply = client_json(service.port, "POST", ITEMS, body.data);
	CHECK_INT(reply.status, 201);
	reply_release(&reply);
	body.size -= 2;
	text_addf(&body, "x\"}");
	reply = client_json(service.port, "POST", ITEMS, body.data);
	check_problem(&reply, 422);
	reply_release(&reply);
	text_release(&body);
	CHECK_INT(process_stop(&service), 0);
}

TEST(items_outlive_the_process_in_a_file)
{
	char folder[] = "/tmp/service-test-XXXXXX";
	char setting[128], file[128], path[128];
	const char *const environment[] = {setting, NULL};
	struct process service;
	struct reply reply;

	REQUIRE(mkdtemp(folder) != NULL);
	snprintf(setting, sizeof(setting), "DATABASE_PATH=%s/data.db", folder);
	snprintf(file, sizeof(file), "%s/data.db", folder);
	service = process_run("migrate", environment);
	CHECK_INT(process_wait(&service), 0);
	CHECK_CONTAINS(text_string(&service.log), "\"migration\":\"0001_items\"");
	process_release(&service);

	service = process_serve(environment);
	CHECK(strstr(service.log.data, "migration applied") == NULL);
	create(service.port, "{\"name\":\"bolt\"}", path);
	CHECK_INT(process_stop(&service), 0);

	service = process_serve(environment);
	reply = client_call(service.port, "GET", path, NULL, NULL);
	CHECK_INT(reply.status, 200);
	reply_release(&reply);
	CHECK_INT(process_stop(&service), 0);
	CHECK_INT(unlink(file), 0);
	CHECK_INT(rmdir(folder), 0); /* the write-ahead log is gone with the last connection */
}
