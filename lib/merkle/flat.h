/*
 * flat: arithmetic of flat in-order trees (data-formats 3.1,
 * flat-tree@1.13.0). Leaf of block i is 2i. Pure functions on uint64_t.
 */
#ifndef MERKLE_FLAT_H
#define MERKLE_FLAT_H

#include <stddef.h>
#include <stdint.h>

#define FLAT_ROOTS_MAX 64

unsigned flat_depth(uint64_t index);
uint64_t flat_offset(uint64_t index);
uint64_t flat_index(unsigned depth, uint64_t offset);
uint64_t flat_parent(uint64_t index);
uint64_t flat_sibling(uint64_t index);
uint64_t flat_left_child(uint64_t index); /* index must not be a leaf */
uint64_t flat_right_child(uint64_t index);
uint64_t flat_left_span(uint64_t index);
uint64_t flat_right_span(uint64_t index);
uint64_t flat_count(uint64_t index); /* leaves below */
/* Roots of a tree of `length` blocks, left to right; returns how many. */
size_t flat_roots(uint64_t length, uint64_t out[static FLAT_ROOTS_MAX]);

#endif
