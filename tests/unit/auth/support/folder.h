/* Folders of a test's own. */
#ifndef AMCP_TESTS_AUTH_FOLDER_H
#define AMCP_TESTS_AUTH_FOLDER_H

/* Makes a folder; free() the path after folder_remove(). */
char *folder_make(void);
/* Removes it and what is in it. */
void folder_remove(const char *path);
/* Writes a file in place (opened, emptied, written), mode 0600. */
void folder_write(const char *folder, const char *name, const char *text);
/* Writes a file beside it and renames it over. */
void folder_replace(const char *folder, const char *name, const char *text);

#endif
