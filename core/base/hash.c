/* Hashes by libraries: XXH3 for keys, SHA-256 by libcrypto for what users compare. See hash.h. */
#include "hash.h"

#include "mem.h"

#include <openssl/evp.h>
#include <string.h>
#define XXH_INLINE_ALL
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wconversion"
#pragma GCC diagnostic ignored "-Wswitch-enum"
#include <xxhash.h>
#pragma GCC diagnostic pop

struct bs_hash bs_hash_bytes(const void *data, size_t len)
{
	XXH128_hash_t h = XXH3_128bits(data, len);

	return (struct bs_hash){.hi = h.high64, .lo = h.low64};
}

struct bs_sha256 {
	EVP_MD_CTX *ctx;
};

struct bs_sha256 *bs_sha256_new(void)
{
	struct bs_sha256 *sha = bs_xcalloc(1, sizeof *sha);

	sha->ctx = EVP_MD_CTX_new();
	if (!sha->ctx || !EVP_DigestInit_ex(sha->ctx, EVP_sha256(), NULL))
		abort();
	return sha;
}

void bs_sha256_add(struct bs_sha256 *sha, const void *data, size_t len)
{
	if (!EVP_DigestUpdate(sha->ctx, data, len))
		abort();
}

void bs_sha256_end(struct bs_sha256 *sha, char ret_hex[BS_SHA256_HEX])
{
	unsigned char raw[EVP_MAX_MD_SIZE];
	unsigned len = 0;

	if (!EVP_DigestFinal_ex(sha->ctx, raw, &len) || len != 32)
		abort();
	for (unsigned i = 0; i < len; i++)
		snprintf(ret_hex + 2 * i, 3, "%02x", raw[i]);
	EVP_MD_CTX_free(sha->ctx);
	free(sha);
}

void bs_sha256_hex(const void *data, size_t len, char ret_hex[BS_SHA256_HEX])
{
	struct bs_sha256 *sha = bs_sha256_new();

	bs_sha256_add(sha, data, len);
	bs_sha256_end(sha, ret_hex);
}
