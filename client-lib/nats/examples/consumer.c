/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Takes a partition and sends each message back, on its stream and with its PPID.
 * cc consumer.c -lnats; ./a.out nats://127.0.0.1:4222 HOST PARTITION
 */
#include <err.h>
#include <nats/nats.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

static void
check(natsStatus s, const char *what)
{
	if (s != NATS_OK)
		errx(1, "%s: %s", what, natsStatus_GetText(s));
}

/* sctp.HOST.in.ENDPOINT.PART.ASSOC.STREAM: where its answer goes; false for what is no message. */
static bool
answer_subject(const char *subject, const char *host, char *to, size_t size)
{
	char	endpoint[64], assoc[32], rest[64];

	if (sscanf(subject, "sctp.%*[^.].in.%63[^.].%*[^.].%31[^.].%63s", endpoint, assoc, rest) != 3 || strchr(rest, '.') != NULL)
		return false;
	return (size_t)snprintf(to, size, "sctp.%s.out.%s.%s.%s", host, endpoint, assoc, rest) < size;
}

/* The answer's id follows from the message's: if this program dies before the acknowledgement, the second answer is refused. */
static void
answer(jsCtx *js, natsMsg *msg, const char *to)
{
	const char	*id, *ppid;
	char		 own[96];
	natsMsg		*out;
	jsPubOptions	 o;
	jsPubAck	*ack;
	uint64_t	 seq;

	check(natsMsgHeader_Get(msg, "Nats-Msg-Id", &id), "Nats-Msg-Id");
	check(natsMsgHeader_Get(msg, "Sctp-Ppid", &ppid), "Sctp-Ppid");
	(void)snprintf(own, sizeof own, "answer-%s", id);
	check(natsMsg_Create(&out, to, NULL, natsMsg_GetData(msg), natsMsg_GetDataLength(msg)), "memory");
	check(natsMsgHeader_Set(out, "Sctp-Ppid", ppid), "memory");
	jsPubOptions_Init(&o);
	o.MsgId = own;
	for (;;) {
		check(js_PublishMsg(&ack, js, out, &o, NULL), to);
		seq = ack->Sequence;
		jsPubAck_Destroy(ack);
		if (seq != 0)
			break;
		nats_Sleep(100);	/* one with this id is under way, and may come to nothing */
	}
	/* It is in the queue now. */
	natsMsg_Destroy(out);
}

int
main(int argc, char **argv)
{
	natsConnection		*nc;
	jsCtx			*js;
	natsSubscription	*sub;
	natsMsgList		 list;
	jsSubOptions		 o;
	char			 stream[96], part[32], to[256];
	natsStatus		 s;

	if (argc != 4)
		errx(2, "usage: consumer URL HOST PARTITION");
	(void)snprintf(stream, sizeof stream, "sctp-%s-in", argv[2]);
	(void)snprintf(part, sizeof part, "part-%s", argv[3]);
	jsSubOptions_Init(&o);
	o.Stream = stream;
	o.Consumer = part;
	check(natsConnection_ConnectTo(&nc, argv[1]), argv[1]);
	check(natsConnection_JetStream(&js, nc, NULL), "JetStream");
	if ((s = js_PullSubscribe(&sub, js, NULL, part, NULL, &o, NULL)) != NATS_OK)
		errx(1, "consumer %s of the stream %s: %s; are HOST, PARTITION and part_consumers = yes in the configuration of sctpd-nats?",
		    part, stream, natsStatus_GetText(s));
	for (;;) {
		if ((s = natsSubscription_Fetch(&list, sub, 1, 10000, NULL)) == NATS_TIMEOUT)
			continue;
		check(s, "fetch");
		if (answer_subject(natsMsg_GetSubject(list.Msgs[0]), argv[2], to, sizeof to))
			answer(js, list.Msgs[0], to);
		check(natsMsg_Ack(list.Msgs[0], NULL), "ack");	/* events and failed messages, too */
		natsMsgList_Destroy(&list);
	}
}
