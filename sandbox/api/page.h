/*
 * Lists in pages: each page is of the moment of the first one, so that all of them together are one list, and a watch from
 * its version misses nothing and repeats nothing.
 */
#ifndef API_PAGE_H
#define API_PAGE_H

#include "sandbox/api/call.h"

struct page {
	uint64_t limit;	  /* 0: none */
	uint64_t version; /* the first page's; 0: as it is now */
	char *after;	  /* where to go on: "namespace/name", owned; NULL: at the beginning */
};

#define PAGE_TOKEN_MAX (2 * (24 + 2 * (NAME_LEN_MAX + 1)) + 1)

/* limit and continue; answers 400 otherwise. */
bool page_read(struct call *c, struct page *ret);
void page_clear(struct page *page);
#define PAGE_CLEANUP __attribute__((cleanup(page_clear)))

/* The continue token of a list of that version of which `last` was the last item. */
void page_token(uint64_t version, const struct object *last, char ret[static PAGE_TOKEN_MAX]);

/*
 * The kind's objects as they were then, in order: borrowed, while the store is locked; the caller frees ret->items.
 * Answers 410 with a token that goes on with what is there now, if the history does not go back so far.
 */
bool page_items(struct call *c, const struct page *page, struct store_kind *ret);
/* The place in them where the page begins. */
size_t page_first(const struct call *c, const struct page *page, const struct store_kind *items);

#endif
