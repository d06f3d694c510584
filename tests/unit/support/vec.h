/*
 * vec: golden vectors and small helpers for unit tests. Failures abort the
 * test program with file and line, so tests stay straight lines.
 */
#ifndef TESTS_VEC_H
#define TESTS_VEC_H

#include <jansson.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/view.h"

/* tests/vectors/<name>.json, found from the source tree (VECTORS_DIR or the
 * working directory). The caller owns it. */
json_t *vec_load(const char *name);
json_t *vec_at(const json_t *o, const char *key); /* must exist */
const char *vec_str(const json_t *o, const char *key);
uint64_t vec_num(const json_t *o, const char *key);
/* Bytes of hex text, kept until the program ends. */
struct view vec_hex(const char *hex);
struct view vec_hex_at(const json_t *o, const char *key);
void vec_b32_at(const json_t *o, const char *key, struct b32 *out);

/* A fresh directory, removed at exit. Kept until the program ends. */
const char *vec_tmpdir(void);

#define check(cond) ((cond) ? (void)0 : vec_fail(__FILE__, __LINE__, #cond))
#define check_ok(call, e) \
	do { \
		enum err_code rc_ = (call); \
		if (rc_ != ERR_OK) \
			vec_fail_err(__FILE__, __LINE__, #call, (e)); \
	} while (0)
#define check_code(call, code) \
	((call) == (code) ? (void)0 \
			  : vec_fail(__FILE__, __LINE__, #call " is " #code))
#define check_view_hex(v, hex) vec_same(__FILE__, __LINE__, (v), vec_hex(hex))
#define check_same(a, b) vec_same(__FILE__, __LINE__, (a), (b))

void vec_fail(const char *file, int line, const char *what)
    __attribute__((noreturn));
void vec_fail_err(const char *file, int line, const char *what,
    const struct err *e) __attribute__((noreturn));
void vec_same(const char *file, int line, struct view a, struct view b);

#endif
