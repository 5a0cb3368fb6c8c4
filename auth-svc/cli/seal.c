/* Subcommands for secrets at rest: keygen, seal, unseal, rotate, verify. */
#include <errno.h>
#include <openssl/rand.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "auth-svc/cli/cli.h"
#include "auth-svc/dealers/file.h"
#include "common/base/clock.h"
#include "common/base/codec.h"
#include "common/base/config.h"
#include "common/base/file.h"
#include "common/base/mem.h"

/* ----------------------------------------------------------------------- keygen */

static enum err_code make_key(struct buf *line, const char *id, struct err *e)
{
  uint8_t key[KEYRING_KEY_BYTES], digits[2];
  char made[KEYRING_ID_MAX + 1], date[16];
  if (RAND_priv_bytes(key, sizeof(key)) != 1 || RAND_bytes(digits, sizeof(digits)) != 1)
    return err_set(e, ERR_INTERNAL, "no_random", "OpenSSL has no random numbers");
  clock_format_date(clock_unix_ms() / 86400000, date, sizeof(date));
  snprintf(made, sizeof(made), "%s-%02x%02x", date, digits[0], digits[1]);
  buf_printf(line, "%s: ", id != NULL ? id : made);
  base64_encode(line, key, sizeof(key));
  buf_putc(line, '\n');
  mem_wipe(key, sizeof(key));
  struct keyring *ring = NULL;
  enum err_code code = keyring_parse(&ring, "--id", line->data, line->len, e);
  keyring_unref(ring);
  if (code != ERR_OK && id != NULL)
    return err_set(e, ERR_INVALID_ARGUMENT, "bad_key_id",
                   "--id: \"%.40s\" must be 1 to %d letters, digits, '.', '_' or '-'", id,
                   KEYRING_ID_MAX);
  return code;
}

static enum err_code add_to_file(const char *path, struct buf *line, struct err *e)
{
  AUTO_BUF struct buf all = BUF_SECRET(2 * KEYRING_FILE_MAX), old = BUF_SECRET(KEYRING_FILE_MAX);
  struct keyring *ring = NULL;
  enum err_code code = file_read(&old, "--add", path, KEYRING_FILE_MAX, true, e);
  if (code != ERR_OK && code != ERR_NOT_FOUND)
    return code;
  buf_append(&all, line->data, line->len);
  if (old.len > 0)
    buf_append(&all, old.data, old.len);
  code = keyring_parse(&ring, path, all.data, all.len, e);
  keyring_unref(ring);
  return code == ERR_OK ? cli_write_file(path, &all, e) : code;
}

int cli_keygen(int argc, char **argv, const char *help)
{
  AUTO_BUF struct buf line = BUF_SECRET(256);
  const char *id = NULL, *file = NULL, *make = NULL;
  const struct cli_option options[] = {
      {"id", .text = &id}, {"add", .text = &file}, {"make", .text = &make}, {0}};
  struct err e = {0};
  int exit_code;
  if (cli_read(argc, argv, help, options, 0, 0, "takes options only", &exit_code) == NULL)
    return exit_code;
  if (make != NULL && file != NULL)
    return cli_fail(EXIT_USAGE, "keygen", "give --add or --make, not both");
  if (make != NULL && access(make, F_OK) == 0)
    return EXIT_OK;
  file = make != NULL ? make : file;
  enum err_code code = make_key(&line, id, &e);
  if (code == ERR_OK && file != NULL)
    code = add_to_file(file, &line, &e);
  if (code != ERR_OK)
    return cli_fail(id != NULL && code == ERR_INVALID_ARGUMENT ? EXIT_USAGE : EXIT_FAILED, "keygen",
                    "%s", e.message);
  if (file == NULL)
    fwrite(line.data, 1, line.len, stdout);
  else
    printf("%.*s\n", (int)strcspn(line.data, ":"), line.data);
  return EXIT_OK;
}

/* -------------------------------------------------- seal, unseal, rotate, verify */

enum action { SEAL, UNSEAL, ROTATE, VERIFY };

