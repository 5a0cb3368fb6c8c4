/* What a replica lets the others know of quota and server errors. */
#include "report-svc/shared/command.h"

/* More than any bound on them. */
enum { ERRORS_KEPT = 64 };

void shared_note_server_error(struct shared *s, const char *key)
{
  struct command c;
  char name[KEY_SIZE], id[ID_SIZE];
  if (s == NULL)
    return;
  command_start_script(&c, s, SCRIPT_ERROR, 1);
  command_add_text(&c, property_key(name, key, ERRORS));
  command_add_text(&c, id_text(id, s, atomic_fetch_add(&s->next_id, 1)));
  command_add_number(&c, ERRORS_KEPT);
  send_note(s, NOTE_STATE, &c);
}

void shared_note_held(struct shared *s, const char *key, int64_t until_ms)
{
  struct command c;
  char name[KEY_SIZE];
  if (s == NULL)
    return;
  command_start_script(&c, s, SCRIPT_STATE, 1);
  command_add_text(&c, property_key(name, key, STATE));
  command_add_text(&c, "held");
  command_add_number(&c, until_ms);
  send_note(s, NOTE_STATE, &c);
}

void shared_note_gone(struct shared *s, const char *key, int64_t until_ms, bool day,
                      int64_t probe_at_ms)
{
  struct command c;
  char name[KEY_SIZE];
  if (s == NULL)
    return;
  command_start_script(&c, s, SCRIPT_STATE, 1);
  command_add_text(&c, property_key(name, key, STATE));
  command_add_text(&c, "gone");
  command_add_number(&c, until_ms);
  command_add_text(&c, "day");
  command_add_number(&c, day);
  command_add_text(&c, "probe");
  command_add_number(&c, probe_at_ms);
  send_note(s, NOTE_STATE, &c);
}

void shared_note_back(struct shared *s, const char *key)
{
  struct command c = {0};
  char name[KEY_SIZE];
  if (s == NULL)
    return;
  command_add_text(&c, "HDEL");
  command_add_text(&c, property_key(name, key, STATE));
  command_add_text(&c, "gone");
  command_add_text(&c, "day");
  command_add_text(&c, "probe");
  send_note(s, NOTE_STATE, &c);
}
