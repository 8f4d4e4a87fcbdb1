%% SPDX-License-Identifier: BSD-2-Clause
%%
%% OTP's Diameter over sctpd. over/1 makes, in a folder, OTP's own transport
%% diameter_sctp with its calls of gen_sctp, and those of inet with sockets,
%% renamed. run/0 has two services talk: capabilities are exchanged, N requests
%% are answered, and a peer that ends is seen by the other one.
-module(diameters).

-export([over/1, run/0]).
-export([peer_up/3, peer_down/3, pick_peer/4, prepare_request/3, prepare_retransmit/3,
         handle_answer/4, handle_error/4, handle_request/3]).

-include_lib("diameter/include/diameter.hrl").

-define(LO, {127, 0, 0, 1}).
-define(REQUESTS, 100).

%% OTP's transport, as it is compiled there, with other calls.
over(Folder) ->
    Beam = filename:join([code:lib_dir(diameter), "ebin", "diameter_sctp.beam"]),
    {ok, {_, [{abstract_code, {raw_abstract_v1, Forms}}]}} = beam_lib:chunks(Beam, [abstract_code]),
    {ok, diameter_sctp, New} = compile:forms(renamed(Forms), []),
    ok = file:write_file(filename:join(Folder, "diameter_sctp.beam"), New).

renamed({remote, Line, {atom, _, Module}, Function}) when Module =:= gen_sctp; Module =:= inet ->
    {remote, Line, {atom, Line, sctpd}, Function};
renamed(Form) when is_tuple(Form) -> list_to_tuple(renamed(tuple_to_list(Form)));
renamed([Form | Forms]) -> [renamed(Form) | renamed(Forms)];
renamed(Form) -> Form.

%% ---- two services --------------------------------------------------------------

run() ->
    ok = diameter:start(),
    [ok = started(Name) || Name <- [server, client]],
    {ok, Listener} = diameter:add_transport(server, {listen, transport([{ip, ?LO}, {port, 0}])}),
    [Port] = ports(Listener),
    {ok, _} = diameter:add_transport(client, {connect, transport([{ip, ?LO}, {raddr, ?LO}, {rport, Port}])}),
    [up(Name) || Name <- [server, client]],
    over_sctpd(),
    io:format("up~n"),
    Me = self(),
    Callers = [spawn_link(fun() -> requests(N, Me) end) || N <- [1, 2, 3, 4]],
    [receive {Caller, done} -> ok after 30000 -> error(no_answers) end || Caller <- Callers],
    io:format("answered ~w~n", [length(Callers) * ?REQUESTS]),
    ok = diameter:stop_service(client),
    down(server),
    ok = diameter:stop_service(server),
    io:format("done~n").

started(Name) ->
    true = diameter:subscribe(Name),
    Host = atom_to_list(Name),
    diameter:start_service(Name, [
        {'Origin-Host', Host ++ ".example.org"}, {'Origin-Realm', "example.org"},
        {'Host-IP-Address', [?LO]}, {'Vendor-Id', 0}, {'Product-Name', Host},
        {'Auth-Application-Id', [0]}, {decode_format, map}, {string_decode, false},
        {application, [{alias, common}, {dictionary, diameter_gen_base_rfc6733}, {module, ?MODULE}]}]).

transport(Config) ->
    [{transport_module, diameter_sctp}, {transport_config, Config}].

%% The listener has its port a moment later.
ports(Ref) ->
    case diameter_sctp:ports(Ref) of
        [] -> receive after 10 -> ports(Ref) end;
        Ports -> [Port || {listen, Port, _} <- Ports]
    end.

up(Name) ->
    receive #diameter_event{service = Name, info = Info} when element(1, Info) =:= up -> ok
    after 20000 -> error({not_up, Name})
    end.

down(Name) ->
    receive #diameter_event{service = Name, info = Info} when element(1, Info) =:= down -> ok
    after 20000 -> error({not_down, Name})
    end.

%% The sockets are sctpd's: of the listener, of what was peeled off, and of the client. Diameter
%% reads their statistics.
over_sctpd() ->
    [_, _, _] = supervisor:which_children(sctpd_socket_sup),
    [Transport] = diameter:service_info(client, transport),
    {statistics, Statistics} = lists:keyfind(statistics, 1, proplists:get_value(port, Transport)),
    true = proplists:get_value(send_cnt, Statistics) > 0.

%% ---- requests --------------------------------------------------------------------

requests(N, Parent) ->
    [request(N, I) || I <- lists:seq(1, ?REQUESTS)],
    Parent ! {self(), done}.

%% Of some size, so that several are under way.
request(N, I) ->
    Session = iolist_to_binary(io_lib:format("client;~w;~w;~s", [N, I, lists:duplicate(I * 20, $x)])),
    Request = ['RAR' | #{'Session-Id' => Session, 'Auth-Application-Id' => 0, 'Re-Auth-Request-Type' => 0}],
    {ok, ['RAA' | #{'Session-Id' := Session, 'Result-Code' := 2001}]} =
        diameter:call(client, common, Request, [{timeout, 20000}]).

peer_up(_, _, State) -> State.
peer_down(_, _, State) -> State.

pick_peer([Peer | _], _, client, _) -> {ok, Peer}.

prepare_request(#diameter_packet{msg = ['RAR' | Avps]}, _, {_, Caps}) ->
    #diameter_caps{origin_host = {Host, ToHost}, origin_realm = {Realm, ToRealm}} = Caps,
    {send, ['RAR' | Avps#{'Origin-Host' => Host, 'Origin-Realm' => Realm,
                          'Destination-Host' => ToHost, 'Destination-Realm' => ToRealm}]}.

prepare_retransmit(Packet, Service, Peer) -> prepare_request(Packet, Service, Peer).

handle_answer(#diameter_packet{msg = Answer, errors = []}, _, _, _) -> {ok, Answer}.

handle_error(Reason, _, _, _) -> {error, Reason}.

handle_request(#diameter_packet{msg = ['RAR' | #{'Session-Id' := Session}], errors = []}, server, {_, Caps}) ->
    #diameter_caps{origin_host = {Host, _}, origin_realm = {Realm, _}} = Caps,
    {reply, ['RAA' | #{'Session-Id' => Session, 'Result-Code' => 2001,
                       'Origin-Host' => Host, 'Origin-Realm' => Realm}]}.
