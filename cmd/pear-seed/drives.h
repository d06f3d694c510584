/*
 * drives: what a seeder keeps. A drive is known as soon as somebody wants it
 * kept; its cores are open ("awake") only while they are needed:
 *
 *	drives.c	the set: who wants what, by key and by topic
 *	wake.c		which of them are open, and for how long
 *	hear.c		what peers say, and which of it wakes one
 *	look.c		what a drive is, and what it is called
 *	heads.c		the lengths of those that sleep, from the store
 *
 * A drive sleeps when more than --max-open are awake and nothing is under way
 * for it, the longest unused first. Asleep it costs no descriptor and a few
 * hundred bytes; it is announced, and served to whoever asks for it, all the
 * same. It wakes up when somebody who asks for it has more than is here, when
 * somebody is met who announced it, when the store changed, and when a peer
 * is dialled by address, who may have anything. Until every peer has said
 * what he has of it, it stays awake.
 */
#ifndef CMD_PEAR_SEED_DRIVES_H
#define CMD_PEAR_SEED_DRIVES_H

#include "cmd/common/net.h"
#include "replicate/replicate.h"

/* Who wants it. A drive is kept while anybody does. */
enum drive_source {
	DRIVE_NAMED = 1,  /* on the command line */
	DRIVE_LISTED = 2, /* in the file of --list */
	DRIVE_STORED = 4  /* in the store, with --all */
};

enum drive_shape {
	DRIVE_PENDING, /* nothing tells yet */
	DRIVE_WHOLE,   /* two cores */
	DRIVE_CORE     /* no drive: one core */
};

/* What the store had of a core when the drive fell asleep, or later. */
struct drive_head {
	uint64_t length, contiguous, bytes;
};

struct drive_traffic {
	uint64_t bytes_in, bytes_out, blocks_in, blocks_out;
	struct common_rate down, up;
};

/* Ten thousand of them are usual: nothing large in here. */
struct drive {
	struct b32 key, blobs_key, topic;
	struct drive *by_key, *by_topic, *by_blobs; /* next in the bucket */
	struct drive *newer, *older;		    /* of those awake */
	struct drive *next[2];			    /* in the queues */
	struct replicate_core *db, *blobs;	    /* NULL: asleep */
	struct drive_head db_head, blobs_head;	    /* while it sleeps */
	struct drive_traffic *traffic;		    /* NULL: none so far */
	char *name;				    /* NULL: not known */
	uint64_t shown_length;
	uint64_t until;	       /* in trouble: the next try; else end of visit */
	uint32_t wait;	       /* seconds, the last time before a try */
	uint32_t named;	       /* look_age() when the name was read; 0: never */
	uint8_t sources, told; /* told: since drives_begin() */
	uint8_t shape;	       /* enum drive_shape */
	bool queued[2];
	bool stored : 1; /* the store knows it */
	bool writable : 1;
	bool rotten : 1;   /* a block did not match its hash while it slept */
	bool hollow : 1;   /* asleep: peers said that its contents are empty */
	bool visiting : 1; /* peers are still to say what they have of it */
	bool trouble : 1;  /* could not be opened or read */
	bool joined : 1, announced : 1;
	bool alone : 1;	  /* nobody was found, and said */
	bool wanting : 1; /* nobody who is connected has what is missing */
};

/* What is to be done, in turn: look at it; open it, and let peers say what
 * they have of it. */
enum drive_queue { DRIVES_LOOKS, DRIVES_VISITS };

#define DRIVES_BUCKETS 16384 /* a power of two */

struct drives {
	struct drive **item;
	size_t n, cap;
	struct drive **by_key, **by_topic, **by_blobs; /* DRIVES_BUCKETS */
	struct drive *first[2], *last[2];	       /* of the queues */
	struct drive *newest, *oldest;		       /* of those awake */
	size_t awake, most; /* open: now, and unused at most */
	size_t visiting;
	size_t reading; /* in the queue of looks */
	uint64_t due;	/* drives_turn() has something to do */
	uint64_t retry; /* the first that is in trouble */
	/* heads.c */
	bool new;	     /* some are not known to be in the store or not */
	uint64_t generation; /* of the store, when it was read */
	uint64_t heads_next;
};

struct seeder;
struct peer_event;

/* Before anything else; most: SIZE_MAX if all must be awake. */
NODISCARD enum err_code drives_init(
    struct drives *d, size_t most, struct err *e);
void drives_deinit(struct drives *d);
/* Keep it from now on. */
NODISCARD enum err_code drives_add(struct seeder *s, const struct b32 *key,
    enum drive_source source, struct err *e);
/* A source tells all its drives anew, with drives_add(); what it does not
 * tell any more, it does not want any more. */
void drives_begin(struct seeder *s, enum drive_source source);
void drives_end(struct seeder *s, enum drive_source source);
/* NULL: none. The first with these contents; by_blobs has others. */
struct drive *drives_find(struct seeder *s, const struct b32 *key);
struct drive *drives_topic(struct seeder *s, const struct b32 *topic);
struct drive *drives_blobs(struct seeder *s, const struct b32 *blobs_key);
/* Its blobs_key is known now. */
void drives_link_blobs(struct seeder *s, struct drive *d);

void drives_queue(struct drives *all, struct drive *d, enum drive_queue which);
struct drive *drives_next(struct drives *all, enum drive_queue which);

/* -- wake.c --------------------------------------------------------------- */

/* Opens what is to be opened, looks what has changed, lets others sleep. */
NODISCARD enum err_code drives_turn(struct seeder *s, struct err *e);
/* Look at it in the next turn; open it soon, or later let it sleep. */
void drives_look(struct seeder *s, struct drive *d);
void drives_wake(struct seeder *s, struct drive *d);
/* It is not kept any more. */
void drives_let_go(struct seeder *s, struct drive *d);
/* Everything that is known of is here. */
bool drives_whole(const struct drive *d);
/* Has a peer more of its core c than is here? */
bool drives_behind(struct replicate_core *c, const struct replicate_status *st);

/* -- hear.c --------------------------------------------------------------- */

/* An event of a core, a meeting, somebody who may have anything. */
void drives_core(struct seeder *s, const struct replicate_event *ev);
void drives_met(struct seeder *s, const struct b32 *topic);
void drives_visit_all(struct seeder *s);
/* Look for others as long as those who are connected have nothing new. */
void drives_want(struct seeder *s, struct drive *d);

/* -- look.c --------------------------------------------------------------- */

/* What it is: two cores or one; and its name. Opens nothing for longer. */
NODISCARD enum err_code look_contents(
    struct seeder *s, struct drive *d, struct err *e);
/* Of its two cores together: another one, another name maybe. */
uint32_t look_age(uint64_t db_length, uint64_t blobs_length);
void look_name(struct seeder *s, struct drive *d);
struct drive_head look_head(struct replicate_core *c);
/* Of its two cores: as they are, or as they were when they fell asleep. */
void look_heads(
    const struct drive *d, struct drive_head *db, struct drive_head *blobs);
/* Is every block of it here? */
bool look_whole(const struct drive_head *h);

/* -- heads.c -------------------------------------------------------------- */

/* Reads all of them where that was not done, or the store has changed; only
 * if some sleep. */
NODISCARD enum err_code heads_turn(struct seeder *s, struct err *e);

#endif
