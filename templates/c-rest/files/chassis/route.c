#include "chassis/route.h"

#include <string.h>

static bool add_param(struct http_request *request, const char *name, size_t name_size,
	const char *value, size_t value_size)
{
	struct http_param *param = &request->params[request->param_count];

	if (request->param_count == HTTP_MAX_PARAMS || name_size >= sizeof(param->name) ||
		value_size == 0 || value_size >= sizeof(param->value))
		return false;
	memcpy(param->name, name, name_size);
	param->name[name_size] = '\0';
	memcpy(param->value, value, value_size);
	param->value[value_size] = '\0';
	request->param_count++;
	return true;
}

static bool match_path(const char *template, struct http_request *request)
{
	const char *path = request->path;

	request->param_count = 0;
	while (*template && *path == '/' && *template == '/') {
		size_t template_size = strcspn(++template, "/");
		size_t path_size = strcspn(++path, "/");

		if (*template == '{') {
			if (!add_param(request, template + 1, template_size - 2, path, path_size))
				return false;
		} else if (template_size != path_size || memcmp(template, path, path_size) != 0) {
			return false;
		}
		template += template_size;
		path += path_size;
	}
	return !*template && !*path;
}

static void add_allow(struct text *allow, const char *method)
{
	text_addf(allow, "%s%s", allow->size ? ", " : "", method);
	if (strcmp(method, "GET") == 0)
		text_addf(allow, ", HEAD");
}

const struct http_route *route_find(
	const struct http_route *routes, struct http_request *request, struct text *allow)
{
	const char *method = strcmp(request->method, "HEAD") == 0 ? "GET" : request->method;

	request->route = "unmatched";
	for (const struct http_route *route = routes; route->method; route++) {
		if (!match_path(route->path, request))
			continue;
		request->route = route->path;
		if (strcmp(route->method, method) == 0)
			return route;
		add_allow(allow, route->method);
	}
	return NULL;
}
