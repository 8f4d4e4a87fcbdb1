# SPDX-License-Identifier: BSD-2-Clause
# A first program with libdata-messagepack-perl: all strings, keys too, are bin there, and undef is nil.
use strict;
use warnings;
use Data::MessagePack;
use IO::Socket::UNIX;

my $sctpd = IO::Socket::UNIX->new(Peer => $ENV{SCTPD_SOCKET} // "/run/sctpd/sctpd.sock") or die "connect: $!";
my $id = 0;

sub call {
	my ($method, $args) = @_;
	$sctpd->syswrite(Data::MessagePack->pack([0, ++$id, $method, [$args]]));
	my ($unpacker, $input, $at) = (Data::MessagePack::Unpacker->new, "", 0);
	until ($unpacker->is_finished) {
		$sctpd->sysread($input, 65536, length $input) or die "sctpd is gone";
		$at = $unpacker->execute($input, $at);
	}
	my ($kind, $for, $error, $result) = @{$unpacker->data};
	die "an answer to $for" if $kind != 1 || $for != $id;
	return ($result, $error);
}

call("hello", {name => "perl", resume => undef});
my ($server) = call("open", {ip => "127.0.0.1", port => undef, options => {active => Data::MessagePack::false()}});
call("listen", {sock => $server->{sock}});
my ($client) = call("open", undef);
my ($up) = call("connect", {sock => $client->{sock}, addr => "127.0.0.1", port => $server->{port}, timeout => "infinity"});
print +(call("recv", {sock => $server->{sock}, timeout => 20000}))[0]->{state}, "\n";
call("send", {sock => $client->{sock}, assoc_id => $up->{assoc_id}, stream => 2, data => "hello"});
print +(call("recv", {sock => $server->{sock}, timeout => 20000}))[0]->{data}, "\n";
print +(call("open", {port => 80.5}))[1], "\n";
