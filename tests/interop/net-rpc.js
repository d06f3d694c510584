// Nodes of net/rpc among nodes of dht-rpc on the loopback: each answers the
// other's queries, keeps what the other puts, is the other's bootstrap node,
// finds its own address and becomes persistent.
'use strict'
const { spawn } = require('child_process')
const crypto = require('crypto')
const readline = require('readline')
const DHT = require('dht-rpc')
const { main, check, same, tool } = require('./common')

const COMMAND = 1
const host = '127.0.0.1'
const random = () => crypto.randomBytes(32)

// -- a JavaScript node that keeps values ------------------------------------

function keeping (dht) {
  const values = new Map()
  dht.onrequest = (req) => {
    if (req.command !== COMMAND || !req.target) return false
    const key = req.target.toString('hex')
    if (req.token && req.value) values.set(key, req.value)
    req.reply(values.get(key) || null)
    return true
  }
  return dht
}

async function jsNode (opts) {
  const dht = keeping(new DHT({ host, ...opts }))
  await dht.fullyBootstrapped()
  return dht
}

// -- ours -------------------------------------------------------------------

class Ours {
  constructor (...args) {
    this.p = spawn(tool('net_rpc'), args.map(String), { stdio: ['pipe', 'pipe', 'inherit'] })
    this.lines = []
    this.waiting = []
    this.ended = new Promise((resolve) => this.p.on('exit', resolve))
    readline.createInterface({ input: this.p.stdout }).on('line', (l) => {
      this.lines.push(l)
      this.wake()
    })
  }

  wake () {
    for (const w of this.waiting.splice(0)) w()
  }

  // The first line, from the one before on, that starts with a word.
  async line (word, from = 0) {
    const until = Date.now() + 60000
    while (Date.now() < until) {
      for (; from < this.lines.length; from++) {
        if (this.lines[from].startsWith(word)) return this.lines[from].split(' ')
      }
      await new Promise((resolve) => {
        const t = setTimeout(resolve, 1000)
        this.waiting.push(() => { clearTimeout(t); resolve() })
      })
    }
    throw new Error('no line "' + word + '" after: ' + this.lines.join(' | '))
  }

  // Say a line, wait for what ends its answer; all lines since.
  async ask (text, end) {
    const from = this.lines.length
    this.p.stdin.write(text + '\n')
    await this.line(end, from)
    return this.lines.slice(from)
  }

  async port () {
    return Number((await this.line('listening'))[1])
  }

  async end () {
    this.p.stdin.end()
    return this.ended
  }
}

async function jsPut (dht, target, text) {
  const q = dht.query({ target, command: COMMAND },
    { commit: (m) => dht.request({ token: m.token, target, command: COMMAND, value: Buffer.from(text) }, m.from) })
  await q.finished()
  return q.closestReplies.length
}

async function jsGet (dht, target) {
  for await (const m of dht.query({ target, command: COMMAND })) if (m.value) return m.value.toString()
  return null
}

const numbers = (lines) => lines[lines.length - 1].split(' ').slice(1).map(Number)

// -- the cases --------------------------------------------------------------

