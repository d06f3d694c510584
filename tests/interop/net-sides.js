// The two kinds of peers the network programs set against each other, with
// the same methods: JsSide is net-js-peer.js in a process, OurSide the
// commands on a store.
//
//	seeds	put, many, stage, truncate; start() -> "HOST:PORT:KEY"
//	fetches	fetch(link, at, only): once, whole or one folder
//		follow(link, at): for ever
//	both	state(): both cores; files(); kill(): -9; stop()
//		host, enter: where it runs, if that is another namespace
//		nodes: "HOST:PORT,...", of a DHT in which the peers find each
//		other by the link alone; `at` is not needed then
//		keep: a JavaScript follower dials again, as ours does anyway
'use strict'
const { spawn } = require('child_process')
const { once } = require('events')
const fs = require('fs')
const path = require('path')
const readline = require('readline')
const id = require('hypercore-id-encoding')
const { check, run, bin, tool, byPath } = require('./common')
const { randomBytes, Hash } = require('./net-js-peer')

const DEADLINE = 60000 * (process.env.FULL ? 10 : 1)

// Every wait ends: with what is awaited, or with a word of what was not.
exports.within = async function within (promise, what, ms = DEADLINE) {
  let timer
  const late = new Promise((resolve, reject) => {
    timer = setTimeout(() => reject(new Error('not within ' + ms + ' ms: ' + what)), ms)
  })
  try {
    return await Promise.race([promise, late])
  } finally {
    clearTimeout(timer)
  }
}
const within = exports.within

const running = new Set()
process.on('exit', () => {
  for (const p of running) p.kill('SIGKILL')
})

const here = (program, args) => [program, args]

function start ([program, args], options) {
  const p = spawn(program, args, options)
  running.add(p)
  p.ended = once(p, 'exit').then(([code, signal]) => {
    running.delete(p)
    return signal || code
  })
  return p
}

exports.JsSide = class JsSide {
  constructor (dir) {
    this.dir = dir
    this.link = null
    this.host = '127.0.0.1'
    this.enter = here
    this.port = 0
    this.seed = 1 + Math.floor(Math.random() * 250)
  }

  // Started again it has the address and the key it had.
  launch () {
    this.waiting = []
    this.process = start(this.enter(process.execPath,
      [path.join(__dirname, 'net-js-peer.js'), this.dir, this.host, String(this.port)]),
    { stdio: ['pipe', 'pipe', 'inherit'] })
    this.process.stdin.on('error', () => {})
    readline.createInterface({ input: this.process.stdout }).on('line', (line) => {
      this.waiting.shift()(JSON.parse(line))
    })
  }

  async ask (op, more = {}) {
    if (!this.process) this.launch()
    this.process.stdin.write(JSON.stringify({ op, ...more }) + '\n')
    const answer = await within(new Promise((resolve) => this.waiting.push(resolve)),
      'JavaScript: ' + op + ' ' + JSON.stringify(more))
    if (answer.error) throw new Error(answer.error)
    return answer
  }

  async open (link) {
    const d = await this.ask('drive', link ? { key: link.replace('pear://', '') } : {})
    this.link = d.link
    this.opened = true
  }

  put (path, size, seed) {
    return this.ask('put', { path, size, seed })
  }

  many (count, size, seed) {
    return this.ask('many', { count, size, seed })
  }

  stage (folder) {
    return this.ask('stage', { folder, dedup: true })
  }

  truncate (version) {
    return this.ask('truncate', { version })
  }

  join () {
    const bootstrap = this.nodes.split(',').map((n) => ({ host: n.split(':')[0], port: Number(n.split(':')[1]) }))
    return this.ask('join', { bootstrap, seed: this.seed })
  }

  async start () {
    if (!this.opened) await this.open(this.link)
    if (this.nodes) return (await this.join()).key
    const l = await this.ask('listen', { seed: this.seed })
    this.port = Number(l.address.split(':')[1])
    return l.address + ':' + l.key
  }

  async dial (link, at) {
    if (!this.opened) await this.open(link)
    if (this.nodes) await this.join()
    for (const a of at ? [].concat(at) : []) await this.ask('connect', { peer: a, keep: this.keep })
  }

  async fetch (link, at, only) {
    await this.dial(link, at)
    await this.ask('download', { folder: only && '/' + only })
  }

  async follow (link, at) {
    await this.dial(link, at)
    await this.ask('follow')
  }

  async state () {
    const { db, blobs } = await this.ask('stat')
    const plain = (c) => c && { length: c.length, fork: c.fork, contiguous: c.contiguous, treeHash: c.treeHash }
    return { db: plain(db), blobs: blobs && blobs.length ? plain(blobs) : null }
  }

  async files (folder) {
    return (await this.ask('files', { folder: folder && '/' + folder })).files
  }

  async kill () {
    this.process.kill('SIGKILL')
    await this.process.ended
    this.process = null
    this.opened = false
  }

  async stop () {
    if (!this.process) return
    await this.ask('close')
    await this.process.ended
    this.process = null
    this.opened = false
  }
}

