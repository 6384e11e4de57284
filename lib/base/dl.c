#include "base/dl.h"

#include <dlfcn.h>
#include <string.h>

int dl_load(const char *soname, const char *package, const struct dl_symbol *symbols, void *api,
			struct error *err)
{
	void *handle = dlopen(soname, RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);

	if (!handle) {
		err_set(err, ERR_SYS, "cannot load %s: %s", soname, dlerror());
		return err_hint(err, "install the package %s", package);
	}
	for (; symbols->name; symbols++) {
		void *address = dlsym(handle, symbols->name);

		if (!address) {
			err_set(err, ERR_SYS, "%s has no %s", soname, symbols->name);
			return err_hint(err, "install a newer version of the package %s", package);
		}
		memcpy((char *)api + symbols->offset, &address, sizeof(address));
	}
	return 0;
}
