%% SPDX-License-Identifier: BSD-2-Clause
%%
%% How much may be on its way to the daemon. A send need not wait for its answer
%% as long as there is room in the window of its association, and whoever sends
%% finds that out by itself, in a table, and does not ask the connection.
%%
%% A send is only not waited for where it cannot be refused as far as can be
%% known: the association has taken a message that was waited for, and neither
%% the stream nor the length is larger than one that it took. What may change
%% that (options, an end, an error) takes the association out of the table, and
%% the next send is waited for again (cool).
%%
%% Messages that nobody waits for are notifications, which the daemon does not
%% answer. But one after each quarter of the window is a request, an anchor: as
%% those of an association keep their order, its answer says that the stack has
%% taken that message and all before it. What came after the last anchor is the
%% tail. When no anchor is under way one more message may go, whatever there is in
%% the tail, as an anchor: so nobody waits for an answer that does not come.
%%
%% All associations together have a window, too, because the daemon stops reading
%% who has too much waiting for room, and that would be every socket of the
%% connection. Anchors count there, with what came before them.
-module(sctpd_window).

-export([take/4, cool/2, cool/1]).
-export([new/0, limit/2, resize/3, taken/4, ask/5, done/3, warm/4, ended/2, close/2, forget/2,
         waiting/1]).
-export_type([table/0]).

-define(COST, 512).             % what the daemon charges beside a message, and more
-define(CLOSED, (1 bsl 40)).    % is added to the count while somebody waits
-define(ANCHORS, 4).            % in a window

-type table() :: ets:tid().
-type key() :: {Sock :: non_neg_integer(), Assoc :: non_neg_integer()}.
-type waiter() :: term().

%% Rows of the table: {Key, Count, Total, Window, Most, Stream, Length}. Count and
%% Total are the bytes of the association and of all; Window and Most bound them.
-record(flow, {
    count :: atomics:atomics_ref(),
    window :: non_neg_integer(),
    anchors = 0 :: non_neg_integer(),
    tail = 0 :: non_neg_integer(),
    waits = queue:new() :: queue:queue({Cost :: pos_integer(), Room :: non_neg_integer(), waiter()})
}).

-record(window, {
    table :: table(),
    total :: atomics:atomics_ref(),
    size = 0 :: non_neg_integer(), most = 0 :: non_neg_integer(),
    sizes = #{} :: #{Sock :: non_neg_integer() => non_neg_integer()},
    flows = #{} :: #{Sock :: non_neg_integer() => #{Assoc :: non_neg_integer() => #flow{}}}
}).

%% ---- for those that send ---------------------------------------------------------

%% May a message go without being waited for? taken; full: it may when there is
%% room; no: it is to be waited for.
-spec take(table() | undefined, key(), Stream :: integer(), Length :: integer()) -> taken | full | no.
take(undefined, _, _, _) ->
    no;
take(Table, Key, Stream, Length) ->
    try ets:lookup(Table, Key) of
        [{_, Count, Total, Window, Most, Streams, Longest}]
          when Stream >= 0, Stream =< Streams, Length > 0, Length =< Longest ->
            place_for(Count, Length + ?COST, Window, atomics:get(Total, 1) < Most);
        _ -> no
    catch
        error:badarg -> no      % the connection is gone
    end.

place_for(Count, Cost, Window, true) ->
    case atomics:add_get(Count, 1, Cost) =< Window of
        true -> taken;
        false -> atomics:sub(Count, 1, Cost), full
    end;
place_for(_, _, _, false) ->
    full.

%% Something changes by which a send may be refused, on a socket or an association.
-spec cool(table() | undefined, Sock :: non_neg_integer()) -> ok.
cool(undefined, _) -> ok;
cool(Table, Sock) ->
    try ets:match_delete(Table, {{Sock, '_'}, '_', '_', '_', '_', '_', '_'}), ok
    catch error:badarg -> ok
    end.

-spec cool({table(), key()}) -> ok.
cool({Table, {Sock, _} = Key}) ->
    ets:delete(Table, Key),
    ets:delete(Table, {Sock, 0}),
    ok.

%% ---- for the connection ----------------------------------------------------------

