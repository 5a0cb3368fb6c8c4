/* Finds and runs a subcommand. */
#include "auth-svc/cli/cli.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "common/base/config.h"
#include "common/base/harden.h"
#include "common/base/mem.h"

const char cli_usage[] =
    "       auth-svc COMMAND ...        see auth-svc COMMAND --help\n"
    "\n"
    "Commands:\n"
    "  keygen              make a key for the keyring\n"
    "  seal FILE           encrypt the secrets of a dealers file\n"
    "  unseal FILE         decrypt them\n"
    "  rotate FILE         encrypt them again with the first key of the keyring\n"
    "  verify FILE         check that every secret opens, and name the keys in use\n"
    "  token mint          make a signed bearer token\n"
    "  token inspect       show a bearer token's claims and whether it is accepted\n"
    "  validate [FILE]     check a dealers file before it is deployed: every fault, no network\n"
    "  check DEALER        try a dealer's credentials against Google, step by step\n"
    "  audit verify FILE   check the chain of an audit log\n"
    "  invite DEALER       make a link by which a dealer connects its website\n"
    "  connections         list connected dealers and open links\n"
    "  disconnect DEALER   revoke a connected dealer's consent and forget it\n"
    "  export              print the connected dealers as a dealers file, sealed\n"
    "  import FILE         take dealers of a dealers file into the connected ones\n"
    "  healthcheck         ask the one that runs with these settings whether it serves\n"
    "\n"
    "Credentials also heed, as Google's libraries do: HOME, CLOUDSDK_CONFIG, GCE_METADATA_HOST,\n"
    "NO_GCE_CHECK, AWS_REGION, AWS_DEFAULT_REGION, AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY,\n"
    "AWS_SESSION_TOKEN; and http_proxy, https_proxy, no_proxy, TZDIR. See\n"
    "docs/internals/auth/credential.md, \"What the environment says to credentials\".";

#define EXIT_CODES "\nExit codes: 0 done, 1 failed, 2 wrong usage, 78 wrong configuration.\n"
#define KEYRING_HELP "\nThe keyring is read from AUTH_KEYRING_FILE; its first key seals.\n"

#define RUNNING_HELP                                                                               \
  "\nAsks the auth-svc that runs with these settings, with its certificate when there is one.\n"   \
  "AUTH_SEAL_KEY_FILE or AUTH_SEAL_KEY must be set: it takes orders only from whoever holds\n"     \
  "its key.\n"

struct command {
  const char *name;
  int (*run)(int argc, char **argv, const char *help);
  const char *help;
};

