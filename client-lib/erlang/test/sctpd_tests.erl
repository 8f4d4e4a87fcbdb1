%% SPDX-License-Identifier: BSD-2-Clause
%%
%% What the module says without a daemon.
-module(sctpd_tests).

-include_lib("eunit/include/eunit.hrl").
-include_lib("kernel/include/inet_sctp.hrl").

open_badarg_test_() ->
    [?_assertError(badarg, sctpd:open(Opts)) || Opts <- [
        foo, "a", -1, 65536, [{foo, {1}}], [{sctp_nodelay, 7}], [{type, dgram}], [{ip, {1, 2, 3}}],
        [{port, no_such_service}], [{sctp_rtoinfo, #sctp_rtoinfo{max = -1}}],
        [{ifaddr, #{port => 7}}], [{ifaddr, #{family => inet, addr => {0, 0, 0, 0, 0, 0, 0, 1}}}]]].

badarg_test_() ->
    [?_assertError(badarg, apply(sctpd, F, Args)) || {F, Args} <- [
        {close, [foo]}, {listen, [foo, true]}, {send, [foo, 1, 0, <<>>]}, {send, [foo, #sctp_sndrcvinfo{}, <<>>]},
        {recv, [foo]}, {eof, [foo, 3]}, {abort, [foo, 3]}, {setopts, [foo, []]}, {getopts, [foo, []]},
        {controlling_process, [foo, self()]}, {join, ["g", foo]}, {sockname, [foo]}]].

no_daemon_test() ->
    ?assertEqual({error, enoent}, sctpd:open([{sctpd_socket, "/nowhere/at/all"}])),
    ?assertEqual({error, enoent}, sctpd:join("g", [{sctpd_socket, "/nowhere/at/all"}])).
