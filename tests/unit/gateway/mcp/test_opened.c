/* Session ids that are remembered once opened. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/mem.h"
#include "gateway/mcp/opened.h"
#include "tests/unit/harness.h"

#define KEY_A "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"
#define KEY_B "ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff"

/* Keys in a file of a folder of their own. */
struct keys {
  char dir[32], file[48];
  struct ring *ring;
};

static void write_key(const struct keys *k, const char *text)
{
  char temporary[64];
  snprintf(temporary, sizeof(temporary), "%s.new", k->file);
  FILE *f = fopen(temporary, "w");
  CU_ASSERT_PTR_NOT_NULL_FATAL(f);
  fputs(text, f);
  fclose(f);
  CU_ASSERT_EQUAL(rename(temporary, k->file), 0);
}

static void keys_make(struct keys *k)
{
  struct err e = {0};
  snprintf(k->dir, sizeof(k->dir), "/tmp/amcp-opened-XXXXXX");
  CU_ASSERT_PTR_NOT_NULL_FATAL(mkdtemp(k->dir));
  snprintf(k->file, sizeof(k->file), "%s/keys", k->dir);
  write_key(k, KEY_A);
  CU_ASSERT_EQUAL_FATAL(ring_new(&k->ring, "KEYS", k->file, &e), ERR_OK);
}

static void keys_end(struct keys *k)
{
  unlink(k->file);
  rmdir(k->dir);
  ring_free(k->ring);
}

static void make_id(struct ring *ring, int64_t issued_ms, char id[MCP_SESSION_ID_MAX])
{
  struct mcp_session_facts facts = {.version = MCP_2025_06_18, .can = 4, .issued_ms = issued_ms};
  mcp_principal_hash(facts.principal, &(struct mcp_principal){.id = "somebody"});
  mcp_session_id_seal(ring, &facts, id);
}

static void remembered_ids_say_what_opened_ones_say(void)
{
  struct keys k;
  keys_make(&k);
  struct opened *o = opened_new(k.ring);
  /* More than there are places, so that ids push one another out. */
  enum { IDS = 3000 };
  char(*ids)[MCP_SESSION_ID_MAX] = calloc(IDS, sizeof(*ids));
  for (int i = 0; i < IDS; i++)
    make_id(k.ring, i, ids[i]);
  for (int round = 0; round < 2; round++)
    for (int i = 0; i < IDS; i++) {
      struct mcp_session_facts facts, again;
      CU_ASSERT_TRUE(opened_find(o, ids[i], &facts));
      CU_ASSERT_TRUE(opened_find(o, ids[i], &again));
      CU_ASSERT_TRUE(facts.issued_ms == i && again.issued_ms == i && again.can == 4);
      CU_ASSERT_EQUAL(memcmp(facts.principal, again.principal, sizeof(facts.principal)), 0);
      CU_ASSERT_EQUAL(memcmp(facts.key, again.key, sizeof(facts.key)), 0);
    }
  free(ids);
  opened_free(o);
  keys_end(&k);
}

static void what_was_not_sealed_here_never_opens(void)
{
  struct keys k;
  keys_make(&k);
  struct opened *o = opened_new(k.ring);
  struct mcp_session_facts facts;
  char id[MCP_SESSION_ID_MAX], huge[1000];
  memset(huge, 'a', sizeof(huge) - 1);
  huge[sizeof(huge) - 1] = '\0';
  make_id(k.ring, 1, id);
  CU_ASSERT_TRUE(opened_find(o, id, &facts));
  CU_ASSERT_FALSE(opened_find(o, "", &facts));
  CU_ASSERT_FALSE(opened_find(o, huge, &facts));
  for (size_t i = 0; i < strlen(id); i++) {
    char other[MCP_SESSION_ID_MAX];
    memcpy(other, id, sizeof(other));
    other[i] = other[i] == 'A' ? 'B' : 'A';
    CU_ASSERT_FALSE(opened_find(o, other, &facts));
    other[i] = '\0';
    CU_ASSERT_FALSE(opened_find(o, other, &facts));
  }
  opened_free(o);
  keys_end(&k);
}

static void id_of_a_key_that_left_is_forgotten(void)
{
  struct keys k;
  keys_make(&k);
  struct opened *o = opened_new(k.ring);
  struct mcp_session_facts facts;
  char id[MCP_SESSION_ID_MAX], later[MCP_SESSION_ID_MAX];
  make_id(k.ring, 1, id);
  CU_ASSERT_TRUE(opened_find(o, id, &facts));
  write_key(&k, KEY_B "\n" KEY_A);
  ring_refresh(k.ring);
  CU_ASSERT_TRUE(opened_find(o, id, &facts));
  make_id(k.ring, 2, later);
  CU_ASSERT_TRUE(opened_find(o, later, &facts));
  write_key(&k, KEY_B);
  ring_refresh(k.ring);
  CU_ASSERT_FALSE(opened_find(o, id, &facts));
  CU_ASSERT_TRUE(opened_find(o, later, &facts));
  opened_free(o);
  keys_end(&k);
}

TEST_MAIN("gateway_mcp_opened", TEST(remembered_ids_say_what_opened_ones_say),
          TEST(what_was_not_sealed_here_never_opens), TEST(id_of_a_key_that_left_is_forgotten))
