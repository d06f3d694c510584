// Blind peers: theirs keeps our drive when pear-seed asks, and pear-seed keeps
// theirs when a client asks by RPC, or by the muxer; found through a test
// network of JavaScript nodes.
'use strict'
const { spawn } = require('child_process')
const { once } = require('events')
const fs = require('fs')
const path = require('path')
const readline = require('readline')
const BlindPeer = require('blind-peer')
const BlindPeerMuxer = require('blind-peer-muxer')
const { AddCoreEncoding, DeleteCoreEncoding } = require('blind-peer-encodings')
const RPC = require('protomux-rpc')
const Corestore = require('corestore')
const crypto = require('hypercore-crypto')
const DHT = require('hyperdht')
const createTestnet = require('hyperdht/testnet')
const c = require('compact-encoding')
const id = require('hypercore-id-encoding')
const { main, check, same, run, bin } = require('./common')

const DEADLINE = 60000

function seeder (testnet, store, ...args) {
  const p = spawn(bin('pear-seed'), [...args, '--json', '--listen', '127.0.0.1:0',
    '--storage', store, '--dht-bootstrap', '127.0.0.1:' + testnet.bootstrap[0].port],
  { stdio: ['ignore', 'pipe', 'inherit'] })
  p.events = []
  p.input = readline.createInterface({ input: p.stdout }).on('line', (l) => {
    p.events.push(JSON.parse(l))
    p.emit('said')
  })
  p.ended = once(p, 'exit')
  p.count = (tag) => p.events.filter((e) => e.tag === tag).length
  return p
}

// Until it is so, asked whenever something happened.
async function until (what, is, emitter, event) {
  const end = Date.now() + DEADLINE
  while (!(await is())) {
    if (Date.now() > end) throw new Error('never: ' + what)
    await Promise.race([once(emitter, event), new Promise((resolve) => setTimeout(resolve, 200))])
  }
  check(true, what)
}

async function stop (p) {
  p.kill('SIGTERM')
  same((await p.ended)[0], 0, 'pear-seed ends well')
}

// -- theirs keeps ours --------------------------------------------------------

async function toTheirs (testnet, work) {
  const store = path.join(work, 'ours')
  const app = path.join(work, 'app')
  fs.mkdirSync(app)
  fs.writeFileSync(path.join(app, 'package.json'), '{"name":"hello","version":"1.0.0"}')
  fs.writeFileSync(path.join(app, 'data'), Buffer.alloc(500000, 'some bytes'))
  const link = run(bin('pear-touch'), ['--storage', store]).trim()
  run(bin('pear-stage'), [link, app, '--storage', store])

  const blind = new BlindPeer(path.join(work, 'theirs'), { bootstrap: testnet.bootstrap })
  await blind.ready()
  await blind.listen()
  const p = seeder(testnet, store, link, '--blind-peer', id.encode(blind.publicKey), '--timeout', '50')
  same((await p.ended)[0], 0, 'ours ends when theirs has it')
  same([p.count('adding'), p.count('confirming'), p.count('added')], [2, 2, 2], 'both cores')
  for (const e of p.events.filter((e) => e.tag === 'added')) {
    const core = blind.store.get({ key: id.decode(e.data.core) })
    await core.ready()
    check(core.length > 0 && core.contiguousLength === core.length, 'theirs is whole')
    await core.close()
  }
  await blind.close()
}

// -- ours keeps theirs --------------------------------------------------------

async function dial (testnet, store, keyPair, host) {
  const dht = testnet.createNode()
  const end = Date.now() + DEADLINE
  const connect = () => new Promise((resolve) => {
    const conn = dht.connect(host, { keyPair })
    conn.on('error', () => {})
    conn.once('open', () => resolve(conn))
    conn.once('close', () => resolve(null))
  })
  let conn = await connect()
  while (conn === null) { // it may not be known yet
    if (Date.now() > end) throw new Error('no connection to ours')
    conn = await connect()
  }
  store.replicate(conn)
  return { conn, close: () => { conn.destroy(); return dht.destroy() } }
}

// By its key it is reached, and nothing else is announced.
async function topics (testnet, key) {
  const dht = testnet.createNode()
  let found = 0
  for (const topic of [key, crypto.discoveryKey(key)]) {
    for await (const { peers } of dht.lookup(topic)) found += peers.length
  }
  await dht.destroy()
  return found
}

async function coreOf (store, name, blocks) {
  const core = store.get({ name })
  await core.ready()
  await core.append(Array.from({ length: blocks }, (_, i) => Buffer.alloc(1000 + i, name)))
  return core
}

const kept = (core) => () => core.peers.some((p) => p.remoteContiguousLength === core.length)

async function refusal (promise) {
  try {
    await promise
  } catch (err) {
    return [err.code, err.cause && err.cause.code]
  }
  return null
}

async function toOurs (testnet, work) {
  const friend = DHT.keyPair(Buffer.alloc(32, 1))
  const stranger = DHT.keyPair(Buffer.alloc(32, 2))
  const host = seeder(testnet, path.join(work, 'host'), '--serve-blind',
    '--blind-trust', id.encode(friend.publicKey), '--blind-quota', '1MB')
  await until('ours listens', () => host.count('listening') > 0, host, 'said')
  const key = id.decode(host.events.find((e) => e.tag === 'listening').data.key)
  await until('ours is in the network', () => host.count('network') > 0, host, 'said')

  const store = new Corestore(path.join(work, 'client'))
  const one = await coreOf(store, 'one', 40)
  const two = await coreOf(store, 'two', 50)
  const { conn, close } = await dial(testnet, store, friend, key)
  same(await topics(testnet, key), 0, 'reached by key, announced by none')
  const rpc = new RPC(conn, { id: key, valueEncoding: c.none })
  const record = await rpc.request('add-core', { key: one.key, referrer: null, priority: 0, announce: true }, AddCoreEncoding)
  same([id.encode(record.key), record.announce], [id.encode(one.key), true], 'kept by RPC')
  await until('ours has the core asked for by RPC', kept(one), one, 'upload')

  new BlindPeerMuxer(conn).addCores({ referrer: null, priority: 0, announce: false, cores: [{ key: two.key, length: two.length }] })
  await until('ours has the core asked for by the muxer', kept(two), two, 'upload')
  await two.append('and more')
  await until('it follows', kept(two), two, 'upload')

  same(await rpc.request('delete-core', { key: one.key }, DeleteCoreEncoding), true, 'deleted')
  same(await rpc.request('delete-core', { key: one.key }, DeleteCoreEncoding), false, 'deleted once')
  same(await refusal(rpc.request('nonsense', null)), ['UNKNOWN_METHOD', undefined], 'unknown')
  await close()

  const other = await dial(testnet, store, stranger, key)
  const asked = new RPC(other.conn, { id: key, valueEncoding: c.none })
  same(await refusal(asked.request('add-core', { key: one.key, referrer: null, priority: 0, announce: false }, AddCoreEncoding)),
    ['REQUEST_ERROR', 'NOT_ALLOWED'], 'a stranger is refused')
  await other.close()
  await store.close()
  await stop(host)
}

main(async (work) => {
  const testnet = await createTestnet(4)
  await toTheirs(testnet, work)
  await toOurs(testnet, work)
  await testnet.destroy()
})
