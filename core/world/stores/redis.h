/*
 * The Redis driver. Its parts: redis_url.c (where it is), redis_conn.c (connections, servers that are refused),
 * redis_permission.c (what the user may do), redis_server.c (a private server), redis_script.c (reading and writing
 * many keys at one moment), redis_value.c (values as digests and for people), redis_row.c (keys as rows),
 * redis_keys.c (keys in memory), redis_scan.c (all keys), redis_track.c (what changed), redis_apply.c (putting keys),
 * redis_leftover.c (what survives a run that was killed), redis.c (the driver's table).
 *
 * How it works. Each key is one row of the table "keys". Client tracking (BCAST) tells the names of keys that were
 * written; a copy of every key in memory, as DUMP gave it, tells what they were before. A script reads the keys named
 * and the server's counter of changes at one moment, and another one puts keys back (RESTORE ... REPLACE ABSTTL)
 * unless that counter moved. What tracking does not tell shows in the counter or in the number of keys (SWAPDB,
 * FLUSHALL, a lost connection): then everything is read and compared. Streams are always read, as XREADGROUP, XACK,
 * XCLAIM and XGROUP are not told.
 *
 * The copy. The application gets a private server, started here, with the keys of every database of the original; so
 * it may use SELECT, FLUSHALL and SWAPDB as it likes, two runs never meet, and nothing outlives a kill. The original
 * is only read. Without `url` the server is empty. With `in_place: true` there is no copy: only the database that the
 * url names is tracked and put back, and that another one changed is an error; its keys are kept in a file until the
 * end, so that the next run can put them back where this one was killed.
 *
 * Time goes on while states are left and entered again. A key that expires is put back with the time of its expiry
 * where that lies ahead, and else with as much life as it had when it was seen; digests count it as if it had
 * the old time.
 *
 * Invisible to all this: functions, channels and the configuration; when a consumer of a stream was last seen.
 */
#ifndef BS_WORLD_REDIS_H
#define BS_WORLD_REDIS_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/hash.h"
#include "base/map.h"
#include "row.h"

#include <backstep/store.h>
#include <hiredis/hiredis.h>
#include <sys/types.h>

extern const struct bs_store_ops bs_store_redis;

struct bs_redis_url {
	char *host;
	uint16_t port;
	char *user;     /* NULL: the default user */
	char *password; /* NULL: none */
	unsigned db;
};

struct bs_redis_server {
	pid_t pid; /* 0: not running */
	uint16_t port;
	char *folder; /* its working directory, removed with it */
	char *socket; /* NULL: its path would be too long */
};

/* One key as the driver remembers it. */
struct bs_redis_key {
	unsigned db;
	char *name;
	uint32_t name_len;
	char *image;        /* of the row; NULL: there is no such key */
	uint32_t image_len;
	struct bs_hash content; /* of type and value */
	int64_t expires_ms; /* since 1970; 0: never. What the image says */
	int64_t armed_ms;   /* what the live copy has */
	bool stream; /* or was one */
};

struct bs_redis_keys {
	struct bs_redis_key *items; /* those that are gone stay, without an image */
	size_t count;
	struct bs_map index;
	size_t *streams; /* places of keys that are streams, or were */
	size_t stream_count;
	size_t *present; /* by database */
	size_t *expiring;
	unsigned databases;
};

/* A key as the server has it now. Borrowed from a reply. */
struct bs_redis_record {
	const char *type;
	size_t type_len;
	const char *dump;
	size_t dump_len;
	int64_t expires_ms; /* 0: never */
	int64_t now_ms;     /* by the server's clock */
	const redisReply *value; /* flat: see redis_script.c */
};

/* The name of a key: borrowed. */
struct bs_redis_name {
	unsigned db;
	struct bs_blob name;
};

struct bs_redis_count { /* of one database */
	unsigned db;
	uint64_t keys, expiring;
};

/* What INFO says of a moment. */
struct bs_redis_info {
	uint64_t dirty; /* the server's count of changes: each write raises it, SAVE lowers it */
	bool has_swaps;
	uint64_t swaps; /* calls of SWAPDB */
	bool field_expiry; /* fields of hashes that expire */
	struct bs_redis_count *counts; /* of databases that are not empty */
	size_t count_count;
};

