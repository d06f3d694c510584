/*
 * udx_packet: the bytes of one datagram (network.md 1.1).
 *
 *	0xff 0x01 type offset | remote id | window | seq | ack | ...
 *
 * all numbers little endian. With SACK the rest is pairs of sequence
 * numbers, half open; otherwise `offset` bytes of padding and the payload.
 */
#ifndef NET_UDX_UDX_PACKET_H
#define NET_UDX_UDX_PACKET_H

#include "net/udx/udx.h"
#include "net/udx/udx_ranges.h"

enum udx_packet_type {
	UDX_DATA = 1,
	UDX_END = 2,
	UDX_SACK = 4,
	UDX_MESSAGE = 8,
	UDX_DESTROY = 16,
	UDX_HEARTBEAT = 32
};

#define UDX_RECEIVE_MAX 2048 /* a longer datagram is no UDX packet */
#define UDX_PADDING_MAX 255
#define UDX_RANGE_BYTES 8

struct udx_packet {
	uint8_t type;	 /* sum of enum udx_packet_type; 0: a bare ack */
	uint8_t padding; /* bytes between header and payload */
	uint32_t remote_id, window, seq, ack;
	struct view payload; /* borrowed; empty with SACK */
	struct view sack;    /* borrowed; whole ranges */
};

/* False: not a UDX packet, or one whose padding passes its end. */
bool udx_packet_parse(struct udx_packet *out, struct view datagram);
size_t udx_packet_ranges(const struct udx_packet *p);
struct udx_range udx_packet_range(const struct udx_packet *p, size_t i);

/* The header alone: padding, ranges and payload are the caller's. */
void udx_packet_header(
    uint8_t out[static UDX_HEADER], const struct udx_packet *p);
void udx_packet_put_range(
    uint8_t out[static UDX_RANGE_BYTES], struct udx_range r);

#endif
