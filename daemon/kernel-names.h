/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * In the kernel's files the functions of stack.h are the kernel's own, so that
 * two stacks can be in one program. stack.c has those that the daemon calls.
 * The Makefile includes it before the first line of each of those files.
 */
#ifndef KERNEL_NAMES_H
#define KERNEL_NAMES_H

#define stack_probe		kernel_stack_probe
#define stack_open		kernel_stack_open
#define stack_bind		kernel_stack_bind
#define stack_listen		kernel_stack_listen
#define stack_connect		kernel_stack_connect
#define stack_accept		kernel_stack_accept
#define stack_peeloff		kernel_stack_peeloff
#define stack_send		kernel_stack_send
#define stack_eof		kernel_stack_eof
#define stack_abort		kernel_stack_abort
#define stack_await_room	kernel_stack_await_room
#define stack_read		kernel_stack_read
#define stack_receive		kernel_stack_receive
#define stack_setopt		kernel_stack_setopt
#define stack_getopt		kernel_stack_getopt
#define stack_defaults		kernel_stack_defaults
#define stack_count_streams	kernel_stack_count_streams
#define stack_subscribe		kernel_stack_subscribe
#define stack_names		kernel_stack_names
#define stack_close		kernel_stack_close
#define stack_linger		kernel_stack_linger
#define stack_assoc_init	kernel_stack_assoc_init
#define stack_assoc_free	kernel_stack_assoc_free
#define stack_free		kernel_stack_free
#define stack_init		kernel_stack_init
#define stack_restore_sock	kernel_stack_restore_sock
#define stack_restore_assoc	kernel_stack_restore_assoc
#define stack_restore_joint	kernel_stack_restore_joint
#define stack_restore_batches	kernel_stack_restore_batches
#define stack_took		kernel_stack_took
#define stack_gone		kernel_stack_gone
#define stack_stage		kernel_stack_stage
#define stack_lend		kernel_stack_lend
#define stack_has_part		kernel_stack_has_part
#define stack_take_back		kernel_stack_take_back

#endif
