/* See writer_program.h. */
#include "writer_program.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static uint64_t random_state;

void writer_seed(uint64_t seed)
{
	random_state = seed;
}

unsigned writer_below(unsigned limit)
{
	random_state = random_state * 6364136223846793005u + 1442695040888963407u;
	return (unsigned)(random_state >> 33) % limit;
}

void writer_fill_in(const char *from, const char *const *clauses, size_t clause_count, char *text, size_t size)
{
	static const char *const letters[] = {"a", "A", "b", "B"};
	size_t len = 0;

	for (; *from; from++) {
		size_t room = size - len;
		if (*from == '#')
			len += (size_t)snprintf(text + len, room, "%u", writer_below(40));
		else if (*from == '~' && clause_count)
			len += (size_t)snprintf(text + len, room, "%s", clauses[writer_below((unsigned)clause_count)]);
		else if (*from == '^')
			len += (size_t)snprintf(text + len, room, "%s", letters[writer_below(COUNT(letters))]);
		else
			len += (size_t)snprintf(text + len, room, "%c", *from);
	}
}

uint64_t writer_mix(uint64_t sum, const void *data, size_t len)
{
	const unsigned char *bytes = data;

	for (size_t i = 0; i < len; i++)
		sum = (sum ^ bytes[i]) * 1099511628211u;
	return sum;
}

void writer_serve(const struct writer_program *program)
{
	char line[64];
	uint64_t seed;

	while (fgets(line, sizeof line, stdin)) {
		if (sscanf(line, "act %" SCNu64, &seed) == 1)
			program->act(seed);
		else if (strcmp(line, "setup\n") == 0)
			program->setup();
		else if (strcmp(line, "sum\n") == 0)
			program->sum();
		else
			program->check();
		fflush(stdout);
	}
}
