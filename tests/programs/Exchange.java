/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Java's com.sun.nio.sctp: many associations with a selector, and a message of 200 kB. "serve PORT" and "talk PORT" are
 * the two sides, which use that port and the next one; without arguments it is both.
 */
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

	static ByteBuffer large() {
		ByteBuffer	b = ByteBuffer.allocate(LARGE);

		for (int i = 0; i < LARGE; i++)
			b.put((byte)(i * 7));
		return b.flip();
	}

	static SctpServerChannel listen(int port) throws Exception {
		return SctpServerChannel.open().bind(new InetSocketAddress("127.0.0.1", port));
	}

	static void serveAll(SctpServerChannel many, SctpServerChannel one) throws Exception {
		serve(many);
		SctpChannel	c = one.accept();
		if (!receive(c, LARGE).equals(large()))
			throw new Exception("the large message is another");
		c.close();
	}

	static void talk(SocketAddress many, SocketAddress one) throws Exception {
		for (int i = 0; i < ASSOCIATIONS; i++) {
			SctpChannel	c = SctpChannel.open(many, 3, 3);
			ByteBuffer	b = ByteBuffer.wrap(("message " + i).getBytes());
			int		size = b.remaining();

			c.send(b, MessageInfo.createOutgoing(null, i % 3).payloadProtocolID(46));
			String		got = new String(receive(c, size).array());
			if (!got.equals("message " + i))
				throw new Exception("got " + got);
			c.close();
		}
		SctpChannel	c = SctpChannel.open(one, 2, 2);
		c.send(large(), MessageInfo.createOutgoing(null, 1));
		c.shutdown();
		while (c.receive(ByteBuffer.allocateDirect(100), null, null).bytes() != -1)
			;
		c.close();
	}

	static void both() throws Exception {
		SctpServerChannel	many = listen(0), one = listen(0);
		Thread			thread = new Thread(() -> {
			try {
				serveAll(many, one);
			} catch (Exception e) {
				e.printStackTrace();
				System.exit(1);
			}
		});

		thread.start();
		talk(many.getAllLocalAddresses().iterator().next(), one.getAllLocalAddresses().iterator().next());
		thread.join();
	}

	public static void main(String[] args) throws Exception {
		int	port = args.length == 2 ? Integer.parseInt(args[1]) : 0;

		if (port == 0)
			both();
		else if (args[0].equals("serve"))
			serveAll(listen(port), listen(port + 1));
		else
			talk(new InetSocketAddress("127.0.0.1", port), new InetSocketAddress("127.0.0.1", port + 1));
		System.out.println("well");
	}
}
