// SPDX-License-Identifier: BSD-2-Clause
"use strict";

const { packedOptions } = require("./events.js");
const { METHODS } = require("./tables.js");

// drain_member is drainMember here.
function camel(name) {
    return name.replace(/_(.)/g, (_, letter) => letter.toUpperCase());
}

// A class with the methods of the table that are of a socket, or of the daemon. Each takes an object of arguments, with
// the names of the reference, and options among them.
function callsOf(whose, Base) {
    class Calls extends Base {}
    for (const { name, of, args } of METHODS) {
        if (of !== whose) continue;
        if (camel(name) in Base.prototype) throw new Error(`${Base.name} has a ${camel(name)} of its own`);
        Calls.prototype[camel(name)] = function (given = {}) {
            return this.call(name, args ? withOptions(given, args) : given);
        };
    }
    return Calls;
}

// What is no argument is an option.
function withOptions(given, args) {
    const call = {}, options = {};
    for (const key in given) (args.includes(key) ? call : options)[key] = given[key];
    return { ...call, options: packedOptions(options) };
}

module.exports = { callsOf };
