// Nodes of the DHT of both sides in one network: what one stores, the other
// finds. First a network of JavaScript nodes with one of ours, then one of
// ours only, through which JavaScript peers announce and connect, then half
// and half; and who begins with whom. FULL=1: larger.
'use strict'
const { spawn, execFile } = require('child_process')
const { once } = require('events')
const readline = require('readline')
const crypto = require('crypto')
const DHT = require('hyperdht')
const createTestnet = require('hyperdht/testnet')
const { main, check, same, tool, bin } = require('./common')

const HALF = process.env.FULL ? 50 : 25
const MANY = 25 // more than a row of the table
const seeds = (n) => DHT.keyPair(Buffer.concat([Buffer.from([n]), Buffer.alloc(31)]))
const random = () => crypto.randomBytes(32)

// -- ours ---------------------------------------------------------------------

// pear-dht; resolves when all of it is persistent and knows some others.
async function ours (args, want) {
  const p = spawn(bin('pear-dht'), ['--json', '--stats-interval', '50', '--host', '127.0.0.1', ...args],
    { stdio: ['ignore', 'pipe', 'inherit'] })
  p.at = []
  p.ended = once(p, 'exit')
  const lines = readline.createInterface({ input: p.stdout })
  await new Promise((resolve, reject) => {
    const late = setTimeout(() => reject(new Error('pear-dht does not get ready')), 20000)
    lines.on('line', (l) => {
      const { tag, data } = JSON.parse(l)
      if (tag === 'listening') p.at.push(data)
      if (tag === 'persistent') p.id = data
      if (tag === 'state') p.state = data
      if (tag !== 'state' || data.persistent < data.running || data.nodes < want) return
      clearTimeout(late)
      resolve()
    })
  })
  return p
}

async function stop (p) {
  p.kill('SIGINT')
  const [status] = await p.ended
  return status
}

function ask (port, ...args) {
  return new Promise((resolve, reject) => {
    execFile(tool('net_dht_ask'), [port, ...args].map(String), (err, out) => {
      if (err) return reject(err)
      const lines = out.trim().split('\n').map((l) => l.split(' '))
      const of = (tag) => lines.filter((l) => l[0] === tag).map((l) => l.slice(1))
      resolve({ peers: of('peer'), values: of('value'), done: Number(of('done')[0][0]) })
    })
  })
}

// -- theirs -------------------------------------------------------------------

function client (port) {
  return new DHT({ bootstrap: [{ host: '127.0.0.1', port }], host: '127.0.0.1' })
}

async function look (dht, topic) {
  const keys = new Set()
  const relays = new Set()
  for await (const { peers } of dht.lookup(topic)) {
    for (const p of peers) {
      keys.add(p.publicKey.toString('hex'))
      for (const a of p.relayAddresses) relays.add(a.host + ':' + a.port)
    }
  }
  return { keys: [...keys], relays: [...relays] }
}

// -- what one stores, the other finds ------------------------------------------

async function records (port, dht, what) {
  const topic = random()
  const hex = topic.toString('hex')
  const mine = seeds(3)
  const theirs = seeds(4)
  const key = (pair) => pair.publicKey.toString('hex')

  const { done } = await ask(port, 'announce', hex, 3, '127.0.0.1:1001', '127.0.0.1:1002')
  check(done > 0, what + ': our announcement is taken by ' + done)
  same(await look(dht, topic), { keys: [key(mine)], relays: ['127.0.0.1:1001', '127.0.0.1:1002'] },
    what + ': they find our announcement')
  await dht.announce(topic, theirs, [{ host: '127.0.0.1', port: 7 }]).finished()
  const both = (await ask(port, 'lookup', hex)).peers
  same([...new Set(both.map((p) => p[0]))].sort(), [key(mine), key(theirs)].sort(), what + ': we find both')
  check(both.some((p) => p[1] === '127.0.0.1:7'), what + ': with their relays')

  await ask(port, 'reannounce', hex, 3, '127.0.0.1:1003')
  same((await look(dht, topic)).relays.sort(), ['127.0.0.1:1003', '127.0.0.1:7'], what + ': announced anew')
  check((await ask(port, 'unannounce', hex, 3)).done > 0, what + ': ours is taken back')
  same((await look(dht, topic)).keys, [key(theirs)], what + ': and no longer found')
  await dht.unannounce(topic, theirs)
  same((await ask(port, 'lookup', hex)).peers, [], what + ': nor theirs, once taken back')
}

let writers = 10

async function values (port, dht, what) {
  const n = writers++ // whose values nobody has yet
  const mine = seeds(n)
  const text = 'value ' + n + ' '

  check((await ask(port, 'put-mutable', n, 5, text + 'one')).done > 0, what + ': we put')
  const got = await dht.mutableGet(mine.publicKey)
  same([got && got.seq, got && got.value.toString()], [5, text + 'one'], what + ': they get ours')
  await dht.mutablePut(mine, Buffer.from(text + 'two'), { seq: 6 })
  const { values } = await ask(port, 'get-mutable', mine.publicKey.toString('hex'), 6)
  same(values.map((v) => v.join(' ')), ['6 ' + text + 'two'], what + ': we get theirs')
  check((await ask(port, 'put-mutable', n, 4, 'older')).done === 0, what + ': a lower number is refused')
  check((await ask(port, 'put-mutable', n, 6, 'other')).done === 0, what + ': the same number with another value is refused')

  const value = crypto.randomBytes(400).toString('hex')
  const hash = DHT.hash(Buffer.from(value))
  check((await ask(port, 'put', value)).done > 0, what + ': we put an immutable one')
  const imm = await dht.immutableGet(hash)
  check(imm && imm.value.toString() === value, what + ': they get it')
  const put = await dht.immutablePut(Buffer.from('theirs ' + n))
  const back = await ask(port, 'get', put.hash.toString('hex'))
  same(back.values.map((v) => v.slice(1).join(' ')), ['theirs ' + n], what + ': we get theirs')
}

