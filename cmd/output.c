#include "cmd/output.h"

#include "base/fs.h"
#include "base/mem.h"
#include "base/text.h"
#include "cmd/out.h"

#include <string.h>
#include <unistd.h>

#define FORMS                                                                            \
	"give table, json or yaml, or a destination: oci:DIR[:REF], oci-archive:FILE[:REF] " \
	"or docker-archive:FILE[:NAME:TAG]"

const char *const output_words[] = {
	"table", "json", "yaml", "oci:", "oci-archive:", "docker-archive:", NULL};

static const char *const formats[] = {"table", "json", "yaml", NULL};

static const char *const kinds[] = {
	[OUTPUT_LAYOUT] = "oci:",
	[OUTPUT_ARCHIVE] = "oci-archive:",
	[OUTPUT_DOCKER] = "docker-archive:",
};

void outputs_release(struct outputs *o)
{
	for (size_t i = 0; i < o->items.count; i++) {
		free(o->items.items[i].path);
		free(o->items.items[i].ref);
	}
	list_release(&o->items);
}

static bool is_stdout(const struct output *o)
{
	return o->kind != OUTPUT_LAYOUT && strcmp(o->path, "-") == 0;
}

/* --- what -o says --- */

static int refuse(const char *text, struct error *err)
{
	err_set(err, ERR_USAGE, "option '--output' does not take '%s'", text);
	return err_hint(err, FORMS);
}

static bool is_format(const char *text)
{
	for (const char *const *f = formats; *f; f++)
		if (strcmp(*f, text) == 0)
			return true;
	return false;
}

/* "orders:1" or "registry.example.com/orders:1"; of a layout also a tag alone. */
static int check_ref(const struct output *o, struct error *err)
{
	AUTO(oci_ref) struct oci_ref ref = {0};

	if (!o->ref)
		return 0;
	if (o->kind == OUTPUT_DOCKER) {
		if (oci_ref_parse_tagged(o->ref, &ref, err) == 0 && ref.tag && !ref.digest)
			return 0;
		err_set(err, ERR_USAGE, "'%s': '%s' is no name for an image", o->text, o->ref);
		return err_hint(err, "write it as NAME:TAG");
	}
	if (oci_is_ref_name(o->ref))
		return 0;
	err_set(err, ERR_USAGE, "'%s': '%s' cannot be a name in a layout", o->text, o->ref);
	return err_hint(err, "write a tag or NAME:TAG");
}

static int parse(const char *text, struct output *out, struct error *err)
{
	for (size_t k = 0; k < ARRAY_LEN(kinds); k++) {
		const char *rest = text + strlen(kinds[k]);
		size_t len;

		if (!text_starts(text, kinds[k]))
			continue;
		len = strcspn(rest, ":");
		*out = (struct output){.text = text, .kind = k, .path = xstrndup(rest, len)};
		if (rest[len] == ':')
			out->ref = xstrdup(rest + len + 1);
		return len > 0 ? check_ref(out, err) : refuse(text, err);
	}
	return refuse(text, err);
}

/* --- is something in the way? --- */

static int check_stdout(const struct outputs *all, const struct output *o, struct error *err)
{
	for (size_t i = 0; i < all->items.count; i++)
		if (is_stdout(&all->items.items[i])) {
			err_set(err, ERR_USAGE, "standard output takes one archive, not several");
			return err_hint(err, "write the others to files");
		}
	if (!isatty(STDOUT_FILENO))
		return 0;
	err_set(err, ERR_USAGE, "an archive is not written to a terminal");
	return err_hint(err, "send it to a file or to a program: msctl build -o %s | podman load",
					o->text);
}

static int check(const struct outputs *all, const struct output *o, struct error *err)
{
	AUTO_FREE char *dir = fs_dirname(o->path);

	if (is_stdout(o))
		return check_stdout(all, o, err);
	if (o->kind == OUTPUT_LAYOUT)
		return oci_export_check_layout(o->path, err);
	if (fs_is_dir(o->path)) {
		err_set(err, ERR_CONFLICT, "%s is a folder", o->path);
		return err_hint(err, "name a file, or write a folder with oci:%s", o->path);
	}
	if (fs_is_dir(dir))
		return 0;
	err_set(err, ERR_MISSING, "cannot write %s: there is no folder %s", o->path, dir);
	return err_hint(err, "create it first");
}

int outputs_parse(struct ctx *ctx, const struct opt_list *given, struct outputs *out,
				  struct error *err)
{
	for (size_t i = 0; i < given->count; i++) {
		struct output o = {0};
		int rc;

		if (is_format(given->items[i])) {
			ctx->global.output = given->items[i];
			continue;
		}
		rc = parse(given->items[i], &o, err);
		if (rc == 0)
			rc = check(out, &o, err);
		list_push(&out->items, o);
		if (rc < 0)
			return -1;
		if (is_stdout(&o))
			ctx->out = ctx->err;
	}
	return 0;
}

/* --- writing --- */

/* The name that the image gets there, and what a layout calls it. */
static int names(const struct output *o, const struct oci_image *image, struct oci_ref *name,
				 const char **ref_name, struct error *err)
{
	struct error ignored;
	char *tag;

	*ref_name = NULL;
	if (oci_ref_parse(image->ref, name, err) < 0)
		return -1;
	if (!o->ref)
		return 0;
	if (o->kind != OUTPUT_DOCKER)
		*ref_name = o->ref;
	if (o->kind != OUTPUT_DOCKER && oci_is_tag(o->ref)) {
		tag = xstrdup(o->ref);
		free(name->tag);
		name->tag = tag;
		return 0;
	}
	oci_ref_release(name);
	/* what is no reference is a name in the layout all the same */
	if (oci_ref_parse_tagged(o->ref, name, &ignored) < 0)
		*name = (struct oci_ref){0};
	return 0;
}

static int write_one(struct ctx *ctx, const struct output *o, struct oci_store *store,
					 const struct oci_image *image, struct error *err)
{
	AUTO(oci_ref) struct oci_ref name = {0};
	struct oci_export what = {
		.store = store, .image = &image->descriptor, .name = &name, .cancel = ctx->cancel};
	enum oci_archive form = o->kind == OUTPUT_DOCKER ? OCI_ARCHIVE_DOCKER : OCI_ARCHIVE;

	if (names(o, image, &name, &what.ref_name, err) < 0)
		return -1;
	if (o->kind == OUTPUT_LAYOUT)
		return oci_export_layout(&what, o->path, err);
	if (is_stdout(o))
		return oci_export_archive_to(&what, form, STDOUT_FILENO, "standard output", err);
	return oci_export_archive(&what, form, o->path, err);
}

int outputs_write(struct ctx *ctx, const struct outputs *o, struct oci_store *store,
				  const struct oci_image *image, struct error *err)
{
	for (size_t i = 0; i < o->items.count; i++) {
		if (write_one(ctx, &o->items.items[i], store, image, err) < 0)
			return -1;
		if (!out_is_document(ctx))
			ctx_note(ctx, " output   %s", o->items.items[i].text);
	}
	return 0;
}

json_t *outputs_document(const struct outputs *o)
{
	json_t *all = json_array();

	for (size_t i = 0; i < o->items.count; i++)
		json_array_append_new(all, json_string(o->items.items[i].text));
	return all;
}