static const struct command commands[] = {
    {"keygen", cli_keygen,
     "Usage: auth-svc keygen [--id ID] [--add FILE | --make FILE]\n\n"
     "Prints a line \"id: key\" for AUTH_KEYRING_FILE, 32 random bytes in base64.\n\n"
     "  --id ID      id of the key; the date and four random digits when not given\n"
     "  --add FILE   put it first into the keyring FILE (created if missing) and print\n"
     "               only the id: the next seal and rotate use it, the old keys still open\n"
     "  --make FILE  the same if FILE is missing; one that exists stays as it is\n" EXIT_CODES},
    {"seal", cli_seal,
     "Usage: auth-svc seal FILE [-o OUT]\n\n"
     "Encrypts the secrets of a dealers file (AES-256-GCM), each bound to its dealer and field.\n"
     "Everything else in the file stays as it is. So do secrets that are sealed already, which\n"
     "must open.\n\n"
     "  -o OUT   write there instead of in place\n" KEYRING_HELP EXIT_CODES},
    {"unseal", cli_unseal,
     "Usage: auth-svc unseal FILE (-o OUT | --yes-print-secrets)\n\n"
     "Decrypts the secrets of a dealers file. Needed before a dealer_id is changed.\n\n"
     "  -o OUT                write to a file of mode 0600\n"
     "  --yes-print-secrets   print the file, with its secrets\n" KEYRING_HELP EXIT_CODES},
    {"rotate", cli_rotate,
     "Usage: auth-svc rotate FILE [-o OUT]\n\n"
     "Encrypts sealed secrets again that are not sealed with the first key of the keyring. A\n"
     "running service picks up the keyring and the file, and seals its store of refresh tokens\n"
     "again by itself. Once /readyz says that a key may leave the keyring, take its line out, but\n"
     "keep it elsewhere for as long as audit lines made with it are to be checked.\n\n"
     "  -o OUT   write there instead of in place\n" KEYRING_HELP EXIT_CODES},
    {"verify", cli_verify,
     "Usage: auth-svc verify FILE [--allow-plaintext]\n\n"
     "Opens every sealed secret of a dealers file and names the keys in use. Exit code 1 with a\n"
     "list when one does not open or is in the clear.\n\n"
     "  --allow-plaintext   secrets in the clear are fine\n" KEYRING_HELP EXIT_CODES},
    {"token", cli_token,
     "Usage: auth-svc token mint --sub WHO --role ROLE [--dealer ID]... [--region NAME]...\n"
     "                           [--group NAME]... [--ttl TIME] [--key FILE] [--kid ID]\n"
     "                           [--issuer ISS] [--audience AUD] [--dealers FILE]\n"
     "       auth-svc token inspect [TOKEN | -]\n\n"
     "mint prints a signed bearer token and nothing else.\n"
     "  --sub WHO         subject: a user or service\n"
     "  --role ROLE       admin (everything), group (dealers, regions, groups), dealer (own\n"
     "                    dealers, their regions as benchmark)\n"
     "  --dealer ID, --region NAME, --group NAME   what it may read; may be repeated\n"
     "  --ttl TIME        life: 900, 15m, 8h, 1d; default 8h, at most AUTH_JWT_MAX_LIFE_S\n"
     "  --key FILE        private key in PEM (RSA, P-256, Ed25519); without it the secret\n"
     "                    AUTH_JWT_HS256_SECRET or AUTH_JWT_HS256_SECRET_FILE signs\n"
     "  --kid ID          key id for the token's header\n"
     "  --issuer ISS      default AUTH_JWT_ISSUER\n"
     "  --audience AUD    default AUTH_JWT_AUDIENCE\n"
     "  --dealers FILE    refuse dealers, regions and groups that this file does not have;\n"
     "                    default GA_CREDENTIALS_PATH when it is set\n\n"
     "inspect shows header, claims and SHA-256 (what AUTH_POLICY_FILE revokes a token by), which\n"
     "issuer's it is (AUTH_JWT_ISSUER or one of AUTH_ISSUERS_FILE), which of its rules match, "
     "what\n"
     "the token opens, and whether the service would accept it, with the settings as they are set\n"
     "and the keys as the issuer publishes them now (exit code 1 when not, with the one reason).\n"
     "Dealers are those of GA_CREDENTIALS_PATH. Without an argument, or with -, the token is read\n"
     "from standard input, which keeps it out of the shell's history.\n" EXIT_CODES},
    {"validate", cli_validate,
     "Usage: auth-svc validate [FILE] [--policies FILE] [--issuers FILE] [--format text|json]\n\n"
     "Reads a dealers file as the service would, with the keyring and the settings of the\n"
     "environment (AUTH_REQUIRE_SEALED, AUTH_COHORT_RULES, ...), but asks no network and no\n"
     "credential. Prints each fault as FILE:LINE: FIELD (DEALER): what is wrong and what to do,\n"
     "and exits with 78; or, for a good file, warnings and a summary, and exits with 0. Prints no\n"
     "secret. Without FILE it reads what the service would: GA_CREDENTIALS_PATH or\n"
     "GA_CREDENTIALS_JSON.\n\n"
     "  --policies FILE  the policy file, too (its first fault); default AUTH_POLICY_FILE\n"
     "  --issuers FILE   the issuers file, too; default AUTH_ISSUERS_FILE\n"
     "  --format json    one object for programs: valid, fault_count, faults and warnings (file,\n"
     "                   line, field, dealer, message, code), dealers, properties, regions,\n"
     "                   credentials, secrets, cohorts, policies, revoked\n\n"
     "A credential ends at its first fault. The members of cohorts are looked at once the dealers\n"
     "are right. At most 200 faults are listed. Credential files that the dealers file names are\n"
     "read, so they must be beside it. Editors check the form as you type, by\n"
     "config/dealers.schema.json.\n" KEYRING_HELP EXIT_CODES},
    {"check", cli_check,
     "Usage: auth-svc check DEALER [--dealers FILE]\n\n"
     "Gets an access token for a dealer (dealer_id or account_id), asks Google Analytics which\n"
     "properties it may read, and runs a small report on each of the dealer's properties. Says\n"
     "step by step what worked, and what to do about what did not.\n\n"
     "  --dealers FILE   default GA_CREDENTIALS_PATH\n\n"
     "OAUTH_TOKEN_ENDPOINT, GA4_ADMIN_ENDPOINT and GA4_DATA_ENDPOINT apply as they do to the\n"
     "services.\n" KEYRING_HELP EXIT_CODES},
    {"audit", cli_audit,
     "Usage: auth-svc audit verify FILE... [--allow-unkeyed]\n\n"
     "Checks an audit log: removed, changed, reordered, inserted and cut lines are named by file\n"
     "and line, 100 at most, with the total at the end. Files that were rotated are given before\n"
     "the one that is written, oldest first; their numbers sort that way:\n\n"
     "  auth-svc audit verify audit.log.[0-9]* audit.log\n\n"
     "A file given alone begins with a line \"continued\" when it is not the first. Where files\n"
     "before it were deleted by AUTH_AUDIT_KEEP_BYTES or AUTH_AUDIT_KEEP_DAYS, a line\n"
     "\"audit_deleted\" says so and the result names it; this is not a fault. The end is\n"
     "checked against FILE.head of the last file; the service may go on writing meanwhile.\n"
     "The clock may go back between lines: their order is that of their numbers.\n\n"
     "  --allow-unkeyed   lines made before there was a keyring are fine\n"
     "\nThe keyring is read from AUTH_KEYRING_FILE and must hold every key the\n"
     "lines were made with, newest first as auth-svc keygen --add puts them: a key may hand over\n"
     "to another with a line \"key_changed\", and lines never go back to an older key by its own\n"
     "word. Keep keys that left the service's keyring for as long as their lines are kept.\n"
     "\nExit codes: 0 whole, 1 faults found or a file that cannot be read, 2 wrong usage, 78 a "
     "key\n"
     "is not on the keyring (named with its first line) or the configuration is wrong.\n"},
    {"invite", cli_invite,
     "Usage: auth-svc invite DEALER --name NAME --region REGION [--owner OWNER] [--group NAME]...\n"
     "                       [--label TEXT] [--ttl TIME]\n"
     "       auth-svc invite --renew DEALER [--label TEXT] [--ttl TIME]\n"
     "       auth-svc invite --revoke ID\n\n"
     "Prints a link that can be used once: whoever opens it consents at Google and connects the\n"
     "dealer's website. It is shown this one time; only a digest of it is kept.\n\n"
     "  --label TEXT   for the list of links: whom it was sent to, say\n"
     "  --ttl TIME     how long it is valid: 900, 30m, 24h; default 30m, at most 24h\n"
     "  --renew        for a dealer that is connected already and must consent again\n"
     "  --revoke ID    ends a link that auth-svc connections lists\n" RUNNING_HELP EXIT_CODES},
    {"connections", cli_connections,
     "Usage: auth-svc connections\n\n"
     "Lists the connected dealers with the state of their consent, and the links that may still "
     "be\n"
     "used.\n" RUNNING_HELP EXIT_CODES},
    {"disconnect", cli_disconnect,
     "Usage: auth-svc disconnect DEALER\n\n"
     "Forgets a connected dealer and revokes its consent at Google, unless another connected "
     "dealer\n"
     "rests on the consent of the same person.\n" RUNNING_HELP EXIT_CODES},
    {"export", cli_export,
     "Usage: auth-svc export\n\n"
     "Prints the connected dealers in the form of a dealers file, their secrets sealed as they "
     "are\n"
     "stored: another auth-svc with the same keyring can read them.\n" RUNNING_HELP EXIT_CODES},
    {"import", cli_import,
     "Usage: auth-svc import FILE\n\n"
     "Takes the dealers of FILE, in the form of a dealers file, into the connected ones: all of "
     "them\n"
     "or none. Each needs a dealer_id and an OAuth client with a refresh token, in the clear or\n"
     "sealed with a key of the running service. A dealer that the service has already is refused "
     "by\n"
     "name: take it out of the dealers file first.\n" RUNNING_HELP EXIT_CODES},
    {"healthcheck", cli_healthcheck,
     "Usage: auth-svc healthcheck\n\n"
     "Asks the auth-svc that runs with these settings whether it serves, with its own certificate\n"
     "when there is one. For probes in an image without a shell.\n"
     "\nExit codes: 0 it serves, 1 it does not, or did not answer within 2 s.\n"},
};

bool cli_run(int argc, char **argv, int *exit_code)
{
  if (argc < 2 || argv[1][0] == '-')
    return false;
  for (size_t i = 0; i < ARRAY_LEN(commands); i++) {
    if (strcmp(argv[1], commands[i].name) != 0)
      continue;
    log_init("auth-svc", LOG_LEVEL_WARN);
    harden_process(false);
    secrets_init();
    *exit_code = commands[i].run(argc - 1, argv + 1, commands[i].help);
    if ((fflush(stdout) != 0 || ferror(stdout)) && *exit_code == EXIT_OK)
      *exit_code = cli_fail(EXIT_FAILED, argv[1], "cannot write the output: %s", strerror(errno));
    return true;
  }
  return false; /* config_cli() refuses it */
}
