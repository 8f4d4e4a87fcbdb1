/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The userland stack: the checksum of a packet, CRC32c. Most processors have an
 * instruction for it. usrsctp uses tables, which cost as much as everything
 * else for a long packet.
 */
#include <string.h>

#include "userland/userland.h"

#if defined __x86_64__
#include <nmmintrin.h>

static bool
has_instruction(void)
{
	return __builtin_cpu_supports("sse4.2");
}

__attribute__((target("sse4.2"))) static uint32_t
crc32c(const char *p, size_t len)
{
	uint64_t	crc = UINT32_MAX, word;

	for (; len >= sizeof word; len -= sizeof word, p += sizeof word) {
		memcpy(&word, p, sizeof word);
		crc = _mm_crc32_u64(crc, word);
	}
	for (; len > 0; len--)
		crc = _mm_crc32_u8((uint32_t)crc, (uint8_t)*p++);
	return ~(uint32_t)crc;
}
#else
static bool
has_instruction(void)
{
	return false;
}

static uint32_t
crc32c(const char *p, size_t len)
{
	return usrsctp_crc32c((void *)(uintptr_t)p, len);
}
#endif

/* The checksum is the third word of the header, and is computed with zero there. */
uint32_t
packet_checksum(char *packet, size_t len)
{
	memset(packet + 8, 0, 4);
	return has_instruction() ? crc32c(packet, len) : usrsctp_crc32c(packet, len);
}