exports.OurSide = class OurSide {
  constructor (dir) {
    this.dir = dir
    this.out = dir + '-out'
    this.seed = require('crypto').randomBytes(32).toString('hex')
    this.seeding = [] // more options of who seeds
    this.link = null
    this.host = '127.0.0.1'
    this.enter = here
    this.process = null
    this.events = []
    this.waiting = []
  }

  // -- changing a drive: by the library, beside a command that seeds it

  async edit (ops) {
    const p = start([tool('drive_edit'), [this.dir, this.seed]], { stdio: ['pipe', 'pipe', 'inherit'] })
    for (const op of ops) p.stdin.write(JSON.stringify(op) + '\n')
    p.stdin.end(JSON.stringify({ op: 'commit' }) + '\n')
    const line = await within(once(readline.createInterface({ input: p.stdout }), 'line'), 'drive_edit')
    if (await p.ended !== 0) throw new Error('drive_edit failed')
    const done = JSON.parse(line[0])
    this.link = 'pear://' + id.encode(Buffer.from(done.key, 'hex'))
    return { version: done.version }
  }

  async open () {
    this.link = run(bin('pear-touch'), ['--storage', this.dir, '--json']).match(/pear:\/\/[a-z0-9]{52}/)[0]
  }

  op (path, size, seed) {
    return { op: 'put', path, data: Buffer.concat([...randomBytes(size, seed)]).toString('hex') }
  }

  put (path, size, seed) {
    return this.edit([this.op(path, size, seed)])
  }

  many (count, size, seed) {
    const ops = []
    for (let i = 0; i < count; i++) ops.push(this.op('/many/d' + i % 40 + '/' + i, 1 + (i * 7919) % size, seed + i))
    return this.edit(ops)
  }

  async stage (folder) {
    if (!this.link) await this.open()
    run(bin('pear-stage'), ['--storage', this.dir, '--json', this.link, folder])
  }

  truncate (version) {
    return this.edit([{ op: 'truncate', version }])
  }

  // -- the commands

  command (name, args) {
    const net = this.nodes ? ['--dht-bootstrap', this.nodes] : []
    const p = start(this.enter(bin(name), ['--storage', this.dir, '--json', ...net, ...args]),
      { stdio: ['ignore', 'pipe', 'pipe'] })
    this.events = []
    p.said = ''
    p.stderr.on('data', (d) => { p.said = (p.said + d).slice(-4000) })
    readline.createInterface({ input: p.stdout }).on('line', (line) => {
      this.events.push(JSON.parse(line))
      this.waiting = this.waiting.filter((look) => !look())
    })
    return p
  }

  // The data of the first event of that tag for which it holds.
  event (tag, holds = () => true) {
    const found = new Promise((resolve) => {
      const look = () => {
        const e = this.events.find((e) => e.tag === tag && holds(e.data))
        if (e) resolve(e.data)
        return !!e
      }
      if (!look()) this.waiting.push(look)
    })
    const gone = this.process.ended.then((code) => {
      throw new Error('ended with ' + code + ': ' + this.process.said + JSON.stringify(this.events.slice(-3)))
    })
    return within(Promise.race([found, gone]), tag)
  }

  async start () {
    if (this.nodes) {
      this.process = this.command('pear-seed', [this.link, '--stats-interval', '20', ...this.seeding])
      await this.event('announced')
      return (await this.event('stats')).whoami
    }
    this.process = this.command('pear-seed', [this.link, '--listen', this.host + ':0', ...this.seeding])
    const l = await this.event('listening')
    return l.address + ':' + l.key
  }

  async fetch (link, at, only) {
    this.link = link
    const peers = (at ? [].concat(at) : []).flatMap((a) => ['--peer', a])
    const args = [link, this.out, '--force', ...peers]
    if (only) args.push('--only', only)
    const p = this.process = this.command('pear-dump', args)
    const code = await within(p.ended, 'pear-dump')
    this.process = null
    if (code !== 0) throw new Error('pear-dump ended with ' + code + ': ' + p.said + JSON.stringify(this.events.slice(-3)))
  }

  async follow (link, at) {
    this.link = link
    const peers = (at ? [].concat(at) : []).flatMap((a) => ['--peer', a])
    this.process = this.command('pear-seed', [link, ...peers, '--stats-interval', '20'])
    await this.event('peer-add')
  }

  // While it follows: so many blocks came in.
  complete (blocks) {
    return this.event('stats', (s) => s.download.totalBlocks >= blocks)
  }

  // What the store holds, every block and node checked.
  look (...more) {
    const lines = run(tool('verify'), [this.dir, ...more]).trim().split('\n')
    return lines.filter((l) => l).map((l) => JSON.parse(l))
  }

  async state () {
    const out = { db: null, blobs: null }
    const key = this.link.replace('pear://', '')
    for (const c of this.look()) {
      const name = id.encode(id.decode(c.core)) === key ? 'db' : 'blobs'
      if (c.length || name === 'db') {
        out[name] = { length: c.length, fork: c.fork, contiguous: c.contiguous, treeHash: c.length ? c.treeHash : '' }
      }
    }
    return out
  }

  async files () {
    return this.look(this.link.replace('pear://', '')).filter((e) => e.path)
      .map((e) => ({ path: e.path, linkname: e.linkname, size: e.size, hash: e.hash })).sort(byPath)
  }

  async kill () {
    this.process.kill('SIGKILL')
    await this.process.ended
    this.process = null
  }

  async stop () {
    const p = this.process
    if (!p) return
    p.kill('SIGINT')
    const code = await within(p.ended, 'the end of a command', 20000)
    check(code === 0, 'SIGINT: ends with 0, not ' + code + ' ' + p.said)
    this.process = null
  }
}

