/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a stack consists of: the functions of stack.h, and what else it can.
 */
#ifndef STACK_OPS_H
#define STACK_OPS_H

#include "stack.h"

struct stack_ops {
	const char	*name;
	const char	*memory;	/* whose, and what sets how much: for people */
	bool		 survives;	/* the process: its associations go on */
	const char	*const *(*features)(void);	/* of hello, up to NULL */

	const char	*(*probe)(void);
	bool		 (*has_option)(const struct sockopt *);
	uint32_t	 (*most)(const struct sockopt *, const struct field *);	/* or NULL */
	int		 (*open)(struct sock *, const char *);
	int		 (*bind)(struct sock *, const struct sockaddr_storage *, size_t);
	int		 (*listen)(struct sock *, int);
	int		 (*connect)(struct sock *, const struct sockaddr_storage *, size_t,
			    struct assoc **);
	int		 (*accept)(struct sock *, struct sock *, struct assoc **);
	int		 (*peeloff)(struct assoc *, struct sock *);
	unsigned	 (*send)(struct assoc *, const struct stack_message *, unsigned, int *);
	int		 (*eof)(struct assoc *);
	int		 (*abort)(struct assoc *, const void *, size_t);
	void		 (*await_room)(struct assoc *, bool);
	void		 (*read)(struct sock *, bool, bool);
	void		 (*receive)(struct sock *, unsigned);
	int		 (*setopt)(struct sock *, const struct sockopt *, void *);
	int		 (*getopt)(struct sock *, const struct sockopt *, void *);
	void		 (*defaults)(struct assoc *, struct sndrcvinfo *);
	void		 (*count_streams)(struct assoc *);
	int		 (*subscribe)(struct sock *);
	int		 (*names)(struct sock *, struct assoc *, bool,
			    struct sockaddr_storage **, size_t *);
	void		 (*set_user)(struct sock *);	/* or NULL */
	void		 (*close)(struct sock *);
	int		 (*linger)(const struct sock *);
	void		 (*assoc_init)(struct assoc *);
	void		 (*assoc_free)(struct assoc *);
	void		 (*free)(void);
	void		 (*reload)(void);	/* NULL: it has nothing to read again */

	/* Of one that survives; the others have none of these. */
	void		 (*init)(void);
	bool		 (*restore_sock)(struct sock *);
	bool		 (*restore_assoc)(struct assoc *);
	bool		 (*restore_joint)(struct sock *, struct assoc *, struct record *);
	void		 (*restore_batches)(void);
	bool		 (*took)(uint64_t, uint64_t);
	void		 (*gone)(struct assoc *);
	void		 (*stage)(void);

	/* Of one that has descriptors. */
	int		 (*lend)(const struct sock *);
	bool		 (*has_part)(const struct assoc *);
	void		 (*take_back)(struct sock *);
};

extern const struct stack_ops kernel_stack;
#ifdef USERLAND
extern const struct stack_ops userland_stack;
#endif

#endif
