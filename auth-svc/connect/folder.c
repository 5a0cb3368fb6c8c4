/* The lists in a file of AUTH_STATE_DIR/connect, which is replaced whole. */
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "auth-svc/connect/place.h"
#include "auth-svc/token/store_file.h"
#include "common/base/json.h"
#include "common/base/mem.h"

#define FILE_NAME "connected"

const char *const connect_list_names[CONNECT_LISTS] = {"invites", "sessions", "dealers"};

struct folder {
  struct connect_place base; /* first */
  char *dir;
  struct store_file file;
  struct connect_texts read; /* at the start, until they are taken */
};

void connect_texts_free(struct connect_texts *t)
{
  for (size_t i = 0; i < CONNECT_LISTS; i++)
    free(TAKE_PTR(t->list[i]));
}

static enum err_code damaged(const char *dir, struct err *e)
{
  return err_set(e, ERR_DATA_LOSS, "state_damaged",
                 "AUTH_STATE_DIR: " FILE_NAME " in %s is damaged, or not a file of this version of "
                 "auth-svc; put a copy back, or move it away and let dealers consent again",
                 dir);
}

static enum err_code parse(struct connect_texts *out, const char *dir, const struct buf *text,
                           struct err *e)
{
  const struct json_limits limits = {.max_bytes = CONNECT_FILE_MAX};
  AUTO_JSON cJSON *root = NULL;
  if (json_parse(&root, text->data, text->len, &limits, NULL) != ERR_OK)
    return damaged(dir, e);
  for (size_t i = 0; i < CONNECT_LISTS; i++) {
    const cJSON *list = cJSON_GetObjectItemCaseSensitive(root, connect_list_names[i]);
    out->list[i] = cJSON_IsArray(list) ? cJSON_PrintUnformatted(list) : NULL;
    if (out->list[i] == NULL) {
      connect_texts_free(out);
      return damaged(dir, e);
    }
  }
  return ERR_OK;
}

static enum err_code read_file(const struct store_file *file, const char *dir,
                               struct connect_texts *out, struct err *e)
{
  struct buf text = {0};
  enum err_code code = store_file_read(file, FILE_NAME, &text, CONNECT_FILE_MAX, e);
  if (code == ERR_OK)
    code = parse(out, dir, &text, e);
  buf_free(&text);
  return code;
}

static enum err_code take(struct connect_place *base, struct connect_texts *news, int64_t *now_ms,
                          struct err *e)
{
  struct folder *f = (struct folder *)base;
  (void)now_ms;
  (void)e;
  *news = f->read;
  f->read = (struct connect_texts){0};
  return ERR_OK;
}

static enum err_code put(struct connect_place *base, const struct connect_texts *texts,
                         const bool changed[CONNECT_LISTS], struct err *e)
{
  struct folder *f = (struct folder *)base;
  AUTO_BUF struct buf text = BUF_INIT(CONNECT_FILE_MAX);
  bool renamed;
  (void)changed;
  for (size_t i = 0; i < CONNECT_LISTS; i++) {
    buf_printf(&text, "%s\"%s\":", i == 0 ? "{" : ",", connect_list_names[i]);
    buf_puts(&text, texts->list[i]);
  }
  buf_puts(&text, "}");
  return text.failed ? err_set(e, ERR_RESOURCE_EXHAUSTED, "state_full",
                               "AUTH_STATE_DIR: the store of connected dealers has reached its cap")
                     : store_file_replace(&f->file, &text, &renamed, e);
}

static void give_back(struct connect_place *base)
{
  (void)base;
}

/* Nobody else writes here. */
static void forget(struct connect_place *base)
{
  (void)base;
}

static enum err_code look(struct connect_place *base, struct connect_texts *news, struct err *e)
{
  int64_t now_ms;
  return take(base, news, &now_ms, e);
}

static void close_folder(struct connect_place *base)
{
  struct folder *f = (struct folder *)base;
  store_file_close(&f->file);
  connect_texts_free(&f->read);
  free(f->dir);
  free(f);
}

enum err_code connect_place_folder(struct connect_place **out, const char *state_dir, struct err *e)
{
  struct folder *f = xcalloc(1, sizeof(*f));
  f->base = (struct connect_place){false, take, put, give_back, forget, look, close_folder};
  f->dir = xasprintf("%s/connect", state_dir);
  (void)mkdir(state_dir, 0700); /* where it fails, the next step says why */
  enum err_code code = store_file_open(&f->file, f->dir, FILE_NAME, e);
  if (code == ERR_OK) {
    store_file_drop_new(&f->file); /* what was not put in place was never acknowledged */
    code = read_file(&f->file, f->dir, &f->read, e);
  }
  if (code == ERR_NOT_FOUND) {
    *e = (struct err){0};
    code = ERR_OK;
  }
  if (code == ERR_OK)
    *out = &f->base;
  else
    close_folder(&f->base);
  return code;
}

enum err_code connect_place_peek(const char *state_dir, struct connect_texts *out, struct err *e)
{
  AUTO_FREE char *dir = xasprintf("%s/connect", state_dir);
  const struct store_file file = {.dir = dir, .name = FILE_NAME, .dir_fd = -1, .lock_fd = -1};
  return read_file(&file, dir, out, e);
}
