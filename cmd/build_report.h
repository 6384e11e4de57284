/* build_report.h - what msctl build says of an image that it made. */
#pragma once

#include "build/build.h"
#include "cmd/command.h"

/* Layers and name, on stderr. */
void build_report_note(struct ctx *ctx, const struct build_result *r);
/* The answer for -o json and yaml. */
json_t *build_report_document(const struct build_result *r);
