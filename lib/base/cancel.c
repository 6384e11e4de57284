#include "base/cancel.h"

int cancel_check(const struct cancel *c, struct error *err)
{
	if (!cancel_requested(c))
		return 0;
	return err_set(err, ERR_INTERRUPTED, "interrupted");
}
