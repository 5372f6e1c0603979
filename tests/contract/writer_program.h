/*
 * What the applications of the contract test share: the other end of the pipe of writer.h, and statements with
 * chance in them.
 */
#ifndef TESTS_CONTRACT_WRITER_PROGRAM_H
#define TESTS_CONTRACT_WRITER_PROGRAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Each answers with one line on standard output. */
struct writer_program {
	void (*setup)(void);
	void (*act)(uint64_t seed);
	void (*sum)(void);
	void (*check)(void);
};

/* Until the end of standard input. */
void writer_serve(const struct writer_program *program);

void writer_seed(uint64_t seed);
unsigned writer_below(unsigned limit);

/* # is a number below 40, ^ one of two letters in either case, ~ one of clauses. */
void writer_fill_in(const char *from, const char *const *clauses, size_t clause_count, char *text, size_t size);

/* FNV-1a */
#define WRITER_SUM_INIT 1469598103934665603u
uint64_t writer_mix(uint64_t sum, const void *data, size_t len);

#define COUNT(array) (sizeof(array) / sizeof *(array))

#endif
