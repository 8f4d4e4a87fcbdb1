/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * SCTP messages and what happened beside them, as a file of the format pcapng
 * (draft-ietf-opsawg-pcapng), which Wireshark, tshark and tcpdump read.
 *
 * There are no packets here: what is known is whole messages, with their
 * parameters. So each message is written as a packet of raw IP that was never on
 * the wire, with an SCTP header and DATA chunks that have the real ports, stream
 * and PPID. From these Wireshark tells the protocol inside without any setting.
 * Verification tag and checksum are 0. What is no message, such as the end of an
 * association, is an entry of the systemd journal, which Wireshark shows in its
 * place among the packets; tcpdump passes over it.
 *
 * All is written into memory of the caller's. A file may consist of several
 * sections, one after the other.
 */
#ifndef PCAPNG_H
#define PCAPNG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

struct pcapng {
	char	*mem;
	size_t	 size;
	size_t	 len;		/* what was written */
	bool	 full;		/* something found no room, and is not there */
};

/* Begin a section: of which program, and a comment that may be NULL. */
void pcapng_section(struct pcapng *, const char *program, const char *comment);

struct pcapng_message {
	uint64_t			 us;		/* microseconds since 1970 */
	bool				 sent;		/* otherwise it was received */
	const struct sockaddr_storage	*from, *to;	/* with their ports; the peer has the
							   family of the packet */
	uint16_t			 stream;
	uint16_t			 ssn;
	uint32_t			 tsn;		/* of its first chunk */
	uint32_t			 ppid;
	bool				 unordered;
	const void			*data;
	size_t				 len;
	size_t				 snap;		/* most bytes of it to write; 0: all. Wireshark
							   is told that there were more. */
	const char			*comment;	/* NULL: none */
};

void pcapng_message(struct pcapng *, const struct pcapng_message *);

/*
 * Messages that have the addresses, the direction and the comment in common: what is the same in all of them is made
 * once. Only for those that are written whole, and are one packet (PCAPNG_LIKE_MOST).
 */
#define PCAPNG_LIKE_MOST	60000u
struct pcapng_template {
	char		head[96];	/* up to the message */
	char		tail[288];	/* and the options behind it */
	unsigned	nhead, ntail;
	unsigned	ip;		/* length of the IP header */
};

/* From the first of them. Of a long comment it takes what there is room for. */
void pcapng_template(struct pcapng_template *, const struct pcapng_message *);
size_t pcapng_like_room(const struct pcapng_template *, size_t len);
/* There must be so much room. */
void pcapng_like(struct pcapng *, const struct pcapng_template *, const struct pcapng_message *);

/* An entry of the journal: a text, and how urgent it is (as syslog has it). */
void pcapng_entry(struct pcapng *, uint64_t us, int priority, const char *text);

/* How many messages there were, and how many of them are missing; the comment may be NULL. */
void pcapng_statistics(struct pcapng *, uint64_t us, uint64_t messages, uint64_t dropped,
    const char *comment);

/* The most bytes that a message, or an entry, of so many bytes takes. */
size_t pcapng_room(size_t len);

/* The length of the whole block that begins with these 8 bytes; 0: no block does. */
#define PCAPNG_HEAD	8
size_t pcapng_block(const char head[PCAPNG_HEAD]);

#endif
