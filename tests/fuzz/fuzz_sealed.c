/* Fuzz target of sealed dealers files: any text is sealed or refused; what was sealed holds no
 * secret in the clear, opens, and stays byte by byte as it is when there is nothing to change. */
#include "auth-svc/config/snapshot.h"
#include "auth-svc/dealers/sealed.h"
#include "common/base/log.h"
#include "tests/fuzz/fuzz.h"

struct run {
  struct keyring *ring;
  size_t sealed, plain;
};

static enum err_code seal_plain(void *user, const struct sealed_value *v, enum sealed_edit *edit,
                                struct buf *out, struct err *e)
{
  struct run *r = user;
  const struct keyring_record record = sealed_record(v->place);
  if (v->is_sealed) {
    AUTO_SECRET struct secret *plain = NULL;
    r->sealed++;
    return keyring_open(&plain, r->ring, &record, v->text, v->len, e);
  }
  r->plain++;
  *edit = SEALED_AS_SEALED;
  return keyring_seal(out, r->ring, &record, v->text, v->len, e);
}

static void check_sealed(struct run *before, const struct buf *text)
{
  struct run after = {.ring = before->ring};
  AUTO_BUF struct buf again = BUF_INIT(1 << 22);
  struct err e = {0};
  FUZZ_MUST(sealed_text_edit(&again, "f", buf_str(text), text->len, seal_plain, &after, &e) ==
            ERR_OK);
  FUZZ_MUST(after.plain == 0 && after.sealed == before->sealed + before->plain);
  FUZZ_MUST(again.len == text->len && memcmp(again.data, text->data, text->len) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
  static const char keys[] = "k1: 000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";
  struct run run = {0};
  struct snapshot *snapshot = NULL;
  AUTO_BUF struct buf out = BUF_INIT(1 << 22);
  struct err e = {0};
  log_init("fuzz", LOG_LEVEL_OFF);
  if (keyring_parse(&run.ring, "RING", keys, strlen(keys), NULL) != ERR_OK)
    abort();
  if (sealed_text_edit(&out, "f", (const char *)data, size, seal_plain, &run, &e) == ERR_OK)
    check_sealed(&run, &out);
  const struct sealed_policy policy = {.keyring = run.ring, .allow_mixed = true};
  snapshot_parse(&snapshot, "f", (const char *)data, size,
                 &(struct dealers_options){.sealed = &policy}, &e);
  snapshot_unref(snapshot);
  keyring_unref(run.ring);
  return 0;
}
