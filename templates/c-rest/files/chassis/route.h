/* route.h - which route answers a request. */
#pragma once

#include <stdbool.h>

#include "chassis/http.h"

/* Find the route for request->method and request->path and fill request->route and its params. NULL
 * when none fits; then `allow` holds the methods that the path has ("" for an unknown path). */
const struct http_route *route_find(
	const struct http_route *routes, struct http_request *request, struct text *allow);
