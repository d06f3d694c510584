// scale-js.js STEP...: the JavaScript side of scale.sh.
//	nodes COUNT              a DHT on the loopback; prints "HOST:PORT"
//	prepare STORE COUNT      drives of one file; prints their links
//	seed STORE LINKS HOST:PORT  seeds them, with the DHT at HOST:PORT; prints
//	                         "announced HOST:PORT:KEY", where it listens
//	first STORE LINKS HOST:PORT:KEY COUNT
//	                         peers, one after the other, that find KEY in the
//	                         DHT at HOST:PORT and fetch a block of a drive;
//	                         prints "first CONNECTED BLOCK" (milliseconds)
'use strict'
const fs = require('fs')
const path = require('path')
const Corestore = require('corestore')
const Hyperdrive = require('hyperdrive')
const DHT = require('hyperdht')
const Hyperswarm = require('hyperswarm')
const createTestnet = require('hyperdht/testnet')
const id = require('hypercore-id-encoding')

const [step, ...args] = process.argv.slice(2)

const linksOf = (file) => fs.readFileSync(file, 'latin1').trim().split('\n')
  .map((l) => id.decode(l.replace('pear://', '')))

function address (text) {
  const [host, port, key] = text.split(':')
  return { host, port: Number(port), key: key && id.decode(key) }
}

async function nodes (count) {
  const net = await createTestnet(Number(count), { host: '127.0.0.1' })
  console.log(net.bootstrap[0].host + ':' + net.bootstrap[0].port)
}

async function prepare (dir, count) {
  const store = new Corestore(dir)
  for (let i = 0; i < Number(count); i++) {
    const drive = new Hyperdrive(store.namespace('drive ' + i))
    await drive.ready()
    await drive.put('/file', Buffer.alloc(3000, i))
    console.log('pear://' + id.encode(drive.key))
    await drive.close()
  }
  await store.close()
}

async function seed (dir, links, bootstrap) {
  const store = new Corestore(dir)
  // not firewalled: it answers from the socket on which it is asked
  const dht = new DHT({
    bootstrap: [address(bootstrap)],
    host: '127.0.0.1',
    firewalled: false,
    quickFirewall: false,
    ephemeral: true
  })
  const swarm = new Hyperswarm({ dht, maxPeers: 2000 })
  swarm.on('connection', (conn) => {
    conn.on('error', () => {})
    store.replicate(conn)
  })
  const flushed = []
  for (const key of linksOf(links)) {
    const drive = new Hyperdrive(store.session(), key)
    await drive.ready()
    await drive.getBlobs()
    flushed.push(swarm.join(drive.discoveryKey, { server: true, client: false }).flushed())
  }
  await Promise.all(flushed)
  const { port } = swarm.dht.io.serverSocket.address()
  console.log('announced 127.0.0.1:' + port + ':' + id.encode(swarm.keyPair.publicKey))
}

async function first (dir, links, seeder, count) {
  const keys = linksOf(links)
  const { host, port, key } = address(seeder)
  for (let i = 0; i < Number(count); i++) {
    const store = new Corestore(path.join(dir, String(i)))
    const core = store.get(keys[i % keys.length])
    await core.ready()
    const swarm = new Hyperswarm({ bootstrap: [{ host, port }] })
    await swarm.dht.fullyBootstrapped()
    let connected = 0n
    swarm.on('connection', (conn) => {
      connected = connected || process.hrtime.bigint()
      conn.on('error', () => {})
      store.replicate(conn)
    })
    const start = process.hrtime.bigint()
    swarm.joinPeer(key)
    await core.get(0)
    const block = process.hrtime.bigint()
    console.log('first', Number(connected - start) / 1e6, Number(block - start) / 1e6)
    await swarm.destroy()
    await store.close()
  }
  process.exit()
}

const STEPS = { nodes, prepare, seed, first }
STEPS[step](...args).catch((err) => {
  console.error('scale-js.js: ' + err.stack)
  process.exit(1)
})
