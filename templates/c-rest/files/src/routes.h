/* routes.h - the API: what api/openapi.yaml promises. */
#pragma once

#include "chassis/http.h"
#include "src/items.h"

/* What the program holds: its settings and what the handlers work on. */
struct application {
	char *database_path;
	struct items *items;
};

/* Ends with a zeroed one; its handlers take a struct application. */
extern const struct http_route routes[];
