// js_peer.js HOST:PORT[,HOST:PORT...]: one side of an attempt, on the
// reference packages. The same lines as nat_peer.c, and the same rules: every
// listen and connect is a node of its own, and a connection is open when the
// first bytes of the other side are there. The event of that name comes
// earlier, as soon as it is decided where to send.
'use strict'
const readline = require('readline')
const DHT = require('hyperdht')

const LIMIT_MS = 20000
const bootstrap = process.argv[2].split(',')
const relayThrough = process.env.PEAR_DHT_RELAY ? Buffer.from(process.env.PEAR_DHT_RELAY, 'hex') : null
let dht = null

const now = () => Number(process.hrtime.bigint() / 1000n) / 1000

async function stop () {
  if (dht) await dht.destroy({ force: true })
  dht = null
}

async function start () {
  await stop()
  dht = new DHT({ bootstrap })
}

async function listen () {
  await start()
  const server = dht.createServer((s) => s.on('error', () => {}))
  await server.listen()
  return 'key ' + server.publicKey.toString('hex')
}

async function connect (key) {
  await start()
  await dht.fullyBootstrapped()
  const began = now()
  const s = dht.connect(Buffer.from(key, 'hex'), { relayThrough })
  const end = await new Promise((resolve) => {
    const late = setTimeout(resolve, LIMIT_MS, 'failed')
    s.on('handshake', () => s.rawStream.once('data', () => resolve('open')))
    s.on('error', (err) => resolve('failed ' + (err.code || err.message)))
    s.on('close', () => clearTimeout(late))
  })
  const took = Math.floor(now() - began)
  const [what, why] = end.split(' ')
  s.destroy()
  return why === undefined && what === 'open'
    ? 'open ' + took
    : 'failed ' + took + ' ' + (why || 'TIMEOUT')
}

async function obey (line) {
  const [order, key] = line.split(' ')
  if (order === 'listen') return listen()
  if (order === 'connect') return connect(key)
  await stop()
  return 'stopped'
}

let last = Promise.resolve()
readline.createInterface({ input: process.stdin })
  .on('line', (line) => {
    last = last.then(() => obey(line)).then((answer) => console.log(answer))
  })
  .on('close', () => process.exit(0))