/* What the four have in common: a file, a keyring, and counts. */
struct job {
  enum action action;
  const char *command, *file, *output;
  bool flag; /* the command's own option */
  struct settings settings;
  struct buf text, edited;
  size_t changed, sealed, plain, broken;
  size_t by_key[KEYRING_KEYS_MAX];
};

static void job_clear(struct job *j)
{
  buf_free(&j->text);
  buf_free(&j->edited);
  settings_free(&j->settings);
}

/* Reads the command line; false with *exit_code when the command ends here. */
static bool job_arguments(struct job *j, int argc, char **argv, const char *help,
                          const char *flag_name, int *exit_code)
{
  const struct cli_option options[] = {
      {"output", .text = &j->output, .letter = 'o'}, {flag_name, .set = &j->flag}, {0}};
  char **words = cli_read(argc, argv, help, options, 1, 1, "takes one FILE", exit_code);
  j->command = argv[0];
  j->file = words != NULL ? words[0] : NULL;
  return words != NULL;
}

static bool job_load(struct job *j, int *exit_code)
{
  struct err e = {0};
  enum err_code code = cli_settings(&j->settings, &e);
  if (code == ERR_OK && j->settings.sealed.keyring == NULL)
    code = err_set(&e, ERR_FAILED_PRECONDITION, "no_keyring",
                   "no keyring is configured: set AUTH_KEYRING_FILE; auth-svc keygen makes a key");
  if (code != ERR_OK) {
    *exit_code = cli_fail(EXIT_CONFIG, j->command, "%s", e.message);
    return false;
  }
  settings_wipe_secrets(&j->settings);
  code = file_read(&j->text, "FILE", j->file, DEALERS_FILE_MAX, true, &e);
  if (code != ERR_OK)
    *exit_code = cli_fail(EXIT_FAILED, j->command, "%s", e.message);
  return code == ERR_OK;
}

static enum err_code visit_plain(struct job *j, const struct sealed_value *value,
                                 const struct keyring_record *record, enum sealed_edit *edit,
                                 struct buf *out, struct err *e)
{
  j->plain++;
  if (j->action == VERIFY && !j->flag)
    printf("dealer \"%s\" %s: is in the clear\n", record->tenant, record->id);
  if (j->action != SEAL)
    return ERR_OK;
  j->changed++;
  *edit = SEALED_AS_SEALED;
  return keyring_seal(out, j->settings.sealed.keyring, record, value->text, value->len, e);
}

/* Whatever a sealed secret becomes, it must open; verify goes on, so that its list is whole. */
static enum err_code visit(void *user, const struct sealed_value *value, enum sealed_edit *edit,
                           struct buf *out, struct err *e)
{
  struct job *j = user;
  struct keyring *ring = j->settings.sealed.keyring;
  const struct keyring_record record = sealed_record(value->place);
  AUTO_SECRET struct secret *plain = NULL;
  char id[KEYRING_ID_MAX + 1] = "";
  if (!value->is_sealed)
    return visit_plain(j, value, &record, edit, out, e);
  enum err_code code = keyring_open(&plain, ring, &record, value->text, value->len, e);
  if (code != ERR_OK && j->action == VERIFY) {
    j->broken++;
    printf("dealer \"%s\" %s: %s\n", record.tenant, record.id, e->message);
    return ERR_OK;
  }
  if (code != ERR_OK)
    return code;
  keyring_id_of(value->text, value->len, id);
  size_t key = keyring_find(ring, id);
  bool stays = j->action == SEAL || j->action == VERIFY || (j->action == ROTATE && key == 0);
  j->by_key[key]++;
  *(stays ? &j->sealed : &j->changed) += 1;
  if (stays)
    return ERR_OK;
  *edit = j->action == UNSEAL ? SEALED_AS_PLAIN : SEALED_AS_SEALED;
  if (j->action == ROTATE)
    return keyring_seal(out, ring, &record, secret_text(plain), secret_len(plain), e);
  buf_append(out, secret_text(plain), secret_len(plain));
  return ERR_OK;
}

