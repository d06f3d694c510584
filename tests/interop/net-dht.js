// Nodes of the DHT of each side find, and connect to, each other through a
// test network of JavaScript nodes: open ones, and ones that are reached only
// by hole punching.
'use strict'
const { spawn } = require('child_process')
const { once } = require('events')
const readline = require('readline')
const crypto = require('crypto')
const DHT = require('hyperdht')
const createTestnet = require('hyperdht/testnet')
const { main, check, same, tool } = require('./common')

const BYTES = 200000
// which of the first two it is depends on what the nodes found out by then
const NEAR = ['open', 'neighbour']
const PATHS = ['direct', 'open', 'neighbour', 'punched']

const port = (testnet) => testnet.bootstrap[0].port

function ours (...args) {
  const p = spawn(tool('net_dht'), args.map(String), { stdio: ['pipe', 'pipe', 'inherit'] })
  p.ended = once(p, 'exit')
  p.lines = []
  p.input = readline.createInterface({ input: p.stdout }).on('line', (l) => p.lines.push(l))
  return p
}

// What our client said in the end.
async function ourClient (testnet, reach, how, key) {
  const p = ours(port(testnet), reach, how, key.toString('hex'), BYTES)
  const [status] = await p.ended
  return [status, PATHS[Number((p.lines[0] || '').replace('path ', ''))]]
}

async function ourServer (testnet, reach, seed) {
  const p = ours(port(testnet), reach, 'listen', seed)
  await once(p.input, 'line')
  p.key = Buffer.from(p.lines[0], 'hex')
  return p
}

async function closeOurs (p) {
  p.stdin.end()
  const [status] = await p.ended
  return status
}

// quickFirewall: a node that has not found out yet is taken for firewalled.
function node (testnet, closed) {
  return testnet.createNode(closed ? { quickFirewall: false } : {})
}

async function theirServer (testnet, closed) {
  const dht = node(testnet, closed)
  const server = dht.createServer((s) => {
    s.on('data', (d) => s.write(d))
    s.on('end', () => s.end())
    s.on('error', () => {})
  })
  await server.listen()
  return { dht, server, key: server.publicKey }
}

async function theirClient (testnet, closed, key, opts) {
  const dht = node(testnet, closed)
  await dht.fullyBootstrapped()
  const s = dht.connect(key, opts)
  const data = crypto.randomBytes(BYTES)
  const got = []
  let n = 0
  const result = await new Promise((resolve) => {
    s.on('error', (err) => resolve(err.message))
    s.on('open', () => s.write(data))
    s.on('data', (d) => {
      got.push(d)
      if ((n += d.length) >= BYTES) resolve(Buffer.concat(got).equals(data))
    })
  })
  const punches = { ...dht.stats.punches }
  s.end()
  await dht.destroy()
  return { result, punches }
}

async function toTheirs (testnet) {
  for (const closed of [false, true]) {
    const s = await theirServer(testnet, closed)
    const what = 'to a ' + (closed ? 'closed' : 'open') + ' server'
    for (const reach of ['open', 'closed']) {
      const [status, path] = await ourClient(testnet, reach, 'connect', s.key)
      check(status === 0 && NEAR.includes(path), reach + ' ' + what + ': ' + path)
    }
    const punched = await ourClient(testnet, 'closed', 'punch', s.key)
    if (closed) same(punched, [0, 'punched'], 'punching ' + what)
    else same(punched[0], 0, 'punching ' + what)
    await s.server.close()
    const [status] = await ourClient(testnet, 'closed', 'connect', s.key)
    same(status, 1, 'nobody is found ' + what + ' that is closed')
    await s.dht.destroy()
  }
}

async function fromTheirs (testnet) {
  let seed = 1
  for (const reach of ['open', 'closed']) {
    const s = await ourServer(testnet, reach, seed++)
    const what = ' to ours, which is ' + reach
    same((await theirClient(testnet, false, s.key)).result, true, 'open' + what)
    same((await theirClient(testnet, true, s.key)).result, true, 'closed' + what)
    const r = await theirClient(testnet, true, s.key, { localConnection: false })
    same(r.result, true, 'punching' + what)
    if (reach === 'closed') same(r.punches.open, 0, 'it did not just connect')
    same(await closeOurs(s), 0, 'ours, which was ' + reach + ', ends well')
  }
}

async function amongUs (testnet) {
  const s = await ourServer(testnet, 'closed', 9)
  same(await ourClient(testnet, 'closed', 'punch', s.key), [0, 'punched'], 'ours to ours')
  const [a, b] = await Promise.all([1, 2].map(() => ourClient(testnet, 'closed', 'punch', s.key)))
  same([a, b], [[0, 'punched'], [0, 'punched']], 'two of ours at once')
  same(await closeOurs(s), 0, 'ours ends well')
}

main(async () => {
  const testnet = await createTestnet(6)
  await toTheirs(testnet)
  await fromTheirs(testnet)
  await amongUs(testnet)
  await testnet.destroy()
})
