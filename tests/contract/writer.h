/*
 * The application of a contract test: a program that writes to the store through a connection of its own. It is asked
 * over a pipe, one line for each request, and answers with one line:
 *
 *   setup      makes the tables and the rows of the root               ok
 *   act SEED   one action: a few statements, in a transaction or not   ok
 *   sum        a digest of everything, as its own connection sees it   sum HEX
 *   check      whether the store finds itself consistent               ok
 *
 * "bad TEXT" is the answer when something went wrong. The program ends when its input does.
 */
#ifndef TESTS_CONTRACT_WRITER_H
#define TESTS_CONTRACT_WRITER_H

#include <stdint.h>
#include <stdio.h>
#include <sys/types.h>

struct writer {
	pid_t pid;
	FILE *to, *from;
};

/* Runs PROGRAM MODE WHERE. Aborts the test when that is not possible. */
void writer_start(struct writer *writer, const char *program, const char *mode, const char *where);
void writer_stop(struct writer *writer);

/* Each fails the test when the answer is "bad". */
void writer_setup(struct writer *writer);
void writer_act(struct writer *writer, uint64_t seed);
uint64_t writer_sum(struct writer *writer);
void writer_check(struct writer *writer);

#endif
