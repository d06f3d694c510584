#include "store/crc.h"

/* Four bits at a time: entry i is the sum of the nibble i. The whole table
 * fits two cache lines, and the processor has the instruction for it where
 * speed matters. */
static const uint32_t nibble[16] = {0x00000000, 0x105ec76f, 0x20bd8ede,
    0x30e349b1, 0x417b1dbc, 0x5125dad3, 0x61c69362, 0x7198540d, 0x82f63b78,
    0x92a8fc17, 0xa24bb5a6, 0xb21572c9, 0xc38d26c4, 0xd3d3e1ab, 0xe330a81a,
    0xf36e6f75};

static uint32_t
add_plain(uint32_t c, const uint8_t *p, size_t n)
{
	for (; n > 0; n--, p++) {
		c ^= *p;
		c = (c >> 4) ^ nibble[c & 15];
		c = (c >> 4) ^ nibble[c & 15];
	}
	return c;
}

#if defined(__x86_64__) && defined(__GNUC__)
#include <string.h>

__attribute__((target("sse4.2"))) static uint32_t
add_fast(uint32_t c, const uint8_t *p, size_t n)
{
	unsigned long long wide = c, word;

	for (; n >= sizeof(word); n -= sizeof(word), p += sizeof(word)) {
		memcpy(&word, p, sizeof(word));
		wide = __builtin_ia32_crc32di(wide, word);
	}
	c = (uint32_t)wide;
	for (; n > 0; n--, p++)
		c = __builtin_ia32_crc32qi(c, *p);
	return c;
}

static uint32_t
add(uint32_t c, const uint8_t *p, size_t n)
{
	if (__builtin_cpu_supports("sse4.2"))
		return add_fast(c, p, n);
	return add_plain(c, p, n);
}
#else
static uint32_t
add(uint32_t c, const uint8_t *p, size_t n)
{
	return add_plain(c, p, n);
}
#endif

uint32_t
crc_add(uint32_t sum, struct view v)
{
	return ~add(~sum, v.ptr, v.len);
}

uint32_t
crc_key(unsigned table, struct view key)
{
	const uint8_t head[3] = {
	    (uint8_t)table, (uint8_t)(key.len & 0xff), (uint8_t)(key.len >> 8)};

	return crc_add(crc_add(0, view_of(head, sizeof(head))), key);
}
