// SPDX-License-Identifier: BSD-2-Clause

package sctp

import "sctpd.example/sctpd"

// SCTPNotificationType is sn_type of RFC 6458.
type SCTPNotificationType int

// SCTPAssocID is an association.
type SCTPAssocID int32

// SCTPState is sac_state of RFC 6458.
type SCTPState uint16

// Notifications.
const (
	SCTP_SN_TYPE_BASE = SCTPNotificationType(iota + (1 << 15))
	SCTP_ASSOC_CHANGE
	SCTP_PEER_ADDR_CHANGE
	SCTP_SEND_FAILED
	SCTP_REMOTE_ERROR
	SCTP_SHUTDOWN_EVENT
	SCTP_PARTIAL_DELIVERY_EVENT
	SCTP_ADAPTATION_INDICATION
	SCTP_AUTHENTICATION_INDICATION
	SCTP_SENDER_DRY_EVENT
)

// States of an association in SCTP_ASSOC_CHANGE.
const (
	SCTP_COMM_UP = SCTPState(iota)
	SCTP_COMM_LOST
	SCTP_RESTART
	SCTP_SHUTDOWN_COMP
	SCTP_CANT_STR_ASSOC
)

var states = map[string]SCTPState{"comm_up": SCTP_COMM_UP, "comm_lost": SCTP_COMM_LOST, "restart": SCTP_RESTART,
	"shutdown_comp": SCTP_SHUTDOWN_COMP, "cant_assoc": SCTP_CANT_STR_ASSOC}

// Notification is what SCTPRead gives in place of a message.
type Notification interface {
	Type() SCTPNotificationType
	Flags() uint16
	Length() uint32
}

// SCTPAssocChangeEvent says that an association came up, restarted or ended.
type SCTPAssocChangeEvent struct {
	event *sctpd.SctpAssocChange
}

func (e *SCTPAssocChangeEvent) Type() SCTPNotificationType { return SCTP_ASSOC_CHANGE }
func (e *SCTPAssocChangeEvent) Flags() uint16              { return 0 }
func (e *SCTPAssocChangeEvent) Length() uint32             { return 20 + uint32(len(e.event.Info)) }
func (e *SCTPAssocChangeEvent) State() SCTPState           { return states[e.event.State] }
func (e *SCTPAssocChangeEvent) Error() uint16              { return e.event.Error }
func (e *SCTPAssocChangeEvent) OutboundStreams() uint16    { return e.event.OutboundStreams }
func (e *SCTPAssocChangeEvent) InboundStreams() uint16     { return e.event.InboundStreams }
func (e *SCTPAssocChangeEvent) AssocID() SCTPAssocID       { return SCTPAssocID(e.event.AssocID) }
func (e *SCTPAssocChangeEvent) Info() []byte               { return e.event.Info }

// SCTPShutdownEvent says that the peer sends nothing more.
type SCTPShutdownEvent struct {
	event *sctpd.SctpShutdownEvent
}

func (e *SCTPShutdownEvent) Type() SCTPNotificationType { return SCTP_SHUTDOWN_EVENT }
func (e *SCTPShutdownEvent) Flags() uint16              { return 0 }
func (e *SCTPShutdownEvent) Length() uint32             { return 12 }
func (e *SCTPShutdownEvent) AssocID() SCTPAssocID       { return SCTPAssocID(e.event.AssocID) }
