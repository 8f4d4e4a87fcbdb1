/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The journal: its memory, its heap and its transactions.
 *
 * The process may be killed between any two instructions. The memory file
 * stays as it was at that instruction, and the next process must find a state
 * that was true: that of the last commit. Three rules make that so.
 *
 * 1. What counts is not written in place. A new record is written into a block
 *    that is free, where nobody looks: its kind is RECORD_FREE until a commit
 *    sets it. Bytes in force are never changed but by journal_set: a record's
 *    words, and the counters. What is added to a record is written behind the
 *    bytes that count, and counts when a word says so. A changed thing gets a
 *    new record, and the old one is dropped in the same commit.
 *
 * 2. A commit is one store. journal_set puts the address of a word and its new
 *    value into a list, the redo list, which counts for nothing as long as its
 *    length in the header (nredo) is 0. journal_commit stores that length: this
 *    8-byte store is the commit. Before it nothing of the transaction has
 *    happened; after it all of it has.
 *
 * 3. To apply a commit can be repeated. apply() goes through the redo list and
 *    stores each value, then sets nredo to 0. A process that finds nredo > 0
 *    when it opens the journal does the same again: storing a value twice is
 *    storing it once. So it does not matter how far the last process got.
 *
 *	                     in memory                     after a SIGKILL here
 *	journal_new, writes  a free block is filled        the block is free
 *	journal_set ...      the list grows, nredo is 0    as before
 *	nredo = n            the commit                    the next one applies it
 *	apply                words are stored              the next one applies it again
 *	nredo = 0            done                          done
 *
 * The order of stores is what the compiler must keep (atomic_signal_fence and
 * volatile): the reader is a process that comes later, never one that runs
 * beside us, so no barrier between processors is needed. There is no fsync, as
 * the file is memory (memfd): it outlives the process, not the machine.
 *
 * The heap is made of spans of 64 KiB. A span holds blocks of one size, or is
 * part of a longer block. One byte per span says which, so that the next
 * process finds all blocks; the lists of free ones are this process's own and
 * are made anew. A library's allocator would not do: the heap must be readable
 * by a process that shares nothing with this one but the memory, at any
 * instruction. For the same reason a block is freed, for others to use, only
 * after the commit that dropped it.
 *
 * Two areas of fixed size lie before the heap. The kernel itself writes into
 * them, during recvmmsg(2) and sendmmsg(2): see kernel/recv.c and kernel/send.c.
 *
 * A journal that was damaged, or whose restoring ended the process three times,
 * is ignored as a whole: sctpd then starts without associations, and says so.
 */
#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "journal/journal.h"
#include "util/fault.h"
#include "util/log.h"
#include "util/mem.h"

#define SPAN		(64u << 10)
#ifndef JOURNAL_RESERVED
#define JOURNAL_RESERVED	((size_t)16 << 30)
#endif
#define RESERVED	JOURNAL_RESERVED	/* of address space */
#define SPANS		(RESERVED / SPAN)
#define GROW		(4u << 20)
#define KEEP		(256u)		/* free spans whose memory is kept */
#ifndef REDO_MAX
#define REDO_MAX	32768		/* words of a commit; further ones lie in the heap */
#endif
#define NUMBER_MAX	((uint64_t)1 << 53)	/* clients are told it: JavaScript has no more */
#define MAX_RESTORES	3

/* The receive area: a batch of messages of 64 KiB each, and what belongs to them. */
static const size_t area_sizes[AREAS] = { (2u << 20) + (128u << 10), 128u << 10 };
#define AREAS_SIZE	((2u << 20) + (256u << 10))

/* What a span is: free, blocks of a class, or a long block and its rest. */
#define CLASSES		10		/* 128 bytes to 64 KiB */
#define SMALLEST	128u
enum { SPAN_FREE = 0, SPAN_LONG = 100, SPAN_REST = 101 };

struct redo {
	uint64_t	offset;
	uint64_t	value;
};

struct header {
	char		magic[8];
	uint32_t	version;
	uint32_t	readable_by;
	uint32_t	span;
	uint32_t	word_count;
	uint64_t	area_offset[AREAS];
	uint64_t	area_size[AREAS];
	uint64_t	heap;			/* offset of the first span */
	uint64_t	file_size;
	uint64_t	last_number;
	uint64_t	restores;		/* begun and not ended */
	uint64_t	nredo;
	struct redo	redo[REDO_MAX];
	uint8_t		spans[SPANS];
	uint64_t	more;			/* offset of those after REDO_MAX */
	uint64_t	last_handle;		/* 0 if the writer counted no handles */
};

