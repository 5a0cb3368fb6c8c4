// Loaded before a program that asks for localhost: the name needs no hosts file (RFC 6761, 6.3).
const dns = require('node:dns');
const { lookup } = dns;
dns.lookup = (name, options, done) => lookup(name === 'localhost' ? '127.0.0.1' : name, options, done);