// What pear-dump wrote, as the drive lists it.
function listFolder (root) {
  const out = []
  const walk = (dir) => {
    for (const e of fs.readdirSync(dir, { withFileTypes: true })) {
      const full = path.join(dir, e.name)
      const row = { path: '/' + path.relative(root, full), linkname: null, size: 0, hash: '' }
      if (e.isDirectory()) {
        walk(full)
        continue
      }
      if (e.isSymbolicLink()) row.linkname = fs.readlinkSync(full)
      else Object.assign(row, hashFile(full))
      out.push(row)
    }
  }
  walk(root)
  return out.sort(byPath)
}
exports.listFolder = listFolder

function hashFile (full) {
  const hash = new Hash()
  const b = Buffer.alloc(1 << 20)
  const fd = fs.openSync(full)
  let size = 0
  for (let n; (n = fs.readSync(fd, b)) > 0; size += n) hash.update(b.subarray(0, n))
  fs.closeSync(fd)
  return { size, hash: hash.end() }
}

// A folder of made-up files, the same each time.
exports.folder = function (root, files) {
  fs.rmSync(root, { recursive: true, force: true })
  fs.mkdirSync(root)
  fs.writeFileSync(path.join(root, 'package.json'), '{"name":"net","version":"1.0.0"}\n')
  for (const [name, size, seed] of files) {
    const full = path.join(root, name)
    fs.mkdirSync(path.dirname(full), { recursive: true })
    const fd = fs.openSync(full, 'w')
    for (const b of randomBytes(size, seed)) fs.writeSync(fd, b)
    fs.closeSync(fd)
  }
  return root
}