struct bs_redis {
	struct bs_store store; /* first: this is the base */
	struct bs_redis_url url;
	bool has_url;
	bool in_place;
	char *location; /* "redis://host:port/N": for people, without a password */
	char *live_url; /* what the application gets; NULL before the first clone */
	struct bs_redis_server server;
	char *folder;       /* of the server */
	unsigned databases; /* how many there are */
	size_t keys_max;    /* that one step may write */
	char *notify;       /* the original's notify-keyspace-events; NULL: not known */
	char *functions;    /* FUNCTION DUMP, of the original and then of the root; NULL: none */
	size_t functions_len;

	struct bs_redis_keys original; /* as read before the run; in place: what is put back at the end */
	struct bs_redis_keys root;     /* of the snapshot */
	bool has_original, has_snapshot;
	redisContext *hold;  /* in place: by its name other runs see that this one is there */
	int leftover_fd;     /* in place: the folder of the file that survives a kill, locked; -1: none */
	char *leftover_path; /* of that folder */
	char **warnings;
	size_t warning_count;

	/* Between begin and the next clone: */
	redisContext *live;   /* reads and puts keys */
	redisContext *events; /* is told of keys that were written */
	char *barrier;        /* the channel by which one can tell that all was told */
	struct bs_redis_keys shadow;
	uint64_t dirty;       /* the server's counter when changes were last read */
	uint64_t swaps;
	struct bs_redis_count *others; /* in place: of the other databases, at begin */
	size_t other_count;
	bool read_all; /* something was not told: compare everything */

	/* What the last call of changes gave: */
	struct bs_change *changes;
	size_t change_count;
	char **retired; /* images that changes of the last call still show */
	size_t retired_count;

	struct bs_store_stats stats;
};

/* --- redis_url.c ------------------------------------------------------------------------------------- */

/* BS_EMODEL: not of the form redis://[USER[:PASSWORD]@]HOST[:PORT][/N]. */
int bs_redis_url_read(const char *text, struct bs_redis_url *ret_url, struct bs_err *err);
void bs_redis_url_release(struct bs_redis_url *url);

/* --- redis_conn.c ------------------------------------------------------------------------------------ */

/* The user's server. */
int bs_redis_connect_original(struct bs_redis *s, redisContext **ret_conn, struct bs_err *err);
/* Refuses servers that cannot be read or put back exactly, and users who may not; then conn is of no more use. */
int bs_redis_check_original(struct bs_redis *s, redisContext *conn, struct bs_err *err);
/* Where the application's keys are. */
int bs_redis_connect_live(struct bs_redis *s, redisContext **ret_conn, struct bs_err *err);
/* Sends one command, as redisCommand does. Errors of the server are BS_ESTORE. The reply (ret_reply may be NULL) is the caller's. */
int bs_redis_ask(struct bs_redis *s, redisContext *conn, redisReply **ret_reply, struct bs_err *err, const char *format,
		 ...);
/* The same, with arguments that may hold any byte. */
int bs_redis_send(struct bs_redis *s, redisContext *conn, const char **args, const size_t *lens, size_t count,
		  redisReply **ret_reply, struct bs_err *err);
/* Sets err for a reply (NULL: the connection broke) to what. */
int bs_redis_fail(struct bs_redis *s, redisContext *conn, const redisReply *reply, const char *what, struct bs_err *err);
/* Sets pointers NULL. */
void bs_redis_hang_up(redisContext **conn);
void bs_redis_free_reply(redisReply **reply); /* for BS_CLEANUP */
#define BS_REPLY BS_CLEANUP(bs_redis_free_reply) redisReply

/* One moment, from the text of INFO. counts are the caller's. */
void bs_redis_info_read(const char *text, struct bs_redis_info *ret_info);
void bs_redis_info_release(struct bs_redis_info *info);
/* swaps costs more. */
int bs_redis_info(struct bs_redis *s, redisContext *conn, bool swaps, struct bs_redis_info *ret_info,
		  struct bs_err *err);
