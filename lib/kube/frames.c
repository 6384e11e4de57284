#include "kube/watch.h"

#include <string.h>

void kube_frames_release(struct kube_frames *f)
{
	buf_release(&f->partial);
}

static int one_frame(struct span line, int (*frame)(void *, const char *, json_t *, struct error *),
					 void *user, struct error *err)
{
	AUTO_JSON json_t *event = NULL;
	json_t *object;

	while (line.len > 0 && strchr(" \t\r", line.data[line.len - 1]))
		line.len--;
	if (line.len == 0)
		return 0;
	if (doc_json_parse(line, "watch event", &event, err) < 0)
		return -1;
	object = json_object_get(event, "object");
	if (!json_is_object(object) || !json_is_string(json_object_get(event, "type")))
		return err_set(err, ERR_INPUT, "watch event: type or object is missing");
	return frame(user, doc_text(event, "type", ""), object, err);
}

int kube_frames_feed(struct kube_frames *f, const void *data, size_t len,
					 int (*frame)(void *user, const char *type, json_t *object, struct error *err),
					 void *user, struct error *err)
{
	const char *p = data;

	while (len > 0) {
		const char *end = memchr(p, '\n', len);
		size_t n = end ? (size_t)(end - p) : len;

		if (f->partial.len + n > KUBE_WATCH_MAX_FRAME)
			return err_set(err, ERR_INPUT, "watch event: larger than %u MB",
						   KUBE_WATCH_MAX_FRAME >> 20);
		if (!end) {
			buf_add(&f->partial, p, n);
			return 0;
		}
		if (f->partial.len > 0) {
			int rc;

			buf_add(&f->partial, p, n);
			rc = one_frame(buf_span(&f->partial), frame, user, err);
			buf_cut(&f->partial, 0);
			if (rc < 0)
				return -1;
		} else if (one_frame((struct span){p, n}, frame, user, err) < 0) {
			return -1;
		}
		p += n + 1;
		len -= n + 1;
	}
	return 0;
}
