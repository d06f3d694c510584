/* The addresses of this machine. */
#include <string.h>
#include <uv.h>

#include "net/io/io.h"

size_t
io_interfaces(struct addr *out, size_t n)
{
	uv_interface_address_t *list;
	size_t found = 0;
	int count;

	if (uv_interface_addresses(&list, &count) != 0)
		return 0;
	for (int i = 0; i < count && found < n; i++) {
		if (list[i].is_internal ||
		    list[i].address.address4.sin_family != AF_INET)
			continue;
		out[found] = (struct addr){.family = 4};
		memcpy(out[found].ip, &list[i].address.address4.sin_addr.s_addr,
		    4);
		found++;
	}
	uv_free_interface_addresses(list, count);
	return found;
}
