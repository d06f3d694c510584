/*
 * crc: CRC-32C (Castagnoli), the check of everything the store room writes
 * itself. It finds rot and torn writes; it is no defence against a person.
 */
#ifndef STORE_CRC_H
#define STORE_CRC_H

#include "base/view.h"

/* Continue sum over v; the first call passes 0. */
uint32_t crc_add(uint32_t sum, struct view v);

/* The sum kept behind every value of the index is crc_add(crc_key(), value):
 * it covers the table and the key, so that a record that strayed to another
 * key is found as well. */
uint32_t crc_key(unsigned table, struct view key);

#endif
