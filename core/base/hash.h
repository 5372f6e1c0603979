/*
 * 128-bit XXH3 (state keys: never merged by accident) and SHA-256 (bodies, models, as users know it).
 */
#ifndef BS_BASE_HASH_H
#define BS_BASE_HASH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct bs_hash {
	uint64_t hi, lo;
};

static inline bool bs_hash_equal(struct bs_hash a, struct bs_hash b)
{
	return a.hi == b.hi && a.lo == b.lo;
}

struct bs_hash bs_hash_bytes(const void *data, size_t len);

#define BS_SHA256_HEX 65
void bs_sha256_hex(const void *data, size_t len, char ret_hex[BS_SHA256_HEX]);

/* For bodies of which only the beginning is kept: hashes as the bytes arrive. */
struct bs_sha256;
struct bs_sha256 *bs_sha256_new(void);
void bs_sha256_add(struct bs_sha256 *sha, const void *data, size_t len);
void bs_sha256_end(struct bs_sha256 *sha, char ret_hex[BS_SHA256_HEX]); /* frees sha */

#endif
