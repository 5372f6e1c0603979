/*
 * PostgreSQL: statements. All connections are non-blocking and each answer is waited for with poll() until a deadline:
 * the server ends a statement by itself at its statement_timeout, and a server that does not even do that is given
 * up, as nothing may stop a run.
 */
#include "postgres.h"

#include "base/mem.h"
#include "base/now.h"

#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <string.h>
#include <sys/socket.h>

const char *bs_pg_state(const PGresult *result)
{
	const char *state = result ? PQresultErrorField(result, PG_DIAG_SQLSTATE) : NULL;

	return state ? state : "";
}

/* The server's words in one line: "cannot do it (detail; hint)". */
static void add_words(struct bs_buf *text, const PGresult *result)
{
	const char *message = PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);
	const char *detail = PQresultErrorField(result, PG_DIAG_MESSAGE_DETAIL);
	const char *hint = PQresultErrorField(result, PG_DIAG_MESSAGE_HINT);

	bs_buf_adds(text, message ? message : "the server gave no reason");
	if (detail || hint)
		bs_buf_addf(text, " (%s%s%s)", detail ? detail : "", detail && hint ? " " : "", hint ? hint : "");
}

static bool is_busy(const char *state)
{
	static const char *const states[] = {BS_PG_STATE_BUSY, "55P03" /* lock_timeout */, "40P01" /* deadlock */,
					     "40001" /* serialization */};

	for (size_t i = 0; i < BS_COUNT(states); i++)
		if (strcmp(state, states[i]) == 0)
			return true;
	return false;
}

int bs_pg_fail(PGconn *conn, const PGresult *result, struct bs_err *err)
{
	struct bs_buf text = BS_BUF_INIT;
	enum bs_code code = is_busy(bs_pg_state(result)) ? BS_EBUSY : BS_ESTORE;

	if (result && *bs_pg_state(result))
		add_words(&text, result);
	else
		bs_buf_adds(&text, PQerrorMessage(conn));
	while (text.len && strchr(" \n", text.data[text.len - 1]))
		text.data[--text.len] = 0;
	for (size_t i = 0; i < text.len; i++)
		if (text.data[i] == '\n')
			text.data[i] = ' ';
	bs_err_set(err, code, "%s", bs_buf_text(&text));
	bs_buf_release(&text);
	return code;
}

/* Nothing more is expected of it: PQstatus says BAD from now on. */
static int give_up(PGconn *conn, uint32_t ms, struct bs_err *err)
{
	int fd = PQsocket(conn);

	if (fd >= 0)
		shutdown(fd, SHUT_RDWR);
	PQconsumeInput(conn);
	return bs_err_set(err, BS_ESTORE, "the server did not answer within %u ms", ms);
}

/* Sends and receives until a result can be had without waiting. */
static int wait_for(PGconn *conn, uint32_t ms, struct bs_err *err)
{
	uint64_t until_ms = bs_now_ms() + ms;

	for (;;) {
		int unsent = PQflush(conn);
		if (unsent < 0)
			return bs_pg_fail(conn, NULL, err);
		if (!unsent && !PQisBusy(conn))
			return 0;
		struct pollfd poller = {.fd = PQsocket(conn), .events = (short)(unsent ? POLLIN | POLLOUT : POLLIN)};
		uint64_t now_ms = bs_now_ms();
		if (poller.fd < 0)
			return bs_pg_fail(conn, NULL, err);
		if (now_ms >= until_ms)
			return give_up(conn, ms, err);
		if (poll(&poller, 1, (int)(until_ms - now_ms)) < 0 && errno != EINTR)
			return bs_err_set(err, BS_ESTORE, "poll: %s", strerror(errno));
		if ((poller.revents & (POLLIN | POLLERR | POLLHUP)) && !PQconsumeInput(conn))
			return bs_pg_fail(conn, NULL, err);
	}
}

int bs_pg_next(PGconn *conn, uint32_t ms, PGresult **ret_result, struct bs_err *err)
{
	int r = wait_for(conn, ms, err);

	if (r == 0)
		*ret_result = PQgetResult(conn);
	return r;
}

static bool good(const PGresult *result)
{
	ExecStatusType status = PQresultStatus(result);

	return status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK || status == PGRES_EMPTY_QUERY;
}

/* All results of what was sent: the last one, or the first error. */
static int finish(PGconn *conn, int sent, uint32_t ms, PGresult **ret_result, struct bs_err *err)
{
	PGresult *last = NULL, *result = NULL;
	int r = sent ? 0 : bs_pg_fail(conn, NULL, err);

	while (sent) {
		int waited = bs_pg_next(conn, ms + BS_PG_GRACE_MS, &result, r < 0 ? NULL : err);
		if (waited < 0) {
			r = waited;
			break;
		}
		if (!result)
			break;
		if (r == 0 && !good(result))
			r = bs_pg_fail(conn, result, err);
		PQclear(last);
		last = result;
		if (PQstatus(conn) == CONNECTION_BAD)
			break;
	}
	if (r == 0 && ret_result)
		*ret_result = last;
	else
		PQclear(last);
	return r;
}

int bs_pg_exec_within(PGconn *conn, uint32_t ms, const char *sql, PGresult **ret_result, struct bs_err *err)
{
	return finish(conn, PQsendQuery(conn, sql), ms, ret_result, err);
}

int bs_pg_exec(PGconn *conn, const char *sql, PGresult **ret_result, struct bs_err *err)
{
	return bs_pg_exec_within(conn, BS_PG_STATEMENT_MS, sql, ret_result, err);
}

int bs_pg_execf(PGconn *conn, struct bs_err *err, const char *format, ...)
{
	struct bs_buf sql = BS_BUF_INIT;
	va_list args;

	va_start(args, format);
	bs_buf_addv(&sql, format, args);
	va_end(args);
	int r = bs_pg_exec(conn, bs_buf_text(&sql), NULL, err);
	bs_buf_release(&sql);
	return r;
}

int bs_pg_ask(PGconn *conn, const char *sql, size_t count, const char *const *values, PGresult **ret_result,
	      struct bs_err *err)
{
	int sent = PQsendQueryParams(conn, sql, (int)count, NULL, values, NULL, NULL, 0);

	return finish(conn, sent, BS_PG_STATEMENT_MS, ret_result, err);
}

int bs_pg_prepare(PGconn *conn, const char *name, const char *sql, struct bs_err *err)
{
	return finish(conn, PQsendPrepare(conn, name, sql, 0, NULL), BS_PG_STATEMENT_MS, NULL, err);
}

int bs_pg_run(PGconn *conn, const char *name, size_t count, const char *const *values, PGresult **ret_result,
	      struct bs_err *err)
{
	int sent = PQsendQueryPrepared(conn, name, (int)count, values, NULL, NULL, 0);

	return finish(conn, sent, BS_PG_STATEMENT_MS, ret_result, err);
}

const char *bs_pg_text(const PGresult *result, int row, int column)
{
	return PQgetvalue(result, row, column); /* "" for NULL */
}

uint32_t bs_pg_oid(const PGresult *result, int row, int column)
{
	return (uint32_t)strtoul(PQgetvalue(result, row, column), NULL, 10);
}

bool bs_pg_true(const PGresult *result, int row, int column)
{
	return PQgetvalue(result, row, column)[0] == 't';
}

void bs_pg_clear(PGresult **result)
{
	PQclear(*result);
	*result = NULL;
}

void bs_pg_finish(PGconn **conn)
{
	PQfinish(*conn);
	*conn = NULL;
}
