/* variables.h - what a template asks, answered by --set and defaults.
 *
 * For every text variable x (and for the built-in `name`) x_snake, x_upper and x_pascal are
 * derived. */
#pragma once

#include "scaffold/source.h"

#define VARIABLE_MAX_TEXT 4096

/* A DNS label that starts with a letter (conf/project.h). ERR_USAGE with a hint. */
int service_name_check(const char *name, struct error *err);

/* The data to render with. set: "K=V" entries. ERR_USAGE: unknown variable (with the nearest),
 * value of the wrong type, out of its range or pattern. ERR_INPUT: the template's own variables or
 * defaults are wrong. */
int template_variables(const struct template_source *source, const char *name,
					   const char *const *set, size_t set_count, json_t **out, struct error *err);
