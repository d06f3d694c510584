/*
 * report: a review beside a command's own output: line diffs below its lines,
 * and the report file.
 */
#ifndef CMD_COMMON_REPORT_H
#define CMD_COMMON_REPORT_H

#include "cli/cli.h"
#include "review/review.h"

/* --diff and --report belong to a dry run, and a report has a name that says
 * what it is. ERR_USAGE. report may be NULL. */
NODISCARD enum err_code common_report_check(
    bool dry_run, bool diff, const char *report, struct err *e);

/* The lines of one file, for people; nothing if nobody asked for lines. */
void common_report_lines(struct cli *c, const struct review_file *f);
/* The same as fields of its event: lines, linesAdded, linesRemoved, or
 * noLines. */
void common_report_fields(json_t *event, const struct review_file *f);

/* "Report: FILE HASH" and its event. */
void common_report_done(struct cli *c, const char *path, const struct b32 *sum);

#endif
