%% SPDX-License-Identifier: BSD-2-Clause
%%
%% What may be on its way to the daemon: sctpd_window.erl. Messages of 488 bytes
%% count 1000, in a window of 16000 with anchors of more than 4000.
-module(sctpd_window_tests).

-include_lib("eunit/include/eunit.hrl").

-define(LENGTH, 488).
-define(KEY, {7, 1}).
-define(OTHER, {7, 2}).

%% An association that has taken a message of LENGTH on stream 3.
warm() ->
    {Table, W} = sctpd_window:new(),
    {Table, warm(?KEY, sctpd_window:limit(64000, W))}.

warm(Key, W) ->
    {Weight, W1} = sctpd_window:ask(Key, no, ?LENGTH, first, W),
    {[], W2} = sctpd_window:done(Key, Weight, sctpd_window:warm(Key, 3, ?LENGTH, W1)),
    W2.

%% As many as there is room for: {weights of the anchors, how many, W}.
fill(Table, Key, W) -> fill(Table, Key, W, [], 0).

fill(Table, Key, W, Anchors, N) ->
    case sctpd_window:take(Table, Key, 0, ?LENGTH) of
        taken ->
            case sctpd_window:taken(Key, ?LENGTH, false, W) of
                {note, W1} -> fill(Table, Key, W1, Anchors, N + 1);
                {Weight, W1} -> fill(Table, Key, W1, Anchors ++ [Weight], N + 1)
            end;
        full -> {Anchors, N, W}
    end.

the_first_is_waited_for_test() ->
    {Table, W} = sctpd_window:new(),
    no = sctpd_window:take(Table, ?KEY, 0, 1),
    no = sctpd_window:take(undefined, ?KEY, 0, 1),
    _ = warm(?KEY, sctpd_window:limit(64000, W)),
    taken = sctpd_window:take(Table, ?KEY, 0, 1).

what_is_larger_is_waited_for_test_() ->
    {Table, _} = warm(),
    [?_assertEqual(Want, sctpd_window:take(Table, ?KEY, Stream, Length)) || {Want, Stream, Length} <- [
        {no, 4, 1}, {no, 0, ?LENGTH + 1}, {no, 0, 0}, {no, -1, 1}, {taken, 3, ?LENGTH}]].

what_is_larger_is_known_then_test() ->
    {Table, W} = warm(),
    _ = sctpd_window:warm(?KEY, 0, 1000, W),
    taken = sctpd_window:take(Table, ?KEY, 3, 1000).

a_quarter_is_an_anchor_test() ->
    {Table, W} = warm(),
    {[5000, 5000, 5000], 16, W1} = fill(Table, ?KEY, W),
    full = sctpd_window:take(Table, ?KEY, 0, 1),
    {[], W2} = sctpd_window:done(?KEY, 5000, W1),
    {[5000], 5, _} = fill(Table, ?KEY, W2).

others_go_on_test() ->
    {Table, W} = warm(),
    {_, 16, W1} = fill(Table, ?KEY, W),
    {_, 16, _} = fill(Table, ?OTHER, warm(?OTHER, W1)).

all_together_have_a_window_test() ->
    {Table, W} = warm(),
    Keys = [?KEY, ?OTHER, {8, 1}, {8, 2}],
    W1 = lists:foldl(fun warm/2, W, tl(Keys)),
    Fill = fun(Key, {N, V}) -> {_, M, V1} = fill(Table, Key, V), {N + M, V1} end,
    {N, _} = lists:foldl(Fill, {0, W1}, Keys),
    true = N >= 32 andalso N =< 4 * 16 - 8.

%% In order, and nobody passes them.
who_waits_is_next_test() ->
    {Table, W} = warm(),
    {_, 16, W1} = fill(Table, ?KEY, W),
    {wait, W2} = sctpd_window:ask(?KEY, full, ?LENGTH, a, W1),
    {wait, W3} = sctpd_window:ask(?KEY, no, ?LENGTH, b, W2),
    2 * ?LENGTH = sctpd_window:waiting(W3),
    {[{2000, a}, {1000, b}], W4} = sctpd_window:done(?KEY, 5000, W3),
    0 = sctpd_window:waiting(W4),
    {_, 3, _} = fill(Table, ?KEY, W4).

