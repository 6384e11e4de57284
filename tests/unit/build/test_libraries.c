#include "base/auto.h"
#include "build/missing.h"

#include <criterion/criterion.h>
#include <string.h>

Test(libraries, debian_names_packages_after_sonames)
{
	static const struct {
		const char *soname, *package;
	} table[] = {
		{"libpq.so.5", "libpq5"},
		{"libfoo1.so.2", "libfoo1-2"},
		{"libXi.so.6", "libxi6"},
		{"libjson_spirit.so.4.08", "libjson-spirit4.08"},
		{"libstdc++.so.6", "libstdc++6"},
		/* no version, no library, nothing before it */
		{"libfoo.so", NULL},
		{"libfoo-1.2.so", NULL},
		{"plugin.so.1", NULL},
		{"libfoo.so.", NULL},
		{".so.1", NULL},
		{"", NULL},
	};

	for (size_t i = 0; i < ARRAY_LEN(table); i++) {
		AUTO_FREE char *name = build_policy_name(table[i].soname);

		if (table[i].package)
			cr_expect_str_eq(name, table[i].package);
		else
			cr_expect_null(name, "%s", table[i].soname);
	}
}