// A JavaScript testnet; ours looks things up, puts, gets, and becomes a node.
async function amongTheirs () {
  const first = await jsNode({ bootstrap: [], ephemeral: false, firewalled: false })
  const at = host + ':' + first.address().port
  const nodes = [first]
  for (let i = 0; i < 24; i++) nodes.push(await jsNode({ bootstrap: [at], ephemeral: false, firewalled: false }))

  const client = new Ours('client', 0, 'test', at)
  await client.line('ready')
  let about = (await client.ask('about', 'about'))[0].split(' ')
  same(about.slice(1, 3), ['open', 'ephemeral'], 'a client finds that it is not firewalled, and stays a client')
  same(about[3], host + ':' + await client.port(), 'and knows its address')
  check(Number(about[4]) >= 20, 'and many nodes')

  const target = random()
  const closest = (await first.findNode(target).on('data', () => {}).finished(), null)
  same(closest, null, 'their query ends')
  let [n, answers] = numbers(await client.ask('find ' + target.toString('hex'), 'done'))
  same(n, 20, 'ours finds the closest nodes')
  check(answers >= 20 && answers <= 25, 'of those that are there')
  const [, , commits] = numbers(await client.ask('put ' + target.toString('hex') + ' hello', 'done'))
  same(commits, 20, 'they take our tokens back')
  same(await jsGet(first, target), 'hello', 'and give theirs what ours put')

  const other = random()
  same(await jsPut(first, other, 'theirs'), 20, 'theirs put')
  check((await client.ask('get ' + other.toString('hex'), 'done')).includes('value theirs'), 'ours gets it')

  const server = new Ours('server', 0, 'test', at)
  await server.line('persistent')
  await server.line('ready')
  const port = await server.port()
  about = (await server.ask('about', 'about'))[0].split(' ')
  same(about.slice(1, 4), ['open', 'persistent', host + ':' + port], 'a server becomes persistent at once')
  const pong = await first.ping({ host, port })
  check(pong.from.id && pong.from.id.equals(id(port)), 'its id is that of its address')
  let known = 0
  for (const node of nodes) known += node.toArray().some((x) => x.port === port) ? 1 : 0
  check(known >= 5, 'nodes have it in their tables: ' + known)
  await putAt(first, id(port), port)
  const answer = await first.request({ command: 77, target: random() }, { host, port })
  same(answer.error, 1, 'an unknown command is refused')
  check(answer.closerNodes.length === 20, 'with closer nodes')
  await first.delayedPing({ host, port }, 120)
  const bad = await first.request({ command: COMMAND, target, token: random() }, { host, port })
  same(bad.error, 2, 'a wrong token is refused')
  check(bad.token && bad.token.length === 32, 'with a right one')

  for (const node of nodes.slice(15, 22)) await node.destroy()
  ;[n, answers] = numbers(await client.ask('find ' + target.toString('hex'), 'done'))
  check(n >= 17, 'nodes that are gone do not end a query: ' + n)
  same(await client.end(), 0, 'ours ends')
  same(await server.end(), 0, 'ours ends')
  for (const node of nodes) await node.destroy()
}

function id (port) {
  const b = Buffer.from([127, 0, 0, 1, port & 255, port >> 8])
  const out = Buffer.alloc(32)
  require('sodium-universal').crypto_generichash(out, b)
  return out
}

// What is put next to our node is kept by it.
async function putAt (dht, target, port) {
  await jsPut(dht, target, 'at-ours')
  const m = await dht.request({ command: COMMAND, target }, { host, port })
  same(m.value && m.value.toString(), 'at-ours', 'ours keeps what theirs put')
}

// Ours first and alone; theirs and more of ours join.
async function ourNetwork () {
  const first = new Ours('server', 0, 'open')
  await first.line('ready')
  const at = host + ':' + await first.port()
  const ours = []
  for (let i = 0; i < 3; i++) ours.push(new Ours('server', 0, 'test', at))
  for (const o of ours) await o.line('ready')
  const nodes = []
  for (let i = 0; i < 6; i++) nodes.push(await jsNode({ bootstrap: [at], ephemeral: false }))
  same(nodes.map((x) => [x.ephemeral, x.firewalled]), nodes.map(() => [false, false]),
    'theirs become persistent by ours')
  for (const o of ours) await o.line('persistent')
  await first.line('persistent')
  const target = random()
  check(await jsPut(nodes[5], target, 'mixed') >= 9, 'theirs put at all of them')
  for (const o of ours) {
    check((await o.ask('get ' + target.toString('hex'), 'done')).includes('value mixed'), 'ours gets it')
  }
  same(await jsGet(nodes[0], target), 'mixed', 'theirs gets it')
  for (const o of [first, ...ours]) same(await o.end(), 0, 'ours ends')
  for (const node of nodes) await node.destroy()
}

main(async () => {
  await amongTheirs()
  await ourNetwork()
})
