// js-net.js: a DHT of HyperDHT nodes on this machine, until it is told to end.
'use strict'
const createTestnet = require('hyperdht/testnet')

createTestnet(5, { host: '127.0.0.1', port: 0 }).then((net) => {
  const nodes = net.bootstrap.map((n) => '127.0.0.1:' + n.port)
  process.stdout.write(JSON.stringify({ tag: 'bootstrap', data: { nodes } }) + '\n')
  process.on('SIGTERM', () => net.destroy().then(() => process.exit(0)))
})