/* "name:value" of INFO: the value up to the end of the line; NULL when it is not there. */
const char *bs_redis_info_field(const char *text, const char *name, size_t *ret_len);

/* --- redis_permission.c ------------------------------------------------------------------------------ */

bool bs_redis_is_denied(const redisReply *reply);
/* BS_ESTORE, with the rules that give what is missing. conn may be subscribed to a channel then. */
int bs_redis_check_permissions(struct bs_redis *s, redisContext *conn, struct bs_err *err);

/* --- redis_server.c ---------------------------------------------------------------------------------- */

/* Starts an empty server in a new folder. It ends with this process, however that ends. */
int bs_redis_server_start(struct bs_redis_server *server, const char *folder, unsigned databases, const char *notify,
			  struct bs_err *err);
/* True when it is still there; else ret_how (the caller's) says what its log says. */
bool bs_redis_server_alive(struct bs_redis_server *server, char **ret_how);
/* Ends it and removes its folder. Nothing when it is not running. */
void bs_redis_server_stop(struct bs_redis_server *server);

/* --- redis_script.c ---------------------------------------------------------------------------------- */

/* Called for each name, in their order; record NULL: there is no such key. */
typedef int (*bs_redis_record_fn)(void *ctx, const struct bs_redis_name *name, const struct bs_redis_record *record,
				  struct bs_err *err);
/* Reads keys, some hundreds at one moment. info (may be NULL) gets the last of those moments; the caller's. */
int bs_redis_read(struct bs_redis *s, redisContext *conn, const struct bs_redis_name *names, size_t count,
		  bs_redis_record_fn fn, void *ctx, struct bs_redis_info *info, struct bs_err *err);

/* A key to be put: image NULL: removed. */
struct bs_redis_put {
	unsigned db;
	struct bs_blob name;
	struct bs_blob image;
	int64_t armed_ms; /* set by the call: the time of expiry that it got */
};
/* Puts all or none. With dirty (may be NULL): BS_EBUSY where the counter is not at *dirty; else it gets its new value. */
int bs_redis_put(struct bs_redis *s, redisContext *conn, struct bs_redis_put *puts, size_t count, uint64_t *dirty,
		 struct bs_err *err);

/* --- redis_value.c ----------------------------------------------------------------------------------- */

/* Type and value as bytes that are equal exactly when those are, however the server keeps them. */
void bs_redis_canonical(const struct bs_redis_record *record, struct bs_buf *bytes);
/* A cell for people and rules. Returns false when it does not tell all. canonical_bytes: how large it is. */
bool bs_redis_add_value(const struct bs_redis_record *record, size_t canonical_bytes, struct bs_buf *image);
/* Text, an integer, or bytes. */
void bs_redis_add_text(struct bs_buf *image, const char *data, size_t len);
/* Where bs_redis_add_text adds an integer. */
bool bs_redis_is_integer(const char *data, size_t len, int64_t *ret_value);

/* --- redis_row.c ------------------------------------------------------------------------------------- */

/* The columns of the table "keys"; see there. */
enum bs_redis_cell {
	BS_REDIS_KEY,
	BS_REDIS_PATTERN,
	BS_REDIS_ID,
	BS_REDIS_DB,
	BS_REDIS_TYPE,
	BS_REDIS_VALUE,
	BS_REDIS_EXPIRES,
	BS_REDIS_LOSSY,
	BS_REDIS_DUMP,
	BS_REDIS_SEEN,
};
extern const struct bs_table bs_redis_table;
void bs_redis_image(const struct bs_redis_name *name, const struct bs_redis_record *record, struct bs_buf *image);
/* What an image says; borrowed from it. BS_EINTERNAL: it is no image of ours. */
struct bs_redis_row {
	struct bs_redis_name name;
	struct bs_blob dump;
	struct bs_hash content;
	int64_t expires_ms, seen_ms;
	bool stream;
};
int bs_redis_row_read(struct bs_blob image, struct bs_redis_row *ret_row, struct bs_err *err);

