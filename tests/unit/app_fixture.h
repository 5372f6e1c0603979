/*
 * A test process for applications: a folder of its own, one line of shell for each application, and patience. The
 * process is a subreaper, so that whatever outlives its parent becomes a child of this process: "nothing is left" is
 * then that there is no child, which every TEST() is asked at its end.
 */
#ifndef TESTS_UNIT_APP_FIXTURE_H
#define TESTS_UNIT_APP_FIXTURE_H

#include "base/mem.h"
#include "world/app.h"
#include "world/guard.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
/* cmocka needs the three above first */
#include <cmocka.h>

#define TEST(name) cmocka_unit_test_teardown(name, no_child_is_left)

extern char folder[]; /* of the tests, where their applications run */
extern int at; /* folder, for openat() and friends */

/* For cmocka: before and after the group, and after each test. */
int make_folder(void **state);
int remove_folder(void **state);
int no_child_is_left(void **state);

/* Waiting, always for something that can be seen. pause_until() is false when that took too long. */
bool pause_until(int *waited_ms);
void wait_for_file(const char *name);
/* Waits for an orphan that became our child, reaping what else ends meanwhile. */
void wait_for_end(pid_t pid);

bool exists(const char *path);
void make_file(const char *name, const char *text, mode_t mode);
size_t count_fds(pid_t pid);
pid_t pid_in(const char *text);

/* argv and env are NULL-terminated; env and the options' defaults may be left out with NULL and 0. */
struct bs_app *start_program(const char *const *argv, const char *const *env, uint32_t stop_timeout_ms);
struct bs_app *start_stubborn(const char *script, uint32_t stop_timeout_ms);
struct bs_app *start_shell(const char *script);
/* Takes the log until it holds the text; all of it is the caller's. */
char *log_with(struct bs_app *app, const char *text);
/* Waits for the end; the caller's. */
char *how_it_ends(struct bs_app *app);
/* What a script prints, to its end. Stops the application. */
void assert_prints(struct bs_app *app, const char *expected);

#endif
