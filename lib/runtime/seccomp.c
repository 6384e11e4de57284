/* System calls that are answered by a filter (runtime-spec 1.0, config-linux.md, "Seccomp"). */
#include "runtime/private.h"

#include "doc/json.h"

/* A filter ends processes of an architecture that it does not name. */
static json_t *architectures(void)
{
#if defined(__x86_64__)
	return json_pack("[s, s, s]", "SCMP_ARCH_X86_64", "SCMP_ARCH_X86", "SCMP_ARCH_X32");
#elif defined(__aarch64__)
	return json_pack("[s, s]", "SCMP_ARCH_AARCH64", "SCMP_ARCH_ARM");
#else
	return NULL;
#endif
}

json_t *seccomp_keep_owner(void)
{
	json_t *known = architectures();

	if (!known)
		return NULL;
	return json_pack("{s:s, s:o, s:[{s:[s, s, s, s, s, s, s], s:s, s:i}]}", "defaultAction",
					 "SCMP_ACT_ALLOW", "architectures", known, "syscalls", "names", "chown",
					 "fchown", "lchown", "fchownat", "chown32", "fchown32", "lchown32", "action",
					 "SCMP_ACT_ERRNO", "errnoRet", 0);
}
