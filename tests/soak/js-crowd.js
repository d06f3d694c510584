// js-crowd.js HOST:PORT,... KEY COUNT ADDRESS...: many strangers at once, each
// with a key of its own, that connect to one peer and ask for nothing. Each
// address is a host, because no single one may ask for much. Prints how many
// are connected, and is killed by whoever started it: they all go away in one
// moment and without a word.
'use strict'
const DHT = require('hyperdht')
const id = require('hypercore-id-encoding')

const TOGETHER = 3 // handshakes under way of one host
const ATTEMPTS = 5

const [bootstrap, key, count, ...hosts] = process.argv.slice(2)
const nodes = bootstrap.split(',').map((n) => ({ host: n.split(':')[0], port: Number(n.split(':')[1]) }))
let left = Number(count)
let open = 0
const failed = []

function connect (node, keyPair) {
  return new Promise((resolve) => {
    const conn = node.connect(id.decode(key), { keyPair })
    let why = 'closed'
    conn.once('open', () => resolve(null))
    conn.on('error', (err) => { why = err.code || err.message })
    conn.on('close', () => resolve(why))
  })
}

async function some (node) {
  while (left-- > 0) {
    const keyPair = DHT.keyPair()
    let why = 'never tried'
    for (let i = 0; i < ATTEMPTS && why; i++) why = await connect(node, keyPair)
    if (why) failed.push(why)
    else open++
  }
}

async function host (address) {
  const node = new DHT({ bootstrap: nodes, host: address })
  await node.fullyBootstrapped()
  await Promise.all(Array.from({ length: TOGETHER }, () => some(node)))
}

Promise.all(hosts.map(host)).then(() => {
  console.log(JSON.stringify({ tag: 'crowd', data: { open, failed } }))
  setInterval(() => {}, 1000)
})