/* What is about to replace the file must open, or the file stays. */
static enum err_code check_edited(struct job *j, struct err *e)
{
  struct job again = {.action = ROTATE, .settings = j->settings};
  enum err_code code =
      sealed_text_edit(NULL, j->file, j->edited.data, j->edited.len, visit, &again, e);
  if (code == ERR_OK && again.plain != (j->action == SEAL ? 0 : j->plain))
    code = err_set(e, ERR_INTERNAL, "seal_failed", "%s: a secret would stay in the clear", j->file);
  return code;
}

static enum err_code save(struct job *j, struct err *e)
{
  const char *path = j->output != NULL || j->action == UNSEAL ? j->output : j->file;
  if (path == NULL)
    fwrite(j->edited.data, 1, j->edited.len, stdout);
  if (path == NULL || (j->changed == 0 && j->output == NULL))
    return ERR_OK;
  return cli_write_file(path, &j->edited, e);
}

static int report(const struct job *j)
{
  const struct keyring *ring = j->settings.sealed.keyring;
  if (j->action == UNSEAL)
    fprintf(stderr, "%zu secrets unsealed\n", j->changed);
  else if (j->action != VERIFY)
    fprintf(stderr, "%zu secrets sealed with key \"%s\", %zu were already\n", j->changed,
            keyring_id(ring, 0), j->sealed);
  if (j->action == ROTATE && j->plain > 0)
    fprintf(stderr, "%zu secrets are in the clear: run auth-svc seal %s\n", j->plain, j->file);
  if (j->action != VERIFY)
    return EXIT_OK;
  for (size_t i = 0; i < keyring_size(ring); i++)
    printf("key \"%s\"%s: %zu secrets\n", keyring_id(ring, i), i == 0 ? " (first)" : "",
           j->by_key[i]);
  printf("%zu open, %zu do not open, %zu in the clear\n", j->sealed, j->broken, j->plain);
  return j->broken > 0 || (j->plain > 0 && !j->flag) ? EXIT_FAILED : EXIT_OK;
}

/* Sealing grows a file of short secrets several times. */
enum { SEALED_TEXT_FILE_MAX = 4 * DEALERS_FILE_MAX };

static int run(enum action action, int argc, char **argv, const char *help, const char *flag)
{
  __attribute__((cleanup(job_clear))) struct job j = {.action = action,
                                                      .text = BUF_SECRET(DEALERS_FILE_MAX),
                                                      .edited = BUF_SECRET(SEALED_TEXT_FILE_MAX)};
  struct err e = {0};
  int exit_code = EXIT_OK;
  if (!job_arguments(&j, argc, argv, help, flag, &exit_code))
    return exit_code;
  if (action == UNSEAL && (j.output == NULL) == !j.flag)
    return cli_fail(EXIT_USAGE, "unseal",
                    "writes secrets in the clear: give -o OUT for a file, or "
                    "--yes-print-secrets to print them");
  if (!job_load(&j, &exit_code))
    return exit_code;
  enum err_code code = sealed_text_edit(action != VERIFY ? &j.edited : NULL, j.file, j.text.data,
                                        j.text.len, visit, &j, &e);
  if (code == ERR_OK && (action == SEAL || action == ROTATE))
    code = check_edited(&j, &e);
  if (code == ERR_OK && action != VERIFY)
    code = save(&j, &e);
  return code == ERR_OK ? report(&j) : cli_fail(EXIT_FAILED, j.command, "%s", e.message);
}

int cli_seal(int argc, char **argv, const char *help)
{
  return run(SEAL, argc, argv, help, NULL);
}

int cli_rotate(int argc, char **argv, const char *help)
{
  return run(ROTATE, argc, argv, help, NULL);
}

int cli_unseal(int argc, char **argv, const char *help)
{
  return run(UNSEAL, argc, argv, help, "yes-print-secrets");
}

int cli_verify(int argc, char **argv, const char *help)
{
  return run(VERIFY, argc, argv, help, "allow-plaintext");
}
