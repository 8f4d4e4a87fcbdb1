-- SPDX-License-Identifier: BSD-2-Clause
-- A first program with lua-messagepack and lua-socket: {} is an empty list there, and 10 / 2 a float.
local msgpack = require "MessagePack"
local sctpd = require "socket.unix"()
assert(sctpd:connect(os.getenv "SCTPD_SOCKET" or "/run/sctpd/sctpd.sock"))
sctpd:settimeout(20)

local id, input = 0, ""

local function call(method, args)
   id = id + 1
   sctpd:send(msgpack.pack { 0, id, method, { args } })
   while true do
      local whole, message = pcall(msgpack.unpack, input)
      if whole and input ~= "" then
         input = ""
         assert(message[1] == 1 and message[2] == id)
         return message[4], message[3]
      end
      local all, _, part = sctpd:receive(1)
      input = input .. (all or part)
   end
end

assert(call("status", {}).pid > 0)
local server = call("open", { ip = "127.0.0.1", port = 0.0, options = {} })
call("listen", { sock = server.sock, backlog = 10 / 2 })
local client = call("open", {})
local up = call("connect", { sock = client.sock, addr = "127.0.0.1", port = server.port / 1, options = {}, timeout = 20000.0 })
print(call("recv", { sock = server.sock, timeout = 20000 }).state)
call("send", { sock = client.sock, assoc_id = up.assoc_id, stream = 4 / 2, data = "hello" })
print(call("recv", { sock = server.sock, timeout = 20000 }).data)
local _, why = call("open", { port = 80.5 })
print(why)
