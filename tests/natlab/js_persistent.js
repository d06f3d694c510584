// js_persistent.js: a node of the DHT that everybody reaches, with an address
// of its own and another node to begin with.
'use strict'
const DHT = require('hyperdht')

module.exports = (host, port, bootstrap) => new DHT({
  host,
  port: Number(port),
  anyPort: false,
  bootstrap: [bootstrap],
  ephemeral: false,
  firewalled: false
})
