// What require("@msgpack/msgpack") finds where NODE_PATH is the folder above.
module.exports = require("../../msgpack.min.js");
