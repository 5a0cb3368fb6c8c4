/* Fuzz target of sealed grants. The first byte chooses: bytes as they are, which must never open;
 * a message rightly sealed, which is what a broker with our key could hand us; or a good grant
 * with one byte changed, which must not open. */
#include "auth-svc/grant/seal.h"
#include "common/rpc/guard.h"
#include "tests/fuzz/fuzz.h"

#define KEY "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"

enum { NOW = 1750000000, ARENA_MAX = 1 << 20 };

static void seal(const struct sealer *s, const struct fuzz_input *in, struct buf *out)
{
  Analytics__Auth__V1__Grant *g = analytics__auth__v1__grant__unpack(NULL, in->len, in->data);
  struct err e = {0};
  if (g != NULL)
    seal_message(s, SEAL_GRANT, &g->base, out, &e);
  analytics__auth__v1__grant__free_unpacked(g, NULL);
}

static bool opens(const struct sealer *s, const void *sealed, size_t len, struct unsealed *out,
                  struct arena *arena)
{
  struct err e = {0};
  return seal_open(out, s, sealed, len, NOW, arena, &e) == ERR_OK;
}

static void check_sealed(const struct sealer *s, struct fuzz_input *in, bool change,
                         struct arena *arena)
{
  struct buf sealed = BUF_INIT(SEALED_MAX_BYTES);
  struct unsealed u = {0};
  struct err e = {0};
  uint8_t at = fuzz_byte(in), bits = fuzz_byte(in);
  if (guard_check(&analytics__auth__v1__grant__descriptor, in->data, in->len, &e) == ERR_OK)
    seal(s, in, &sealed);
  if (sealed.len > 0 && change && bits != 0) {
    sealed.data[at * sealed.len / 256] ^= (char)bits;
    FUZZ_MUST(!opens(s, sealed.data, sealed.len, &u, arena));
  } else if (sealed.len > 0 && opens(s, sealed.data, sealed.len, &u, arena)) {
    FUZZ_MUST(u.grant != NULL && u.benchmark == NULL && u.expires_at > NOW);
  }
  buf_free(&sealed);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
  static struct sealer *s;
  struct err e = {0};
  if (s == NULL)
    FUZZ_MUST(sealer_new(&s, "KEY", KEY, "fuzz", &e) == ERR_OK);
  struct fuzz_input in = {data, size};
  uint8_t choice = fuzz_byte(&in);
  struct arena *arena = arena_new(ARENA_MAX);
  struct unsealed u = {0};
  if (choice & 1)
    check_sealed(s, &in, choice & 2, arena);
  else
    FUZZ_MUST(!opens(s, in.data, in.len, &u, arena));
  arena_free(arena);
  return 0;
}
