/* What the claims of an issuer's tokens mean here: rules that turn them into a role and lists of
 * dealers, regions and groups.
 *
 * The first rule that fits decides the role. Later rules with the same role that fit add their
 * lists; those with another role count for nothing, so that no two roles mix. Order the rules from
 * the role that matters most. */
#ifndef AMCP_AUTH_MAPPING_H
#define AMCP_AUTH_MAPPING_H

#include "auth-svc/identity/claim_path.h"
#include "auth-svc/identity/claims.h"

enum { MAPPING_RULES_MAX = 100, MAPPING_TESTS_MAX = 5, MAPPING_TEXTS_MAX = 50 };

enum claim_test_kind {
  CLAIM_PRESENT,  /* a text, or a list with at least one text */
  CLAIM_EQUALS,   /* is this text */
  CLAIM_IS,       /* is this truth value */
  CLAIM_CONTAINS, /* is, or is a list with, one of these texts */
  CLAIM_PREFIX,   /* is, or is a list with, a text that begins so and goes on */
};

/* What one claim must be. Texts are compared byte for byte. */
struct claim_test {
  struct claim_path claim;
  enum claim_test_kind kind;
  struct claim_list texts; /* one, but for CLAIM_CONTAINS */
  bool truth;              /* of CLAIM_IS */
};

enum mapping_source_kind {
  SOURCE_TEXT,  /* itself */
  SOURCE_VALUE, /* what the rule's first test found: behind the prefix, where it has one */
  SOURCE_CLAIM, /* the texts of another claim */
};

struct mapping_source {
  enum mapping_source_kind kind;
  const char *text; /* as it was written */
  struct claim_path claim;
};

struct mapping_sources {
  struct mapping_source *items;
  size_t n;
};

struct mapping_rule {
  struct claim_test tests[MAPPING_TESTS_MAX]; /* all must hold */
  size_t n_tests;
  Analytics__Auth__V1__Role role;
  struct mapping_sources dealers, regions, groups;
};

/* Immutable. */
struct mapping {
  struct mapping_rule *rules;
  size_t n;
};

/* What became of a rule with a token. */
enum mapping_outcome {
  RULE_UNFIT,         /* a claim is not as it wants */
  RULE_NAMES_NOTHING, /* fits, but lists nothing to read */
  RULE_OF_OTHER_ROLE, /* fits, but an earlier one gave another role */
  RULE_GIVES,
};

/* Sets role, dealers, regions and groups. A rule of groups or dealers whose lists stay empty does
 * not fit. The texts live as long as the claims and the mapping, their lists in the arena.
 * PERMISSION_DENIED `no_mapping` when no rule fits: the message names the claims that were looked
 * for, as the rules write them, and nothing of what the token or the dealers file holds. Also for a
 * list of more than CLAIM_LIST_MAX texts. `outcomes` gets what became of each rule, up to such a
 * list; NULL when it does not matter. */
enum err_code mapping_apply(struct claims *out, const struct mapping *mapping,
                            const char *issuer_name, const cJSON *token, struct arena *arena,
                            enum mapping_outcome *outcomes, struct err *e);
/* The same error, for rules that fit but name no dealer that there is. */
enum err_code mapping_names_nobody(const char *issuer_name, struct err *e);

#endif
