/* "HOST:PORT:KEY" */
#include "codec/z32.h"
#include "peer/node.h"

enum err_code
peer_at_parse(struct peer_at *out, struct view text, struct err *e)
{
	struct peer_at at;
	char shown[160];
	struct err why = ERR_INIT;
	size_t colon = text.len;

	while (colon > 0 && text.ptr[colon - 1] != ':')
		colon--;
	if (colon == 0 || z32_key_id(view_sub(text, colon, text.len), &at.key,
			      &why) != ERR_OK)
		return err_set(e, ERR_INVALID,
		    "\"%s\" is not a peer such as 127.0.0.1:49737:KEY",
		    err_quote(shown, sizeof(shown), text.ptr, text.len));
	if (addr_parse(&at.addr, view_sub(text, 0, colon - 1), &why) !=
		ERR_OK ||
	    at.addr.port == 0)
		return err_set(e, ERR_INVALID,
		    "\"%s\" does not begin with an address and a port",
		    err_quote(shown, sizeof(shown), text.ptr, text.len));
	*out = at;
	return ERR_OK;
}
