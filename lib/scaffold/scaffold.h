/* scaffold.h - a new project from a template.
 *
 * The project is rendered into a folder beside the target and renamed into place when it is
 * complete: after a failure or Ctrl-C the target is as it was. */
#pragma once

#include "base/cancel.h"
#include "base/error.h"
#include "doc/json.h"

#include <stdbool.h>
#include <stddef.h>

struct scaffold_request {
	const char *template_; /* built-in name or folder */
	const char *name;      /* of the service */
	const char *target;    /* folder to create; it may exist when it is empty */
	const char *const *set;
	size_t set_count;
	bool git; /* make it a repository with one commit */
	const struct cancel *cancel;
};

struct scaffold_result {
	char *template_name;
	char *template_version;
	size_t files;
};

void scaffold_result_release(struct scaffold_result *r);

/* ERR_CONFLICT: the target exists and is not empty. ERR_USAGE: name, target, variables.
 * ERR_MISSING: no such template. ERR_INPUT: the template is wrong. */
int scaffold_new(const struct scaffold_request *request, struct scaffold_result *out,
				 struct error *err);
