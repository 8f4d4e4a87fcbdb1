<?php
// SPDX-License-Identifier: BSD-2-Clause
// A first program with php-msgpack: [] is an empty list there, as a map, too.
$sctpd = stream_socket_client("unix://" . (getenv("SCTPD_SOCKET") ?: "/run/sctpd/sctpd.sock"));
$unpacker = new MessagePackUnpacker();
$id = 0;

function call($method, $args = [])
{
	global $sctpd, $unpacker, $id;
	fwrite($sctpd, msgpack_pack([0, ++$id, $method, [$args]]));
	while (!$unpacker->execute()) {
		$unpacker->feed(fread($sctpd, 65536));
	}
	[$kind, $for, $error, $result] = $unpacker->data();
	$unpacker->reset();
	assert($kind === 1 && $for === $id);
	return $error ?? $result;
}

call("status");
$server = call("open", ["ip" => "127.0.0.1", "port" => null, "options" => []]);
call("listen", ["sock" => $server["sock"], "backlog" => 10 / 2]);
$client = call("open");
$up = call("connect", ["sock" => $client["sock"], "addr" => "127.0.0.1", "port" => $server["port"], "timeout" => 2e4]);
echo call("recv", ["sock" => $server["sock"], "timeout" => 20000])["state"], "\n";
call("send", ["sock" => $client["sock"], "assoc_id" => $up["assoc_id"], "stream" => 4 / 2.0, "data" => "hello"]);
echo call("recv", ["sock" => $server["sock"], "timeout" => 20000])["data"], "\n";
echo call("open", ["port" => 80.5]), "\n";
