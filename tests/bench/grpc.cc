/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A gRPC unary call over a Unix socket, to compare: bench-grpc serve|call
 * PATH. It is told what to do in the lines that link.c's ends understand, and
 * is only built where libgrpc++-dev is installed.
 */
#include <grpcpp/generic/async_generic_service.h>
#include <grpcpp/generic/generic_stub.h>
#include <grpcpp/grpcpp.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <memory>
#include <string>
#include <vector>

static double
now_us()
{
	return std::chrono::duration<double, std::micro>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

/* ---- the server: gives back what it was given ------------------------ */

class Answer {
public:
	Answer(grpc::AsyncGenericService *s, grpc::ServerCompletionQueue *q) : service(s), queue(q), stream(&context)
	{
		service->RequestCall(&context, &stream, queue, queue, this);
	}

	void next(bool ok)
	{
		if (step == BEGIN && ok) {
			new Answer(service, queue);
			step = READ;
			stream.Read(&message, this);
		} else if (step == READ && ok) {
			step = END;
			stream.WriteAndFinish(message, grpc::WriteOptions(), grpc::Status::OK, this);
		} else {
			delete this;
		}
	}

private:
	enum { BEGIN, READ, END } step = BEGIN;
	grpc::AsyncGenericService *service;
	grpc::ServerCompletionQueue *queue;
	grpc::GenericServerContext context;
	grpc::GenericServerAsyncReaderWriter stream;
	grpc::ByteBuffer message;
};

static int
serve(const std::string &address)
{
	grpc::AsyncGenericService service;
	grpc::ServerBuilder builder;
	void *tag;
	bool ok;

	builder.AddListeningPort(address, grpc::InsecureServerCredentials());
	builder.RegisterAsyncGenericService(&service);
	auto queue = builder.AddCompletionQueue();
	auto server = builder.BuildAndStart();
	if (server == nullptr)
		return 1;
	std::printf("port 1\n");
	std::fflush(stdout);
	new Answer(&service, queue.get());
	while (queue->Next(&tag, &ok))
		static_cast<Answer *>(tag)->next(ok);
	return 0;
}

/* ---- the client ------------------------------------------------------ */

struct Call {
	grpc::ClientContext context;
	grpc::ByteBuffer answer;
	grpc::Status status;
	std::unique_ptr<grpc::GenericClientAsyncResponseReader> reader;
	double began;
};

class Caller {
public:
	explicit Caller(const std::string &address)
	    : stub(grpc::CreateChannel(address, grpc::InsecureChannelCredentials())) {}

	bool run(size_t bytes, unsigned count, unsigned in_flight)
	{
		grpc::Slice slice(std::string(bytes > 0 ? bytes : 16, 'x'));
		grpc::ByteBuffer request(&slice, 1);
		std::vector<double> trips;
		double start = now_us();

		for (unsigned sent = 0; trips.size() < count;) {
			for (; sent < count && sent < trips.size() + in_flight; sent++)
				begin(request);
			if (!end(trips))
				return false;
		}
		double us = now_us() - start;
		std::sort(trips.begin(), trips.end());
		std::printf("%.3f %.3f\n", us, trips[std::min<size_t>(count - 1, count * 99 / 100)]);
		std::fflush(stdout);
		return true;
	}

private:
	grpc::GenericStub stub;
	grpc::CompletionQueue queue;

	void begin(const grpc::ByteBuffer &request)
	{
		auto *c = new Call;

		c->began = now_us();
		c->reader = stub.PrepareUnaryCall(&c->context, "/bench.Bench/Call", request, &queue);
		c->reader->StartCall();
		c->reader->Finish(&c->answer, &c->status, c);
	}

	bool end(std::vector<double> &trips)
	{
		void *tag;
		bool ok;

		if (!queue.Next(&tag, &ok))
			return false;
		std::unique_ptr<Call> c(static_cast<Call *>(tag));
		trips.push_back(now_us() - c->began);
		return c->status.ok();
	}
};

static int
call(const std::string &address)
{
	Caller caller(address);
	char line[128], work;
	size_t bytes;
	unsigned count, in_flight;

	std::printf("up\n");
	std::fflush(stdout);
	while (std::fgets(line, sizeof line, stdin) != nullptr &&
	    std::sscanf(line, "%c %zu %u %u", &work, &bytes, &count, &in_flight) == 4)
		if (!caller.run(bytes, count, in_flight))
			return 1;
	return 0;
}

int
main(int argc, char **argv)
{
	if (argc != 3)
		return 2;
	return std::strcmp(argv[1], "serve") == 0 ? serve(argv[2]) : call(argv[2]);
}
