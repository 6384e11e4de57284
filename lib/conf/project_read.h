/* project_read.h - the sections of msctl.yaml. Private to lib/conf. */
#pragma once

#include "conf/project.h"

/* "msctl.yaml:12:5: path.key: problem", ERR_INPUT. Returns -1. */
int project_fail(const struct project *p, const json_t *object, const char *path, const char *key,
				 const char *problem, struct error *err);

/* Is key, a member of object, the name of a variable? */
int project_check_variable(const struct project *p, const json_t *object, const char *path,
						   const char *key, struct error *err);

/* Read an object strictly by a table. */
int project_fields(const struct project *p, const json_t *object, const char *path,
				   const struct doc_field *fields, void *out, struct error *err);

/* Each fills its part of *p; section may be NULL. What is half filled is released with *p. */
int project_read_build(struct project *p, json_t *section, struct error *err);
int project_read_environments(struct project *p, json_t *section, struct error *err);

void project_build_release(struct project_build *b);
void project_environments_release(struct project *p);

/* Append each text of an array (or nothing when it is NULL). */
void project_add_texts(struct strv *to, const json_t *texts);
