#include "http/curl_api.h"

#include "base/dl.h"

#define ROW(member, symbol) DL_SYMBOL(struct curl_api, member, symbol)

static const struct dl_symbol symbols[] = {
	ROW(global_init, "curl_global_init"),
	ROW(global_cleanup, "curl_global_cleanup"),
	ROW(easy_init, "curl_easy_init"),
	ROW(easy_setopt, "curl_easy_setopt"),
	ROW(easy_getinfo, "curl_easy_getinfo"),
	ROW(easy_reset, "curl_easy_reset"),
	ROW(easy_cleanup, "curl_easy_cleanup"),
	ROW(easy_strerror, "curl_easy_strerror"),
	ROW(slist_append, "curl_slist_append"),
	ROW(slist_free_all, "curl_slist_free_all"),
	ROW(multi_init, "curl_multi_init"),
	ROW(multi_setopt, "curl_multi_setopt"),
	ROW(multi_add_handle, "curl_multi_add_handle"),
	ROW(multi_remove_handle, "curl_multi_remove_handle"),
	ROW(multi_perform, "curl_multi_perform"),
	ROW(multi_poll, "curl_multi_poll"),
	ROW(multi_info_read, "curl_multi_info_read"),
	ROW(multi_cleanup, "curl_multi_cleanup"),
	ROW(share_init, "curl_share_init"),
	ROW(share_setopt, "curl_share_setopt"),
	ROW(share_cleanup, "curl_share_cleanup"),
	{NULL, 0},
};

int curl_api_load(struct curl_api *api, struct error *err)
{
	return dl_load("libcurl.so.4", "libcurl4", symbols, api, err);
}
