#include "build/private.h"

int build_group_libraries(struct build *b, struct error *err)
{
	(void)b;
	(void)err;
	return 0;
}
