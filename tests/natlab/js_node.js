// js_node.js HOST PORT BOOTSTRAP: a persistent node of the DHT. Says "ready".
'use strict'
const persistent = require('./js_persistent')

const [host, port, bootstrap] = process.argv.slice(2)
const dht = persistent(host, port, bootstrap)
dht.fullyBootstrapped().then(() => {
  if (dht.ephemeral) dht.once('persistent', () => console.log('ready'))
  else console.log('ready')
})
process.stdin.on('end', () => process.exit(0)).resume()
