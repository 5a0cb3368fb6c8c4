/* Whole files: what is read, up to which size, and from a pipe as well. */
#include "common/base/file.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/mem.h"
#include "tests/unit/harness.h"

static char folder[] = "/tmp/amcp-file-XXXXXX";

static const char *in_folder(const char *name)
{
  static char path[64];
  snprintf(path, sizeof(path), "%s/%s", folder, name);
  return path;
}

static void put(const char *name, const char *text)
{
  FILE *f = fopen(in_folder(name), "we");
  CU_ASSERT_PTR_NOT_NULL_FATAL(f);
  fputs(text, f);
  fclose(f);
}

static void a_file_is_read_up_to_its_cap_and_no_further(void)
{
  AUTO_BUF struct buf out = {0};
  struct err e = {0};
  CU_ASSERT_PTR_NOT_NULL_FATAL(mkdtemp(folder));
  put("five", "12345");
  CU_ASSERT_EQUAL(file_read(&out, "A_FILE", in_folder("five"), 5, false, &e), ERR_OK);
  CU_ASSERT_STRING_EQUAL(buf_str(&out), "12345");
  CU_ASSERT_TRUE(out.len == 5 && out.secret);
  buf_free(&out);
  CU_ASSERT_EQUAL(file_read(&out, "A_FILE", in_folder("five"), 4, false, &e), ERR_INVALID_ARGUMENT);
  CU_ASSERT_PTR_NOT_NULL(strstr(e.message, "A_FILE: "));
  CU_ASSERT_PTR_NOT_NULL(strstr(e.message, "is larger than 4 bytes"));
  CU_ASSERT_TRUE(out.len == 0 && out.data == NULL);
  CU_ASSERT_EQUAL(file_read(&out, "A_FILE", in_folder("none"), 4, false, &e), ERR_NOT_FOUND);
  CU_ASSERT_EQUAL(file_read(&out, "A_FILE", folder, 4, false, &e), ERR_UNAVAILABLE);
  put("empty", "");
  CU_ASSERT_EQUAL(file_read(&out, "A_FILE", in_folder("empty"), 5, false, &e), ERR_OK);
  CU_ASSERT_STRING_EQUAL(buf_str(&out), "");
}

enum { LONG = 300000 }; /* more than a pipe holds */

static void *write_pipe(void *arg)
{
  int *fd = arg;
  AUTO_FREE char *text = xcalloc(1, LONG);
  memset(text, 'x', LONG);
  CU_ASSERT_EQUAL(file_write_all(*fd, text, LONG), LONG);
  close(*fd);
  return NULL;
}

static void a_pipe_is_read_to_its_end(void)
{
  AUTO_BUF struct buf out = {0};
  struct err e = {0};
  pthread_t thread;
  int ends[2];
  char path[32];
  CU_ASSERT_EQUAL_FATAL(pipe(ends), 0);
  CU_ASSERT_EQUAL_FATAL(pthread_create(&thread, NULL, write_pipe, &ends[1]), 0);
  snprintf(path, sizeof(path), "/dev/fd/%d", ends[0]);
  CU_ASSERT_EQUAL(file_read(&out, "A_FILE", path, LONG, true, &e), ERR_OK);
  CU_ASSERT_EQUAL(out.len, LONG);
  pthread_join(thread, NULL);
  close(ends[0]);
}

static void a_path_has_a_folder_and_a_name(void)
{
  static const struct {
    const char *path, *folder, *name;
  } table[] = {{"a", ".", "a"}, {"/a", "/", "a"}, {"x/a", "x", "a"}, {"/x/y/a.b", "/x/y", "a.b"}};
  for (size_t i = 0; i < ARRAY_LEN(table); i++) {
    AUTO_FREE char *found = file_folder(table[i].path);
    CU_ASSERT_STRING_EQUAL(found, table[i].folder);
    CU_ASSERT_STRING_EQUAL(file_name(table[i].path), table[i].name);
  }
}

TEST_MAIN("base file", TEST(a_path_has_a_folder_and_a_name),
          TEST(a_file_is_read_up_to_its_cap_and_no_further), TEST(a_pipe_is_read_to_its_end))
