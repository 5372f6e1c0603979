/*
 * What the files of the loader share. The YAML tree is read once, part by part; everything that uses a name
 * (expressions, placeholders) is noted on the way and checked at the end, when all names are declared.
 */
#ifndef BS_MODEL_LOADER_H
#define BS_MODEL_LOADER_H

#include "model.h"
#include "problems.h"
#include "yaml.h"

/* A model as the loader makes it: with what is not in the arena. bs_model_free() knows. */
struct bs_model_box {
	struct bs_model model; /* first: a bs_model of ours is a box */
	struct bs_expr **exprs;
	size_t expr_count;
	cJSON **values;
	size_t value_count;
};

/* Where a name is used, which decides what it may be. */
enum bs_place_kind {
	BS_AT_APP,     /* app.command, app.env, ready, reset */
	BS_AT_SETUP,   /* a setup request with its expect and captures */
	BS_AT_ACTION,  /* an action's request with its expect and captures */
	BS_AT_WHEN,    /* an action's `when`: no step yet */
	BS_AT_OBSERVE, /* an observation's request */
	BS_AT_EXPECT,  /* expect of ready, reset and observations: only the response */
	BS_AT_FOR,     /* the list of a rule */
	BS_AT_HOLDS,   /* a rule */
	BS_AT_MESSAGE, /* a rule's message */
};
struct bs_place {
	enum bs_place_kind kind;
	size_t index; /* of the action or the invariant */
};

/* Names that are used: of an expression, or of a template's placeholders. */
struct bs_use {
	struct bs_place place;
	const struct bs_yaml *node;
	const struct bs_expr *expr;           /* either */
	struct bs_template template;          /* or: its segments are slices of node->text */
};

struct bs_loader {
	struct bs_model_box *box;
	struct bs_model *model; /* &box->model */
	struct bs_arena *arena; /* &model->arena */
	struct bs_problems *problems;
	const char *source; /* the file's text */
	size_t source_len;
	struct bs_use *uses;
	size_t use_count;
	struct { /* forget: [name], for when all captures are known */
		struct bs_request *request;
		const struct bs_yaml *list;
	} *forgets;
	size_t forget_count;
};

/* As BS_PUSH, in the arena. For lists that only the model keeps. */
#define BS_GROW(loader, items, count) \
	((items) = bs_grow((loader)->arena, (items), &(count), sizeof *(items)), &(items)[(count) - 1])
void *bs_grow(struct bs_arena *arena, void *items, size_t *count, size_t size);

/* --- read.c: single values. `what` is the subject for messages. False: a problem was noted. ------ */

bool bs_read_map(struct bs_loader *l, const struct bs_yaml *node, const char *what);
bool bs_read_list(struct bs_loader *l, const struct bs_yaml *node, const char *what);
/* Any scalar but null, as text. */
bool bs_read_text(struct bs_loader *l, const struct bs_yaml *node, const char *what, const char **ret_text);
/* true or false. */
bool bs_read_bool(struct bs_loader *l, const struct bs_yaml *node, const char *what, bool *ret_value);
/* 0 when the text is in [low, high]. */
bool bs_read_uint(struct bs_loader *l, const struct bs_yaml *node, const char *what, uint64_t low, uint64_t high,
		  uint64_t *ret_value);
/* 500ms, 30s, 5m, 1h; a plain number is in seconds. */
bool bs_read_duration(struct bs_loader *l, const struct bs_yaml *node, const char *what, uint32_t *ret_ms);
/* The same, with days and weeks: 31d, 2w. More than 0, at most 36500d. */
bool bs_read_span(struct bs_loader *l, const struct bs_yaml *node, const char *what, uint64_t *ret_ms);
/* One of a list of names, NULL-terminated. */
bool bs_read_choice(struct bs_loader *l, const struct bs_yaml *node, const char *what, const char *const *names,
		    size_t *ret_index);
/* A list of texts, in the arena. */
bool bs_read_texts(struct bs_loader *l, const struct bs_yaml *node, const char *what, const char ***ret_items,
		   size_t *ret_count);
/* The same; each must be table.column. */
void bs_read_columns(struct bs_loader *l, const struct bs_yaml *node, const char *what, const char ***ret_items,
		     size_t *ret_count);

/* Unknown keys become problems with a suggestion. keys is NULL-terminated. */
void bs_read_keys(struct bs_loader *l, const struct bs_yaml *map, const char *what, const char *const *keys);
/* Whether key is there; then it is the problem "not supported yet". */
bool bs_read_unsupported(struct bs_loader *l, const struct bs_yaml *map, const char *key);
/* A name that expressions read: an identifier that means nothing else. False: a problem was noted. */
bool bs_read_identifier(struct bs_loader *l, const struct bs_yaml *key, const char *what);
/* A name for people and labels: letters, digits, _ and -. */
bool bs_read_name(struct bs_loader *l, const struct bs_yaml *key, const char *what);

/* --- template.c, expression.c, body.c ------------------------------------------------------------- */

bool bs_read_template(struct bs_loader *l, const struct bs_yaml *node, struct bs_place place, const char *what,
		      struct bs_template *ret_template);
/* NULL after a problem. YAML's booleans, numbers and null are literals. */
struct bs_expr *bs_read_expr(struct bs_loader *l, const struct bs_yaml *node, struct bs_place place,
			     const char *what);
/* A value without templates. NULL after a problem. Owned by the box. */
const cJSON *bs_read_value(struct bs_loader *l, const struct bs_yaml *node);
struct bs_json_template *bs_read_json(struct bs_loader *l, const struct bs_yaml *node, struct bs_place place);

/* --- request.c ------------------------------------------------------------------------------------ */

enum bs_request_owner { BS_OF_ACTION, BS_OF_SETUP, BS_OF_OBSERVATION, BS_OF_APP };

/* `node` is the short form or a mapping; the owner's own keys of an action are left to the caller. */
void bs_read_request(struct bs_loader *l, const struct bs_yaml *node, enum bs_request_owner owner,
		     struct bs_place place, const char *what, struct bs_request *ret_request);
void bs_read_fields(struct bs_loader *l, const struct bs_yaml *node, struct bs_place place, const char *what,
		    bool header, struct bs_fields *ret_fields);

#define BS_VARIANTS_MAX 1000 /* of one action */
#define BS_OPERATIONS_MAX 20000

/* --- The parts of the model ----------------------------------------------------------------------- */

void bs_read_config(struct bs_loader *l, const struct bs_yaml *root);     /* config.c: name, explore, gate */
void bs_read_app(struct bs_loader *l, const struct bs_yaml *root);        /* app.c: stores, app */
/* "path" or "url": what a store of that driver is told, and gives to the application. */
const char *bs_driver_property(const char *driver);
void bs_read_actions(struct bs_loader *l, const struct bs_yaml *root);    /* actions.c: setup, actions, reach */
void bs_read_invariants(struct bs_loader *l, const struct bs_yaml *root); /* invariants.c */
void bs_check_names(struct bs_loader *l);                                 /* names.c */
void bs_read_secrets(struct bs_loader *l, const struct bs_yaml *root);    /* secrets.c: redact, not_secret */
void bs_make_operations(struct bs_loader *l);                             /* operations.c: when all is well */

/* Whether name is one that the step gives: status, body, action, ... (names.c) */
bool bs_is_step_name(const char *name);
bool bs_is_reserved_name(const char *name); /* those, and port, stores, env, unique, before */
size_t bs_var_index(const struct bs_model *model, const char *name, size_t len); /* SIZE_MAX: none */

#endif
