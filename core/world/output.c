/*
 * A ring of the newest bytes, filled by whoever reads the pipe: the reader thread at all times, and take(),
 * so that what the application wrote before it answered is in the log of that step and not of the next.
 * Each read and its append happen under one lock, which keeps the order. See output.h.
 */
#include "output.h"

#include "app.h"
#include "base/buf.h"
#include "base/mem.h"
#include "base/utf8.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#define CHUNK_BYTES ((size_t)16 << 10)
#define TAKE_CHUNKS 64 /* a take reads this often at most: a flood never ends by itself */

struct bs_output {
	int fd;   /* non-blocking; the writer's end is not */
	int wake; /* an eventfd that ends the reader */
	pthread_t reader;
	pthread_mutex_t lock; /* of all below */
	size_t start, len;
	uint64_t dropped;
	char dropped_last; /* the newest byte that was dropped */
	char ring[BS_LOG_KEPT];
};

static void drop_oldest(struct bs_output *output, size_t count)
{
	if (count == 0)
		return;
	output->dropped_last = output->ring[(output->start + count - 1) % BS_LOG_KEPT];
	output->start = (output->start + count) % BS_LOG_KEPT;
	output->len -= count;
	output->dropped += count;
}

_Static_assert(CHUNK_BYTES <= BS_LOG_KEPT, "a chunk fits the ring");

static void append(struct bs_output *output, const char *data, size_t len)
{
	size_t room = BS_LOG_KEPT - output->len;

	if (len > room)
		drop_oldest(output, len - room);
	size_t end = (output->start + output->len) % BS_LOG_KEPT;
	size_t first = len < BS_LOG_KEPT - end ? len : BS_LOG_KEPT - end;
	memcpy(output->ring + end, data, first);
	memcpy(output->ring, data + first, len - first);
	output->len += len;
}

enum pulled { PULLED_SOME, PULLED_NONE, PULLED_END };

/* One read; the lock is held. */
static enum pulled pull(struct bs_output *output)
{
	char chunk[CHUNK_BYTES];
	ssize_t got = read(output->fd, chunk, sizeof chunk);

	if (got > 0) {
		append(output, chunk, (size_t)got);
		return PULLED_SOME;
	}
	return got < 0 && (errno == EAGAIN || errno == EINTR) ? PULLED_NONE : PULLED_END;
}

static void *read_on(void *ctx)
{
	struct bs_output *output = ctx;
	struct pollfd fds[2] = {{.fd = output->fd, .events = POLLIN}, {.fd = output->wake, .events = POLLIN}};
	enum pulled pulled = PULLED_NONE;

	while (pulled != PULLED_END) {
		int ready = poll(fds, BS_COUNT(fds), -1);
		if (ready < 0)
			continue;
		if (fds[1].revents)
			break;
		pthread_mutex_lock(&output->lock);
		pulled = pull(output);
		pthread_mutex_unlock(&output->lock);
	}
	return NULL;
}

/* Signals are for the threads that know what to do with them. */
static int start_reader(struct bs_output *output)
{
	sigset_t all, before;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	int error = pthread_create(&output->reader, NULL, read_on, output);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return error;
}

int bs_output_new(struct bs_output **ret_output, int *ret_write_fd, struct bs_err *err)
{
	struct bs_output *output = bs_xcalloc(1, sizeof *output);
	int ends[2] = {-1, -1};
	int error = 0;

	output->wake = eventfd(0, EFD_CLOEXEC);
	if (output->wake < 0 || pipe2(ends, O_CLOEXEC) < 0 || fcntl(ends[0], F_SETFL, O_NONBLOCK) < 0)
		error = errno;
	output->fd = ends[0];
	pthread_mutex_init(&output->lock, NULL);
	if (!error)
		error = start_reader(output);
	if (!error) {
		*ret_output = output;
		*ret_write_fd = ends[1];
		return 0;
	}
	for (size_t i = 0; i < BS_COUNT(ends); i++)
		if (ends[i] >= 0)
			close(ends[i]);
	if (output->wake >= 0)
		close(output->wake);
	pthread_mutex_destroy(&output->lock);
	free(output);
	return bs_err_set(err, BS_EINTERNAL, "cannot capture the output: %s", strerror(error));
}

/* When older output was dropped, what is left begins somewhere in a line: that piece goes too, unless there is
 * nothing else. */
static void drop_torn_line(struct bs_output *output)
{
	if (!output->dropped || output->dropped_last == '\n')
		return;
	for (size_t i = 0; i < output->len; i++) {
		if (output->ring[(output->start + i) % BS_LOG_KEPT] == '\n') {
			drop_oldest(output, i + 1);
			return;
		}
	}
}

static void copy_out(const struct bs_output *output, struct bs_buf *raw)
{
	size_t first = BS_LOG_KEPT - output->start;

	if (first > output->len)
		first = output->len;
	bs_buf_add(raw, output->ring + output->start, first);
	bs_buf_add(raw, output->ring, output->len - first);
}

char *bs_output_take(struct bs_output *output, uint64_t *ret_dropped)
{
	struct bs_buf raw = BS_BUF_INIT, text = BS_BUF_INIT;

	pthread_mutex_lock(&output->lock);
	for (int i = 0; i < TAKE_CHUNKS && pull(output) == PULLED_SOME; i++)
		;
	drop_torn_line(output);
	copy_out(output, &raw);
	if (ret_dropped)
		*ret_dropped = output->dropped;
	output->start = output->len = 0;
	output->dropped = 0;
	pthread_mutex_unlock(&output->lock);
	bs_utf8_clean(&text, bs_buf_text(&raw), raw.len, BS_UTF8_ANY);
	bs_buf_release(&raw);
	return bs_buf_take(&text);
}

void bs_output_free(struct bs_output *output)
{
	if (!output)
		return;
	(void)!write(output->wake, &(uint64_t){1}, sizeof(uint64_t));
	pthread_join(output->reader, NULL);
	close(output->fd);
	close(output->wake);
	pthread_mutex_destroy(&output->lock);
	free(output);
}
