#include "chassis/route.h"

#include <ctype.h>
#include <stdio.h>

#include "src/routes.h"
#include "tests/check.h"

static const struct http_route *find(
	const char *method, const char *path, struct http_request *request, struct text *allow)
{
	*request = (struct http_request){.method = method, .path = path};
	allow->size = 0;
	return route_find(routes, request, allow);
}

TEST(route_finds_by_method_and_path)
{
	struct http_request request;
	struct text allow = {0};

	CHECK(find("GET", "/api/v1/items", &request, &allow) != NULL);
	CHECK_STRING(request.route, "/api/v1/items");
	CHECK(find("HEAD", "/api/v1/items", &request, &allow) != NULL);
	CHECK(find("PUT", "/api/v1/items/42", &request, &allow) != NULL);
	CHECK_STRING(request.route, "/api/v1/items/{id}");
	CHECK_STRING(http_param(&request, "id"), "42");
	CHECK(http_param(&request, "other") == NULL);
	text_release(&allow);
}

TEST(route_names_the_methods_of_a_path)
{
	struct http_request request;
	struct text allow = {0};

	CHECK(find("PATCH", "/api/v1/items/42", &request, &allow) == NULL);
	CHECK_STRING(allow.data, "GET, HEAD, PUT, DELETE");
	CHECK_STRING(request.route, "/api/v1/items/{id}");
	text_release(&allow);
}

TEST(route_refuses_other_paths)
{
	static const char *const paths[] = {"", "/", "*", "/api", "/api/v1/items/", "/api/v1/items//",
		"//api/v1/items", "/api/v1/items/1/2", "/api/v1/item", "/api/v1/itemss", "api/v1/items"};
	struct http_request request;
	struct text allow = {0};

	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
		CHECK(find("GET", paths[i], &request, &allow) == NULL);
		CHECK_INT((long long)allow.size, 0);
		CHECK_STRING(request.route, "unmatched");
	}
	text_release(&allow);
}

/* Each operation of api/openapi.yaml as "method path" lines. */
static void read_contract(FILE *file, struct text *operations)
{
	char line[512], path[512] = "", method[512];

	while (fgets(line, sizeof(line), file)) {
		if (sscanf(line, "  /%511[^:]:", method) == 1 && strncmp(line, "  /", 3) == 0)
			snprintf(path, sizeof(path), "/%.500s", method);
		else if (strncmp(line, "    ", 4) == 0 && islower((unsigned char)line[4]) && path[0] &&
			sscanf(line, "    %511[a-z]:", method) == 1 && strcmp(method, "parameters") != 0)
			text_addf(operations, "%s %s\n", method, path);
		else if (strncmp(line, "components:", 11) == 0)
			break;
	}
}

TEST(route_table_and_openapi_file_agree)
{
	FILE *file = fopen("api/openapi.yaml", "re");
	struct text contract = {0};
	size_t expected = 0;

	REQUIRE(file != NULL);
	read_contract(file, &contract);
	fclose(file);
	for (const struct http_route *route = routes; route->method; route++) {
		char operation[600];

		snprintf(operation, sizeof(operation), "%s %s\n", route->method, route->path);
		for (char *c = operation; *c != ' '; c++)
			*c = (char)tolower((unsigned char)*c);
		CHECK_CONTAINS(text_string(&contract), operation);
		expected += strlen(operation);
	}
	CHECK_INT((long long)contract.size, (long long)expected);
	text_release(&contract);
}