/* Our own view of a span. */
struct span {
	struct span	*next;			/* with room, of the same class */
	struct record	*free;
	uint32_t	 used;
	bool		 listed;
	bool		 kept;			/* free, and its memory is still there */
};

static const char magic[8] = "sctpdJ1";

static struct header *head;
static int memory = -1;
static struct span *spans;
static size_t nspans, nfree, nkept, used;
static struct span *with_room[CLASSES];
static size_t nredo;

/* The words of a commit that the header has no room for; NULL: there are none. */
static struct record *overflow;

/* Records dropped in this transaction: freed when it is done. */
static struct record **dropped;
static size_t ndropped, room_dropped;

#define HEAP_OFFSET	(((sizeof(struct header) + SPAN - 1) / SPAN) * SPAN + AREAS_SIZE)

static uint64_t
area_offset(int area)
{
	return HEAP_OFFSET - AREAS_SIZE + (area == AREA_SEND ? area_sizes[AREA_RECEIVE] : 0);
}

static char *
span_at(size_t i)
{
	return (char *)head + HEAP_OFFSET + i * SPAN;
}

static size_t
span_of(const struct record *r)
{
	return ((size_t)((const char *)r - (const char *)head) - HEAP_OFFSET) / SPAN;
}

static size_t
class_size(unsigned class)
{
	return (size_t)SMALLEST << class;
}

/* ---- memory --------------------------------------------------------- */

static void
map_up_to(size_t from, size_t to)
{
	if (mmap((char *)head + from, to - from, PROT_READ | PROT_WRITE,
	    MAP_SHARED | MAP_FIXED, memory, (off_t)from) == MAP_FAILED)
		log_fatal("journal: mmap of %zu bytes: %s", to - from, strerror(errno));
}

static void
grow(size_t need)
{
	size_t	old = head->file_size;
	size_t	size = old + (need + GROW - 1) / GROW * GROW;
	size_t	n = (size - HEAP_OFFSET) / SPAN;

	if (size > RESERVED || ftruncate(memory, (off_t)size) == -1)
		log_fatal("journal: no room for %zu bytes more than %zu: %s", need, old,
		    size > RESERVED ? "it has its largest size" : strerror(errno));
	map_up_to(old, size);
	head->file_size = size;
	nfree += n - nspans;
	nspans = n;
}

/*
 * Make the pages of the header, the list and the areas present in advance: when
 * the kernel has taken a message and writes to them, no page may be missing.
 */
static void
make_present(void)
{
	if (madvise(head, HEAP_OFFSET, MADV_POPULATE_WRITE) == 0)
		return;
	for (int i = 0; i < AREAS; i++) {
		volatile char	*p = (volatile char *)head + head->area_offset[i];

		for (size_t off = 0; off < head->area_size[i]; off += 4096)
			p[off] = p[off];
	}
}