/* --- redis_keys.c ------------------------------------------------------------------------------------ */

void bs_redis_keys_init(struct bs_redis_keys *keys, unsigned databases);
void bs_redis_keys_release(struct bs_redis_keys *keys);
/* NULL: was never there. Valid until the next set. */
struct bs_redis_key *bs_redis_keys_find(const struct bs_redis_keys *keys, const struct bs_redis_name *name);
/* Takes over image (NULL: the key is gone). ret_old (may be NULL: it is freed) gets the one before. */
void bs_redis_keys_set(struct bs_redis_keys *keys, const struct bs_redis_name *name, char *image, uint32_t image_len,
		       const struct bs_redis_row *row, int64_t armed_ms, char **ret_old);
/* Whether there are as many keys as INFO counts. */
bool bs_redis_keys_match(const struct bs_redis_keys *keys, const struct bs_redis_info *info, int only_db);

/* --- redis_scan.c ------------------------------------------------------------------------------------ */

/* A list of names, and the memory that they are in. */
struct bs_redis_names {
	struct bs_redis_name *items;
	size_t count;
	struct bs_map index;
	struct bs_arena arena;
};
void bs_redis_names_release(struct bs_redis_names *names);
void bs_redis_names_add(struct bs_redis_names *names, unsigned db, const void *data, size_t len); /* once */
/* Its place; count: it is not there. Not after sort. */
size_t bs_redis_names_find(const struct bs_redis_names *names, const struct bs_redis_name *name);
/* By database, pattern and name: the same keys always come in the same order. */
void bs_redis_names_sort(struct bs_redis_names *names);
/* Whether a database is one of those that are tracked. */
bool bs_redis_tracks(const struct bs_redis *s, unsigned db);
/* Every key there is. */
int bs_redis_scan(struct bs_redis *s, redisContext *conn, struct bs_redis_names *names, struct bs_err *err);
/* Every key with its image, into empty keys. known (may be NULL): images to be used again for keys that are the same. */
int bs_redis_load(struct bs_redis *s, redisContext *conn, struct bs_redis_keys *keys, const struct bs_redis_keys *known,
		  struct bs_err *err);
/* Makes the keys of the server those, whatever is there; sets when they expire there. */
int bs_redis_restore_all(struct bs_redis *s, redisContext *conn, struct bs_redis_keys *keys, struct bs_err *err);
int bs_redis_digest(struct bs_store *store, uint64_t *ret_digest, uint64_t *ret_tables, struct bs_err *err);

/* --- redis_track.c ----------------------------------------------------------------------------------- */

/* Opens both connections and begins to be told. */
int bs_redis_listen(struct bs_redis *s, struct bs_err *err);
void bs_redis_end_tracking(struct bs_redis *s);
/* After a connection broke: connects again, and notes that everything is to be compared. */
int bs_redis_listen_again(struct bs_redis *s, struct bs_err *err);
bool bs_redis_lost(const struct bs_redis *s);
int bs_redis_changes(struct bs_store *store, struct bs_changes *ret_changes, struct bs_err *err);
void bs_redis_forget_changes(struct bs_redis *s);

/* --- redis_apply.c ----------------------------------------------------------------------------------- */

int bs_redis_apply(struct bs_store *store, const struct bs_net_row *rows, size_t count, struct bs_err *err);

/* --- redis_leftover.c -------------------------------------------------------------------------------- */

/* In place: takes the database for this run alone. BS_ESTORE: another run has it. */
int bs_redis_leftover_open(struct bs_redis *s, struct bs_err *err);
/* Whether an earlier run left keys; then they are in keys, which must be empty. */
int bs_redis_leftover_read(struct bs_redis *s, struct bs_redis_keys *keys, bool *ret_found, struct bs_err *err);
int bs_redis_leftover_write(struct bs_redis *s, const struct bs_redis_keys *keys, struct bs_err *err);
/* The keys are put back: the file is of no use any more. */
void bs_redis_leftover_remove(struct bs_redis *s);
/* Lets others have the database. */
void bs_redis_leftover_close(struct bs_redis *s);

#endif
