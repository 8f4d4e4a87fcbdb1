/* SPDX-License-Identifier: BSD-2-Clause */
/* Java's com.sun.nio.sctp with itself: many associations with a selector, and a message of 200 kB. */
import com.sun.nio.sctp.*;
import java.net.*;
import java.nio.ByteBuffer;
import java.nio.channels.*;
import java.nio.file.*;

public class Exchange {
	static final int	ASSOCIATIONS = 40, LARGE = 200000;

	static ByteBuffer receive(SctpChannel c, int size) throws Exception {
		ByteBuffer	all = ByteBuffer.allocate(size), part = ByteBuffer.allocateDirect(65536);

		while (all.hasRemaining()) {
			part.clear();
			if (c.receive(part, null, null) == null)
				throw new Exception("the end came early");
			part.flip();
			all.put(part);
		}
		return all.flip();
	}

	static void serve(SctpServerChannel server) throws Exception {
		Selector	selector = Selector.open();
		ByteBuffer	buffer = ByteBuffer.allocateDirect(65536);
		int		ended = 0;

		server.configureBlocking(false);
		server.register(selector, SelectionKey.OP_ACCEPT);
		while (ended < ASSOCIATIONS) {
			selector.select();
			for (SelectionKey key : selector.selectedKeys()) {
				if (key.isAcceptable()) {
					SctpChannel	c = server.accept();

					if (c == null)
						continue;
					c.configureBlocking(false);
					c.register(selector, SelectionKey.OP_READ);
				} else {
					SctpChannel	c = (SctpChannel)key.channel();

					buffer.clear();
					MessageInfo	info = c.receive(buffer, null, null);
					if (info != null && info.bytes() == -1) {
						c.close();
						ended++;
					} else if (info != null) {
						buffer.flip();
						c.send(buffer, MessageInfo.createOutgoing(null, info.streamNumber()).payloadProtocolID(info.payloadProtocolID()));
					}
				}
			}
			selector.selectedKeys().clear();
		}
	}

	static void large() throws Exception {
		SctpServerChannel	server = SctpServerChannel.open().bind(new InetSocketAddress("127.0.0.1", 0));
		SocketAddress		at = server.getAllLocalAddresses().iterator().next();
		SctpChannel		c = SctpChannel.open(at, 2, 2);
		SctpChannel		s = server.accept();
		ByteBuffer		sent = ByteBuffer.allocate(LARGE);

		for (int i = 0; i < LARGE; i++)
			sent.put((byte)(i * 7));
		sent.flip();
		c.send(sent, MessageInfo.createOutgoing(null, 1));
		if (!receive(s, LARGE).equals(sent.flip()))
			throw new Exception("the large message is another");
		c.close();
		s.close();
		server.close();
	}

	public static void main(String[] args) throws Exception {
		SctpServerChannel	server = SctpServerChannel.open().bind(new InetSocketAddress("127.0.0.1", 0));
		SocketAddress		at = server.getAllLocalAddresses().iterator().next();
		Thread			thread = new Thread(() -> {
			try {
				serve(server);
			} catch (Exception e) {
				e.printStackTrace();
				System.exit(1);
			}
		});

		thread.start();
		for (int i = 0; i < ASSOCIATIONS; i++) {
			SctpChannel	c = SctpChannel.open(at, 3, 3);
			ByteBuffer	b = ByteBuffer.wrap(("message " + i).getBytes());
			int		size = b.remaining();

			c.send(b, MessageInfo.createOutgoing(null, i % 3).payloadProtocolID(46));
			String		got = new String(receive(c, size).array());
			if (!got.equals("message " + i))
				throw new Exception("got " + got);
			c.close();
		}
		thread.join();
		large();
		System.out.println("well");
	}
}
