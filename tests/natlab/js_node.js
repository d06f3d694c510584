// js_node.js HOST PORT BOOTSTRAP: a persistent node of the DHT. Says "ready".
'use strict'
const DHT = require('hyperdht')

const [host, port, bootstrap] = process.argv.slice(2)
const dht = new DHT({
  host,
  port: Number(port),
  anyPort: false,
  bootstrap: [bootstrap],
  ephemeral: false,
  firewalled: false
})
dht.fullyBootstrapped().then(() => {
  if (dht.ephemeral) dht.once('persistent', () => console.log('ready'))
  else console.log('ready')
})
process.stdin.on('end', () => process.exit(0)).resume()
