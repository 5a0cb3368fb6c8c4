/* Fuzz target of what a browser sends to the pages where dealers connect: a byte of choice, then a
 * form body (0), arguments of the callback's query, a name and a value per line (1), or a Cookie
 * header with the Accept-Language on its second line (2). */
#include "common/base/buf.h"
#include "common/base/codec.h"
#include "gateway/connect/fields.h"
#include "gateway/connect/words.h"
#include "tests/fuzz/fuzz.h"

static const struct place {
  const char *name;
  size_t offset, size;
} places[] = {
#define PLACE(field)                                                                               \
  {                                                                                                \
#field, offsetof(struct fields, field), sizeof(((struct fields *)0)->field)                    \
  }
    PLACE(invite), PLACE(lang),  PLACE(property), PLACE(state),
    PLACE(code),   PLACE(error), PLACE(iss)};

static const char *field_of(const struct fields *f, const struct place *p)
{
  return (const char *)f + p->offset;
}

/* Texts that end where they must, and hold what may go on to auth-svc and into a page. */
static void check_fields(const struct fields *f)
{
  for (size_t i = 0; i < ARRAY_LEN(places); i++) {
    const char *text = field_of(f, &places[i]);
    size_t n = strnlen(text, places[i].size);
    FUZZ_MUST(n < places[i].size && utf8_valid(text, n));
  }
}

static void put_encoded(struct buf *out, const char *text)
{
  for (; *text != '\0'; text++)
    buf_printf(out, "%%%02X", (unsigned char)*text);
}

/* What was read is read again alike when it is written as a form. */
static void check_again(const struct fields *f)
{
  AUTO_BUF struct buf body = BUF_INIT(64 * 1024);
  struct fields again = {0};
  for (size_t i = 0; i < ARRAY_LEN(places); i++) {
    buf_printf(&body, "&%s=", places[i].name);
    put_encoded(&body, field_of(f, &places[i]));
  }
  fields_read_form(&again, buf_str(&body), body.len);
  for (size_t i = 0; i < ARRAY_LEN(places); i++)
    FUZZ_MUST(strcmp(field_of(f, &places[i]), field_of(&again, &places[i])) == 0);
}

static void try_form(const struct fuzz_input *in)
{
  struct fields f = {0};
  char *exact = xmalloc(in->len > 0 ? in->len : 1); /* without a NUL behind */
  if (in->len > 0)
    memcpy(exact, in->data, in->len);
  fields_read_form(&f, exact, in->len);
  free(exact);
  check_fields(&f);
  check_again(&f);
}

/* Names and values as the listener hands them over: any bytes, each followed by a NUL. */
static void try_query(struct fuzz_input *in)
{
  struct fields f = {0};
  while (in->len > 0) {
    const uint8_t *name_at = in->data, *value_at;
    char *name = fuzz_line(in);
    size_t name_len = (size_t)(in->data - name_at) - (in->data > name_at && in->data[-1] == '\n');
    value_at = in->data;
    char *value = fuzz_line(in);
    size_t len = (size_t)(in->data - value_at) - (in->data > value_at && in->data[-1] == '\n');
    FUZZ_MUST(fields_take(&f, name, name_len, value, len));
    free(name);
    free(value);
  }
  check_fields(&f);
  check_again(&f);
}

static void try_cookie(struct fuzz_input *in)
{
  char session[CONNECT_SESSION_MAX], again[CONNECT_SESSION_MAX];
  char *header = fuzz_line(in), *languages = fuzz_rest(in);
  const char *language = fields_read_cookie(header, session);
  size_t n = strnlen(session, sizeof(session));
  FUZZ_MUST(n < sizeof(session) && strcspn(session, ".; ,") == n);
  FUZZ_MUST(language == NULL ||
            (n > 0 && language > header && language <= header + strlen(header)));
  if (n > 0) {
    AUTO_FREE char *own = xasprintf("a=b; __Host-connect=%s.fr; c=d", session);
    const char *french = fields_read_cookie(own, again);
    FUZZ_MUST(strcmp(session, again) == 0);
    FUZZ_MUST(french != NULL && strcmp(connect_words_of(french)->language, "fr") == 0);
    AUTO_FREE char *other = xasprintf("x__Host-connect=%s", session); /* not our name */
    fields_read_cookie(other, again);
    FUZZ_MUST(strcmp(session, again) != 0);
  }
  FUZZ_MUST(connect_words_of(language) != NULL && connect_words_of(languages) != NULL);
  free(header);
  free(languages);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
  struct fuzz_input in = {data, size};
  switch (fuzz_byte(&in) % 3) {
  case 0:
    try_form(&in);
    break;
  case 1:
    try_query(&in);
    break;
  default:
    try_cookie(&in);
  }
  return 0;
}
