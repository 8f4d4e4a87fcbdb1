#!/usr/bin/env escript
%% SPDX-License-Identifier: BSD-2-Clause
%%
%% Builds the tarball that hex.pm takes: package.escript FOLDER, which "make
%% erlang-dist" calls. It needs no network, no rebar3 and no hex, whose own
%% builders fetch packages: the format is three files and their checksum. It is
%% the same bytes wherever it is made: no file in it has a time or an owner.
-mode(compile).

main([Folder]) ->
    Here = filename:dirname(filename:absname(escript:script_name())),
    {ok, [{application, sctpd, App}]} = file:consult(filename:join([Here, "src", "sctpd.app.src"])),
    Files = files(Here),
    Version = <<"3">>,
    Metadata = metadata(App, [Name || {Name, _} <- Files]),
    Contents = zlib:gzip(tar(Folder, Files)),
    Sum = binary:encode_hex(crypto:hash(sha256, [Version, Metadata, Contents])),
    Path = filename:join(Folder, "sctpd-" ++ proplists:get_value(vsn, App) ++ ".tar"),
    ok = file:write_file(Path, tar(Folder, [{"VERSION", Version}, {"CHECKSUM", Sum},
                                            {"metadata.config", Metadata},
                                            {"contents.tar.gz", Contents}])),
    io:format("~ts~n", [Path]);
main(_) ->
    io:format(standard_error, "package.escript takes the folder to write to~n", []),
    halt(2).

%% What belongs to the package: names and bytes.
files(Here) ->
    Names = lists:append([lists:sort(filelib:wildcard(Pattern, Here))
                          || Pattern <- ["README.md", "rebar.config", "include/*.hrl",
                                         "src/*.app.src", "src/*.erl"]]),
    Licence = filename:join([Here, "..", "..", "LICENSE"]),
    [{"LICENSE", read(Licence)} | [{Name, read(filename:join(Here, Name))} || Name <- Names]].

read(Path) ->
    {ok, Bytes} = file:read_file(Path),
    Bytes.

metadata(App, Names) ->
    Text = fun(Key) -> unicode:characters_to_binary(proplists:get_value(Key, App)) end,
    iolist_to_binary([io_lib:format("~tp.~n", [Pair]) || Pair <- [
        {<<"app">>, <<"sctpd">>},
        {<<"name">>, <<"sctpd">>},
        {<<"version">>, Text(vsn)},
        {<<"description">>, Text(description)},
        {<<"licenses">>, [list_to_binary(L) || L <- proplists:get_value(licenses, App)]},
        {<<"links">>, []},
        {<<"build_tools">>, [<<"rebar3">>]},
        {<<"requirements">>, []},
        {<<"files">>, [list_to_binary(Name) || Name <- Names]}]]).

tar(Folder, Files) ->
    Path = filename:join(Folder, "package.tmp"),
    {ok, Tar} = erl_tar:open(Path, [write]),
    _ = [ok = erl_tar:add(Tar, Bytes, Name, [{atime, 0}, {mtime, 0}, {ctime, 0}, {uid, 0}, {gid, 0}])
         || {Name, Bytes} <- Files],
    ok = erl_tar:close(Tar),
    Made = read(Path),
    ok = file:delete(Path),
    Made.
