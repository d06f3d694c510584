// Peers that know nothing but a link: on a DHT of JavaScript nodes, and on one
// of ours. Each side seeds for the other, some are late, some are killed, and
// the nodes that everything began with go away.
'use strict'
const { spawn } = require('child_process')
const { once } = require('events')
const fs = require('fs')
const path = require('path')
const readline = require('readline')
const createTestnet = require('hyperdht/testnet')
const { main, check, same, bin } = require('./common')
const { JsSide, OurSide, folder, within } = require('./net-sides')

const NODES = 6

async function theirNetwork () {
  const net = await createTestnet(NODES, { host: '127.0.0.1', port: 0 })
  return {
    name: 'their nodes',
    patient: true,
    nodes: '127.0.0.1:' + net.bootstrap[0].port,
    loseFirst: () => net.nodes[0].destroy(),
    stop: () => net.destroy()
  }
}

// One node by itself, the others around it.
async function ourNode (more, want) {
  const p = spawn(bin('pear-dht'), ['--json', '--stats-interval', '50', '--host', '127.0.0.1', ...more],
    { stdio: ['ignore', 'pipe', 'inherit'] })
  p.ended = once(p, 'exit')
  p.stop = () => {
    p.kill('SIGINT')
    return p.ended
  }
  await within(new Promise((resolve) => {
    readline.createInterface({ input: p.stdout }).on('line', (l) => {
      const { tag, data } = JSON.parse(l)
      if (tag === 'listening') p.at = data.host + ':' + data.port
      if (tag === 'state' && data.persistent >= data.running && data.nodes >= want) resolve()
    })
  }), 'pear-dht is ready')
  return p
}

async function ourNetwork () {
  const first = await ourNode(['--bootstrap', '--port', '0'], 0)
  const others = await ourNode(['--nodes', String(NODES - 1), '--node', first.at], NODES - 2)
  return {
    name: 'our nodes',
    nodes: first.at,
    loseFirst: () => first.stop(),
    stop: async () => {
      await others.stop()
      if (first.exitCode === null && first.signalCode === null) await first.stop()
    }
  }
}

function side (kind, net, work, name) {
  const s = new kind(path.join(work, name)) // eslint-disable-line new-cap
  s.nodes = net.nodes
  return s
}

async function whole (a, b, text) {
  same(await b.state(), await a.state(), text + ': lengths and tree hashes')
  same(await b.files(), await a.files(), text + ': files')
}

async function seed (kind, other, net, work, text) {
  const a = side(kind, net, work, 'a')
  const b = side(other, net, work, 'b')
  await a.open()
  await a.stage(folder(path.join(work, 'src'), [['one', 300000, 1], ['sub/two', 10, 2]]))
  await a.start()
  await b.fetch(a.link)
  await whole(a, b, text)
  return [a, b]
}

// The one that looks is there before there is anything to find.
async function late (kind, other, net, work, text) {
  const a = side(kind, net, work, 'a')
  const b = side(other, net, work, 'b')
  await a.open()
  await a.stage(folder(path.join(work, 'src'), [['one', 1000, 3]]))
  const fetched = b.fetch(a.link)
  await a.start()
  await fetched
  await whole(a, b, text)
  return [a, b]
}

// A follower of ours that dies and comes again, a seeder that grows.
async function live (net, work) {
  const a = side(JsSide, net, work, 'a')
  const b = side(OurSide, net, work, 'b')
  await a.open()
  await a.put('/first', 1000, 4)
  await a.start()
  await b.follow(a.link)
  await b.complete(2)
  await b.kill()
  await a.put('/second', 200000, 5)
  await b.follow(a.link)
  const { version } = await a.put('/third', 70000, 6)
  await b.event('stats', (s) => s.driveLength === version && s.download.totalBlocks > 3)
  await b.event('stats', () => b.look().every((c) => c.contiguous === c.length && (c.length >= version || c.length > 4)))
  await b.stop()
  await whole(a, b, 'a follower that was killed')
  return [a]
}

// The nodes of last time are enough.
async function remembered (net, work) {
  const a = side(JsSide, net, work, 'a')
  const b = side(OurSide, net, work, 'b')
  const c = side(OurSide, net, work, 'c')
  await a.open()
  await a.stage(folder(path.join(work, 'src'), [['one', 5000, 7]]))
  await a.start()
  await b.fetch(a.link)
  await net.loseFirst()
  await a.put('/more', 100, 8)
  await b.fetch(a.link)
  await whole(a, b, 'without the first node')
  if (net.patient) {
    const code = await within(c.command('pear-info', [a.link]).ended, 'pear-info')
    check(code === 3, 'a store that remembers nobody: exit ' + code)
  }
  return [a]
}

async function all (net, work) {
  const cases = [
    ['ours, found by theirs', (d, t) => seed(OurSide, JsSide, net, d, t)],
    ['theirs, found by ours', (d, t) => seed(JsSide, OurSide, net, d, t)],
    ['ours, found by ours', (d, t) => seed(OurSide, OurSide, net, d, t)],
    ['a late seeder of theirs', (d, t) => late(JsSide, OurSide, net, d, t)],
    ['a late seeder of ours', (d, t) => late(OurSide, OurSide, net, d, t)],
    ['live', (d) => live(net, d)],
    ['remembered', (d) => remembered(net, d)]
  ]
  for (const [i, [text, run]] of cases.entries()) {
    const d = path.join(work, String(i))
    fs.mkdirSync(d, { recursive: true })
    const before = Date.now()
    const sides = await run(d, net.name + ', ' + text)
    for (const s of sides) await s.stop()
    if (process.env.VERBOSE) console.error(net.name, text, Date.now() - before, 'ms')
  }
}

main(async (work) => {
  for (const make of [theirNetwork, ourNetwork]) {
    const net = await make()
    await all(net, path.join(work, make.name))
    await net.stop()
  }
})
