// Loaded into the CLI before anything else: the host of AWS in this variable is this machine.
// Subscriptions go over HTTP/2 to hosts of AWS only.
const dns = require("node:dns");
const process = require("node:process");

const host = process.env["PULSAR_TS_IO_BENCH_LOOPBACK_HOST"];
const real = dns.lookup;
dns.lookup = (name, ...rest) => Reflect.apply(real, dns, [name === host ? "127.0.0.1" : name, ...rest]);