-spec new() -> {table(), #window{}}.
new() ->
    Table = ets:new(?MODULE, [ordered_set, public, {read_concurrency, true}]),
    {Table, #window{table = Table, total = atomics:new(1, [])}}.

%% The daemon's client_queue is known.
-spec limit(pos_integer(), #window{}) -> #window{}.
limit(Queue, W) -> W#window{size = Queue div 4, most = Queue div 2}.

%% The window of a socket's associations is at most so large. With 0 each send is waited for.
-spec resize(Sock :: non_neg_integer(), auto | non_neg_integer(), #window{}) -> #window{}.
resize(Sock, Size, #window{table = Table, sizes = Sizes, flows = Flows} = W) ->
    cool(Table, Sock),
    W1 = case Size of
        auto -> W#window{sizes = maps:remove(Sock, Sizes)};
        _ -> W#window{sizes = Sizes#{Sock => Size}}
    end,
    case Flows of
        #{Sock := Of} ->
            W1#window{flows = Flows#{Sock := maps:map(fun(_, F) -> F#flow{window = window(Sock, W1)} end, Of)}};
        _ -> W1
    end.

window(Sock, #window{size = Size, sizes = Sizes}) -> min(Size, maps:get(Sock, Sizes, Size)).

flow({Sock, Id}, #window{flows = Flows} = W) ->
    case Flows of
        #{Sock := #{Id := F}} -> F;
        _ -> #flow{count = atomics:new(1, []), window = window(Sock, W)}
    end.

put({Sock, Id}, F, #window{flows = Flows} = W) ->
    case Flows of
        #{Sock := Of} -> W#window{flows = Flows#{Sock := Of#{Id => F}}};
        _ -> W#window{flows = Flows#{Sock => #{Id => F}}}
    end.

drop({Sock, Id}, #window{flows = Flows} = W) ->
    case maps:remove(Id, maps:get(Sock, Flows, #{})) of
        Left when map_size(Left) =:= 0 -> W#window{flows = maps:remove(Sock, Flows)};
        Left -> W#window{flows = Flows#{Sock => Left}}
    end.

%% A message came that was taken: is it an anchor, and of which weight? Must says
%% that it is to be one.
-spec taken(key(), Length :: pos_integer(), Must :: boolean(), #window{}) ->
    {note | pos_integer(), #window{}}.
taken(Key, Length, Must, W) -> place(Key, Length + ?COST, Must, flow(Key, W), W).

place(Key, Cost, Must, #flow{tail = Tail, anchors = N, window = Size} = F, #window{total = Total, most = Most} = W) ->
    Weight = Tail + Cost,
    case Must orelse Weight > Size div ?ANCHORS orelse atomics:get(Total, 1) >= Most of
        true ->
            atomics:add(Total, 1, Weight),
            {Weight, put(Key, F#flow{tail = 0, anchors = N + 1}, W)};
        false ->
            {note, put(Key, F#flow{tail = Weight}, W)}
    end.

%% Somebody asks to send, as an anchor: of which weight, or wait. What is answered
%% before the daemon answers (full) has its place in the socket's window, and else
%% in that of the connection.
-spec ask(key(), full | no, Length :: non_neg_integer(), waiter(), #window{}) ->
    {wait | pos_integer(), #window{}}.
ask(Key, Why, Length, Waiter, W) ->
    Cost = Length + ?COST,
    #flow{count = Count, waits = Waits, window = Size} = F = flow(Key, W),
    Room = case Why of full -> Size; no -> W#window.size end,
    Free = queue:is_empty(Waits),
    case Free andalso fits(Cost, Room, F, W) of
        true ->
            atomics:add(Count, 1, Cost),
            place(Key, Cost, true, F, W);
        false ->
            _ = Free andalso atomics:add(Count, 1, ?CLOSED),
            {wait, put(Key, F#flow{waits = queue:in({Cost, Room, Waiter}, Waits)}, W)}
    end.

fits(_, _, #flow{anchors = 0}, _) ->
    true;
fits(Cost, Room, #flow{count = Count}, #window{total = Total, most = Most}) ->
    atomics:get(Count, 1) + Cost =< Room andalso atomics:get(Total, 1) + Cost =< Most.

%% An anchor of that weight is answered: who may send now, first to last, each
%% with the weight of its anchor.
-spec done(key(), Weight :: pos_integer(), #window{}) -> {[{pos_integer(), waiter()}], #window{}}.
done({Sock, Id} = Key, Weight, #window{total = Total, flows = Flows} = W) ->
    atomics:sub(Total, 1, Weight),
    case Flows of
        #{Sock := #{Id := #flow{count = Count, anchors = N} = F}} ->
            atomics:sub(Count, 1, Weight),
            released(Key, F#flow{anchors = N - 1}, W, []);
        _ -> {[], W}
    end.

released(Key, #flow{waits = Waits, count = Count} = F, W, Ready) ->
    case queue:peek(Waits) of
        {value, {Cost, Room, Waiter}} ->
            case fits(Cost, Room + ?CLOSED, F, W) of
                true ->
                    Left = queue:drop(Waits),
                    atomics:add(Count, 1, case queue:is_empty(Left) of
                        true -> Cost - ?CLOSED;
                        false -> Cost
                    end),
                    {Weight, W1} = place(Key, Cost, true, F#flow{waits = Left}, W),
                    released(Key, flow(Key, W1), W1, [{Weight, Waiter} | Ready]);
                false ->
                    {lists:reverse(Ready), put(Key, F, W)}
            end;
        empty ->
            {lists:reverse(Ready), kept(Key, F, W)}
    end.

%% An association that is in the table has its flow, which the table refers to.
kept(Key, #flow{anchors = 0, waits = Waits} = F, #window{table = Table} = W) ->
    case queue:is_empty(Waits) andalso not ets:member(Table, Key) of
        true -> drop(Key, W);
        false -> put(Key, F, W)
    end;
kept(Key, F, W) ->
    put(Key, F, W).

%% A message that was waited for was taken: others like it need not be.
-spec warm(key(), Stream :: non_neg_integer(), Length :: non_neg_integer(), #window{}) -> #window{}.
warm(Key, Stream, Length, #window{table = Table, total = Total, most = Most} = W) ->
    case flow(Key, W) of
        #flow{window = 0} ->
            W;
        #flow{count = Count, window = Size} = F ->
            {S, L} = case ets:lookup(Table, Key) of
                [{_, _, _, _, _, Streams, Longest}] -> {max(Stream, Streams), max(Length, Longest)};
                [] -> {Stream, Length}
            end,
            ets:insert(Table, {Key, Count, Total, Size, Most, S, L}),
            put(Key, F, W)
    end.

%% The association is over, or something of it was refused.
-spec ended(key(), #window{}) -> #window{}.
ended({Sock, Id} = Key, #window{table = Table, flows = Flows} = W) ->
    cool({Table, Key}),
    case Flows of
        #{Sock := #{Id := F}} -> kept(Key, F, W);
        _ -> W
    end.

%% The socket is being closed: who waits gets no place any more.
-spec close(Sock :: non_neg_integer(), #window{}) -> {[waiter()], #window{}}.
close(Sock, #window{table = Table, flows = Flows} = W) ->
    cool(Table, Sock),
    Of = maps:get(Sock, Flows, #{}),
    Waiters = [Waiter || #flow{waits = Waits} <- maps:values(Of), {_, _, Waiter} <- queue:to_list(Waits)],
    {Waiters, maps:fold(fun(Id, F, W1) ->
        _ = queue:is_empty(F#flow.waits) orelse atomics:sub(F#flow.count, 1, ?CLOSED),
        kept({Sock, Id}, F#flow{waits = queue:new()}, W1)
    end, W, Of)}.

%% It is closed.
-spec forget(Sock :: non_neg_integer(), #window{}) -> {[waiter()], #window{}}.
forget(Sock, W) ->
    {Waiters, #window{flows = Flows, sizes = Sizes} = W1} = close(Sock, W),
    {Waiters, W1#window{flows = maps:remove(Sock, Flows), sizes = maps:remove(Sock, Sizes)}}.

%% Bytes that have no place.
-spec waiting(#window{}) -> non_neg_integer().
waiting(#window{flows = Flows}) ->
    lists:sum([Cost - ?COST || Of <- maps:values(Flows), #flow{waits = Waits} <- maps:values(Of),
                               {Cost, _, _} <- queue:to_list(Waits)]).