// A server and a client that know each other's key only.
async function connects (a, b, what) {
  const server = a.createServer((s) => {
    s.on('data', (d) => s.write(d))
    s.on('error', () => {})
  })
  await server.listen()
  const key = server.publicKey
  check(server.relayAddresses.length > 0, what + ': the server has relays')
  const s = b.connect(key)
  s.on('error', () => {})
  s.write('hello')
  const [d] = await Promise.race([once(s, 'data'), once(s, 'close')])
  same(d && d.toString(), 'hello', what + ': connected through the nodes')
  s.destroy()
  await server.close()
  const gone = b.connect(key)
  const [err] = await once(gone, 'error')
  check(/PEER_NOT_FOUND|PEER_CONNECTION_FAILED/.test(err.code), what + ': a closed server is gone: ' + err.code)
}

// -- networks -----------------------------------------------------------------

async function oneOfOurs () {
  const net = await createTestnet(6)
  const port = net.bootstrap[0].port
  const node = await ours(['--port', '0', '--node', '127.0.0.1:' + port], 5)
  const at = node.at[0].port
  // no node stores its own things at itself
  const dht = client(port)
  const other = client(at)

  await records(port, dht, 'theirs and one of ours')
  await values(port, dht, 'theirs and one of ours')
  await records(at, other, 'ours first')
  await values(at, other, 'ours first')
  check(node.state.mutables > 0 && node.state.immutables > 0, 'ours has stored for them')
  await dht.destroy()
  await other.destroy()
  check(await stop(node) === 0, 'interrupted: exit code 0')
  await net.destroy()
}

async function onlyOurs () {
  const net = await ours(['--nodes', '8'], 7)
  const port = net.at[0].port
  const a = client(port)
  const b = client(net.at[5].port)

  await a.fullyBootstrapped()
  await b.fullyBootstrapped()
  await records(port, a, 'only ours')
  await values(port, b, 'only ours')
  for (let i = 0; i < 3; i++) await connects(a, b, 'only ours ' + i)
  await a.destroy()
  await b.destroy()
  check(await stop(net) === 0, 'a network of ours ends well')
}

// Each node announces a topic of its own, each looks up that of another one.
async function mixed () {
  const net = await createTestnet(HALF)
  const port = net.bootstrap[0].port
  const mine = await ours(['--nodes', HALF, '--node', '127.0.0.1:' + port], MANY)
  const topics = []
  let answered = 0

  for (let i = 0; i < HALF; i++) {
    const topic = random()
    topics.push(topic)
    if (i % 2) await net.nodes[i].announce(topic, seeds(i), []).finished()
    else await ask(mine.at[i].port, 'announce', topic.toString('hex'), i)
  }
  for (let i = 0; i < HALF; i++) {
    const topic = topics[(i + 1) % HALF]
    const want = seeds((i + 1) % HALF).publicKey.toString('hex')
    const theirs = await look(net.nodes[i], topic)
    const { peers } = await ask(mine.at[i].port, 'lookup', topic.toString('hex'))
    answered += theirs.keys.includes(want)
    answered += peers.some((p) => p[0] === want)
  }
  check(answered === 2 * HALF, 'mixed: ' + answered + ' of ' + 2 * HALF + ' lookups answered')
  check(mine.state.nodes >= MANY, 'mixed: ours know ' + mine.state.nodes + ' nodes')
  await connects(net.nodes[1], net.nodes[2], 'mixed')
  check(await stop(mine) === 0, 'mixed: ends well')
  await net.destroy()
}

// JavaScript nodes begin with ours, and become persistent by them.
async function theirsOnOurs () {
  const net = await ours(['--nodes', '3'], 2)
  const bootstrap = [{ host: '127.0.0.1', port: net.at[0].port }]
  const js = await createTestnet(8, { bootstrap })
  const dht = client(js.nodes[5].address().port)

  check(js.nodes.filter((n) => n.id).length === 8, 'theirs on ours: all have an id')
  await records(net.at[1].port, dht, 'theirs on ours')
  await values(js.nodes[2].address().port, dht, 'theirs on ours')
  check(net.state.nodes >= 8, 'theirs on ours: ours know ' + net.state.nodes)
  await dht.destroy()
  await js.destroy()
  check(await stop(net) === 0, 'theirs on ours: ends well')
}

// Nobody tells it its address: it asks, is tried, and stores from then on.
async function findsItself () {
  const net = await createTestnet(6)
  const node = await ours(['--host', '0.0.0.0', '--port', '0',
    '--node', '127.0.0.1:' + net.bootstrap[0].port], 5)
  check(node.id && node.id.host === '127.0.0.1' && node.id.port === node.at[0].port,
    'it found its address: ' + JSON.stringify(node.id))
  check(node.at[0].id === null && /^[0-9a-f]{64}$/.test(node.id.id), 'and has an id since')
  check(await stop(node) === 0, 'finds itself: ends well')
  await net.destroy()
}

main(async () => {
  await theirsOnOurs()
  await findsItself()
  await oneOfOurs()
  await onlyOurs()
  await mixed()
})
