/*
 * tables: the constants of the rolling hashes of chunker.c. They are part
 * of the format in the sense that other values move every cut; the unit test
 * computes them anew from these rules.
 *
 *	gear       splitmix64, seed 0x70656172206765, first 256 outputs
 *	rabin_out  b * x^(8*63) mod P, P = 0x3DA3358B4DC173 over GF(2)
 *	rabin_mod  (b * x^53 mod P) | b * x^53
 */
#ifndef BLOBS_TABLES_H
#define BLOBS_TABLES_H

#include <stdint.h>

extern const uint64_t blobs_gear[256];
extern const uint64_t blobs_rabin_out[256];
extern const uint64_t blobs_rabin_mod[256];

#endif
