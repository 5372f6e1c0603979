/* The application of a contract test. See writer.h. */
#include "writer.h"

#include <fcntl.h>
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
/* cmocka needs the four above first */
#include <cmocka.h>

void writer_start(struct writer *writer, const char *program, const char *mode, const char *where)
{
	int in[2], out[2];

	assert_int_equal(pipe2(in, O_CLOEXEC), 0);
	assert_int_equal(pipe2(out, O_CLOEXEC), 0);
	writer->pid = fork();
	assert_true(writer->pid >= 0);
	if (writer->pid == 0) {
		dup2(in[0], STDIN_FILENO);
		dup2(out[1], STDOUT_FILENO);
		execl(program, program, mode, where, (char *)NULL);
		_exit(127);
	}
	close(in[0]);
	close(out[1]);
	writer->to = fdopen(in[1], "w");
	writer->from = fdopen(out[0], "r");
}

void writer_stop(struct writer *writer)
{
	int status;

	if (!writer->pid)
		return;
	fclose(writer->to);
	assert_int_equal(waitpid(writer->pid, &status, 0), writer->pid);
	fclose(writer->from);
	writer->pid = 0;
	assert_int_equal(status, 0);
}

static void ask(struct writer *writer, char *answer, size_t size, const char *question)
{
	fprintf(writer->to, "%s\n", question);
	fflush(writer->to);
	if (!fgets(answer, (int)size, writer->from))
		fail_msg("the writer died at '%s'", question);
	answer[strcspn(answer, "\n")] = 0;
	if (strncmp(answer, "bad", 3) == 0)
		fail_msg("%s: %s", question, answer);
}

void writer_setup(struct writer *writer)
{
	char answer[1024];

	ask(writer, answer, sizeof answer, "setup");
}

void writer_act(struct writer *writer, uint64_t seed)
{
	char answer[1024], question[64];

	snprintf(question, sizeof question, "act %" PRIu64, seed);
	ask(writer, answer, sizeof answer, question);
}

uint64_t writer_sum(struct writer *writer)
{
	char answer[1024];
	uint64_t sum = 0;

	ask(writer, answer, sizeof answer, "sum");
	assert_int_equal(sscanf(answer, "sum %" SCNx64, &sum), 1);
	return sum;
}

void writer_check(struct writer *writer)
{
	char answer[1024];

	ask(writer, answer, sizeof answer, "check");
}
