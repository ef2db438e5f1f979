// Preloaded with --require: the wire producer then finds no native crc32c, as on a machine for which there is no binary.
const { Module } = require("node:module");

const load = Module._load;
Module._load = function (request, ...rest) {
  if (request === "@node-rs/crc32") throw new Error(`${request} is hidden from this process`);
  return load.call(this, request, ...rest);
};
