// js-node.js HOST PORT [HOST:PORT,...]: a node of the DHT, of the JavaScript
// packages.
'use strict'
const DHT = require('hyperdht')

const [host, port, nodes] = process.argv.slice(2)
const node = new DHT({
  ephemeral: false,
  firewalled: false,
  host,
  port: Number(port),
  anyPort: false,
  bootstrap: (nodes ? nodes.split(',') : []).map((n) => ({ host: n.split(':')[0], port: Number(n.split(':')[1]) }))
})
node.fullyBootstrapped().then(() => console.log(JSON.stringify({ tag: 'listening', data: node.address() })))