nobody_passes_who_waits_test() ->
    {Table, W} = warm(),
    {_, 16, W1} = fill(Table, ?KEY, W),
    {wait, W2} = sctpd_window:ask(?KEY, full, 15000, long, W1),
    {[], W3} = sctpd_window:done(?KEY, 5000, W2),
    full = sctpd_window:take(Table, ?KEY, 0, 1),
    {wait, _} = sctpd_window:ask(?KEY, full, 1, short, W3).

%% The tail has no answer to wait for.
one_goes_when_no_anchor_is_under_way_test() ->
    {Table, W} = warm(),
    taken = sctpd_window:take(Table, ?KEY, 0, ?LENGTH),
    {note, W1} = sctpd_window:taken(?KEY, ?LENGTH, false, W),
    {Weight, _} = sctpd_window:ask(?KEY, no, 1000000, long, W1),
    ?assertEqual(1000 + 1000000 + 512, Weight).

an_anchor_when_there_must_be_one_test() ->
    {Table, W} = warm(),
    taken = sctpd_window:take(Table, ?KEY, 0, ?LENGTH),
    {1000, _} = sctpd_window:taken(?KEY, ?LENGTH, true, W).

what_changes_cools_test_() ->
    [fun() ->
        {Table, W} = warm(),
        W1 = warm({8, 1}, W),
        _ = Change(Table, W1),
        no = sctpd_window:take(Table, ?KEY, 0, 1),
        taken = sctpd_window:take(Table, {8, 1}, 0, 1)
     end || Change <- [
        fun(Table, _) -> sctpd_window:cool(Table, 7) end,
        fun(_, W) -> sctpd_window:ended(?KEY, W) end,
        fun(_, W) -> sctpd_window:close(7, W) end,
        fun(_, W) -> sctpd_window:forget(7, W) end,
        fun(_, W) -> sctpd_window:resize(7, 100, W) end]].

what_a_flow_had_under_way_counts_after_it_cooled_test() ->
    {Table, W} = warm(),
    {[A, B, C], 16, W1} = fill(Table, ?KEY, W),
    W2 = sctpd_window:warm(?KEY, 0, ?LENGTH, sctpd_window:ended(?KEY, W1)),
    full = sctpd_window:take(Table, ?KEY, 0, 1),
    Done = fun(Weight, V) -> {[], V1} = sctpd_window:done(?KEY, Weight, V), V1 end,
    {_, 15, _} = fill(Table, ?KEY, lists:foldl(Done, W2, [A, B, C])).

a_smaller_window_test() ->
    {Table, W} = warm(),
    W1 = warm(?KEY, sctpd_window:resize(7, 4000, W)),
    {_, 4, W2} = fill(Table, ?KEY, W1),
    {Weight, W3} = sctpd_window:ask(?KEY, no, ?LENGTH, a, W2),  % who waits for the answer has the connection's
    true = is_integer(Weight),
    {wait, _} = sctpd_window:ask(?KEY, full, ?LENGTH, b, W3).

without_a_window_all_are_waited_for_test() ->
    {Table, W} = warm(),
    W1 = warm(?KEY, sctpd_window:resize(7, 0, W)),
    no = sctpd_window:take(Table, ?KEY, 0, 1),
    _ = warm(?KEY, sctpd_window:resize(7, auto, W1)),
    taken = sctpd_window:take(Table, ?KEY, 0, 1).

a_close_gives_back_who_waits_test() ->
    {Table, W} = warm(),
    {_, 16, W1} = fill(Table, ?KEY, W),
    {wait, W2} = sctpd_window:ask(?KEY, full, ?LENGTH, a, W1),
    {wait, W3} = sctpd_window:ask(?KEY, no, ?LENGTH, b, W2),
    {[a, b], W4} = sctpd_window:close(7, W3),
    {[], W5} = sctpd_window:done(?KEY, 5000, W4),
    {[], _} = sctpd_window:forget(7, W5).

the_table_ends_with_the_connection_test() ->
    {Table, _} = warm(),
    true = ets:delete(Table),
    no = sctpd_window:take(Table, ?KEY, 0, 1),
    ok = sctpd_window:cool(Table, 7).
