/* quantity.h - resource quantities: "500m", "1Gi", "1e3", 2 (apimachinery pkg/api/resource). */
#pragma once

#include "doc/json.h"

/* Do two texts or numbers say the same amount? False also when one is no quantity. */
bool kube_quantity_equal(const json_t *a, const json_t *b);
