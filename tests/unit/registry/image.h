/* image.h - a small image whose digests are known, for scripted registries. */
#pragma once

#include "tests/unit/http/script.h"

#include "base/fs.h"
#include "oci/store.h"
#include "registry/session.h"

#include <criterion/criterion.h>

#define LAYER "layer\n"
#define LAYER_HEX "4970405cb2a3a461cc00fd755712beded51919d7e69270d7d10d0dcf5e209714"
#define LAYER_DIGEST "sha256:" LAYER_HEX
#define CONFIG                                                                     \
	"{\"architecture\":\"amd64\",\"os\":\"linux\",\"rootfs\":{\"type\":\"layers\"" \
	",\"diff_ids\":[\"sha256:4970405cb2a3a461cc00fd755712beded51919d7e69270d7d10d" \
	"0dcf5e209714\"]}}"
#define CONFIG_HEX "c6d8c114e116cc8871740cd85f61956fabc1ab33e1d8e473315563cbdcae0a33"
#define CONFIG_DIGEST "sha256:" CONFIG_HEX
#define MANIFEST                                                                   \
	"{\"schemaVersion\":2,\"mediaType\":\"application/vnd.oci.image.manifest.v1+j" \
	"son\",\"config\":{\"mediaType\":\"application/vnd.oci.image.config.v1+json\"" \
	",\"digest\":\"sha256:c6d8c114e116cc8871740cd85f61956fabc1ab33e1d8e473315563c" \
	"bdcae0a33\",\"size\":151},\"layers\":[{\"mediaType\":\"application/vnd.oci.i" \
	"mage.layer.v1.tar\",\"digest\":\"sha256:4970405cb2a3a461cc00fd755712beded519" \
	"19d7e69270d7d10d0dcf5e209714\",\"size\":6}]}"
#define MANIFEST_DIGEST "sha256:2d635ccd2992f616dc592e191b53d2246f4900fafde3f017e289c6cd7b070d90"
#define INDEX                                                                      \
	"{\"schemaVersion\":2,\"mediaType\":\"application/vnd.oci.image.index.v1+json" \
	"\",\"manifests\":[{\"mediaType\":\"application/vnd.oci.image.manifest.v1+jso" \
	"n\",\"digest\":\"sha256:2d635ccd2992f616dc592e191b53d2246f4900fafde3f017e289" \
	"c6cd7b070d90\",\"size\":394,\"platform\":{\"os\":\"linux\",\"architecture\":" \
	"\"amd64\"}},{\"mediaType\":\"application/vnd.oci.image.manifest.v1+json\",\"" \
	"digest\":\"sha256:0000000000000000000000000000000000000000000000000000000000" \
	"000000\",\"size\":3,\"platform\":{\"os\":\"linux\",\"architecture\":\"arm64"  \
	"\"}}]}"
#define INDEX_DIGEST "sha256:704713f057f2c60938c6c82b23cdbbd442a26cb03c0835e73f5ba07a61c6c1dc"

#define OCI_TYPE "Content-Type: application/vnd.oci.image.manifest.v1+json"
#define INDEX_TYPE "Content-Type: application/vnd.oci.image.index.v1+json"
#define REPO "https://r.test/v2/shop/hello/"
#define MANIFEST_URL REPO "manifests/1"
#define CONFIG_URL REPO "blobs/" CONFIG_DIGEST
#define LAYER_URL REPO "blobs/" LAYER_DIGEST
#define UPLOADS REPO "blobs/uploads/"
#define NAME_UNKNOWN "{\"errors\":[{\"code\":\"NAME_UNKNOWN\",\"message\":\"no such name\"}]}"

/* A registry that plays a script, and an empty store. */
struct world {
	struct script script, tokens;
	char *dir;
	struct oci_store *store;
	struct registry *registry;
	struct oci_ref ref;
	struct cancel cancel;
	struct error err;
};

static inline UNUSED void world_release(struct world *w)
{
	struct error ignored;

	if (w->registry)
		registry_free(w->registry);
	if (w->store)
		oci_store_free(w->store);
	if (w->dir)
		fs_remove_tree(w->dir, &ignored);
	free(w->dir);
	oci_ref_release(&w->ref);
	script_release(&w->script);
	script_release(&w->tokens);
}

static inline UNUSED void world_open(struct world *w, const struct script_answer *answers,
									 const struct script_answer *tokens, struct registry_options o)
{
	static const struct script_answer none[] = {{0}};
	AUTO_FREE char *path = NULL;

	script_init(&w->script, answers);
	script_init(&w->tokens, tokens ? tokens : none);
	w->cancel.fd = -1;
	cr_assert_eq(fs_temp_dir("/tmp", "msctl-test-", &w->dir, &w->err), 0, "%s", w->err.msg);
	setenv("HOME", w->dir, 1);
	unsetenv("XDG_CONFIG_HOME");
	path = fs_join(w->dir, "store");
	cr_assert_eq(oci_store_open(path, &w->store, &w->err), 0, "%s", w->err.msg);
	o.host = o.host ? o.host : "r.test";
	o.transport = &w->script.base;
	o.token_transport = &w->tokens.base;
	o.clock = &w->script.clock;
	o.cancel = &w->cancel;
	cr_assert_eq(registry_open(&o, &w->registry, &w->err), 0, "%s", w->err.msg);
	cr_assert_eq(oci_ref_parse("r.test/shop/hello:1", &w->ref, &w->err), 0);
}

/* The image into the store, as if it had been built. */
static inline UNUSED void world_add_image(struct world *w, struct oci_descriptor *d)
{
	char digest[OCI_DIGEST_LEN + 1];

	cr_assert_eq(oci_store_put(w->store, LAYER, strlen(LAYER), digest, &w->err), 0);
	cr_assert_eq(oci_store_put(w->store, CONFIG, strlen(CONFIG), digest, &w->err), 0);
	cr_assert_eq(oci_store_put(w->store, MANIFEST, strlen(MANIFEST), digest, &w->err), 0);
	cr_assert_str_eq(digest, MANIFEST_DIGEST);
	*d = (struct oci_descriptor){.media_type = xstrdup(OCI_MEDIA_MANIFEST),
								 .size = strlen(MANIFEST)};
	memcpy(d->digest, digest, sizeof(digest));
}