static void
reserve(void)
{
	head = mmap(NULL, RESERVED, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (head == MAP_FAILED)
		log_fatal("journal: no address space: %s", strerror(errno));
	spans = xcalloc(SPANS, sizeof *spans);	/* zero pages until they are used */
}

static uint64_t
ms_since_boot(void)
{
	struct timespec	now;

	(void)clock_gettime(CLOCK_BOOTTIME, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

/* Earlier journals gave less than one number in a millisecond. */
static uint64_t
first_number(void)
{
	return JOURNAL_HANDLES + ms_since_boot();
}

static void
make_new(void)
{
	if ((memory = memfd_create("sctpd-journal", MFD_CLOEXEC)) == -1 ||
	    ftruncate(memory, HEAP_OFFSET) == -1)
		log_fatal("journal: memfd: %s", strerror(errno));
	map_up_to(0, HEAP_OFFSET);
	head->version = JOURNAL_VERSION;
	head->readable_by = JOURNAL_READABLE_BY;
	head->span = SPAN;
	head->word_count = RECORD_WORDS;
	head->heap = HEAP_OFFSET;
	head->file_size = HEAP_OFFSET;
	for (int i = 0; i < AREAS; i++) {
		head->area_offset[i] = area_offset(i);
		head->area_size[i] = area_sizes[i];
	}
	head->last_handle = ms_since_boot() % JOURNAL_HANDLES;
	head->last_number = first_number();
	memcpy(head->magic, magic, sizeof magic);
	make_present();
}

/* ---- what was left to us -------------------------------------------- */

/* Check the header alone, in a file of that size. */
static const char *
find_fault(const struct header *h, size_t size)
{
	if (size < HEAP_OFFSET || memcmp(h->magic, magic, sizeof magic) != 0)
		return "it is not a journal of sctpd";
	if (h->restores >= MAX_RESTORES)
		return "several sctpds in a row ended while they restored it";
	if (h->readable_by > JOURNAL_VERSION)
		return "a newer sctpd wrote it, in a format that this one does not know";
	if (h->span != SPAN || h->word_count != RECORD_WORDS || h->heap != HEAP_OFFSET)
		return "it has another layout";
	if (h->file_size > size || h->file_size < HEAP_OFFSET ||
	    (h->file_size - HEAP_OFFSET) % SPAN != 0 || h->file_size > RESERVED)
		return "its length is wrong";
	for (int i = 0; i < AREAS; i++) {
		if (h->area_size[i] != area_sizes[i] || h->area_offset[i] != area_offset(i))
			return "it has another layout";
	}
	return h->last_number < NUMBER_MAX && h->last_handle < JOURNAL_HANDLES ? NULL : "its count is wrong";
}

/* The i-th word of the unfinished commit. */
static struct redo *
redo_at(uint64_t i)
{
	if (i < REDO_MAX)
		return &head->redo[i];
	return (struct redo *)(void *)((char *)head + head->more) + (i - REDO_MAX);
}

/* The list never contains a word of the header. */
static bool
redo_is_sound(void)
{
	uint64_t	heap = head->file_size - HEAP_OFFSET;

	if (head->nredo > REDO_MAX && (head->more % 8 != 0 || head->more < HEAP_OFFSET ||
	    head->more > head->file_size ||
	    head->nredo - REDO_MAX > (head->file_size - head->more) / sizeof(struct redo)))
		return false;
	for (uint64_t i = 0; i < head->nredo; i++) {
		uint64_t	offset = redo_at(i)->offset;

		if (offset % 8 != 0 || offset < HEAP_OFFSET - AREAS_SIZE ||
		    offset > HEAP_OFFSET + heap - 8)
			return false;
	}
	return true;
}

static void
apply(void)
{
	for (uint64_t i = 0; i < head->nredo; i++) {
		const struct redo	*r = redo_at(i);

		*(volatile uint64_t *)(void *)((char *)head + r->offset) = r->value;
	}
	atomic_signal_fence(memory_order_seq_cst);
	*(volatile uint64_t *)&head->nredo = 0;
}

/*
 * Does the record fit a block of that size? A newer sctpd may have kinds that we
 * do not know; we treat those as free.
 */
static bool
is_block(const struct record *r, size_t size)
{
	if (r->kind == RECORD_FREE)
		return true;
	return r->size == size && r->len <= size - sizeof *r &&
	    (r->kind < RECORD_KINDS || head->version > JOURNAL_VERSION);
}

static bool
counts(const struct record *r)
{
	return r->kind != RECORD_FREE && r->kind < RECORD_KINDS;
}

static bool
class_span_is_sound(size_t i, size_t size)
{
	for (size_t off = 0; off + size <= SPAN; off += size) {
		const struct record	*r = (const void *)(span_at(i) + off);

		if (r->size != size || !is_block(r, size))
			return false;
	}
	return true;
}

/* The number of spans of a long block, with those after it that belong to no block. */
static size_t
long_spans(size_t i)
{
	size_t	n = 1;

	while (i + n < nspans && head->spans[i + n] == SPAN_REST)
		n++;
	return n;
}

static bool
long_block_is_sound(size_t i, size_t n)
{
	const struct record	*r = (const void *)span_at(i);

	if (r->kind == RECORD_FREE)
		return true;
	return r->size >= SPAN && r->size % SPAN == 0 && r->size / SPAN <= n && is_block(r, r->size);
}

/* Check all blocks before using any of them. */
static bool
heap_is_sound(void)
{
	size_t	n;

	for (size_t i = 0; i < nspans; i += n) {
		uint8_t	what = head->spans[i];
		bool	ok = true;

		n = what == SPAN_LONG ? long_spans(i) : 1;
		if (what == SPAN_LONG)
			ok = long_block_is_sound(i, n);
		else if (what != SPAN_FREE && what != SPAN_REST)
			ok = what <= CLASSES && class_span_is_sound(i, class_size(what - 1u));
		if (!ok)
			return false;
	}
	return true;
}

static void
list_span(size_t i, unsigned class)
{
	spans[i].listed = true;
	spans[i].next = with_room[class];
	with_room[class] = &spans[i];
}

static void
give_to_span(size_t i, struct record *r)
{
	memcpy(r->body, &spans[i].free, sizeof spans[i].free);
	spans[i].free = r;
}

static void
read_class_span(size_t i, unsigned class)
{
	size_t	size = class_size(class);

	for (size_t off = 0; off + size <= SPAN; off += size) {
		struct record	*r = (struct record *)(void *)(span_at(i) + off);

		if (counts(r)) {
			spans[i].used++;
			used += size;
			continue;
		}
		r->kind = RECORD_FREE;
		give_to_span(i, r);
	}
	if (spans[i].free != NULL)
		list_span(i, class);
}

/*
 * Read the spans of a long block. The spans of a block that does not count are
 * free. So are spans left behind by a process that ended while it took or freed one.
 */
static size_t
read_long_span(size_t i)
{
	struct record	*r = (struct record *)(void *)span_at(i);
	size_t		 n = long_spans(i), taken = counts(r) ? r->size / SPAN : 0;

	if (taken > 0) {
		spans[i].used = 1;
		used += r->size;
	}
	memset(&head->spans[i + taken], SPAN_FREE, n - taken);
	nfree += n - taken;
	return n;
}

/* Give back the memory of free spans that the earlier process had kept. */
static void
give_back_what_is_free(void)
{
	size_t	from = 0, i;

	for (i = 0; i <= nspans; i++) {
		if (i < nspans && head->spans[i] == SPAN_FREE)
			continue;
		if (i > from)
			(void)madvise(span_at(from), (i - from) * SPAN, MADV_REMOVE);
		from = i + 1;
	}
}

static void
read_spans(void)
{
	size_t	n;

	for (size_t i = 0; i < nspans; i += n) {
		n = 1;
		if (head->spans[i] == SPAN_LONG)
			n = read_long_span(i);
		else if (head->spans[i] > SPAN_FREE && head->spans[i] <= CLASSES)
			read_class_span(i, head->spans[i] - 1u);
		else {
			head->spans[i] = SPAN_FREE;
			nfree++;
		}
	}
	give_back_what_is_free();
}

static bool
ignore(const char *why)
{
	log_err("journal: ignored: %s; sctpd starts anew, and everything that was open is closed", why);
	return false;
}

/* Does fd begin with a header that we understand? */
static bool
has_header(int fd)
{
	struct stat	 st;
	struct header	*h;
	const char	*fault;

	if (fstat(fd, &st) == -1 || st.st_size < (off_t)HEAP_OFFSET)
		return ignore("it is too short");
	/* It must be writable, too: if it is not, we did not make it. */
	h = mmap(NULL, HEAP_OFFSET, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (h == MAP_FAILED)
		return ignore(strerror(errno));
	if ((fault = find_fault(h, (size_t)st.st_size)) == NULL && h->version != JOURNAL_VERSION)
		log_notice("journal: taken over from version %u by version %d", h->version,
		    JOURNAL_VERSION);
	(void)munmap(h, HEAP_OFFSET);
	return fault == NULL || ignore(fault);
}

/* Finish the commit that was begun, if it is complete; then read the heap. */
static const char *
finish_and_check(void)
{
	if (!redo_is_sound())
		return "its list of changes is damaged";
	apply();
	return heap_is_sound() ? NULL : "its heap is damaged";
}

/* Map fd, if it is a journal. */
static bool
take_old(int fd)
{
	const char	*fault;

	if (!has_header(fd))
		return false;
	memory = fd;
	map_up_to(0, HEAP_OFFSET);
	if (head->file_size > HEAP_OFFSET)
		map_up_to(HEAP_OFFSET, head->file_size);
	nspans = (head->file_size - HEAP_OFFSET) / SPAN;
	if ((fault = finish_and_check()) != NULL) {
		nspans = 0;
		(void)munmap(head, RESERVED);
		free(spans);
		reserve();
		return ignore(fault);
	}
	head->version = JOURNAL_VERSION;
	head->readable_by = JOURNAL_READABLE_BY;
	/* Older daemons used one sequence for handles and other numbers: continue after it. */
	if (head->last_number < JOURNAL_HANDLES && head->last_number > head->last_handle)
		head->last_handle = head->last_number;
	if (head->last_number < JOURNAL_HANDLES)
		head->last_number = first_number();
	make_present();
	read_spans();
	return true;
}

bool
journal_open(int fd)
{
	reserve();
	if (fd != -1 && take_old(fd))
		return true;
	if (fd != -1)
		(void)close(fd);
	make_new();
	return false;
}

int
journal_fd(void)
{
	return memory;
}

void
journal_close(void)
{
	if (head == NULL)
		return;
	(void)munmap(head, RESERVED);
	(void)close(memory);
	free(spans);
	free(dropped);
	head = NULL;
	spans = NULL;
	dropped = NULL;
	memory = -1;
	overflow = NULL;
	nspans = nfree = nkept = used = nredo = ndropped = room_dropped = 0;
	memset(with_room, 0, sizeof with_room);
}

void
journal_begin_restore(void)
{
	head->restores++;
}

void
journal_end_restore(void)
{
	head->restores = 0;
}

uint64_t
journal_number(void)
{
	return ++head->last_number;
}

uint64_t
journal_handle(bool (*taken)(uint64_t))
{
	uint64_t	n = head->last_handle;

	do
		n = (n + 1) % JOURNAL_HANDLES;
	while (n == 0 || taken(n));
	head->last_handle = n;
	return n;
}

void *
journal_area(enum journal_area area, size_t size)
{
	if (size > area_sizes[area])
		log_fatal("journal: an area of %zu bytes", size);
	return (char *)head + head->area_offset[area];
}

/* ---- the heap ------------------------------------------------------- */

/* The first of n consecutive free spans; the file grows if there are none. */
static size_t
find_spans(size_t n)
{
	size_t	run = 0;

	for (size_t i = 0; nfree >= n && i < nspans; i++) {
		run = head->spans[i] == SPAN_FREE ? run + 1 : 0;
		if (run == n)
			return i + 1 - n;
	}
	run = nspans;
	grow(n * SPAN);
	return run;
}

static void
take_span(size_t i)
{
	nfree--;
	nkept -= spans[i].kept;
	spans[i].kept = false;
}

static struct record *
new_long(size_t size)
{
	size_t		 n = (size + SPAN - 1) / SPAN, i = find_spans(n);
	struct record	*r = (struct record *)(void *)span_at(i);

	r->kind = RECORD_FREE;
	r->size = n * SPAN;
	atomic_signal_fence(memory_order_seq_cst);
	/* Backwards: a SPAN_REST without its SPAN_LONG counts as free, but not the reverse. */
	for (size_t k = n; k-- > 1;)
		*(volatile uint8_t *)&head->spans[i + k] = SPAN_REST;
	*(volatile uint8_t *)&head->spans[i] = SPAN_LONG;
	for (size_t k = 0; k < n; k++)
		take_span(i + k);
	spans[i].used = 1;
	used += r->size;
	return r;
}

static void
divide_span(unsigned class)
{
	size_t	i = find_spans(1), size = class_size(class);

	for (size_t off = 0; off + size <= SPAN; off += size) {
		struct record	*r = (struct record *)(void *)(span_at(i) + off);

		r->kind = RECORD_FREE;
		r->size = size;
		give_to_span(i, r);
	}
	atomic_signal_fence(memory_order_seq_cst);
	*(volatile uint8_t *)&head->spans[i] = (uint8_t)(class + 1);
	take_span(i);
	list_span(i, class);
}

static struct record *
new_of_class(unsigned class)
{
	struct span	*sp;
	struct record	*r;

	if (with_room[class] == NULL)
		divide_span(class);
	sp = with_room[class];
	r = sp->free;
	memcpy(&sp->free, r->body, sizeof sp->free);
	if (sp->free == NULL) {
		with_room[class] = sp->next;
		sp->listed = false;
	}
	sp->used++;
	used += class_size(class);
	r->size = class_size(class);
	return r;
}

struct record *
journal_new(size_t len)
{
	size_t		 size = sizeof(struct record) + len;
	unsigned	 class = 0;
	struct record	*r;

	while (class < CLASSES && class_size(class) < size)
		class++;
	r = class < CLASSES ? new_of_class(class) : new_long(size);
	r->len = len;
	memset(r->word, 0, sizeof r->word);
	return r;
}

size_t
journal_room(const struct record *r)
{
	return r->size - sizeof *r;
}

/* Keep some freed spans: they are needed again soon, and the kernel would clear new pages. */
static void
keep_or_give_back(size_t i, size_t n)
{
	if (nkept + n > KEEP) {
		(void)madvise(span_at(i), n * SPAN, MADV_REMOVE);
		return;
	}
	for (size_t k = 0; k < n; k++)
		spans[i + k].kept = true;
	nkept += n;
}

static void
free_long(struct record *r, size_t i)
{
	size_t	n = r->size / SPAN;

	used -= r->size;
	spans[i].used = 0;
	nfree += n;
	*(volatile uint8_t *)&head->spans[i] = SPAN_FREE;
	for (size_t k = 1; k < n; k++)
		head->spans[i + k] = SPAN_FREE;
	keep_or_give_back(i, n);
}

static void
unlist_span(size_t i, unsigned class)
{
	struct span	**p = &with_room[class];

	while (*p != &spans[i])
		p = &(*p)->next;
	*p = spans[i].next;
	memset(&spans[i], 0, sizeof spans[i]);
}

void
journal_forget(struct record *r)
{
	size_t		i = span_of(r);
	unsigned	class = head->spans[i] - 1u;

	if (head->spans[i] == SPAN_LONG) {
		free_long(r, i);
		return;
	}
	used -= class_size(class);
	spans[i].used--;
	give_to_span(i, r);
	if (!spans[i].listed)
		list_span(i, class);
	/* The last span of a class stays: it will be needed again. */
	if (spans[i].used == 0 && with_room[class]->next != NULL) {
		unlist_span(i, class);
		*(volatile uint8_t *)&head->spans[i] = SPAN_FREE;
		nfree++;
		keep_or_give_back(i, 1);
	}
}

/* ---- transactions --------------------------------------------------- */

/* Make room for n words beyond those in the header. */
static void
grow_overflow(size_t n)
{
	struct record	*r = journal_new(n * 2 * sizeof(struct redo));

	if (overflow != NULL) {
		memcpy(r->body, overflow->body, n * sizeof(struct redo));
		journal_forget(overflow);
	}
	overflow = r;
	head->more = (uint64_t)(r->body - (char *)head);
}

/* Thousands of sockets may end at once, and all of that is one commit. */
void
journal_set(uint64_t *word, uint64_t value)
{
	size_t	n = nredo < REDO_MAX ? 0 : nredo - REDO_MAX;

	if (nredo >= REDO_MAX && (overflow == NULL ||
	    (n + 1) * sizeof(struct redo) > journal_room(overflow)))
		grow_overflow(n + 1);
	*redo_at(nredo) = (struct redo){ (uint64_t)((char *)word - (char *)head), value };
	nredo++;
}

void
journal_keep(struct record *r, enum record_kind kind)
{
	journal_set(&r->kind, kind);
}

void
journal_drop(struct record *r)
{
	journal_set(&r->kind, RECORD_FREE);
	if (ndropped == room_dropped) {
		room_dropped = room_dropped * 2 + 64;
		dropped = xrealloc(dropped, room_dropped * sizeof *dropped);
	}
	dropped[ndropped++] = r;
}

void
journal_commit(void)
{
	if (nredo == 0)
		return;
	fault_point("uncommitted");
	atomic_signal_fence(memory_order_seq_cst);
	*(volatile uint64_t *)&head->nredo = nredo;
	atomic_signal_fence(memory_order_seq_cst);
	fault_point("committed");
	apply();
	fault_point("applied");
	nredo = 0;
	if (overflow != NULL)
		journal_forget(overflow);
	overflow = NULL;
	while (ndropped > 0)
		journal_forget(dropped[--ndropped]);
}

struct record *
journal_next(const struct record *after, enum record_kind kind)
{
	size_t	off = 0, size, at;

	if (after != NULL)
		off = (size_t)((const char *)after - span_at(0)) + after->size;
	while ((at = off / SPAN) < nspans) {
		struct record	*r = (struct record *)(void *)(span_at(0) + off);

		if (head->spans[at] == SPAN_LONG)
			size = r->size;
		else if (head->spans[at] > SPAN_FREE && head->spans[at] <= CLASSES)
			size = class_size(head->spans[at] - 1u);
		else {
			off = (at + 1) * SPAN;
			continue;
		}
		if (r->kind == (uint64_t)kind)
			return r;
		off += size;
	}
	return NULL;
}

size_t
journal_room_for_all(void)
{
	return RESERVED - HEAP_OFFSET;
}

size_t
journal_size(void)
{
	return used;
}
